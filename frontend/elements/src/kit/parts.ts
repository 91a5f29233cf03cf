/** Which files of an upload go together in one request. Pure: knows sizes, nothing of forms or servers. */

/** Most files in one request: servers limit their number. */
const FILES = 20;
/** Most bytes in one request: servers limit its size, and a request that fails is sent again as a whole. */
const BYTES = 24 * 2 ** 20;

/** The files in parts, in order; a file larger than a part is a part of its own. */
export function inParts<T extends { size: number }>(files: readonly T[], most = FILES, bytes = BYTES): T[][] {
  const parts: T[][] = [];
  let room = 0;
  for (const file of files) {
    const last = parts.at(-1);
    if (!last || last.length >= most || file.size > room) {
      parts.push([file]);
      room = bytes - file.size;
    } else {
      last.push(file);
      room -= file.size;
    }
  }
  return parts;
}
