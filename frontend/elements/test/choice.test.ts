/** A single choice without a screen: undo, redo, drafts, initial values, keys. */
import { describe, expect, it } from "vitest";
import { Choice, initialChoice } from "../src/classes/choice";
import { HOTKEYS, type Press, commandOf } from "../src/classes/keys";
import { HOTKEYS as LABEL_KEYS } from "../src/labels/labels";

const labels = ["dog", "cat", "bird"];

it("answers in Ground Truth's form, and not before something is chosen", () => {
  const choice = new Choice(labels);
  expect(choice.answer).toBeNull();
  expect(choice.choose("cat")).toBe(true);
  expect(choice.choose("cat")).toBe(false);
  expect(choice.answer).toEqual({ label: "cat" });
  expect(() => choice.choose("fish")).toThrow('"fish" is none of the labels dog, cat, bird');
});

it("undoes and redoes every change, and a new choice ends what could be redone", () => {
  const choice = new Choice(labels, "bird");
  choice.choose("dog");
  choice.choose("cat");
  expect([choice.undo(), choice.label, choice.undo(), choice.label, choice.undo()]).toEqual([true, "dog", true, "bird", false]);
  expect([choice.redo(), choice.label]).toEqual([true, "dog"]);
  choice.choose("bird");
  expect([choice.canRedo, choice.redo(), choice.undo(), choice.label]).toEqual([false, false, true, "dog"]);
});

describe("drafts", () => {
  it("go through JSON and give back the choice with its history", () => {
    const before = new Choice(labels);
    before.choose("dog");
    before.choose("cat");
    before.undo();
    const after = new Choice(labels);
    after.restore(JSON.parse(JSON.stringify(before.draft)));
    expect(after.draft).toEqual(before.draft);
    expect([after.label, after.redo(), after.label, after.undo(), after.undo(), after.label]).toEqual(["dog", true, "cat", true, true, null]);
  });

  it("do not bring back a label that the task does not have", () => {
    const choice = new Choice(["dog"]);
    choice.restore({ choice: "cat", past: ["dog", "bird"], future: [] });
    expect(choice.draft).toEqual({ choice: null, past: ["dog", null], future: [] });
  });

  it("stay small, however often the choice changes", () => {
    const choice = new Choice(labels);
    for (let k = 0; k < 500; k++) choice.choose(labels[k % 3]!);
    expect(choice.draft.past.length).toBe(100);
  });
});

it("reads an initial value as a label or an answer, and says what is neither", () => {
  const read = (raw: unknown) => initialChoice(raw, labels);
  expect([read("dog"), read({ label: "cat" }), read({ label: "fish" }), read(null), read("")]).toEqual(["dog", "cat", null, null, null]);
  expect(() => read({ labels: ["dog"] })).toThrow("The initial value is not a label");
  expect(() => read(7)).toThrow("The initial value is not a label: 7");
});

describe("keys", () => {
  const press = (key: string, more: Partial<Press> = {}): Press => ({
    key, code: /^\d$/.test(key) ? `Digit${key}` : `Key${key.toUpperCase()}`, shiftKey: false, altKey: false, ctrlKey: false, metaKey: false, ...more,
  });

  it("leave every label's key to its label", () => {
    for (const hotkey of LABEL_KEYS) {
      const key = hotkey.replace("⇧", "");
      expect(commandOf(press(key, { shiftKey: hotkey.startsWith("⇧") }))).toEqual({ do: "choose", hotkey });
    }
  });

  it("move the choice, with Shift the picture", () => {
    expect(["ArrowDown", "ArrowRight", "ArrowUp", "ArrowLeft"].map((key) => commandOf(press(key)))).toEqual(
      [1, 1, -1, -1].map((by) => ({ do: "step", by })),
    );
    expect(commandOf(press("ArrowRight", { shiftKey: true }))).toEqual({ do: "pan", dx: -60, dy: -0 });
  });

  it("submit, undo and redo, and leave the browser's own keys alone", () => {
    expect(commandOf(press("Enter"))).toEqual({ do: "submit" });
    expect(commandOf(press("z", { ctrlKey: true }))).toEqual({ do: "undo" });
    expect(commandOf(press("Z", { metaKey: true, shiftKey: true }))).toEqual({ do: "redo" });
    expect([press("r", { ctrlKey: true }), press("1", { altKey: true }), press("Tab"), press("ArrowLeft", { altKey: true })].map(commandOf)).toEqual([null, null, null, null]);
  });

  it("are all explained", () => {
    expect(HOTKEYS.every(({ keys, does }) => keys && does)).toBe(true);
  });
});
