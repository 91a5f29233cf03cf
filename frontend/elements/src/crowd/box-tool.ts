/** The box tool: drag to draw, move and resize. It connects the editor of boxes with pointers, keys and the canvas. */
import type { BoxEditor } from "../boxes/editor";
import { BOX, type Box, HANDLES, type Handle, contains, handleAt, handlePoint } from "../boxes/geometry";
import type { Point, Rect } from "../picture/plane";
import { toScreen } from "../picture/viewport";
import { ShapeTool } from "./shape-tool";
import { guides, handle, measure, onScreen, outline, rectangle, ring, tag } from "./strokes";
import type { Canvas, Pointing, Scene } from "./tool";

const CURSORS: Record<string, string> = { nw: "nwse", se: "nwse", ne: "nesw", sw: "nesw", n: "ns", s: "ns", e: "ew", w: "ew" };

export class BoxTool extends ShapeTool<Box, BoxEditor> {
  /** Where the pointer was pressed outside the selected box: a drag draws a box from there. */
  private origin: Point | null = null;

  get panels(): string {
    const { selected, cursor, label, gesture, hidden, locked } = this.editor;
    return `${hidden.size}|${locked.size}|${selected}|${cursor ? (cursor.corner ? 2 : 1) : 0}|${label}|${gesture?.kind}`;
  }

  get focus(): Rect | null {
    const { shape, cursor } = this.editor;
    return cursor ? { left: cursor.at.x, top: cursor.at.y, width: 0, height: 0 } : shape;
  }

  get guided(): boolean { return this.editor.gesture?.kind !== "move"; }

  private handle(at: Point, { reach }: Pointing): Handle | null {
    const box = this.editor.shape;
    return box ? handleAt(box, at, reach) : null;
  }

  press(at: Point, pointing: Pointing): void {
    const { editor } = this;
    if (editor.cursor) editor.cancel();
    const grip = this.handle(at, pointing);
    if (grip) editor.beginResize(at, grip);
    else if (editor.shape && contains(editor.shape, at)) editor.beginMove(at);
    // drawing starts with the first movement; a click without movement selects a box
    else this.origin = at;
  }

  drag(at: Point): void {
    if (this.origin && !this.editor.gesture) this.editor.beginDraw(this.origin);
    this.editor.drag(at);
  }

  release(at: Point, still: boolean, pointing: Pointing): void {
    const { editor } = this;
    const onHandle = editor.gesture?.kind === "resize";
    editor.finish();
    this.origin = null;
    if (still && !onHandle) editor.select(this.under(at, pointing)?.id ?? null);
  }

  override cancel(): void {
    this.origin = null;
    super.cancel();
  }

  hover(at: Point | null, pointing: Pointing): string {
    const { editor } = this;
    const grip = at && this.handle(at, pointing);
    const inside = at && editor.shape && contains(editor.shape, at);
    this.hovered = at && !grip && !inside && !editor.gesture ? (this.under(at, { ...pointing, slack: 0 }, null)?.id ?? null) : null;
    return grip ? CURSORS[grip.name]! : inside ? "move" : "";
  }

  protected override arrow(dx: number, dy: number, grow: boolean): boolean {
    const { editor } = this;
    if (editor.cursor) editor.moveCursor(dx, dy);
    else if (!editor.shape) return false;
    else if (grow) editor.grow(dx, dy);
    else editor.nudge(dx, dy);
    return true;
  }

  protected override place(centre: Point): void {
    this.editor.press(centre);
  }

  protected override confirm(centre: Point): boolean {
    if (!this.editor.cursor) return false;
    this.editor.press(centre);
    return true;
  }

  protected override trace(path: Path2D, box: Box, { view }: Scene): void {
    const { x, y } = toScreen(view, { x: box.left, y: box.top });
    path.rect(x, y, box.width * view.scale, box.height * view.scale);
  }

  override drawTouched(context: Canvas, scene: Scene): void {
    const { editor } = this;
    this.drawHovered(context, scene);
    const chosen = editor.shape;
    const { gesture, cursor } = editor;
    const live = gesture ? (gesture.kind === "draw" ? gesture.rect : gesture.box) : null;
    const colour = scene.colour(chosen?.label ?? editor.labelName);
    const rect = onScreen(live ?? chosen ?? { left: -1, top: -1, width: 0, height: 0 }, scene);
    if (rect && (live || chosen)) {
      outline(context, rectangle(rect), colour, 3, 0);
      if (chosen) tag(context, rect, chosen.label, colour);
      if (live) measure(context, rect, BOX.brief(live as Box));
      if (chosen && !scene.disabled) drawHandles(context, rect, scene.touch ? 14 : 9);
    }
    if (cursor) this.drawCursor(context, scene, cursor, colour);
    else if (scene.guides) guides(context, scene, scene.guides);
  }

  private drawCursor(context: Canvas, scene: Scene, { at, corner }: NonNullable<BoxEditor["cursor"]>, colour: string): void {
    guides(context, scene, at, colour);
    ring(context, toScreen(scene.view, at), colour);
    if (!corner) return;
    ring(context, toScreen(scene.view, corner), colour);
    const rect = { left: Math.min(corner.x, at.x), top: Math.min(corner.y, at.y), width: Math.abs(corner.x - at.x), height: Math.abs(corner.y - at.y) };
    const shown = onScreen(rect, scene);
    if (!shown) return;
    outline(context, rectangle(shown), colour, 3, 0);
    measure(context, shown, BOX.brief(rect as Box));
  }
}

function drawHandles(context: Canvas, rect: Rect, side: number): void {
  const roomy = Math.min(rect.width, rect.height) > side * 4;
  for (const one of HANDLES) {
    if (!roomy && (one.x === 0 || one.y === 0)) continue; // on a small box the handles in between would cover the corners
    handle(context, handlePoint(rect, one), side);
  }
}
