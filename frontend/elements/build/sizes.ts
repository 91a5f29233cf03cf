/** Sizes of the elements in the page of a template, which may set another size of text for the root, as Bootstrap 3 does (10 px). */

/** The size of the root's text before the template's styles; template/page.ts sets it. */
export const ROOT_SIZE = "--waggle-rem";
const QUERY = /@(?:container|media)[^{}`]*\{/g;
const REM = /(?<![\w.#])(-?\d*\.?\d+)rem\b/g;
const PIXELS = 16;

/** The code with every `rem` in it relative to ROOT_SIZE; in queries, which know no properties, pixels. */
export function steadySizes(code: string): string {
  const queries = code.replace(QUERY, (query) => query.replace(REM, (_, size) => `${Number(size) * PIXELS}px`));
  return queries.replace(REM, `calc($1 * var(${ROOT_SIZE}, 1rem))`);
}
