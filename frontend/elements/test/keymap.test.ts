/** Keys that a worker chooses. */
import { expect, test } from "vitest";
import { applied, parseChosen, refusal } from "../src/crowd/keymap";
import { BOX_KEYS, MASK_KEYS, boxHotkeys, commandOf, keyOf } from "../src/crowd/keys";
import { parseLabels } from "../src/labels/labels";

const press = (key: string, shiftKey = false) => ({ key, code: "", shiftKey, altKey: false, ctrlKey: false, metaKey: false, repeat: false });
const labels = parseLabels(Array.from({ length: 13 }, (_, k) => `label ${k}`)); // the last ones have the letters a, c, e
const ask = (action: Parameters<typeof refusal>[0], key: string, chosen = {}) => refusal(action, key, { chosen, lines: boxHotkeys(applied(BOX_KEYS, chosen)), labels });

test("a chosen key replaces the usual one, in the list of keys too", () => {
  const keys = applied(BOX_KEYS, { next: "q", brush: "w" });
  expect(commandOf(press("q"), 0, keys)).toEqual({ do: "next" });
  expect(commandOf(press("n"), 0, keys)).toBeNull();
  expect(commandOf(press("w"), 0, keys)).toEqual({ do: "label", hotkey: "w" }); // boxes have no brush
  expect(boxHotkeys(keys).find(({ action }) => action === "next")?.keys).toBe("Q");
  expect(commandOf(press("H", true))).toEqual({ do: "hide-one" });
  expect(keyOf(press("?", true))).toBe("?");
});

test("a key that is in use is refused in words", () => {
  expect(ask("next", "d")).toBe("D is the key for “duplicate” already.");
  expect(ask("next", "i")).toBe("I is in use for polygons and lines.");
  expect(ask("next", "c")).toBe("C chooses the label “label 11”.");
  expect(ask("next", "3")).toBe("Digits choose labels.");
  expect(ask("next", "Escape")).toContain("always means the same");
  expect(ask("next", "⇧ArrowUp")).toContain("cannot be chosen");
  expect(ask("next", "n")).toBe("");
  expect(ask("next", "q")).toBe("");
  expect(ask("previous", "n", { next: "q" })).toBe(""); // the usual key of what has another one now is free
  expect(ask("previous", "q", { next: "q" })).toBe("Q is the key for “next box” already.");
});

test("what is stored is checked", () => {
  expect(parseChosen(null)).toEqual({});
  expect(parseChosen('{"next": "q", "previous": "n"}')).toEqual({ next: "q", previous: "n" });
  expect(parseChosen('{"next": "Enter", "hack": "q", "previous": 3, "fit": "q", "hide": "q"}')).toEqual({});
  expect(parseChosen("[1]")).toEqual({});
  expect(Object.values(applied(MASK_KEYS, parseChosen('{"brush": "q"}')))).toContain("brush");
});

test("labels have no key that is taken", () => {
  const some = parseLabels(Array.from({ length: 12 }, (_, k) => `label ${k}`), "labels", new Set(["a"]));
  expect(some.map(({ hotkey }) => hotkey).slice(9)).toEqual(["0", "c", "e"]);
});
