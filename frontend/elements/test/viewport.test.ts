/** Zoom and pan: the point under the cursor stays there, and the picture cannot be moved out of sight. */
import { expect, it } from "vitest";
import { MAX_SCALE, fit, onPixels, panned, revealed, toPicture, toScreen, zoomed } from "../src/picture/viewport";

const picture = { width: 400, height: 300 };
const room = { width: 800, height: 500 };

it("fits the whole picture in the middle", () => {
  const view = fit(picture, room, 20);
  expect(toScreen(view, { x: 200, y: 150 })).toEqual({ x: 400, y: 250 });
  expect(view.scale).toBeCloseTo(460 / 300);
  expect(fit({ width: 2, height: 2 }, room).scale).toBe(4);
});

it("keeps the point under the cursor while zooming", () => {
  const at = { x: 300, y: 200 };
  const start = fit(picture, room);
  const before = toPicture(start, at);
  const after = toPicture(zoomed(start, 1.7, at, picture, room), at);
  expect(after.x).toBeCloseTo(before.x);
  expect(after.y).toBeCloseTo(before.y);
});

it("stops at the largest and the smallest scale", () => {
  const start = fit(picture, room);
  expect(zoomed(start, 1e9, { x: 1, y: 1 }, picture, room).scale).toBe(MAX_SCALE);
  expect(zoomed(start, 1e-9, { x: 1, y: 1 }, picture, room).scale).toBeGreaterThan(0.3);
});

it("lies on whole pixels of the hardware where asked to", () => {
  expect(onPixels({ scale: 1.3, x: 10.4, y: -3.6 }, 1)).toEqual({ scale: 1.3, x: 10, y: -4 });
  expect(onPixels({ scale: 1.3, x: 10.4, y: -3.6 }, 2)).toEqual({ scale: 1.3, x: 10.5, y: -3.5 });
});

it("never loses the picture by panning", () => {
  for (const [dx, dy] of [[1e6, 1e6], [-1e6, -1e6]] as const) {
    const view = panned(fit(picture, room), dx, dy, picture, room);
    const left = toScreen(view, { x: 0, y: 0 });
    const right = toScreen(view, { x: 400, y: 300 });
    expect(right.x > 50 && left.x < room.width - 50 && right.y > 50 && left.y < room.height - 50).toBe(true);
  }
});

it("brings a hidden box into sight and leaves a visible one alone", () => {
  const near = zoomed(fit(picture, room), 8, { x: 400, y: 250 }, picture, room);
  const hidden = { left: 0, top: 0, width: 10, height: 10 };
  const seen = revealed(near, hidden, picture, room);
  const corner = toScreen(seen, { x: 0, y: 0 });
  expect(corner.x >= 0 && corner.y >= 0 && corner.x < room.width && corner.y < room.height).toBe(true);
  expect(revealed(seen, hidden, picture, room)).toEqual(seen);
});
