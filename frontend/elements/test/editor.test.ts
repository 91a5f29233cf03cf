/** The logic of the box tool: gestures and keys lead to Ground Truth's answer. */
import { beforeEach, describe, expect, it } from "vitest";
import { toAnswer } from "../src/boxes/answer";
import { BoxEditor } from "../src/boxes/editor";
import { HANDLES } from "../src/boxes/geometry";
import { parseLabels } from "../src/labels/labels";

let said: string[] = [];
let changes = 0;
let editor: BoxEditor;

beforeEach(() => {
  said = [];
  changes = 0;
  editor = new BoxEditor({ width: 640, height: 480 }, parseLabels(["bee", "flower"]), {
    changed: () => (changes += 1), shown: () => undefined, say: (words) => said.push(words),
  });
});

function draw(x1: number, y1: number, x2: number, y2: number): void {
  editor.beginDraw({ x: x1, y: y1 });
  editor.drag({ x: x2, y: y2 });
  editor.finish();
}

it("emits the answer in Ground Truth's words", () => {
  draw(10, 20, 110, 70);
  expect(toAnswer(editor.answer, editor.size, null)).toEqual({
    boundingBoxes: [{ height: 50, label: "bee", left: 10, top: 20, width: 100 }], inputImageProperties: { height: 480, width: 640 },
  });
});

it("says whether an initial value was changed", () => {
  editor.load([{ left: 1, top: 2, width: 30, height: 40, label: "bee" }]);
  const initial = editor.draft.boxes;
  expect(toAnswer(editor.answer, editor.size, initial).initialValueModified).toBe(false);
  editor.step(1);
  editor.nudge(1, 0);
  expect(toAnswer(editor.answer, editor.size, initial).initialValueModified).toBe(true);
  editor.undo();
  expect(toAnswer(editor.answer, editor.size, initial).initialValueModified).toBe(false);
});

describe("by pointer", () => {
  it("ignores a box that is too small and says so", () => {
    draw(10, 10, 12, 200);
    expect(editor.shapes).toHaveLength(0);
    expect(said.at(-1)).toContain("Too small");
    expect(changes).toBe(0);
  });

  it("moves and resizes the chosen box, one undo step each", () => {
    draw(100, 100, 200, 180);
    editor.beginMove({ x: 150, y: 150 });
    for (const x of [160, 170, 180]) editor.drag({ x, y: 155 });
    editor.finish();
    editor.beginResize({ x: 230, y: 185 }, HANDLES.find((handle) => handle.name === "se")!);
    editor.drag({ x: 240, y: 200 });
    editor.finish();
    expect(editor.shape).toMatchObject({ left: 130, top: 105, width: 110, height: 95 });
    editor.undo();
    expect(editor.shape).toMatchObject({ left: 130, top: 105, width: 100, height: 80 });
    editor.undo();
    expect(editor.shape).toMatchObject({ left: 100, top: 100 });
  });

  it("changes nothing when a gesture is cancelled", () => {
    draw(100, 100, 200, 180);
    editor.beginMove({ x: 150, y: 150 });
    editor.drag({ x: 300, y: 300 });
    editor.cancel();
    expect(editor.shape).toMatchObject({ left: 100, top: 100 });
    expect(changes).toBe(1);
  });
});

describe("by keys", () => {
  it("draws with three presses and the arrows", () => {
    editor.press({ x: 320, y: 240 });
    editor.moveCursor(-20, -40);
    editor.press({ x: 0, y: 0 });
    editor.moveCursor(60, 90);
    editor.press({ x: 0, y: 0 });
    expect(editor.draft.boxes).toEqual([{ height: 90, label: "bee", left: 300, top: 200, width: 60 }]);
    expect(editor.cursor).toBeNull();
    expect(said.at(-1)).toBe("Added box 1 of 1, bee, at 300, 200, 60 by 90 pixels.");
  });

  it("starts the next box where the last one ended, and Escape lets go of the crosshair", () => {
    editor.press({ x: 320, y: 240 });
    editor.moveCursor(5, 5);
    editor.cancel();
    expect(editor.cursor).toBeNull();
    editor.press({ x: 0, y: 0 });
    expect(editor.cursor).toEqual({ at: { x: 325, y: 245 }, corner: null });
  });

  it("nudges and grows within the picture; a run of nudges is one undo step", () => {
    draw(600, 400, 640, 480);
    editor.nudge(1, 1);
    expect(editor.shape).toMatchObject({ left: 600, top: 400 });
    for (let k = 0; k < 5; k++) editor.nudge(-10, 0);
    editor.grow(-500, 0);
    expect(editor.shape).toMatchObject({ left: 550, width: 3, height: 80 });
    editor.undo();
    expect(editor.shape).toMatchObject({ left: 550, width: 40 });
    editor.undo();
    expect(editor.shape).toMatchObject({ left: 600, width: 40 });
  });

  it("goes round the boxes and takes their label as the current one", () => {
    draw(0, 0, 50, 50);
    editor.select(null);
    editor.setLabel(1);
    draw(100, 0, 150, 50);
    expect(editor.shapes.map((box) => box.label)).toEqual(["bee", "flower"]);
    editor.step(1);
    expect([editor.shape?.label, editor.labelName]).toEqual(["bee", "bee"]);
    editor.step(-1);
    expect(editor.shape?.label).toBe("flower");
  });
});

it("relabels the chosen box, and undo takes it back", () => {
  draw(0, 0, 50, 50);
  editor.setLabel(1);
  expect(editor.shape?.label).toBe("flower");
  editor.undo();
  expect(editor.shape?.label).toBe("bee");
});

it("copies beside the original, also in the last corner", () => {
  draw(600, 440, 640, 480);
  editor.duplicate();
  expect(editor.shapes).toHaveLength(2);
  expect(editor.shape).toMatchObject({ left: 590, top: 430, width: 40, height: 40 });
});

it("takes 'nothing to label' only while there are no boxes", () => {
  editor.setNothing(true);
  expect(editor.draft).toEqual({ boxes: [], nothing: true });
  draw(0, 0, 50, 50);
  editor.setNothing(true);
  expect(editor.draft.nothing).toBe(false);
});

it("restores a draft, bringing strange boxes into the picture", () => {
  editor.load([{ left: -5, top: 470, width: 50, height: 50, label: "bee" }]);
  expect(editor.draft.boxes).toEqual([{ left: 0, top: 430, width: 50, height: 50, label: "bee" }]);
  expect(editor.history.canUndo).toBe(false);
  expect(() => editor.load([{ left: 1, label: "bee" }])).toThrow("Box 1 of the initial value lacks");
});

describe("hidden and locked boxes", () => {
  beforeEach(() => {
    draw(10, 10, 60, 60);
    draw(100, 100, 160, 160);
  });

  it("refuses every change of a locked box in words, and lets others be changed", () => {
    const [first, second] = editor.shapes;
    editor.setLocked(first!.id, true);
    editor.select(first!.id);
    const before = editor.shapes;
    for (const act of [() => editor.nudge(1, 0), () => editor.grow(1, 1), () => editor.erase(), () => editor.setLabel(1), () => editor.beginMove({ x: 20, y: 20 })]) {
      act();
      expect(said.at(-1)).toBe("Box 1 is locked.");
    }
    editor.drag({ x: 300, y: 300 });
    editor.finish();
    expect(editor.shapes).toBe(before);
    editor.remove(second!.id);
    expect(editor.count).toBe(1);
    editor.setLocked(first!.id, false);
    editor.nudge(1, 0);
    expect(editor.shapes[0]!.left).toBe(11);
  });

  it("steps over hidden boxes and does not point at them; the answer has them all the same", () => {
    const [first, second] = editor.shapes;
    editor.setHidden(first!.id, true);
    editor.step(1);
    editor.step(1);
    expect(editor.selected).toBe(second!.id);
    expect(editor.near({ x: 20, y: 20 }, 5)).toEqual([]);
    expect(editor.draft.boxes).toHaveLength(2);
    editor.setHidden(null, true);
    expect(editor.selected).toBeNull();
    editor.step(1);
    expect(said.at(-1)).toBe("All boxes are hidden.");
    editor.setHidden(null, false);
    expect(editor.near({ x: 20, y: 20 }, 5)).toHaveLength(1);
  });
});

describe("copies", () => {
  it("pastes where the box was, beside an equal one, in one step of undo", () => {
    draw(10, 10, 60, 60);
    const copies = JSON.parse(JSON.stringify(editor.copied())) as unknown;
    editor.load([]);
    editor.paste(copies);
    expect(editor.draft.boxes).toEqual([{ left: 10, top: 10, width: 50, height: 50, label: "bee" }]);
    editor.select(null);
    editor.paste([...(copies as object[]), { left: 0, top: 0, width: 5, height: 5, label: "no label of this task" }]);
    expect(editor.draft.boxes.slice(1)).toEqual([
      { left: 23, top: 23, width: 50, height: 50, label: "bee" }, { left: 0, top: 0, width: 5, height: 5, label: "bee" },
    ]);
    editor.undo();
    expect(editor.count).toBe(1);
  });

  it("takes all that are shown if none is selected, and nothing that is no box", () => {
    draw(10, 10, 60, 60);
    draw(100, 100, 160, 160);
    editor.select(null);
    expect(editor.copied()).toHaveLength(2);
    editor.setHidden(editor.shapes[0]!.id, true);
    expect(editor.copied()).toHaveLength(1);
    expect(() => editor.paste([{ label: "bee" }])).toThrow("lacks left, top");
    expect(editor.count).toBe(2);
  });
});
