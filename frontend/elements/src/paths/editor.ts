/** How polygons, lines and key points are drawn and changed, point by point, by pointer gestures and by keys: the editor of
 *  shapes with what only paths have. Knows geometry, history and labels, but neither canvas nor DOM. */
import type { Label } from "../labels/labels";
import { type Point, type Size, clamp } from "../picture/plane";
import { type Listener, ShapeEditor, where } from "../shapes/editor";
import { type Form, type PlainPath, kindOf, limits, parsePaths, plain } from "./forms";
import { type Path, area, movedBy, nearestEdge, samePoint, snapPoint, vertexAt, whole } from "./geometry";
import { msg, str } from "../locale";

export interface PathDraft { paths: PlainPath[]; nothing: boolean; open: Point[] }

type Gesture =
  | { kind: "move"; from: Point; start: Path; path: Path }
  | { kind: "vertex"; at: number; start: Path; path: Path };

export class PathEditor extends ShapeEditor<Path> {
  /** The points of the path that is being drawn. */
  open: readonly Point[] = [];
  /** The chosen point of the selected path. */
  vertex: number | null = null;
  /** The crosshair of the keys. */
  cursor: Point | null = null;
  /** Where the next point would be set. */
  next: Point | null = null;
  snapping = true;
  gesture: Gesture | null = null;
  private lastCursor: Point | null = null;
  private readonly limits: Size;

  constructor(readonly form: Form, size: Size, labels: readonly Label[], listener: Listener) {
    super(kindOf(form), size, labels, listener);
    this.limits = limits(form, size);
  }

  get busy(): boolean { return this.open.length > 0 || this.gesture !== null || this.cursor !== null; }
  override get canUndo(): boolean { return this.open.length > 0 || super.canUndo; }
  get draft(): PathDraft {
    return { paths: this.shapes.map((path) => plain(this.form, path)), nothing: this.answer.nothing, open: [...this.open] };
  }

  protected parse(raw: unknown): Omit<Path, "id">[] { return parsePaths(this.form, raw, this.size); }

  protected plainOf(path: Path): unknown { return plain(this.form, path); }

  protected forget(): void {
    this.open = [];
    this.vertex = null;
    this.gesture = null;
    this.next = null;
  }

  /** Goes on with a path that a draft holds. */
  resume(open: readonly Point[]): void {
    this.open = open.map((point) => whole(point, this.limits));
    this.listener.shown();
  }

  override select(id: number | null): void {
    this.vertex = null;
    super.select(id);
  }

  // ---- drawing, point by point

  /** Where a new point goes: a whole pixel, or what it snaps to within `reach`. The first point snaps to vertices only, so that
   *  a path can be selected by its edges. */
  landing(at: Point, reach: number): Point {
    const closing = this.closes(at, reach);
    if (closing) return closing;
    const paths = this.snapping && this.form.most > 1 ? this.near(at, reach) : [];
    const found = snapPoint(paths, at, reach, { edges: this.open.length > 0, closed: this.form.closed });
    return whole(found ?? at, this.limits);
  }

  /** The point that ends the path when it is set again: a polygon's first one, a polyline's last one. */
  private closes(at: Point, reach: number): Point | null {
    if (this.open.length < this.form.least || this.form.most <= 2) return null;
    const ends = this.form.closed ? [this.open[0]!, this.open.at(-1)!] : [this.open.at(-1)!];
    const found = vertexAt(ends, at, reach);
    return found === null ? null : ends[found]!;
  }

  /** Sets a point. The path ends when it has all its points, or with a point that closes it. */
  put(at: Point, reach: number): void {
    if (this.open.length === 0) this.select(null);
    if (this.closes(at, reach)) return this.end();
    const point = this.landing(at, reach);
    if (this.open.length > 0 && samePoint(point, this.open.at(-1)!)) return this.listener.shown();
    this.open = [...this.open, point];
    if (this.open.length === this.form.most) return this.end();
    this.listener.say(msg(str`Point ${this.open.length} at ${where(point)}.${this.open.length >= this.form.least ? " Enter ends the shape." : ""}`));
    this.listener.changed();
  }

  /** Ends the path that is being drawn, if it has enough points. */
  end(): void {
    const { form, open } = this;
    if (open.length < form.least) return this.listener.say(msg(str`A ${form.one} has at least ${form.least} points.`));
    if (form.closed && area(open) === 0) return this.listener.say(msg("These points lie on one line."));
    if (this.cursor) this.lastCursor = this.cursor;
    this.cursor = null;
    this.forget();
    this.add({ vertices: open });
  }

  /** Takes back the last point that was set. */
  takeBack(): void {
    this.open = this.open.slice(0, -1);
    this.listener.say(this.open.length > 0 ? msg(str`Point taken back, ${this.open.length} left.`) : msg("Drawing cancelled."));
    this.listener.changed();
  }

  cancel(): void {
    const drawing = this.open.length > 0;
    if (this.cursor) this.lastCursor = this.cursor;
    if (drawing || this.cursor) this.listener.say(msg("Drawing cancelled."));
    this.cursor = null;
    this.open = [];
    this.gesture = null;
    if (drawing) this.listener.changed();
    else this.listener.shown();
  }

  /** A key press that draws: shows the crosshair at `start`, then sets a point at it. */
  press(start: Point): void {
    if (this.cursor) return this.put(this.cursor, 0);
    this.select(null);
    this.cursor = whole(this.lastCursor ?? start, this.limits);
    this.listener.say(msg(str`Crosshair at ${where(this.cursor)}. Arrow keys move it, the same key sets a point, Escape cancels.`));
    this.listener.shown();
  }

  moveCursor(dx: number, dy: number): void {
    if (!this.cursor) return;
    this.cursor = { x: clamp(this.cursor.x + dx, 0, this.limits.width), y: clamp(this.cursor.y + dy, 0, this.limits.height) };
    this.listener.say(where(this.cursor));
    this.listener.shown();
  }

  // ---- gestures: begin, drag, finish or cancel

  beginMove(at: Point): void {
    if (this.shape && !this.refuses(this.shape)) this.gesture = { kind: "move", from: at, start: this.shape, path: this.shape };
  }

  beginVertex(at: number): void {
    if (!this.shape || this.refuses(this.shape)) return;
    this.vertex = at;
    this.gesture = { kind: "vertex", at, start: this.shape, path: this.shape };
  }

  /** A drag that begins on an edge puts a new point there and moves it. */
  beginInsert(from: Point): void {
    const path = this.shape;
    const edge = path && nearestEdge(path.vertices, this.form.closed, from);
    if (!path || !edge || this.refuses(path)) return;
    const vertices = path.vertices.toSpliced(edge.edge + 1, 0, whole(from, this.limits));
    this.vertex = edge.edge + 1;
    this.gesture = { kind: "vertex", at: this.vertex, start: path, path: { ...path, vertices } };
  }

  drag(to: Point, reach: number): void {
    const { gesture } = this;
    if (!gesture) return;
    if (gesture.kind === "move") {
      const { from, start } = gesture;
      gesture.path = { ...start, vertices: movedBy(start.vertices, to.x - from.x, to.y - from.y, this.limits) };
    } else {
      const others = this.snapping && this.form.most > 1 ? this.near(to, reach).filter((path) => path.id !== gesture.start.id) : [];
      const found = snapPoint(others, to, reach, { edges: true, closed: this.form.closed });
      gesture.path = { ...gesture.path, vertices: gesture.path.vertices.with(gesture.at, whole(found ?? to, this.limits)) };
    }
    this.listener.shown();
  }

  finish(): void {
    const { gesture } = this;
    this.gesture = null;
    if (!gesture || this.kind.same(gesture.start, gesture.path)) return this.listener.shown();
    if (this.form.closed && area(gesture.path.vertices) === 0) {
      this.listener.say(msg("These points would lie on one line."));
      return this.listener.shown();
    }
    this.history.replace(gesture.path);
    this.listener.changed();
  }

  // ---- the points of the selected path

  /** Chooses the next (1) or previous (-1) point of the selected path. */
  stepVertex(by: 1 | -1): void {
    const path = this.shape;
    if (!path) return this.listener.say(msg(str`Choose a ${this.form.one} first.`));
    const count = path.vertices.length;
    const at = this.vertex === null ? (by === 1 ? 0 : count - 1) : (this.vertex + by + count) % count;
    this.vertex = at;
    this.listener.say(msg(str`Point ${at + 1} of ${count}, at ${where(path.vertices[at]!)}.`));
    this.listener.shown();
  }

  /** Moves the chosen point, or the whole path if none is chosen. */
  override nudge(dx: number, dy: number): void {
    const { vertex, shape } = this;
    if (vertex === null || !shape || this.refuses(shape)) return super.nudge(dx, dy);
    const { x, y } = shape.vertices[vertex]!;
    const to = whole({ x: x + dx, y: y + dy }, this.limits);
    if (samePoint(to, shape.vertices[vertex]!)) return;
    this.history.replace({ ...shape, vertices: shape.vertices.with(vertex, to) }, `vertex ${vertex}:${shape.id}`);
    this.listener.say(where(to));
    this.listener.changed();
  }

  /** Inserts a point in the middle of the edge after the chosen point (after the first one if none is chosen). */
  insert(): void {
    const path = this.shape;
    if (!path || this.form.most <= 2 || this.refuses(path)) return;
    const last = path.vertices.length - 1;
    const from = this.form.closed ? (this.vertex ?? 0) : Math.min(this.vertex ?? 0, last - 1);
    const [a, b] = [path.vertices[from]!, path.vertices[(from + 1) % path.vertices.length]!];
    const middle = whole({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, this.limits);
    this.history.replace({ ...path, vertices: path.vertices.toSpliced(from + 1, 0, middle) });
    this.vertex = from + 1;
    this.listener.say(msg(str`Inserted point ${from + 2} of ${path.vertices.length + 1}, at ${where(middle)}.`));
    this.listener.changed();
  }

  /** Delete: takes back a point while drawing, else deletes the chosen point, else the path. */
  override erase(): void {
    const { vertex, shape, form } = this;
    if (this.open.length > 0) return this.takeBack();
    if (vertex === null || !shape || this.refuses(shape)) return this.remove();
    if (shape.vertices.length <= form.least) return this.listener.say(msg(str`A ${form.one} has at least ${form.least} points.`));
    const vertices = shape.vertices.toSpliced(vertex, 1);
    if (form.closed && area(vertices) === 0) return this.listener.say(msg("The other points lie on one line."));
    this.history.replace({ ...shape, vertices });
    this.vertex = Math.min(vertex, vertices.length - 1);
    this.listener.say(msg(str`Deleted point ${vertex + 1}, ${vertices.length} left.`));
    this.listener.changed();
  }

  override undo(): void {
    if (this.open.length > 0) return this.takeBack();
    this.vertex = null; // the path may have fewer points then
    super.undo();
  }

  override redo(): void {
    this.vertex = null;
    super.redo();
  }

  setSnapping(snapping: boolean): void {
    this.snapping = snapping;
    this.listener.say(snapping ? msg("Snapping on.") : msg("Snapping off."));
    this.listener.shown();
  }
}
