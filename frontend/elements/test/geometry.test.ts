/** Boxes on a picture, without a screen: every result is whole pixels inside the picture. */
import { describe, expect, it } from "vitest";
import {
  BOX, type Box, HANDLES, MIN_SIZE, between, bigEnough, fitted, handleAt, handlePoint, moved, resized, snap,
} from "../src/boxes/geometry";
import { pick, shapesAt } from "../src/shapes/shape";

const size = { width: 100, height: 80 };
const box = (id: number, left: number, top: number, width: number, height: number): Box => ({ id, left, top, width, height, label: "bee" });

describe("drawing", () => {
  it("gives the same box whichever corner comes first", () => {
    const wanted = { left: 10, top: 20, width: 30, height: 40 };
    const corners = [{ x: 10, y: 20 }, { x: 40, y: 60 }] as const;
    expect(between(corners[0], corners[1], size)).toEqual(wanted);
    expect(between(corners[1], corners[0], size)).toEqual(wanted);
    expect(between({ x: 40, y: 20 }, { x: 10, y: 60 }, size)).toEqual(wanted);
  });

  it("puts edges between pixels and inside the picture", () => {
    expect(snap({ x: 10.4, y: 10.6 }, size)).toEqual({ x: 10, y: 11 });
    expect(between({ x: -5, y: -9 }, { x: 300, y: 300 }, size)).toEqual({ left: 0, top: 0, width: 100, height: 80 });
  });

  it("refuses boxes below the least size", () => {
    expect(bigEnough({ left: 0, top: 0, width: MIN_SIZE - 1, height: 50 })).toBe(false);
    expect(bigEnough({ left: 0, top: 0, width: MIN_SIZE, height: MIN_SIZE })).toBe(true);
  });
});

describe("moving", () => {
  it("stops at the edges without changing the size", () => {
    expect(moved(box(1, 10, 10, 30, 20), -50, 500, size)).toMatchObject({ left: 0, top: 60, width: 30, height: 20 });
    expect(moved(box(1, 10, 10, 100, 80), 7, 7, size)).toMatchObject({ left: 0, top: 0 });
  });
});

describe("resizing", () => {
  it("moves only the edges of the handle", () => {
    const start = box(1, 20, 20, 40, 30);
    const after = Object.fromEntries(HANDLES.map((handle) => [handle.name, resized(start, handle, 5, -4, size)]));
    expect(after["nw"]).toMatchObject({ left: 25, top: 16, width: 35, height: 34 });
    expect(after["n"]).toMatchObject({ left: 20, top: 16, width: 40, height: 34 });
    expect(after["se"]).toMatchObject({ left: 20, top: 20, width: 45, height: 26 });
    expect(after["e"]).toMatchObject({ left: 20, top: 20, width: 45, height: 30 });
    expect(after["sw"]).toMatchObject({ left: 25, top: 20, width: 35, height: 26 });
  });

  it("turns over when dragged across the other edge", () => {
    expect(resized(box(1, 20, 20, 40, 30), { x: 1, y: 0 }, -60, 0, size)).toMatchObject({ left: 0, width: 20 });
    expect(resized(box(1, 20, 20, 40, 30), { x: -1, y: 0 }, 60, 0, size)).toMatchObject({ left: 60, width: 20 });
  });

  it("keeps whole pixels, the least size and the picture for any drag of any handle", () => {
    const starts = [box(1, 0, 0, 3, 3), box(2, 97, 77, 3, 3), box(3, 40, 30, 20, 10), box(4, 0, 0, 100, 80)];
    for (const start of starts) for (const handle of HANDLES) for (let dx = -130; dx <= 130; dx += 6.5) for (const dy of [-95.3, -2, 0, 1.5, 90]) {
      const { left, top, width, height } = resized(start, handle, dx, dy, size);
      expect([left, top, width, height].every(Number.isInteger)).toBe(true);
      expect(Math.min(width, height)).toBeGreaterThanOrEqual(MIN_SIZE);
      expect(left >= 0 && top >= 0 && left + width <= size.width && top + height <= size.height).toBe(true);
    }
  });
});

describe("hitting", () => {
  it("finds each handle where it is drawn", () => {
    const rect = box(1, 20, 20, 40, 30);
    for (const handle of HANDLES) expect(handleAt(rect, handlePoint(rect, handle), 6)?.name).toBe(handle.name);
    expect(handleAt(rect, { x: 40, y: 35 }, 6)).toBeNull();
    expect(handleAt(rect, { x: 90, y: 35 }, 6)).toBeNull();
  });

  it("leaves the middle of a small box to moving, even with a finger's reach", () => {
    expect(handleAt(box(1, 20, 20, 8, 8), { x: 24, y: 24 }, 24)).toBeNull();
    expect(handleAt(box(1, 20, 20, 8, 8), { x: 12, y: 12 }, 24)?.name).toBe("nw");
  });

  it("takes the smallest box first and goes on to the next larger", () => {
    const boxes = [box(1, 0, 0, 90, 70), box(2, 10, 10, 20, 20), box(3, 5, 5, 50, 50)];
    const point = { x: 15, y: 15 };
    expect(shapesAt(BOX, boxes, point).map((one) => one.id)).toEqual([2, 3, 1]);
    expect(pick(BOX, boxes, point, null)?.id).toBe(2);
    expect(pick(BOX, boxes, point, 2)?.id).toBe(3);
    expect(pick(BOX, boxes, point, 1)?.id).toBe(2);
    expect(pick(BOX, boxes, { x: 99, y: 79 }, null)).toBeNull();
  });
});

it("brings any rectangle into the picture", () => {
  expect(fitted({ left: -10, top: 75, width: 500, height: 1 }, size)).toEqual({ left: 0, top: 75, width: 100, height: 3 });
  expect(fitted({ left: 1.4, top: 2.6, width: 10.2, height: 9.8 }, size)).toEqual({ left: 1, top: 3, width: 10, height: 10 });
});
