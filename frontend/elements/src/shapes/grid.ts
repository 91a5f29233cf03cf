/** Which shapes lie where: a grid over the picture with the shapes whose bounds touch each cell, so that of thousands only those
 *  near a point or within an area are looked at. Pure. Made anew when the shapes change, which takes about a millisecond for
 *  thousands. */
import { type Point, type Rect, type Size, clamp } from "../picture/plane";
import type { Kind, Shape } from "./shape";

/** Cells along the longer side of the picture. */
const CELLS = 48;

export class ShapeGrid<S extends Shape> {
  private readonly cell: number;
  private readonly across: number;
  private readonly down: number;
  private readonly cells: number[][];
  private readonly bounds: Rect[];

  constructor(kind: Pick<Kind<S>, "bounds">, private readonly shapes: readonly S[], size: Size) {
    this.cell = Math.max(1, Math.max(size.width, size.height) / CELLS);
    this.across = Math.floor(size.width / this.cell) + 1;
    this.down = Math.floor(size.height / this.cell) + 1;
    this.cells = Array.from({ length: this.across * this.down }, () => []);
    this.bounds = shapes.map((shape) => kind.bounds(shape));
    for (const [at, rect] of this.bounds.entries()) for (const cell of this.touched(rect)) this.cells[cell]!.push(at);
  }

  private *touched({ left, top, width, height }: Rect): Iterable<number> {
    const along = (value: number, count: number) => clamp(Math.floor(value / this.cell), 0, count - 1);
    const [from, to] = [along(left, this.across), along(left + width, this.across)];
    for (let row = along(top, this.down), last = along(top + height, this.down); row <= last; row++) {
      for (let column = from; column <= to; column++) yield row * this.across + column;
    }
  }

  /** The shapes whose bounds touch an area of the picture, in their own order. */
  within(area: Rect): S[] {
    const found = new Set<number>();
    for (const cell of this.touched(area)) for (const at of this.cells[cell]!) if (meets(this.bounds[at]!, area)) found.add(at);
    return [...found].sort((a, b) => a - b).map((at) => this.shapes[at]!);
  }

  /** The shapes whose bounds are within `slack` of a point, in their own order. */
  around({ x, y }: Point, slack: number): S[] {
    return this.within({ left: x - slack, top: y - slack, width: 2 * slack, height: 2 * slack });
  }
}

const meets = (a: Rect, b: Rect): boolean =>
  a.left <= b.left + b.width && b.left <= a.left + a.width && a.top <= b.top + b.height && b.top <= a.top + a.height;
