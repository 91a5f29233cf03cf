/** Loading a task's text, also ahead of time. Knows addresses and texts only. */

const ahead = new Map<string, Promise<string>>();
const MOST_AHEAD = 4;

/** Loads a text exactly as it is stored. Rejects with an Error for the worker if that fails. */
export async function loadText(src: string): Promise<string> {
  const fetched = ahead.get(src) ?? fetchText(src);
  ahead.delete(src);
  try {
    return await fetched;
  } catch (error) {
    throw new Error("The text cannot be loaded.", { cause: error });
  }
}

/** Fetches a text in the background, so that the next task is there at once. A failure does not matter: the text is then loaded when it is shown. */
export function prefetchText(src: string | null | undefined): void {
  if (!src || ahead.has(src)) return;
  const fetched = fetchText(src);
  fetched.catch(() => ahead.delete(src));
  ahead.set(src, fetched);
  const oldest = ahead.keys().next().value;
  if (ahead.size > MOST_AHEAD && oldest !== undefined) ahead.delete(oldest);
}

async function fetchText(src: string): Promise<string> {
  const response = await fetch(src, { credentials: "same-origin" });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.text();
}
