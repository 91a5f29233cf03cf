/** Masks without a screen: painting, undo by tiles, instances, the PNG of the answer. */
import { unzlibSync } from "fflate";
import { beforeEach, describe, expect, it } from "vitest";
import { parseLabels } from "../src/labels/labels";
import { instanceAnswer, labeledImage, parseInitial, semanticAnswer, valuesOf } from "../src/masks/answer";
import { MaskEditor, distinct } from "../src/masks/editor";
import { MaskHistory } from "../src/masks/history";
import { Mask } from "../src/masks/mask";
import { decoded, encoded } from "../src/masks/runs";
import type { Point } from "../src/picture/plane";

const size = { width: 12, height: 8 };
const at = (x: number, y: number): Point => ({ x, y });
const picture = (mask: Mask): string[] =>
  Array.from({ length: mask.size.height }, (_, row) => [...mask.data.subarray(row * mask.size.width, (row + 1) * mask.size.width)].map((value) => (value === 0 ? "." : value)).join(""));
const total = (mask: Mask) => mask.data.reduce((sum, value) => sum + (value > 0 ? 1 : 0), 0);

describe("painting", () => {
  it("dots are round and of one size wherever they are", () => {
    const mask = new Mask(size);
    mask.stroke(at(2.9, 2.1), at(2.9, 2.1), 5, 1);
    mask.stroke(at(9, 4), at(9, 4), 1, 2);
    expect(picture(mask)).toEqual([".111........", "11111.......", "11111.......", "11111.......", ".111.....2..", "............", "............", "............"]);
  });

  it("a stroke has no gaps, however far apart its points are, and ends at the picture's edges", () => {
    const mask = new Mask(size);
    mask.stroke(at(-20, -20), at(40, 40), 2, 1);
    for (let k = 0; k < 8; k++) expect(mask.at(at(k, k))).toBe(1);
    mask.stroke(at(0.5, 7.5), at(11.5, 7.5), 1, 3);
    expect(picture(mask).at(-1)).toBe("333333333333");
  });

  it("a polygon covers the pixels whose centres are in it", () => {
    const mask = new Mask(size);
    mask.polygon([at(1, 1), at(5, 1), at(5, 4), at(1, 4)], 1);
    expect(mask.counts[1]).toBe(12);
    expect(picture(mask)[1]).toBe(".1111.......");
    expect(picture(mask)[4]).toBe("............");
  });

  it("a fill stops at other values and at the picture's edges", () => {
    const mask = new Mask(size);
    mask.polygon([at(4, 0), at(5, 0), at(5, 8), at(4, 8)], 1);
    mask.flood(at(0, 0), 2);
    expect(new Set(picture(mask))).toEqual(new Set(["22221......."]));
    mask.flood(at(40, 2), 3);
    expect(mask.counts[3]).toBe(0);
  });

  it("counts pixels as it paints over others", () => {
    const mask = new Mask(size);
    mask.polygon([at(0, 0), at(4, 0), at(4, 4), at(0, 4)], 1);
    mask.polygon([at(2, 2), at(6, 2), at(6, 6), at(2, 6)], 2);
    expect([mask.counts[0], mask.counts[1], mask.counts[2]]).toEqual([96 - 28, 12, 16]);
    mask.commit();
    mask.replace(2, 0);
    expect([mask.counts[1], mask.counts[2]]).toEqual([12, 0]);
  });
});

describe("steps", () => {
  it("keep only tiles that changed, and give every earlier mask again", () => {
    const mask = new Mask({ width: 700, height: 600 });
    mask.stroke(at(100, 100), at(300, 100), 9, 1);
    const [first, before] = [mask.commit(), mask.data.slice()];
    expect(first.map(({ tile }) => tile)).toEqual([0, 1]);
    mask.stroke(at(650, 512), at(650, 512), 50, 2);
    const second = mask.commit();
    expect(second.map(({ tile }) => tile)).toEqual([5, 8]);
    for (const { tile, before: runs } of second) mask.restore(tile, runs);
    expect(mask.data.every((value, place) => value === before[place])).toBe(true);
    for (const { tile, before: runs } of first) mask.restore(tile, runs);
    expect([total(mask), mask.counts[0], mask.tiles.size]).toEqual([0, 420000, 0]);
    mask.stroke(at(10, 10), at(10, 10), 3, 0);
    expect(mask.commit()).toEqual([]);
  });

  it("of twelve megapixels take little memory", () => {
    const mask = new Mask({ width: 4000, height: 3000 });
    mask.flood(at(5, 5), 1);
    const step = mask.commit();
    expect(step.length).toBe(192);
    expect(step.reduce((sum, { before, after }) => sum + before.length + after.length, 0)).toBeLessThan(2000);
  });

  it("are forgotten, the oldest first, when they take too much memory", () => {
    const marks = { entries: [], nothing: false };
    const history = new MaskHistory(2000);
    for (let k = 0; k < 10; k++) history.push({ tiles: [{ tile: k, before: "", after: "x".repeat(400) }], before: marks, after: marks });
    const undone = [];
    for (let step = history.undo(); step; step = history.undo()) undone.push(step.tiles[0]!.tile);
    expect(undone).toEqual([9, 8, 7]);
  });

  it("are written as runs that are read again, and bad runs are refused", () => {
    const bytes = Uint8Array.from([0, 0, 5, 5, 5, 255, 0]);
    expect(decoded(encoded(bytes), 7)).toEqual(bytes);
    expect(encoded(new Uint8Array(9))).toBe("");
    for (const bad of ["1.3", "1.z", "-1.7", "x", "1.0 0.7", "8g.7"]) expect(() => decoded(bad, 7)).toThrow("runs");
  });
});

describe("the editor", () => {
  let editor: MaskEditor;
  const make = (instances: boolean) => new MaskEditor(instances, { width: 100, height: 80 }, parseLabels(["bee", "flower"]), { changed: () => undefined, shown: () => undefined, say: () => undefined });
  const dot = (x: number, y: number) => { editor.begin(at(x, y)); editor.end(); };
  beforeEach(() => { editor = make(false); });

  it("paints labels, erases and undoes stroke by stroke", () => {
    dot(20, 20);
    editor.setLabel(1);
    dot(60, 20);
    editor.setMode("eraser");
    editor.brush = 40;
    dot(20, 20);
    expect(editor.used.map(({ entry }) => entry.label)).toEqual(["flower"]);
    editor.undo();
    expect(editor.used.map(({ entry }) => entry.label)).toEqual(["bee", "flower"]);
    editor.undo();
    editor.undo();
    expect([editor.count, editor.canUndo]).toEqual([0, false]);
    editor.redo();
    expect(editor.used.map(({ entry }) => entry.label)).toEqual(["bee"]);
  });

  it("gives each instance a colour of its own, in the order in which they began", () => {
    editor = make(true);
    dot(20, 20);
    editor.choose(null);
    editor.setLabel(1);
    dot(60, 20);
    dot(62, 20); // goes on with the second one
    expect(editor.used.map(({ entry }) => entry.label)).toEqual(["bee", "flower"]);
    expect(new Set(editor.entries.map(({ color }) => color)).size).toBe(2);
    editor.setLabel(0);
    expect(editor.used.map(({ entry }) => entry.label)).toEqual(["bee", "bee"]);
    editor.erase(0);
    expect(editor.used.map(({ at: place }) => place)).toEqual([1]);
    editor.undo();
    editor.undo();
    expect(editor.used.map(({ entry }) => entry.label)).toEqual(["bee", "flower"]);
  });

  it("takes back a stroke that is cancelled in the middle", () => {
    editor = make(true);
    editor.begin(at(20, 20));
    editor.paint(at(50, 50));
    editor.cancel();
    expect([editor.count, total(editor.mask), editor.canUndo, editor.current]).toEqual([0, 0, false, null]);
  });

  it("paints by keys: brush down, along, up", () => {
    editor.brush = 1;
    editor.press(at(50, 40));
    editor.press(at(0, 0));
    editor.moveCursor(9, 0);
    editor.press(at(0, 0));
    editor.moveCursor(0, 9);
    expect(editor.used.map(({ pixels }) => pixels)).toEqual([10]);
    editor.undo();
    expect(editor.count).toBe(0);
  });

  it("paints a polygon, closed by its first or last point", () => {
    editor.setMode("polygon");
    for (const point of [at(10, 10), at(20, 10), at(20, 20), at(10, 20), at(11, 11)]) editor.put(point, 3);
    expect(editor.mask.counts[1]).toBe(100);
    editor.undo();
    for (const point of [at(10, 10), at(20, 10), at(20, 20), at(20, 20)]) editor.put(point, 0);
    expect(editor.mask.counts[1]).toBe(55); // a centre on an edge belongs to what lies right of it
  });

  it("drops 'nothing to label' with the first stroke, and undo brings it back", () => {
    editor.setNothing(true);
    dot(20, 20);
    expect(editor.nothing).toBe(false);
    editor.undo();
    expect([editor.nothing, editor.count]).toEqual([true, 0]);
  });

  it("goes on from a draft exactly", () => {
    editor = make(true);
    dot(20, 20);
    editor.choose(null);
    dot(60, 60);
    const draft = JSON.parse(JSON.stringify(editor.draft));
    const again = make(true);
    again.load(draft);
    expect(again.mask.data.every((value, place) => value === editor.mask.data[place])).toBe(true);
    expect(again.entries).toEqual(editor.entries);
    expect(() => again.load({ ...draft, tiles: [[77, "1.5"]] })).toThrow("tile");
  });
});

describe("the answer", () => {
  const entries = [{ label: "Bird", color: "#ff7f0e" }, { label: "Cat", color: "#2ca02c" }];

  it("is Ground Truth's, with a PNG of a palette", () => {
    const mask = new Mask(size);
    mask.polygon([at(0, 0), at(4, 0), at(4, 4), at(0, 4)], 2);
    const image = labeledImage(mask, entries);
    expect(semanticAnswer(mask, entries, image)).toEqual({
      inputImageProperties: { height: 8, width: 12 }, labelMappings: { Bird: { color: "#ff7f0e" }, Cat: { color: "#2ca02c" } }, labeledImage: image,
    });
    expect(instanceAnswer(mask, entries, image).instances).toEqual([{ color: "#2ca02c", label: "Cat" }]);
    const bytes = Uint8Array.from(atob(image.pngImageData), (sign) => sign.charCodeAt(0));
    expect([...bytes.subarray(16, 29)]).toEqual([0, 0, 0, 12, 0, 0, 0, 8, 8, 3, 0, 0, 0]);
    const data = bytes.length - 12 - 4; // the end of IDAT: before its checksum and IEND
    const start = new TextDecoder("latin1").decode(bytes).indexOf("IDAT") + 4;
    const rows = unzlibSync(bytes.subarray(start, data));
    expect([...rows.subarray(0, 7)]).toEqual([0, 2, 2, 2, 2, 0, 0]);
  });

  it("has different colours for labels that were given the same, and for 255 instances", () => {
    expect(distinct(["#abc", "#AABBCC"])[0]).toBe("#aabbcc");
    expect(new Set(distinct(Array(255).fill("#ffffff"))).size).toBe(255);
  });

  it("reads colours again, also a little off, and leaves the others out", () => {
    const rgba = Uint8ClampedArray.from([255, 127, 14, 255, 46, 158, 46, 255, 255, 127, 14, 0, 0, 0, 255, 255]);
    expect([...valuesOf(rgba, entries.map(({ color }) => color))]).toEqual([1, 2, 0, 0]);
  });

  it("refuses a wrong initial value with a sentence that says why", () => {
    const labels = parseLabels(["Bird"]);
    expect(parseInitial("", labels, false)).toBeNull();
    expect(parseInitial({ src: "a.png", labelMappings: { Bird: { color: "#ff7f0e" } } }, labels, false)?.keepColors).toBe(true);
    expect(parseInitial({ src: "a.png", labelMappings: { Bird: { color: "#ff7f0e" } }, keepColors: false }, labels, false)?.keepColors).toBe(false);
    expect(() => parseInitial({ labelMappings: { Bird: { color: "#ff7f0e" } } }, labels, false)).toThrow("lacks src");
    expect(() => parseInitial({ src: "a.png" }, labels, false)).toThrow("lacks labelMappings");
    expect(() => parseInitial({ src: "a.png", labelMappings: { Dog: { color: "#ff7f0e" } } }, labels, false)).toThrow('"Dog", which is none of the labels');
    expect(() => parseInitial({ src: "a.png", instances: [{ label: "Bird" }] }, labels, true)).toThrow("lacks a colour");
  });
});

it("refuses a picture that is too large", () => {
  expect(() => new Mask({ width: 20000, height: 20000 })).toThrow("megapixels");
});
