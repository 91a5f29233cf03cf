/** Boxes on a picture: drawing, moving, resizing, hit tests. Pure and in picture pixels: a box is whole pixels, its edges lie
 *  in [0, width] and [0, height], and it is at least MIN_SIZE on a side. Knows nothing of screens, canvases or labels. */
import { type Point, type Rect, type Size, clamp } from "../picture/plane";
import type { Kind, Shape } from "../shapes/shape";
import { msg, str } from "../locale";

export interface Box extends Rect, Shape {}

/** Which edges a handle moves: -1 left/top, 0 none, 1 right/bottom. */
export interface Handle { name: string; x: -1 | 0 | 1; y: -1 | 0 | 1 }

export const MIN_SIZE = 3;

export const HANDLES: readonly Handle[] = [
  { name: "nw", x: -1, y: -1 }, { name: "n", x: 0, y: -1 }, { name: "ne", x: 1, y: -1 }, { name: "e", x: 1, y: 0 },
  { name: "se", x: 1, y: 1 }, { name: "s", x: 0, y: 1 }, { name: "sw", x: -1, y: 1 }, { name: "w", x: -1, y: 0 },
];

/** The nearest corner of a pixel within the picture, since edges of boxes lie between pixels. */
export function snap(point: Point, size: Size): Point {
  return { x: clamp(Math.round(point.x), 0, size.width), y: clamp(Math.round(point.y), 0, size.height) };
}

/** The box between two opposite corners, in any order. May be smaller than MIN_SIZE: see `bigEnough`. */
export function between(a: Point, b: Point, size: Size): Rect {
  const [p, q] = [snap(a, size), snap(b, size)];
  return { left: Math.min(p.x, q.x), top: Math.min(p.y, q.y), width: Math.abs(p.x - q.x), height: Math.abs(p.y - q.y) };
}

export const bigEnough = (rect: Rect): boolean => rect.width >= MIN_SIZE && rect.height >= MIN_SIZE;

/** Moves a box by whole pixels and stops it at the picture's edges; its size does not change. */
export function moved<R extends Rect>(rect: R, dx: number, dy: number, size: Size): R {
  return {
    ...rect,
    left: clamp(Math.round(rect.left + dx), 0, size.width - rect.width),
    top: clamp(Math.round(rect.top + dy), 0, size.height - rect.height),
  };
}

function edge(low: number, high: number, side: -1 | 0 | 1, by: number, limit: number): [number, number] {
  if (side === 0) return [low, high];
  const fixed = side === 1 ? low : high;
  let dragged = clamp(Math.round((side === 1 ? high : low) + by), 0, limit);
  // a box dragged across its fixed edge turns over; close to that edge it keeps the smallest size
  if (Math.abs(dragged - fixed) < MIN_SIZE) {
    const outward = dragged === fixed ? side : Math.sign(dragged - fixed);
    dragged = fixed + outward * MIN_SIZE;
    if (dragged < 0 || dragged > limit) dragged = fixed - outward * MIN_SIZE;
  }
  return [Math.min(fixed, dragged), Math.max(fixed, dragged)];
}

/** Drags one handle by (dx, dy): the opposite edges stay, the box may turn over, never smaller than MIN_SIZE. */
export function resized<R extends Rect>(rect: R, handle: Pick<Handle, "x" | "y">, dx: number, dy: number, size: Size): R {
  const [left, right] = edge(rect.left, rect.left + rect.width, handle.x, dx, size.width);
  const [top, bottom] = edge(rect.top, rect.top + rect.height, handle.y, dy, size.height);
  return { ...rect, left, top, width: right - left, height: bottom - top };
}

/** Fits any rectangle (a requester's initial value, an old draft) into the picture: whole pixels, inside, large enough. */
export function fitted<R extends Rect>(rect: R, size: Size): R {
  const width = clamp(Math.round(rect.width), Math.min(MIN_SIZE, size.width), size.width);
  const height = clamp(Math.round(rect.height), Math.min(MIN_SIZE, size.height), size.height);
  return {
    ...rect, width, height,
    left: clamp(Math.round(rect.left), 0, size.width - width),
    top: clamp(Math.round(rect.top), 0, size.height - height),
  };
}

export const handlePoint = (rect: Rect, handle: Handle): Point => ({
  x: rect.left + (rect.width * (handle.x + 1)) / 2,
  y: rect.top + (rect.height * (handle.y + 1)) / 2,
});

export const contains = (rect: Rect, point: Point, slack = 0): boolean =>
  point.x >= rect.left - slack && point.x <= rect.left + rect.width + slack &&
  point.y >= rect.top - slack && point.y <= rect.top + rect.height + slack;

/**
 * The handle under a point, or null. `reach` is the hit radius in picture pixels. Inside the box the reach is at most a
 * quarter of the side, so that a small box can still be grabbed in its middle; corners take precedence over edges.
 */
export function handleAt(rect: Rect, point: Point, reach: number): Handle | null {
  const inside = contains(rect, point);
  const reachX = inside ? Math.min(reach, rect.width / 4) : reach;
  const reachY = inside ? Math.min(reach, rect.height / 4) : reach;
  if (!contains(rect, point, reach)) return null;
  const side = (value: number, low: number, high: number, near: number): -1 | 0 | 1 => {
    const [toLow, toHigh] = [Math.abs(value - low), Math.abs(value - high)];
    if (Math.min(toLow, toHigh) > near) return 0;
    return toLow < toHigh ? -1 : 1;
  };
  const x = side(point.x, rect.left, rect.left + rect.width, reachX);
  const y = side(point.y, rect.top, rect.top + rect.height, reachY);
  return HANDLES.find((handle) => handle.x === x && handle.y === y) ?? null;
}

/** Boxes as the editor of shapes sees them. */
export const BOX: Kind<Box> = {
  one: msg("box"),
  many: msg("boxes"),
  bounds: (box) => box,
  contains,
  extent: (box) => box.width * box.height,
  moved,
  same: (a, b) => a.left === b.left && a.top === b.top && a.width === b.width && a.height === b.height && a.label === b.label,
  describe: (box) => msg(str`at ${box.left}, ${box.top}, ${box.width} by ${box.height} pixels`),
  brief: (box) => `${box.width} × ${box.height}`,
};
