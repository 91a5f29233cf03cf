/** How boxes are drawn, moved and resized, by pointer gestures and by keys: the editor of shapes with what only boxes have.
 *  Knows geometry, history and labels, but neither canvas nor DOM. */
import type { Label } from "../labels/labels";
import { type Point, type Rect, type Size, clamp } from "../picture/plane";
import { type Listener, ShapeEditor, where } from "../shapes/editor";
import { type Draft, parseBoxes, plain, toDraft } from "./answer";
import { BOX, type Box, type Handle, MIN_SIZE, between, bigEnough, moved, resized, snap } from "./geometry";
import { msg, str } from "../locale";

type Gesture =
  | { kind: "draw"; from: Point; rect: Rect }
  | { kind: "move"; from: Point; start: Box; box: Box }
  | { kind: "resize"; from: Point; start: Box; handle: Handle; box: Box };

export class BoxEditor extends ShapeEditor<Box> {
  cursor: { at: Point; corner: Point | null } | null = null;
  gesture: Gesture | null = null;
  private lastCursor: Point | null = null;

  constructor(size: Size, labels: readonly Label[], listener: Listener) {
    super(BOX, size, labels, listener);
  }

  get draft(): Draft { return toDraft(this.answer); }
  get busy(): boolean { return this.gesture !== null || this.cursor !== null; }

  protected parse(raw: unknown): Omit<Box, "id">[] { return parseBoxes(raw, this.size); }
  protected plainOf(box: Box): unknown { return plain(box); }
  protected forget(): void { this.gesture = null; }

  // Pointer gestures: begin, drag, finish or cancel. Points are in picture pixels.

  beginDraw(at: Point): void {
    this.selected = null;
    this.gesture = { kind: "draw", from: at, rect: between(at, at, this.size) };
  }

  beginMove(at: Point): void {
    if (this.shape && !this.refuses(this.shape)) this.gesture = { kind: "move", from: at, start: this.shape, box: this.shape };
  }

  beginResize(at: Point, handle: Handle): void {
    if (this.shape && !this.refuses(this.shape)) this.gesture = { kind: "resize", from: at, start: this.shape, handle, box: this.shape };
  }

  drag(to: Point): void {
    const gesture = this.gesture;
    if (!gesture) return;
    const [dx, dy] = [to.x - gesture.from.x, to.y - gesture.from.y];
    if (gesture.kind === "draw") gesture.rect = between(gesture.from, to, this.size);
    else if (gesture.kind === "move") gesture.box = moved(gesture.start, dx, dy, this.size);
    else gesture.box = resized(gesture.start, gesture.handle, dx, dy, this.size);
    this.listener.shown();
  }

  finish(): void {
    const gesture = this.gesture;
    this.gesture = null;
    if (!gesture) return;
    if (gesture.kind === "draw") this.addBox(gesture.rect);
    else if (!BOX.same(gesture.start, gesture.box)) {
      this.history.replace(gesture.box);
      this.listener.changed();
    } else this.listener.shown();
  }

  cancel(): void {
    this.gesture = null;
    if (this.cursor) {
      this.lastCursor = this.cursor.at;
      this.cursor = null;
      this.listener.say(msg("Drawing cancelled."));
    }
    this.listener.shown();
  }

  // Drawing by keys: show the crosshair, set a corner, set the opposite corner.

  /** One press of "box": shows the crosshair at `start`, then fixes the first corner, then the second. */
  press(start: Point): void {
    if (!this.cursor) {
      this.selected = null;
      this.cursor = { at: snap(this.lastCursor ?? start, this.size), corner: null };
      this.listener.say(msg(str`Crosshair at ${where(this.cursor.at)}. Arrow keys move it, Enter sets the first corner, Escape cancels.`));
      return this.listener.shown();
    }
    const { at, corner } = this.cursor;
    if (!corner) {
      this.cursor.corner = at;
      this.listener.say(msg(str`First corner at ${where(at)}. Move to the opposite corner and press Enter.`));
      return this.listener.shown();
    }
    const rect = between(corner, at, this.size);
    if (!bigEnough(rect)) return this.listener.say(msg(str`Too small: a box is at least ${MIN_SIZE} by ${MIN_SIZE} pixels.`));
    this.lastCursor = at;
    this.cursor = null;
    this.addBox(rect);
  }

  moveCursor(dx: number, dy: number): void {
    if (!this.cursor) return;
    const { at, corner } = this.cursor;
    this.cursor.at = { x: clamp(at.x + dx, 0, this.size.width), y: clamp(at.y + dy, 0, this.size.height) };
    const rect = corner ? between(corner, this.cursor.at, this.size) : null;
    this.listener.say(rect ? `${rect.width} by ${rect.height}` : where(this.cursor.at));
    this.listener.shown();
  }

  addBox(rect: Rect): void {
    if (!bigEnough(rect)) {
      if (rect.width > 0 || rect.height > 0) this.listener.say(msg(str`Too small: a box is at least ${MIN_SIZE} by ${MIN_SIZE} pixels.`));
      return this.listener.shown();
    }
    this.add(rect);
  }

  /** Moves the right and bottom edges of the selected box. */
  grow(dx: number, dy: number): void {
    this.change((box) => {
      // with keys a box stops at its smallest size; only a drag can turn it over
      const width = Math.max(dx, MIN_SIZE - box.width);
      const height = Math.max(dy, MIN_SIZE - box.height);
      return resized(box, { x: dx === 0 ? 0 : 1, y: dy === 0 ? 0 : 1 }, width, height, this.size);
    }, "grow");
  }
}
