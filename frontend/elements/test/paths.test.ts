/** Polygons, lines and key points without a screen: geometry, drawing by clicks and by keys, Ground Truth's answer. */
import { beforeEach, describe, expect, it } from "vitest";
import { PATH_KEYS, MASK_KEYS } from "../src/crowd/keys";
import { HOTKEYS, parseLabels } from "../src/labels/labels";
import { PathEditor } from "../src/paths/editor";
import { type Form, KEYPOINT, LINE, POLYGON, POLYLINE, parsePaths, toAnswer } from "../src/paths/forms";
import { area, inside, movedBy, nearestEdge, snapPoint, vertexAt } from "../src/paths/geometry";
import type { Point } from "../src/picture/plane";

const size = { width: 640, height: 480 };
const at = (x: number, y: number): Point => ({ x, y });
const square = [at(10, 10), at(50, 10), at(50, 50), at(10, 50)];
let said: string[] = [];

function editorOf(form: Form): PathEditor {
  said = [];
  return new PathEditor(form, size, parseLabels(["bee", "flower"]), { changed: () => undefined, shown: () => undefined, say: (words) => said.push(words) });
}

function put(editor: PathEditor, points: readonly Point[], reach = 5): void {
  for (const point of points) editor.put(point, reach);
}

const value = (editor: PathEditor) => toAnswer(editor.form, editor.answer, size, null);

describe("geometry", () => {
  it("knows what is inside, also of a concave polygon", () => {
    const arrow = [at(0, 0), at(40, 0), at(40, 40), at(20, 10), at(0, 40)];
    expect([at(20, 5), at(5, 25), at(20, 30), at(41, 5)].map((point) => inside(arrow, point))).toEqual([true, true, false, false]);
    expect(area(arrow)).toBe(1000);
  });

  it("finds the nearest edge, of a polygon also the one that closes it", () => {
    expect(nearestEdge(square, true, at(8, 30))).toEqual({ edge: 3, at: at(10, 30), distance: 2 });
    expect(nearestEdge(square, false, at(8, 30))?.edge).not.toBe(3);
    expect(nearestEdge([at(1, 1)], false, at(5, 5))).toBeNull();
  });

  it("finds the nearest vertex within reach", () => {
    expect(vertexAt(square, at(52, 48), 5)).toBe(2);
    expect(vertexAt(square, at(30, 30), 5)).toBeNull();
  });

  it("moves all vertices together and stops at the picture's edges", () => {
    expect(movedBy(square, -100, 3, size)).toEqual([at(0, 13), at(40, 13), at(40, 53), at(0, 53)]);
  });

  it("snaps to a vertex rather than to an edge, and to nothing far away", () => {
    const paths = [{ vertices: square }];
    expect(snapPoint(paths, at(47, 11), 6, { edges: true, closed: true })).toEqual(at(50, 10));
    expect(snapPoint(paths, at(30, 13), 6, { edges: true, closed: true })).toEqual(at(30, 10));
    expect(snapPoint(paths, at(30, 13), 6, { edges: false, closed: true })).toBeNull();
    expect(snapPoint(paths, at(30, 30), 6, { edges: true, closed: true })).toBeNull();
  });
});

describe("a polygon", () => {
  let editor: PathEditor;
  beforeEach(() => { editor = editorOf(POLYGON); });

  it("is closed by its first point and is Ground Truth's answer", () => {
    put(editor, [...square, at(12, 9)]);
    expect(value(editor)).toEqual({ polygons: [{ label: "bee", vertices: square }], inputImageProperties: { height: 480, width: 640 } });
    expect(editor.open).toEqual([]);
    expect(said.at(-1)).toBe("Added polygon 1 of 1, bee, 4 points, at 10, 10, 40 by 40 pixels.");
  });

  it("keeps whole pixels within the picture", () => {
    put(editor, [at(-5, 3.4), at(900, 3.6), at(20.5, 900)]);
    editor.end();
    expect(value(editor)["polygons"]).toEqual([{ label: "bee", vertices: [at(0, 3), at(640, 4), at(21, 480)] }]);
  });

  it("refuses two points and points on one line, and says why", () => {
    put(editor, [at(10, 10), at(50, 10)]);
    editor.end();
    expect(said.at(-1)).toBe("A polygon has at least 3 points.");
    put(editor, [at(90, 10)]);
    editor.end();
    expect(said.at(-1)).toBe("These points lie on one line.");
    expect(editor.count).toBe(0);
  });

  it("shares the points of a neighbour exactly", () => {
    put(editor, [...square, square[0]!]);
    put(editor, [at(52, 11), at(90, 10), at(90, 50), at(48, 52)]);
    editor.end();
    expect(editor.shape?.vertices).toEqual([at(50, 10), at(90, 10), at(90, 50), at(50, 50)]);
    editor.setSnapping(false);
    put(editor, [at(52, 11), at(90, 100), at(20, 90)]);
    editor.end();
    expect(editor.shape?.vertices[0]).toEqual(at(52, 11));
  });

  it("takes back points one by one, by undo too", () => {
    put(editor, square);
    editor.undo();
    editor.erase();
    expect(editor.open).toEqual(square.slice(0, 2));
    editor.cancel();
    expect([editor.open, editor.canUndo, editor.count]).toEqual([[], false, 0]);
  });

  it("inserts, moves and deletes a point, each one undo step", () => {
    put(editor, [...square, square[0]!]);
    editor.stepVertex(1);
    editor.insert();
    expect(editor.shape?.vertices[1]).toEqual(at(30, 10));
    editor.nudge(0, -4);
    editor.nudge(0, -1);
    expect(editor.shape?.vertices[1]).toEqual(at(30, 5));
    editor.erase();
    expect(editor.shape?.vertices).toEqual(square);
    for (const [count, y] of [[5, 5], [5, 10], [4, 10]]) {
      editor.undo();
      expect([editor.shape?.vertices.length, editor.shape?.vertices[1]?.y]).toEqual([count, y]);
    }
  });

  it("keeps three points", () => {
    put(editor, [...square.slice(0, 3), square[0]!]);
    editor.stepVertex(1);
    editor.erase();
    expect(said.at(-1)).toBe("A polygon has at least 3 points.");
    expect(editor.shape?.vertices.length).toBe(3);
  });

  it("gets a new point where its edge is dragged", () => {
    put(editor, [...square, square[0]!]);
    editor.beginInsert(at(30, 11));
    editor.drag(at(30, 2), 0);
    editor.finish();
    expect(editor.shape?.vertices[1]).toEqual(at(30, 2));
    expect(editor.shape?.vertices.length).toBe(5);
  });

  it("is drawn by keys alone", () => {
    editor.press(at(320, 240));
    editor.press(at(0, 0));
    editor.moveCursor(20, 0);
    editor.press(at(0, 0));
    editor.moveCursor(0, 30);
    editor.press(at(0, 0));
    editor.end();
    expect(editor.shape?.vertices).toEqual([at(320, 240), at(340, 240), at(340, 270)]);
    expect(editor.cursor).toBeNull();
  });

  it("goes on from a draft in the middle of a polygon", () => {
    put(editor, [...square, square[0]!]);
    put(editor, [at(100, 100), at(140, 100)]);
    const again = editorOf(POLYGON);
    const { paths, nothing, open } = structuredClone(editor.draft);
    again.load(paths, nothing);
    again.resume(open);
    put(again, [at(140, 140)]);
    again.end();
    expect(again.shapes.map((path) => path.vertices)).toEqual([square, [at(100, 100), at(140, 100), at(140, 140)]]);
  });
});

it("ends a polyline with a second click on its last point", () => {
  const editor = editorOf(POLYLINE);
  put(editor, [at(10, 10), at(50, 60), at(90, 10), at(90, 11)]);
  expect(value(editor)["polylines"]).toEqual([{ label: "bee", vertices: [at(10, 10), at(50, 60), at(90, 10)] }]);
});

it("ends a line with its second point", () => {
  const editor = editorOf(LINE);
  put(editor, [at(10, 10), at(50, 60)]);
  expect(value(editor)["lines"]).toEqual([{ label: "bee", vertices: [at(10, 10), at(50, 60)] }]);
});

it("sets a key point on a pixel of the picture", () => {
  const editor = editorOf(KEYPOINT);
  editor.setLabel(1);
  put(editor, [at(640, 480)]);
  expect(value(editor)).toEqual({ keypoints: [{ label: "flower", x: 639, y: 479 }], inputImageProperties: { height: 480, width: 640 } });
});

describe("an initial value", () => {
  it("is a list, or the list under the key of the answer", () => {
    const line = { label: "bee", vertices: [at(1, 2), at(3, 4)] };
    for (const raw of [[line], { lines: [line] }]) expect(parsePaths(LINE, raw, size)).toEqual([line]);
    expect(parsePaths(KEYPOINT, [{ label: "bee", x: 1.4, y: 2 }], size)).toEqual([{ label: "bee", vertices: [at(1, 2)] }]);
  });

  it("is refused with a sentence that says what is wrong", () => {
    expect(() => parsePaths(POLYGON, { shapes: [] }, size)).toThrow("The initial value is not a list of polygons.");
    expect(() => parsePaths(POLYGON, [{ label: "bee" }], size)).toThrow("Polygon 1 of the initial value lacks its vertices.");
    expect(() => parsePaths(LINE, [{ vertices: [at(1, 1)] }], size)).toThrow("Line 1 of the initial value has 1 points; it needs 2.");
    expect(() => parsePaths(KEYPOINT, [{ label: "bee", x: 1 }], size)).toThrow("lacks x or y");
  });

  it("is compared with the answer where Ground Truth's answer says so, and where the element is told to", () => {
    for (const [form, reported] of [[POLYLINE, true], [LINE, true], [POLYGON, false]] as const) {
      const editor = editorOf(form);
      const given = [{ label: "bee", vertices: square.slice(0, form.most === 2 ? 2 : 3) }];
      editor.load(given);
      expect(toAnswer(form, editor.answer, size, given).initialValueModified).toBe(reported ? false : undefined);
      editor.step(1);
      editor.nudge(1, 0);
      expect(toAnswer(form, editor.answer, size, given).initialValueModified).toBe(reported ? true : undefined);
      expect(toAnswer(form, editor.answer, size, given, true).initialValueModified).toBe(true);
    }
  });
});

it("uses no label's key for a command of the tools for paths and masks", () => {
  for (const keys of [PATH_KEYS, MASK_KEYS]) expect(Object.keys(keys).filter((key) => HOTKEYS.includes(key))).toEqual([]);
});
