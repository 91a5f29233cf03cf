/** Polygons, lines and key points on a picture: distances, hit tests, snapping. Pure and in picture pixels: vertices are whole
 *  pixels within the picture. A key point is a path of one vertex. Knows nothing of screens, canvases or labels. */
import { type Point, type Rect, type Size, clamp } from "../picture/plane";
import type { Shape } from "../shapes/shape";

export interface Path extends Shape { readonly vertices: readonly Point[] }

/** A place on an edge: the edge from vertex `edge` to the next one, the nearest point of it, and how far that is. */
export interface OnEdge { edge: number; at: Point; distance: number }

export const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);
export const samePoint = (a: Point, b: Point): boolean => a.x === b.x && a.y === b.y;

/** The nearest whole pixel that `size` allows: 0 to width, 0 to height. */
export const whole = (point: Point, size: Size): Point => ({
  x: clamp(Math.round(point.x), 0, size.width), y: clamp(Math.round(point.y), 0, size.height),
});

export function boundsOf(vertices: readonly Point[]): Rect {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y } of vertices) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return vertices.length > 0 ? { left, top, width: right - left, height: bottom - top } : { left: 0, top: 0, width: 0, height: 0 };
}

/** Whether a point lies within `slack` of a rectangle. */
export const near = (rect: Rect, point: Point, slack: number): boolean =>
  point.x >= rect.left - slack && point.x <= rect.left + rect.width + slack &&
  point.y >= rect.top - slack && point.y <= rect.top + rect.height + slack;

/** The area of a polygon, whichever way round its vertices go. */
export function area(vertices: readonly Point[]): number {
  let sum = 0;
  for (const [at, a] of vertices.entries()) {
    const b = vertices[(at + 1) % vertices.length]!;
    sum += a.x * b.y - b.x * a.y;
  }
  return Math.abs(sum) / 2;
}

/** The length of a path. */
export function length(vertices: readonly Point[]): number {
  return vertices.slice(1).reduce((sum, vertex, at) => sum + distance(vertices[at]!, vertex), 0);
}

/** Whether a point lies in a polygon, by the even-odd rule. */
export function inside(vertices: readonly Point[], { x, y }: Point): boolean {
  let within = false;
  for (const [at, a] of vertices.entries()) {
    const b = vertices[(at + 1) % vertices.length]!;
    if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) within = !within;
  }
  return within;
}

/** The point of the segment from a to b that is nearest to a point. */
export function onSegment(a: Point, b: Point, point: Point): Point {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const squared = dx * dx + dy * dy;
  const along = squared === 0 ? 0 : clamp(((point.x - a.x) * dx + (point.y - a.y) * dy) / squared, 0, 1);
  return { x: a.x + along * dx, y: a.y + along * dy };
}

/** The nearest edge; null for a single point. `closed`: the last vertex is joined to the first. */
export function nearestEdge(vertices: readonly Point[], closed: boolean, point: Point): OnEdge | null {
  let best: OnEdge | null = null;
  const edges = closed && vertices.length > 2 ? vertices.length : vertices.length - 1;
  for (let edge = 0; edge < edges; edge++) {
    const at = onSegment(vertices[edge]!, vertices[(edge + 1) % vertices.length]!, point);
    const far = distance(at, point);
    if (!best || far < best.distance) best = { edge, at, distance: far };
  }
  return best;
}

/** The index of the nearest vertex within `reach`, or null. */
export function vertexAt(vertices: readonly Point[], point: Point, reach: number): number | null {
  let best: number | null = null;
  let least = reach;
  for (const [at, vertex] of vertices.entries()) {
    const far = distance(vertex, point);
    if (far <= least) [best, least] = [at, far];
  }
  return best;
}

/** Vertices moved by whole pixels, together, and stopped where the first of them meets the picture's edge. */
export function movedBy(vertices: readonly Point[], dx: number, dy: number, size: Size): Point[] {
  const { left, top, width, height } = boundsOf(vertices);
  const x = clamp(Math.round(dx), -left, size.width - left - width);
  const y = clamp(Math.round(dy), -top, size.height - top - height);
  return vertices.map((vertex) => ({ x: vertex.x + x, y: vertex.y + y }));
}

/**
 * Where a new vertex at `point` snaps to: the nearest vertex of a neighbouring path within `reach`, else the nearest point of
 * an edge, else null. `edges`: whether edges count; `closed`: whether the paths are polygons.
 */
export function snapPoint(paths: Iterable<Pick<Path, "vertices">>, point: Point, reach: number, { edges, closed }: { edges: boolean; closed: boolean }): Point | null {
  let vertex: Point | null = null;
  let [toVertex, toEdge] = [reach, reach];
  let edge: Point | null = null;
  for (const { vertices } of paths) {
    if (!near(boundsOf(vertices), point, reach)) continue;
    const found = vertexAt(vertices, point, toVertex);
    if (found !== null) [vertex, toVertex] = [vertices[found]!, distance(vertices[found]!, point)];
    const side = edges && !vertex ? nearestEdge(vertices, closed, point) : null;
    if (side && side.distance <= toEdge) [edge, toEdge] = [side.at, side.distance];
  }
  return vertex ?? edge;
}
