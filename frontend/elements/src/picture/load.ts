/** Loading a task's picture, also ahead of time. Knows addresses and images only. */

const ahead = new Map<string, Promise<HTMLImageElement>>();
const MOST_AHEAD = 4;

/** Loads and decodes a picture. Rejects with an Error for the worker if that fails. */
export async function loadPicture(src: string): Promise<HTMLImageElement> {
  // one that was fetched ahead is not decoded again: that would take a frame
  const loaded = ahead.get(src) ?? fetchPicture(src);
  ahead.delete(src);
  try {
    return await loaded;
  } catch (error) {
    throw new Error("The picture cannot be loaded.", { cause: error });
  }
}

/** Fetches a picture in the background, so that the next task is there at once. A failure does not matter: the picture is then loaded when it is shown. */
export function prefetchPicture(src: string | null | undefined): void {
  if (!src || ahead.has(src)) return;
  const loaded = fetchPicture(src, "low");
  loaded.catch(() => ahead.delete(src));
  ahead.set(src, loaded);
  const oldest = ahead.keys().next().value;
  if (ahead.size > MOST_AHEAD && oldest !== undefined) ahead.delete(oldest);
}

async function fetchPicture(src: string, priority: "auto" | "low" = "auto"): Promise<HTMLImageElement> {
  const image = new Image();
  image.fetchPriority = priority;
  image.src = src;
  await image.decode();
  return image;
}
