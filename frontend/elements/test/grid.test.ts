import { expect, test } from "vitest";
import { BOX, type Box } from "../src/boxes/geometry";
import { ShapeGrid } from "../src/shapes/grid";

const SIZE = { width: 640, height: 480 };
const box = (id: number, left: number, top: number, width: number, height: number): Box => ({ id, label: "bee", left, top, width, height });
const ids = (found: readonly Box[]) => found.map(({ id }) => id);

test("an area finds exactly the boxes that touch it, in their own order, however large they are", () => {
  const boxes = Array.from({ length: 500 }, (_, id) => box(id, (id * 97) % 600, (id * 61) % 440, 3 + ((id * 7) % 37), 3 + ((id * 11) % 35)));
  boxes.push(box(500, 0, 0, 640, 480));
  const grid = new ShapeGrid(BOX, boxes, SIZE);
  for (const area of [{ left: 100, top: 100, width: 0, height: 0 }, { left: 13.5, top: 200, width: 211, height: 3 }, { left: -50, top: -50, width: 900, height: 900 }]) {
    const touching = boxes.filter((one) => one.left <= area.left + area.width && area.left <= one.left + one.width && one.top <= area.top + area.height && area.top <= one.top + one.height);
    expect(ids(grid.within(area))).toEqual(ids(touching));
  }
});

test("around a point there are the boxes within the slack, also at the very edge of the picture", () => {
  const grid = new ShapeGrid(BOX, [box(1, 600, 440, 40, 40), box(2, 0, 0, 10, 10)], SIZE);
  expect(ids(grid.around({ x: 640, y: 480 }, 0))).toEqual([1]);
  expect(ids(grid.around({ x: 644, y: 480 }, 5))).toEqual([1]);
  expect(ids(grid.around({ x: 646, y: 480 }, 5))).toEqual([]);
  expect(ids(grid.around({ x: -3, y: 5 }, 3))).toEqual([2]);
});
