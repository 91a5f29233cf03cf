/** What boxes, polygons, lines and key points have in common, for editor, history and picking. Pure; all lengths are picture
 *  pixels. Knows no kind of shape: each kind is a file of its own that implements `Kind`. */
import type { Values } from "../labels/attributes";
import type { Point, Rect, Size } from "../picture/plane";

export interface Shape { readonly id: number; readonly label: string; readonly attributes?: Values | undefined }
/** A shape that is not in an editor yet. */
export type Fresh<S extends Shape> = Omit<S, "id">;

export interface Kind<S extends Shape> {
  /** The word for one and for several of them, for screen readers and lists. */
  readonly one: string;
  readonly many: string;
  bounds(shape: S): Rect;
  /** Whether a point lies in the shape, or within `slack` of it. */
  contains(shape: S, at: Point, slack: number): boolean;
  /** How much of the picture the shape covers: of several shapes under a point the smallest is picked first. */
  extent(shape: S): number;
  /** The shape moved by whole pixels as far as the picture allows. */
  moved(shape: S, dx: number, dy: number, size: Size): S;
  /** Whether two shapes have one place and label; their attributes do not count. */
  same(a: S, b: S): boolean;
  /** Place and size in words: "at 10, 20, 30 by 40 pixels". */
  describe(shape: S): string;
  /** The size in short, as lists show it: "30 × 40". */
  brief(shape: S): string;
}

/** "1 box", "3 boxes" */
export const counted = (kind: Pick<Kind<Shape>, "one" | "many">, count: number): string => (count === 1 ? `1 ${kind.one}` : `${count} ${kind.many}`);

/** Of some shapes those under a point, smallest first, so that one inside another can be reached. */
export function shapesAt<S extends Shape>(kind: Kind<S>, shapes: readonly S[], at: Point, slack = 0): S[] {
  return shapes.filter((shape) => kind.contains(shape, at, slack)).sort((a, b) => kind.extent(a) - kind.extent(b));
}

/** The shape that a click selects: the smallest under the point, or the next larger one when it is chosen already. */
export function pick<S extends Shape>(kind: Kind<S>, shapes: readonly S[], at: Point, chosen: number | null, slack = 0): S | null {
  const under = shapesAt(kind, shapes, at, slack);
  const place = under.findIndex((shape) => shape.id === chosen);
  return under[(place + 1) % Math.max(under.length, 1)] ?? null;
}
