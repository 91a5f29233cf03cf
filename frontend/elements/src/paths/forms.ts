/** The four forms of paths: what makes a polygon, a polyline, a line or a key point, how each is described, and how it stands in
 *  Ground Truth's JSON. Pure. */
import { ATTRIBUTES_KEY, type Values, parseValues, plainValues } from "../labels/attributes";
import type { Point, Size } from "../picture/plane";
import type { Answer } from "../shapes/history";
import type { Kind } from "../shapes/shape";
import { type Path, area, boundsOf, distance, inside, length, movedBy, near, nearestEdge, samePoint, whole } from "./geometry";
import { msg } from "../locale";

export interface Form {
  /** The key of the list in the answer. */
  readonly key: string;
  readonly one: string;
  readonly many: string;
  /** Whether the last vertex is joined to the first. */
  readonly closed: boolean;
  /** The least and the most vertices. */
  readonly least: number;
  readonly most: number;
  /** Whether Ground Truth's answer says if the initial value was modified. */
  readonly modified: boolean;
}

export const POLYGON: Form = { key: "polygons", one: msg("polygon"), many: msg("polygons"), closed: true, least: 3, most: Infinity, modified: false };
export const POLYLINE: Form = { key: "polylines", one: msg("polyline"), many: msg("polylines"), closed: false, least: 2, most: Infinity, modified: true };
export const LINE: Form = { key: "lines", one: msg("line"), many: msg("lines"), closed: false, least: 2, most: 2, modified: true };
export const KEYPOINT: Form = { key: "keypoints", one: msg("key point"), many: msg("key points"), closed: false, least: 1, most: 1, modified: false };

/** How far vertices go: edges lie between pixels, from 0 to the width, but a key point names a pixel. */
export const limits = (form: Form, size: Size): Size => (form.most === 1 ? { width: size.width - 1, height: size.height - 1 } : size);

/** Paths of a form as the editor of shapes sees them. */
export function kindOf(form: Form): Kind<Path> {
  return {
    one: form.one,
    many: form.many,
    bounds: (path) => boundsOf(path.vertices),
    contains({ vertices }, at, slack) {
      if (!near(boundsOf(vertices), at, slack)) return false;
      if (form.most === 1) return distance(vertices[0]!, at) <= slack;
      return (form.closed && inside(vertices, at)) || (nearestEdge(vertices, form.closed, at)?.distance ?? Infinity) <= slack;
    },
    extent: ({ vertices }) => (form.closed ? area(vertices) : length(vertices)),
    moved: (path, dx, dy, size) => ({ ...path, vertices: movedBy(path.vertices, dx, dy, limits(form, size)) }),
    same: (a, b) => a.label === b.label && a.vertices.length === b.vertices.length && a.vertices.every((vertex, at) => samePoint(vertex, b.vertices[at]!)),
    describe({ vertices }) {
      const { left, top, width, height } = boundsOf(vertices);
      if (form.most === 1) return `at ${left}, ${top}`;
      return `${vertices.length} points, at ${left}, ${top}, ${width} by ${height} pixels`;
    },
    brief({ vertices }) {
      if (form.most === 1) return `${vertices[0]!.x}, ${vertices[0]!.y}`;
      return form.most === 2 ? `${Math.round(length(vertices))} px` : `${vertices.length} points`;
    },
  };
}

export type PlainPath = ({ label: string; vertices: Point[] } | { label: string; x: number; y: number }) & { [ATTRIBUTES_KEY]?: Values };

/** A path as it stands in the answer, in an initial value and in a draft. */
export function plain(form: Form, { label, vertices, attributes }: Pick<Path, "label" | "vertices" | "attributes">): PlainPath {
  const points = vertices.map(({ x, y }) => ({ x, y }));
  return { ...(form.most === 1 ? { label, ...points[0]! } : { label, vertices: points }), ...plainValues(attributes) };
}

export type PathAnswer = Record<string, unknown> & { inputImageProperties: Size; initialValueModified?: boolean };

/** The element's value. `initial` holds the paths of the initial value, null if there was none; `tell`: whether it says if these
 *  were changed. */
export function toAnswer(form: Form, answer: Answer<Path>, size: Size, initial: readonly PlainPath[] | null, tell = form.modified): PathAnswer {
  const list = answer.shapes.map((path) => plain(form, path));
  const value: PathAnswer = { inputImageProperties: { height: size.height, width: size.width }, [form.key]: list };
  if (tell && initial) value.initialValueModified = JSON.stringify(list) !== JSON.stringify(initial);
  return value;
}

/** Paths from an initial value or a draft: a list, or an object that holds the list under the form's key. Throws an Error on
 *  anything else. Vertices are rounded and brought into the picture. */
export function parsePaths(form: Form, raw: unknown, size: Size): Omit<Path, "id">[] {
  if (raw === null || raw === undefined || raw === "") return [];
  const list = Array.isArray(raw) ? raw : (raw as Record<string, unknown>)[form.key];
  if (!Array.isArray(list)) throw new Error(`The initial value is not a list of ${form.many}.`);
  return list.map((entry: Record<string, unknown> | null, at) => {
    const name = `${form.one.charAt(0).toUpperCase()}${form.one.slice(1)} ${at + 1} of the initial value`;
    const given = form.most === 1 ? [entry] : entry?.["vertices"];
    if (!Array.isArray(given)) throw new Error(`${name} lacks its vertices.`);
    const vertices = given.map((vertex: Record<string, unknown> | null) => {
      const point = { x: Number(vertex?.["x"] ?? NaN), y: Number(vertex?.["y"] ?? NaN) };
      if (!Number.isFinite(point.x) || !Number.isFinite(point.y)) throw new Error(`${name} has a point that lacks x or y.`);
      return whole(point, limits(form, size));
    });
    const { least, most } = form;
    if (vertices.length < least || vertices.length > most) {
      throw new Error(`${name} has ${vertices.length} points; it needs ${least === most ? least : `at least ${least}`}.`);
    }
    return { label: String(entry?.["label"] ?? ""), vertices, attributes: parseValues(entry?.[ATTRIBUTES_KEY]) };
  });
}
