/** The logic of the box tool without its display: what gestures and keys do to the answer. Knows geometry, history and labels,
 *  but neither canvas nor DOM. It tells its listener what changed, and describes it in words for screen readers. */
import type { Label } from "../labels/labels";
import { type Point, type Rect, type Size, clamp } from "../picture/plane";
import { parseBoxes, toDraft, type Draft } from "./answer";
import { type Box, type Handle, between, bigEnough, moved, resized, snap, MIN_SIZE } from "./geometry";
import { History, type Answer } from "./history";

type Gesture =
  | { kind: "draw"; from: Point; rect: Rect }
  | { kind: "move"; from: Point; start: Box; box: Box }
  | { kind: "resize"; from: Point; start: Box; handle: Handle; box: Box };

export interface Listener {
  /** The answer changed and has to be saved. */
  changed(): void;
  /** Only the display changed: the selection, a gesture or the crosshair. */
  shown(): void;
  /** Announces something to screen readers. */
  say(words: string): void;
}

export class Editor {
  history = new History();
  selected: number | null = null;
  label = 0;
  cursor: { at: Point; corner: Point | null } | null = null;
  gesture: Gesture | null = null;
  private nextId = 1;
  private lastCursor: Point | null = null;

  constructor(readonly size: Size, readonly labels: readonly Label[], private readonly listener: Listener) {}

  get answer(): Answer { return this.history.answer; }
  get boxes(): readonly Box[] { return this.history.answer.boxes; }
  get box(): Box | null { return this.history.box(this.selected) ?? null; }
  get labelName(): string { return this.labels[this.label]?.name ?? ""; }
  get draft(): Draft { return toDraft(this.answer); }

  /** Replaces everything by a draft or an initial value. This cannot be undone. */
  load(raw: unknown, nothing = false): void {
    const boxes = parseBoxes(raw, this.size).map((box) => ({ ...box, id: this.nextId++ }));
    this.history = new History({ boxes, nothing: nothing && boxes.length === 0 });
    this.selected = null;
    this.gesture = null;
    this.listener.shown();
  }

  select(id: number | null): void {
    if (id !== this.selected) this.history.seal();
    this.selected = id;
    const box = this.box;
    if (box) {
      const known = this.labels.findIndex((label) => label.name === box.label);
      if (known >= 0) this.label = known;
      this.listener.say(this.describe(box));
    }
    this.listener.shown();
  }

  /** Selects the next (1) or previous (-1) box; after the last one comes the first. */
  step(by: 1 | -1): void {
    const count = this.boxes.length;
    if (count === 0) return this.listener.say("There are no boxes yet.");
    const at = this.boxes.findIndex((box) => box.id === this.selected);
    const next = at < 0 ? (by === 1 ? 0 : count - 1) : (at + by + count) % count;
    this.select(this.boxes[next]!.id);
  }

  /** Makes a label the current one and gives it to the selected box. */
  setLabel(at: number): void {
    const label = this.labels[at];
    if (!label) return;
    this.label = at;
    const box = this.box;
    if (box && box.label !== label.name) {
      this.history.replace({ ...box, label: label.name });
      this.listener.say(`Box ${this.place(box)} is now ${label.name}.`);
      return this.listener.changed();
    }
    this.listener.say(`${label.name}.`);
    this.listener.shown();
  }

  // Pointer gestures: begin, drag, finish or cancel. Points are in picture pixels.

  beginDraw(at: Point): void {
    this.selected = null;
    this.gesture = { kind: "draw", from: at, rect: between(at, at, this.size) };
  }

  beginMove(at: Point): void {
    if (this.box) this.gesture = { kind: "move", from: at, start: this.box, box: this.box };
  }

  beginResize(at: Point, handle: Handle): void {
    if (this.box) this.gesture = { kind: "resize", from: at, start: this.box, handle, box: this.box };
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
    else if (!same(gesture.start, gesture.box)) {
      this.history.replace(gesture.box);
      this.listener.changed();
    } else this.listener.shown();
  }

  cancel(): void {
    this.gesture = null;
    if (this.cursor) {
      this.lastCursor = this.cursor.at;
      this.cursor = null;
      this.listener.say("Drawing cancelled.");
    }
    this.listener.shown();
  }

  // Drawing by keys: show the crosshair, set a corner, set the opposite corner.

  /** One press of "box": shows the crosshair at `start`, then fixes the first corner, then the second. */
  press(start: Point): void {
    if (!this.cursor) {
      this.selected = null;
      this.cursor = { at: snap(this.lastCursor ?? start, this.size), corner: null };
      this.listener.say(`Crosshair at ${where(this.cursor.at)}. Arrow keys move it, B or Enter sets the first corner, Escape cancels.`);
      return this.listener.shown();
    }
    const { at, corner } = this.cursor;
    if (!corner) {
      this.cursor.corner = at;
      this.listener.say(`First corner at ${where(at)}. Move to the opposite corner and press B or Enter.`);
      return this.listener.shown();
    }
    const rect = between(corner, at, this.size);
    if (!bigEnough(rect)) return this.listener.say(`Too small: a box is at least ${MIN_SIZE} by ${MIN_SIZE} pixels.`);
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
      if (rect.width > 0 || rect.height > 0) this.listener.say(`Too small: a box is at least ${MIN_SIZE} by ${MIN_SIZE} pixels.`);
      return this.listener.shown();
    }
    const box = { ...rect, id: this.nextId++, label: this.labelName };
    this.history.add(box);
    this.selected = box.id;
    this.listener.say(`Added ${this.describe(box)}`);
    this.listener.changed();
  }

  // Changes of the selected box.

  nudge(dx: number, dy: number): void {
    this.change((box) => moved(box, dx, dy, this.size), "nudge");
  }

  /** Moves the right and bottom edges. */
  grow(dx: number, dy: number): void {
    this.change((box) => {
      // with keys a box stops at its smallest size; only a drag can turn it over
      const width = Math.max(dx, MIN_SIZE - box.width);
      const height = Math.max(dy, MIN_SIZE - box.height);
      return resized(box, { x: dx === 0 ? 0 : 1, y: dy === 0 ? 0 : 1 }, width, height, this.size);
    }, "grow");
  }

  private change(by: (box: Box) => Box, kind: string): void {
    const box = this.box;
    if (!box) return this.listener.say("Choose a box first: N for the next one.");
    const next = by(box);
    if (same(box, next)) return;
    this.history.replace(next, `${kind}:${box.id}`);
    this.listener.say(`${where({ x: next.left, y: next.top })}, ${next.width} by ${next.height}`);
    this.listener.changed();
  }

  remove(id: number | null = this.selected): void {
    const box = this.history.box(id);
    if (!box) return;
    const at = this.boxes.indexOf(box);
    this.history.remove(box.id);
    if (this.selected === box.id) this.selected = null;
    this.listener.say(`Deleted box ${at + 1}, ${box.label}. ${count(this.boxes.length)} left.`);
    this.listener.changed();
  }

  duplicate(): void {
    const box = this.box;
    if (!box) return;
    const shift = Math.max(4, Math.round(Math.min(box.width, box.height) / 4));
    const copy = { ...moved(box, shift, shift, this.size), id: this.nextId++ };
    if (same(copy, box)) Object.assign(copy, moved(copy, -shift, -shift, this.size));
    this.history.add(copy);
    this.selected = copy.id;
    this.listener.say(`Copied to ${this.describe(copy)}`);
    this.listener.changed();
  }

  setNothing(nothing: boolean): void {
    if (this.boxes.length > 0) return;
    this.history.setNothing(nothing);
    this.listener.say(nothing ? "Marked: nothing to label here." : "Unmarked.");
    this.listener.changed();
  }

  undo(): void {
    if (!this.history.canUndo) return this.listener.say("Nothing to undo.");
    this.history.undo();
    this.settle("Undone");
  }

  redo(): void {
    if (!this.history.canRedo) return this.listener.say("Nothing to redo.");
    this.history.redo();
    this.settle("Redone");
  }

  private settle(word: string): void {
    if (!this.box) this.selected = null;
    this.listener.say(`${word}. ${count(this.boxes.length)}.`);
    this.listener.changed();
  }

  private place(box: Box): number {
    return this.boxes.findIndex((one) => one.id === box.id) + 1;
  }

  /** "box 2 of 5, bee, at 10, 20, 30 by 40 pixels" */
  describe(box: Box): string {
    return `box ${this.place(box)} of ${this.boxes.length}, ${box.label}, at ${where({ x: box.left, y: box.top })}, ${box.width} by ${box.height} pixels.`;
  }
}

const where = (point: Point): string => `${point.x}, ${point.y}`;
const count = (boxes: number): string => (boxes === 1 ? "1 box" : `${boxes} boxes`);
const same = (a: Box, b: Box): boolean =>
  a.left === b.left && a.top === b.top && a.width === b.width && a.height === b.height && a.label === b.label;
