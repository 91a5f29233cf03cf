/** Loading a task's picture, also ahead of time. Knows addresses and images only. */

const ahead = new Map<string, HTMLImageElement>();
const MOST_AHEAD = 4;

/** Loads and decodes a picture. Rejects with an Error for the worker if that fails. */
export async function loadPicture(src: string): Promise<HTMLImageElement> {
  const image = ahead.get(src) ?? new Image();
  ahead.delete(src);
  if (!image.src) image.src = src;
  try {
    await image.decode();
  } catch (error) {
    throw new Error("The picture cannot be loaded.", { cause: error });
  }
  return image;
}

/** Fetches a picture in the background, so that the next task is there at once. A failure does not matter: the picture is then loaded when it is shown. */
export function prefetchPicture(src: string | null | undefined): void {
  if (!src || ahead.has(src)) return;
  const image = new Image();
  image.fetchPriority = "low";
  image.src = src;
  image.decode().catch(() => ahead.delete(src));
  ahead.set(src, image);
  const oldest = ahead.keys().next().value;
  if (ahead.size > MOST_AHEAD && oldest !== undefined) ahead.delete(oldest);
}
