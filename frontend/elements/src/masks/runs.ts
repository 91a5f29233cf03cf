/** Run-length encoding of bytes as short text: "5.a 0.3" is ten times 5, then three times 0 (numbers in base 36). All zeros are
 *  the empty text. Pure. */

export function encoded(bytes: Uint8Array): string {
  const runs: string[] = [];
  let start = 0;
  for (let at = 1; at <= bytes.length; at++) {
    if (at < bytes.length && bytes[at] === bytes[start]) continue;
    runs.push(`${bytes[start]!.toString(36)}.${(at - start).toString(36)}`);
    start = at;
  }
  return runs.length === 1 && bytes[0] === 0 ? "" : runs.join(" ");
}

/** The bytes again. Throws an Error if the text is not `length` bytes long. */
export function decoded(text: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  if (!text) return bytes;
  let at = 0;
  for (const run of text.split(" ")) {
    const [value, count] = run.split(".").map((part) => parseInt(part, 36));
    if (value === undefined || count === undefined || !(count > 0) || !(value >= 0 && value < 256) || at + count > length) {
      throw new Error(`a mask's runs do not fit ${length} pixels at "${run.slice(0, 20)}"`);
    }
    bytes.fill(value, at, at + count);
    at += count;
  }
  if (at !== length) throw new Error(`a mask's runs are ${at} instead of ${length} pixels`);
  return bytes;
}
