/** Labels, hotkeys and key commands. */
import { describe, expect, it } from "vitest";
import { isDark, labelColour, safeColour } from "../src/labels/colours";
import { HOTKEYS, findLabels, hotkeyOf, parseLabels } from "../src/labels/labels";
import { type Press, commandOf } from "../src/crowd/keys";

const press = (key: string, more: Partial<Press> = {}): Press => ({
  key, code: /^\d$/.test(key) ? `Digit${key}` : `Key${key.toUpperCase()}`, shiftKey: false, altKey: false, ctrlKey: false, metaKey: false, repeat: false, ...more,
});

describe("reading the attribute", () => {
  it("takes JSON, JSON5, Python-like lists and objects", () => {
    const names = (raw: unknown) => parseLabels(raw).map((label) => label.name);
    expect(names('["Cat","Dog"]')).toEqual(["Cat", "Dog"]);
    expect(names("['Cat', 'Dog', ]")).toEqual(["Cat", "Dog"]);
    expect(names("[{label: 'Cat'}, {name: 'Dog', color: '#fff'}]")).toEqual(["Cat", "Dog"]);
    expect(names(["Cat", "Cat", "Dog"])).toEqual(["Cat", "Dog"]);
  });

  it("says what is wrong", () => {
    expect(() => parseLabels("[Cat")).toThrow('The attribute "labels" cannot be read');
    expect(() => parseLabels("{}")).toThrow("not a list");
    expect(() => parseLabels("[]")).toThrow("names no label");
    expect(() => parseLabels("[null]")).toThrow("Label 1 has no name");
  });

  it("takes only plain colours from a requester", () => {
    expect(parseLabels([{ label: "a", color: "#12ab9F" }])[0]?.color).toBe("#12ab9F");
    expect(parseLabels([{ label: "a", color: "url(https://evil)" }])[0]?.color).toBe(labelColour(0));
    expect(safeColour(undefined, 3)).toBe(labelColour(3));
    // labeling/formats/masks.py has the same
    expect(Array.from({ length: 10 }, (_, at) => labelColour(at))).toEqual(["#ffb000", "#56b4e9", "#00c48c", "#f0568c", "#ff7043", "#b39dff", "#f0e442",
      "#29b6c9", "#e78655", "#8beec9"]);
  });
});

it("knows on which colours white text is easier to read", () => {
  expect(["#000000", "#0072b2", "#7f3fbf", "#5f6b6d"].map(isDark)).toEqual([true, true, true, true]);
  expect(["#ffffff", "#ffb000", "#e69f00", "red"].map(isDark)).toEqual([false, false, false, false]);
});

it("gives sixty labels different colours and the first 52 a key each", () => {
  const labels = parseLabels(Array.from({ length: 60 }, (_, k) => `label ${k}`));
  expect(new Set(labels.map((label) => label.color)).size).toBe(60);
  expect(new Set(HOTKEYS).size).toBe(HOTKEYS.length);
  expect(labels.filter((label) => label.hotkey).length).toBe(52);
  expect(labels.slice(9, 12).map((label) => label.hotkey)).toEqual(["0", "a", "c"]);
});

it("finds labels by every word typed, those that begin with it first", () => {
  const labels = parseLabels(["red bee", "bee, honey", "flower"]);
  expect(findLabels(labels, "BEE").map((label) => label.name)).toEqual(["bee, honey", "red bee"]);
  expect(findLabels(labels, "ho bee").map((label) => label.name)).toEqual(["bee, honey"]);
});

describe("keys", () => {
  it("uses no label hotkey for a command", () => {
    for (const hotkey of HOTKEYS) {
      const shiftKey = hotkey.startsWith("⇧");
      const base = hotkey.replace("⇧", "");
      const event = press(shiftKey && /[a-z]/.test(base) ? base.toUpperCase() : base, { shiftKey, code: /\d/.test(base) ? `Digit${base}` : `Key${base.toUpperCase()}` });
      expect(commandOf(event)).toEqual({ do: "label", hotkey });
    }
  });

  it("reads digits by place, so that Shift and keypads work", () => {
    expect(hotkeyOf({ key: "!", code: "Digit1", shiftKey: true })).toBe("⇧1");
    expect(hotkeyOf({ key: "1", code: "Numpad1", shiftKey: false })).toBe("1");
    expect(hotkeyOf({ key: "b", code: "KeyB", shiftKey: false })).toBeNull();
  });

  it("moves by 1, by 10 with Shift, faster when held, and resizes with Alt", () => {
    expect(commandOf(press("ArrowLeft"))).toEqual({ do: "move", dx: -1, dy: 0, grow: false });
    expect(commandOf(press("ArrowDown", { shiftKey: true, altKey: true }))).toEqual({ do: "move", dx: 0, dy: 10, grow: true });
    expect(commandOf(press("ArrowUp"), 30)).toEqual({ do: "move", dx: 0, dy: -12, grow: false });
    expect(commandOf(press("ArrowLeft", { ctrlKey: true }))).toBeNull();
  });

  it("knows undo and redo, and leaves the browser's own keys alone", () => {
    expect(commandOf(press("z", { ctrlKey: true }))).toEqual({ do: "undo" });
    expect(commandOf(press("Z", { metaKey: true, shiftKey: true }))).toEqual({ do: "redo" });
    expect(commandOf(press("r", { ctrlKey: true }))).toBeNull();
    expect(commandOf(press("c", { ctrlKey: true }))).toBeNull();
  });
});
