/** Keys that a worker chooses. */
import { expect, test } from "vitest";
import { applied, keymap, parseAll, parseChosen, refusal } from "../src/crowd/keymap";
import { BOX_KEYS, MASK_KEYS, boxHotkeys, commandOf, keyOf } from "../src/crowd/keys";
import { parseLabels } from "../src/labels/labels";

const press = (key: string, shiftKey = false) => ({ key, code: "", shiftKey, altKey: false, ctrlKey: false, metaKey: false, repeat: false });
const labels = parseLabels(Array.from({ length: 13 }, (_, k) => `label ${k}`)); // the last ones have the letters a, c, e
const ask = (action: Parameters<typeof refusal>[0], key: string, chosen = {}) => refusal(action, key, { usual: BOX_KEYS, chosen, lines: boxHotkeys(applied(BOX_KEYS, chosen)), labels });

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
  expect(ask("next", "i")).toBe(""); // a key of other tools, each of which has its own
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
  expect(parseChosen(null, BOX_KEYS)).toEqual({});
  expect(parseChosen({ next: "q", previous: "n" }, BOX_KEYS)).toEqual({ next: "q", previous: "n" });
  expect(parseChosen({ next: "Enter", hack: "q", previous: 3, fit: "q", hide: "q" }, BOX_KEYS)).toEqual({});
  expect(parseChosen([1], BOX_KEYS)).toEqual({});
  expect(Object.values(applied(MASK_KEYS, parseChosen({ brush: "q" }, MASK_KEYS)))).toContain("brush");
  expect(parseAll({ "crowd-polygon": { next: "q" }, "crowd-hack": { next: "q" } })).toEqual({ "crowd-polygon": { next: "q" } });
  const before = parseAll({ next: "q", brush: "w" }); // as earlier versions kept it: one choice for all
  expect(before["crowd-bounding-box"]).toEqual({ next: "q" });
  expect(before["crowd-semantic-segmentation"]).toEqual({ next: "q", brush: "w" });
});

test("labels have no key that is taken", () => {
  const some = parseLabels(Array.from({ length: 12 }, (_, k) => `label ${k}`), "labels", new Set(["a"]));
  expect(some.map(({ hotkey }) => hotkey).slice(9)).toEqual(["0", "c", "e"]);
});

test("a worker has the keys of the server, and those of this browser that did not reach it", async () => {
  const { OwnKeys } = await import("../src/shell/own-keys");
  const kept: Record<string, unknown>[] = [];
  let broken = true;
  const api = {
    keepKeys: (element: string, keys: Readonly<Record<string, string>>) => {
      if (broken) return Promise.reject(new Error("The server cannot be reached."));
      kept.push({ element, keys });
      return Promise.resolve({});
    },
  };
  const settled = () => new Promise((done) => setTimeout(done));
  const here = new OwnKeys(api, 7, { "crowd-polygon": { next: "w" }, "crowd-bounding-box": { next: "u" } });
  expect(keymap.shared).toBe(true);
  expect([keymap.of("crowd-polygon"), keymap.of("crowd-keypoint")]).toEqual([{ next: "w" }, {}]);
  keymap.choose("crowd-polygon", { next: "q" });
  await settled();
  expect(keymap.problem).toContain("kept on this device only for now");
  expect(keymap.waiting()).toEqual(["crowd-polygon"]);
  here.stop();

  broken = false;
  const again = new OwnKeys(api, 7, { "crowd-polygon": { next: "w" }, "crowd-bounding-box": { next: "s" } });
  await settled();
  expect([keymap.of("crowd-polygon"), keymap.of("crowd-bounding-box")]).toEqual([{ next: "q" }, { next: "s" }]);
  expect(kept).toEqual([{ element: "crowd-polygon", keys: { next: "q" } }]);
  expect([keymap.problem, keymap.waiting()]).toEqual(["", []]);
  again.stop();
  const other = new OwnKeys(api, 8, {});
  expect(keymap.of("crowd-polygon")).toEqual({}); // another worker at the same machine
  other.stop();
});
