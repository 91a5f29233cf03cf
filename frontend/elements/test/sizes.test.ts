/** Sizes in the page of a template do not follow the size of text that the template gives the root. */
import { expect, test } from "vitest";
import { steadySizes } from "../build/sizes";

test("rem becomes relative to the size before the template's styles, in queries pixels", () => {
  const rem = (size: string) => `calc(${size} * var(--waggle-rem, 1rem))`;
  expect(steadySizes(".a { margin: -.5rem 2rem; inset: calc(1rem + 2px) }")).toBe(`.a { margin: ${rem("-.5")} ${rem("2")}; inset: calc(${rem("1")} + 2px) }`);
  expect(steadySizes("@container (width < 46rem) { .a { gap: 1rem } }")).toBe(`@container (width < 736px) { .a { gap: ${rem("1")} } }`);
  expect(steadySizes("x.remove(1); const theorem = a1rem; #1rem")).toBe("x.remove(1); const theorem = a1rem; #1rem");
});
