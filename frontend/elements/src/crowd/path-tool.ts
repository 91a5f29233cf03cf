/** The tool for polygons, lines and key points: click to set points, drag to move them. It connects the editor of paths with
 *  pointers, keys and the canvas. */
import type { PathEditor } from "../paths/editor";
import { type Path, boundsOf, inside, nearestEdge, vertexAt } from "../paths/geometry";
import type { Point, Rect } from "../picture/plane";
import { toScreen } from "../picture/viewport";
import type { Command } from "./keys";
import { ShapeTool } from "./shape-tool";
import { guides, handle, onScreen, outline, ring, tag } from "./strokes";
import type { Canvas, Pointing, Scene } from "./tool";

/** The radius of a key point on the screen. */
const DOT = 5;

export class PathTool extends ShapeTool<Path, PathEditor> {
  /** Where the pointer was pressed to set a point or to select, and whether that was on an edge of the selected path. */
  private origin: Point | null = null;
  private edge = false;

  get panels(): string {
    const { selected, cursor, label, gesture, vertex, open, snapping, hidden, locked } = this.editor;
    return `${hidden.size}|${locked.size}|${selected}|${cursor !== null}|${label}|${gesture?.kind}|${vertex}|${open.length}|${snapping}`;
  }

  get focus(): Rect | null {
    const { shape, cursor, vertex } = this.editor;
    const point = cursor ?? (vertex === null ? null : shape?.vertices[vertex]);
    return point ? { left: point.x, top: point.y, width: 0, height: 0 } : shape && boundsOf(shape.vertices);
  }

  get guided(): boolean { return this.editor.gesture?.kind !== "move"; }
  private get single(): boolean { return this.editor.form.most === 1; }

  press(at: Point, pointing: Pointing): void {
    const { editor } = this;
    this.edge = false;
    this.origin = null;
    if (editor.cursor && editor.open.length === 0) editor.cancel();
    const chosen = editor.open.length === 0 ? editor.shape : null;
    const vertex = chosen && vertexAt(chosen.vertices, at, this.reachIn(chosen, at, pointing));
    if (chosen && vertex !== null) return editor.beginVertex(vertex);
    this.edge = chosen !== null && this.onEdge(chosen, at, pointing);
    // on an edge the first movement inserts a point; a click without movement selects, like any other
    if (chosen && !this.edge && editor.kind.contains(chosen, at, pointing.slack)) editor.beginMove(at);
    else this.origin = at;
  }

  private onEdge(path: Path, at: Point, pointing: Pointing): boolean {
    const { form } = this.editor;
    return form.most > 2 && (nearestEdge(path.vertices, form.closed, at)?.distance ?? Infinity) <= this.reachIn(path, at, pointing);
  }

  /** How near to a point or an edge of a path is on it: within a polygon at most a quarter of its shorter side, so that a small
   *  one can still be grabbed in its middle. */
  private reachIn({ vertices }: Path, at: Point, { reach }: Pointing): number {
    if (!this.editor.form.closed || !inside(vertices, at)) return reach;
    const { width, height } = boundsOf(vertices);
    return Math.min(reach, width / 4, height / 4);
  }

  drag(at: Point, pointing: Pointing): void {
    const { editor } = this;
    if (this.origin && this.edge) {
      editor.beginInsert(this.origin);
      this.origin = null;
    } else if (this.origin && editor.form.most === 2 && editor.open.length === 0) editor.put(this.origin, pointing.reach); // a line is drawn in one go
    if (editor.gesture) return editor.drag(at, pointing.reach);
    this.point(at, pointing);
  }

  release(at: Point, still: boolean, pointing: Pointing): void {
    const { editor } = this;
    const { gesture } = editor;
    editor.finish();
    const chosen = gesture?.kind === "move" && still;
    if (gesture && !chosen) return;
    if (still && editor.open.length === 0 && !this.startsAtVertex(at, pointing)) {
      const shape = this.under(at, this.single ? { ...pointing, slack: pointing.reach } : pointing);
      if (shape) return editor.select(shape.id);
    }
    if (this.origin) editor.put(at, pointing.reach);
    this.origin = null;
    if (pointing.touch) editor.next = null;
  }

  /** Whether a click begins a path at a vertex of a neighbour, to which it snaps, instead of selecting that neighbour. A click
   *  well within a polygon means that polygon, however near the vertices of others are. */
  private startsAtVertex(at: Point, pointing: Pointing): boolean {
    const { editor } = this;
    if (this.single || !editor.snapping || pointing.alone) return false;
    const around = editor.form.closed ? this.under(at, { ...pointing, slack: 0 }) : null;
    if (around && inside(around.vertices, at) && vertexAt(around.vertices, at, this.reachIn(around, at, pointing)) === null) return false;
    return editor.near(at, pointing.reach).some((path) => path.id !== editor.selected &&
      vertexAt(path.vertices, at, this.reachIn(path, at, pointing)) !== null);
  }

  override idle(scene: Scene): boolean {
    return super.idle(scene) && !this.editor.next;
  }

  /** Shows where the next point would be. */
  private point(at: Point, pointing: Pointing): void {
    this.editor.next = this.editor.landing(at, pointing.reach);
  }

  override cancel(): void {
    this.origin = null;
    // with a second finger the first was the start of a pinch: the points that are set stay
    this.editor.gesture = null;
    this.editor.next = null;
  }

  hover(at: Point | null, pointing: Pointing): string {
    const { editor } = this;
    editor.next = null;
    this.hovered = null;
    if (!at || editor.gesture) return "";
    if (editor.open.length > 0) {
      this.point(at, pointing);
      return "";
    }
    const chosen = editor.shape;
    if (chosen && vertexAt(chosen.vertices, at, this.reachIn(chosen, at, pointing)) !== null) return "move";
    if (chosen && this.onEdge(chosen, at, pointing)) return "copy";
    if (chosen && editor.kind.contains(chosen, at, pointing.slack)) return "move";
    if (this.startsAtVertex(at, pointing)) this.point(at, pointing);
    else this.hovered = this.under(at, this.single ? { ...pointing, slack: pointing.reach } : pointing, null)?.id ?? null;
    return this.hovered === null ? "" : "over";
  }

  override run(command: Command, centre: Point): boolean {
    const { editor } = this;
    switch (command.do) {
      case "insert": editor.insert(); return true;
      case "point-before": editor.stepVertex(-1); return true;
      case "point-after": editor.stepVertex(1); return true;
      case "snap": editor.setSnapping(!editor.snapping); return true;
      default: return super.run(command, centre);
    }
  }

  protected override arrow(dx: number, dy: number): boolean {
    const { editor } = this;
    if (editor.cursor) editor.moveCursor(dx, dy);
    else if (!editor.shape) return false;
    else editor.nudge(dx, dy);
    return true;
  }

  protected override place(centre: Point): void {
    this.editor.press(centre);
  }

  protected override confirm(centre: Point): boolean {
    const { editor } = this;
    if (editor.open.length > 0 && editor.form.most > 2) editor.end();
    else if (editor.cursor) editor.press(centre);
    else return false;
    return true;
  }

  protected override letGo(): boolean {
    const { editor } = this;
    if (editor.busy || editor.vertex === null) return super.letGo();
    editor.vertex = null;
    editor.select(editor.selected);
    return true;
  }

  // ---- drawing

  protected override tagged(rect: Rect): boolean { return this.single || super.tagged(rect); }
  protected override get filled(): boolean { return this.editor.form.closed || this.single; }

  protected override trace(path: Path2D, { vertices }: Pick<Path, "vertices">, { view }: Scene): void {
    for (const [at, vertex] of vertices.entries()) {
      const { x, y } = toScreen(view, vertex);
      if (this.single) {
        path.moveTo(x + DOT, y);
        path.arc(x, y, DOT, 0, Math.PI * 2);
      } else if (at === 0) path.moveTo(x, y);
      else path.lineTo(x, y);
    }
    if (this.editor.form.closed) path.closePath();
  }

  override drawTouched(context: Canvas, scene: Scene): void {
    const { editor } = this;
    this.drawHovered(context, scene);
    const shown = editor.gesture?.path ?? editor.shape;
    if (shown) this.drawChosen(context, scene, shown);
    const colour = scene.colour(editor.labelName);
    if (editor.open.length > 0) this.drawOpen(context, scene, colour);
    if (editor.cursor) {
      guides(context, scene, editor.cursor, colour);
      ring(context, toScreen(scene.view, editor.cursor), colour);
    } else if (editor.next) ring(context, toScreen(scene.view, editor.next), colour, 6);
    else if (scene.guides) guides(context, scene, scene.guides);
  }

  private drawChosen(context: Canvas, scene: Scene, path: Path): void {
    const colour = scene.colour(path.label);
    this.drawOne(context, scene, path, colour, 0);
    const rect = onScreen(boundsOf(path.vertices), scene);
    if (!rect) return;
    tag(context, rect, path.label, colour);
    if (scene.disabled) return;
    if (this.single) return ring(context, { x: rect.left, y: rect.top }, colour, scene.touch ? 12 : 9);
    for (const [at, vertex] of path.vertices.entries()) handle(context, toScreen(scene.view, vertex), scene.touch ? 14 : 9, at === this.editor.vertex);
  }

  /** The path that is being drawn, with a line to where the next point would be. */
  private drawOpen(context: Canvas, scene: Scene, colour: string): void {
    const { open, cursor, next, form } = this.editor;
    const end = cursor ?? next;
    const path = new Path2D();
    for (const [at, vertex] of [...open, ...(end ? [end] : [])].entries()) {
      const { x, y } = toScreen(scene.view, vertex);
      if (at === 0) path.moveTo(x, y);
      else path.lineTo(x, y);
    }
    outline(context, path, colour, 3, form.closed ? 0.12 : 0);
    for (const [at, vertex] of open.entries()) {
      const closing = form.closed ? at === 0 && open.length >= form.least : at === open.length - 1 && open.length >= form.least;
      handle(context, toScreen(scene.view, vertex), scene.touch ? 14 : 9, closing);
    }
  }
}
