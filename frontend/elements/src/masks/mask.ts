/** A mask as a bitmap: one byte a pixel, which says to what the pixel belongs (0: to nothing). Pure; coordinates are picture
 *  pixels, and a pixel belongs to what covers its centre. A step of changes is kept as the tiles that it changed, run-length
 *  encoded, so that undo and drafts of a picture of twelve megapixels take little memory. Knows neither labels nor canvas. */
import type { Point, Rect, Size } from "../picture/plane";
import { decoded, encoded } from "./runs";

/** The side of a tile in pixels. */
export const TILE = 256;
/** A mask takes a byte a pixel and its display four: larger pictures would not fit into a browser's memory beside the rest. */
export const MOST_PIXELS = 100_000_000;

/** What one step did to a tile, as runs. */
export interface TileChange { tile: number; before: string; after: string }

export class Mask {
  readonly data: Uint8Array;
  /** How many pixels have each value. */
  readonly counts = new Uint32Array(256);
  /** The tiles that hold anything, as runs. */
  readonly tiles = new Map<number, string>();
  /** Tiles that changed since the display was last brought up to date. */
  readonly stale = new Set<number>();
  /** Grows with every change. */
  revision = 0;
  private readonly across: number;
  private before = new Map<number, string>();

  /** Throws an Error for a picture that is too large. */
  constructor(readonly size: Size) {
    if (size.width * size.height > MOST_PIXELS) throw new Error(`The picture has more than ${MOST_PIXELS / 1e6} megapixels, too many for a mask.`);
    this.data = new Uint8Array(size.width * size.height);
    this.across = Math.ceil(size.width / TILE);
    this.counts[0] = this.data.length;
  }

  /** The rectangle of a tile. */
  area(tile: number): Rect {
    const [left, top] = [(tile % this.across) * TILE, Math.floor(tile / this.across) * TILE];
    return { left, top, width: Math.min(TILE, this.size.width - left), height: Math.min(TILE, this.size.height - top) };
  }

  /** The value of the pixel that holds a point; 0 outside the picture. */
  at(point: Point): number {
    const [x, y] = [Math.floor(point.x), Math.floor(point.y)];
    return x < 0 || y < 0 || x >= this.size.width || y >= this.size.height ? 0 : this.data[y * this.size.width + x]!;
  }

  // ---- changes: each paints, then `commit` makes a step of them or `revert` takes them back

  /** Paints the pixels of a row from `from` up to but without `to`; both are brought into the picture. */
  run(row: number, from: number, to: number, value: number): void {
    const { width, height } = this.size;
    const [first, end] = [Math.max(0, from), Math.min(width, to)];
    if (row < 0 || row >= height || first >= end) return;
    const down = Math.floor(row / TILE) * this.across;
    for (let column = Math.floor(first / TILE); column <= Math.floor((end - 1) / TILE); column++) this.touch(down + column);
    this.revision += 1;
    const { data, counts } = this;
    for (let place = row * width + first; place < row * width + end; place++) {
      counts[data[place]!]!--;
      data[place] = value;
    }
    counts[value]! += end - first;
  }

  private touch(tile: number): void {
    this.stale.add(tile);
    if (!this.before.has(tile)) this.before.set(tile, this.tiles.get(tile) ?? "");
  }

  /** Paints with a round brush from one point to another. */
  stroke(a: Point, b: Point, diameter: number, value: number): void {
    const radius = diameter / 2;
    const [p, q] = [onGrid(a, diameter), onGrid(b, diameter)];
    const long = Math.hypot(q.x - p.x, q.y - p.y) || 1;
    const [nx, ny] = [(-(q.y - p.y) / long) * radius, ((q.x - p.x) / long) * radius];
    const corners = [{ x: p.x + nx, y: p.y + ny }, { x: q.x + nx, y: q.y + ny }, { x: q.x - nx, y: q.y - ny }, { x: p.x - nx, y: p.y - ny }];
    const last = Math.ceil(Math.max(p.y, q.y) + radius);
    for (let row = Math.floor(Math.min(p.y, q.y) - radius); row <= last; row++) {
      // the stroke is convex: in each row it is what lies between the outermost of two circles and the band between them
      let [low, high] = [Infinity, -Infinity];
      for (const centre of [p, q]) {
        const away = row + 0.5 - centre.y;
        if (Math.abs(away) > radius) continue;
        const half = Math.sqrt(radius * radius - away * away);
        [low, high] = [Math.min(low, centre.x - half), Math.max(high, centre.x + half)];
      }
      for (const x of crossings(corners, row + 0.5)) [low, high] = [Math.min(low, x), Math.max(high, x)];
      this.run(row, Math.ceil(low - 0.5), Math.floor(high - 0.5) + 1, value);
    }
  }

  /** Paints the inside of a polygon, by the even-odd rule. */
  polygon(vertices: readonly Point[], value: number): void {
    const rows = vertices.map(({ y }) => y);
    const last = Math.min(this.size.height, Math.ceil(Math.max(...rows)));
    for (let row = Math.max(0, Math.floor(Math.min(...rows))); row < last; row++) {
      const found = crossings(vertices, row + 0.5).sort((a, b) => a - b);
      for (let at = 0; at + 1 < found.length; at += 2) this.run(row, Math.ceil(found[at]! - 0.5), Math.ceil(found[at + 1]! - 0.5), value);
    }
  }

  /** Paints the whole area of one value around a point, as far as its pixels are joined by their sides. */
  flood(from: Point, value: number): void {
    const { data, size: { width, height } } = this;
    const [x, y] = [Math.floor(from.x), Math.floor(from.y)];
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    const old = data[y * width + x]!;
    if (old === value) return;
    const waiting = [y * width + x];
    while (waiting.length > 0) {
      const place = waiting.pop()!;
      if (data[place] !== old) continue;
      const row = Math.floor(place / width);
      let [low, high] = [place - row * width, place - row * width + 1];
      while (low > 0 && data[row * width + low - 1] === old) low--;
      while (high < width && data[row * width + high] === old) high++;
      this.run(row, low, high, value);
      for (const near of [row - 1, row + 1]) {
        if (near < 0 || near >= height) continue;
        for (let at = low; at < high; at++) {
          const here = near * width + at;
          if (data[here] === old && (at === low || data[here - 1] !== old)) waiting.push(here);
        }
      }
    }
  }

  /** Turns every pixel of one value into another. */
  replace(old: number, value: number): void {
    for (const tile of [...this.tiles.keys()]) {
      const { left, top, width, height } = this.area(tile);
      for (let row = top; row < top + height; row++) {
        for (let at = left; at < left + width; at++) {
          if (this.data[row * this.size.width + at] !== old) continue;
          const from = at;
          while (at < left + width && this.data[row * this.size.width + at] === old) at++;
          this.run(row, from, at, value);
        }
      }
    }
  }

  /** Ends a step: what it changed, without tiles that are as before. */
  commit(): TileChange[] {
    const changes: TileChange[] = [];
    for (const [tile, before] of this.before) {
      const after = this.encode(tile);
      if (after === before) continue;
      this.keep(tile, after);
      changes.push({ tile, before, after });
    }
    this.before = new Map();
    return changes;
  }

  /** Takes back what was painted since the last step. */
  revert(): void {
    const { before } = this;
    this.before = new Map();
    for (const [tile, runs] of before) this.restore(tile, runs);
  }

  /** Sets a tile to what it once was. Throws an Error if the runs do not fit the tile. */
  restore(tile: number, runs: string): void {
    const { left, top, width, height } = this.area(tile);
    if (tile < 0 || height <= 0 || !Number.isInteger(tile)) throw new Error(`there is no tile ${tile}`);
    const pixels = decoded(runs, width * height);
    this.revision += 1;
    for (let row = 0; row < height; row++) {
      const place = (top + row) * this.size.width + left;
      for (let at = 0; at < width; at++) {
        const value = pixels[row * width + at]!;
        this.counts[this.data[place + at]!]!--;
        this.counts[value]!++;
        this.data[place + at] = value;
      }
    }
    this.keep(tile, runs);
    this.stale.add(tile);
  }

  private encode(tile: number): string {
    const { left, top, width, height } = this.area(tile);
    const pixels = new Uint8Array(width * height);
    for (let row = 0; row < height; row++) {
      const place = (top + row) * this.size.width + left;
      pixels.set(this.data.subarray(place, place + width), row * width);
    }
    return encoded(pixels);
  }

  private keep(tile: number, runs: string): void {
    if (runs) this.tiles.set(tile, runs);
    else this.tiles.delete(tile);
  }
}

/** The middle of a brush: of a pixel where the diameter is odd, else a corner, so that every dot of one size looks the same. */
const onGrid = ({ x, y }: Point, diameter: number): Point =>
  diameter % 2 === 1 ? { x: Math.floor(x) + 0.5, y: Math.floor(y) + 0.5 } : { x: Math.round(x), y: Math.round(y) };

/** Where the sides of a polygon cross a horizontal line. */
function crossings(vertices: readonly Point[], y: number): number[] {
  const found: number[] = [];
  for (const [at, a] of vertices.entries()) {
    const b = vertices[(at + 1) % vertices.length]!;
    if (a.y > y !== b.y > y) found.push(a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x));
  }
  return found;
}
