/** Several choices, and entities in a text, without a screen. */
import { describe, expect, it } from "vitest";
import { Choices, exclusionText, initialChoices } from "../src/classes/choices";
import { Entities, initialEntities } from "../src/entities/editor";
import { commandOf } from "../src/entities/keys";
import { stretches } from "../src/text/spans";

describe("several choices", () => {
  const labels = ["dog", "cat", "bird"];

  it("come in the order of the labels, each taken back by a second press", () => {
    const choices = new Choices(labels, "None");
    expect([choices.nothing, choices.answer]).toEqual([true, null]);
    choices.choose("bird");
    choices.choose("dog");
    expect(choices.answer).toEqual({ labels: ["dog", "bird"] });
    expect(choices.words).toBe("dog and bird are chosen.");
    choices.choose("bird");
    expect(choices.answer).toEqual({ labels: ["dog"] });
    expect(() => choices.choose("fish")).toThrow('"fish" is none of the labels dog, cat, bird');
  });

  it("and none of them exclude each other", () => {
    const choices = new Choices(labels, "None", ["cat"]);
    choices.choose("None");
    expect(choices.answer).toEqual({ labels: ["None"] });
    choices.choose("dog");
    expect(choices.answer).toEqual({ labels: ["dog"] });
    expect([choices.undo(), choices.answer, choices.undo(), choices.answer]).toEqual([true, { labels: ["None"] }, true, { labels: ["cat"] }]);
    expect([choices.undo(), choices.redo(), choices.has("None")]).toEqual([false, true, true]);
  });

  it("survive JSON without labels that the task does not have", () => {
    const choices = new Choices(labels, "None");
    choices.restore(JSON.parse('{"chosen": ["fish", "cat"], "past": [["dog"], ["None", "cat"]], "future": []}') as never);
    expect(choices.draft).toEqual({ chosen: ["cat"], past: [["dog"], ["cat"]], future: [] });
  });

  it("are read from attributes", () => {
    expect([initialChoices({ labels: ["dog"] }), initialChoices(["cat"]), initialChoices(null)]).toEqual([["dog"], ["cat"], []]);
    expect(() => initialChoices({ label: "dog" })).toThrow("no list of labels");
    expect([exclusionText({ text: "None" }), exclusionText("None"), exclusionText(null)]).toEqual(["None", "None", null]);
    expect(() => exclusionText({})).toThrow('"exclusion-category" has no text');
  });
});

describe("entities", () => {
  const text = "😀 Ada met Bo.\r\n";

  it("have offsets in code points and no white space around them", () => {
    const entities = new Entities(text, ["who"]);
    expect(entities.mark("who", 6, 1)).toEqual({ label: "who", start: 2, end: 5 });
    expect(entities.mark("who", 1, 2)).toBeNull();
    expect(entities.answer).toEqual({ entities: [{ endOffset: 5, label: "who", startOffset: 2 }] });
    expect(Object.keys(entities.answer.entities[0]!)).toEqual(["endOffset", "label", "startOffset"]);
    expect(entities.between(2, 5)).toBe("Ada");
    expect(entities.length).toBe(15);
  });

  it("change their label, go and come back, and none is only said of a text without them", () => {
    const entities = new Entities(text, ["who", "what"]);
    entities.sayNone(true);
    entities.mark("who", 2, 5);
    expect([entities.none, entities.list.length]).toEqual([false, 1]);
    entities.sayNone(true);
    expect(entities.none).toBe(false);
    entities.mark("what", 2, 5);
    expect(entities.list).toEqual([{ label: "what", start: 2, end: 5 }]);
    entities.remove(entities.list[0]!);
    expect([entities.list.length, entities.undo(), entities.list.length, entities.redo(), entities.list.length]).toEqual([0, true, 1, true, 0]);
  });

  it("that the text does not have are left out of drafts and initial values", () => {
    const initial = initialEntities([{ label: "who", startOffset: 2, endOffset: 5 }, { label: "who", startOffset: 2, endOffset: 99 }, { label: "x", startOffset: 0, endOffset: 1 }]);
    expect(new Entities(text, ["who"], initial).list).toEqual([{ label: "who", start: 2, end: 5 }]);
    expect(() => initialEntities([{ label: "who" }])).toThrow("Entity 1 of the initial value needs");
  });

  it("are walked by words and characters", () => {
    const entities = new Entities(text, ["who"]);
    expect([entities.moved(0, 1, true), entities.moved(2, 1, true), entities.moved(6, -1, true), entities.moved(0, -1, false)]).toEqual([2, 6, 2, 0]);
    expect(commandOf({ key: "ArrowRight", code: "ArrowRight", shiftKey: true, altKey: false, ctrlKey: true, metaKey: false })).toEqual({ do: "move", by: 1, word: true, extend: true });
  });

  it("cut the text into pieces", () => {
    const spans = [{ start: 2, end: 5, label: "a" }, { start: 4, end: 9, label: "b" }];
    const pieces = stretches(text, spans);
    expect(pieces.map(({ text: words }) => words).join("")).toBe(text);
    expect(pieces.map(({ start, end, spans: inside }) => [start, end, inside.map(({ label }) => label).join("")])).toEqual([
      [0, 2, ""], [2, 4, "a"], [4, 5, "ab"], [5, 9, "b"], [9, 15, ""],
    ]);
  });
});
