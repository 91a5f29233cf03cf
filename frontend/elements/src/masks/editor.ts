/** How masks are painted: brush, eraser, fill and polygon, by pointer gestures and by keys, with labels, instances and undo.
 *  Knows the mask, but neither canvas nor DOM. It tells its listener what changed, in words for screen readers too. */
import { labelColour } from "../labels/colours";
import type { Label } from "../labels/labels";
import { type Point, type Size, clamp } from "../picture/plane";
import { type Listener, where } from "../shapes/editor";
import { type Entry, type Marks, MaskHistory, type MaskStep } from "./history";
import { Mask } from "./mask";
import { msg, str } from "../locale";

export type Mode = "brush" | "eraser" | "fill" | "polygon";
export interface MaskDraft { tiles: [number, string][]; entries: Entry[]; nothing: boolean }

/** How many labels or instances a mask of bytes tells apart. */
export const MOST_ENTRIES = 255;

/** The colours of labels or instances as #rrggbb, each different from the others, so that the PNG says what is what. */
export function distinct(colours: readonly string[]): string[] {
  const used = new Set<string>();
  return colours.map((given, at) => {
    let colour = given.length === 4 ? `#${[...given.slice(1)].map((digit) => digit + digit).join("")}` : given.toLowerCase();
    for (let other = at; used.has(colour); other++) colour = labelColour(other + 1);
    used.add(colour);
    return colour;
  });
}

export class MaskEditor {
  readonly mask: Mask;
  entries: readonly Entry[];
  /** The entry that is painted; null: the next stroke begins a new instance. */
  current: number | null;
  label = 0;
  mode: Mode = "brush";
  nothing = false;
  /** The diameter of brush and eraser in pixels. */
  brush: number;
  /** The points of the polygon that is being drawn, and where the next one would be. */
  open: readonly Point[] = [];
  next: Point | null = null;
  /** The crosshair of the keys, and whether it is painting. */
  cursor: Point | null = null;
  down = false;
  private painting: { last: Point; value: number; marks: Marks; current: number | null } | null = null;
  private lastCursor: Point | null = null;
  private history = new MaskHistory();

  /** `instances`: each object has a mask of its own; otherwise each label has one, in the colours given. Throws an Error if
   *  the picture is too large or there are too many labels. */
  constructor(
    readonly instances: boolean, readonly size: Size, readonly labels: readonly Label[], private readonly listener: Listener,
    colours: readonly string[] = distinct(labels.map(({ color }) => color)),
  ) {
    if (labels.length > MOST_ENTRIES) throw new Error(`There are ${labels.length} labels; a mask tells ${MOST_ENTRIES} apart.`);
    this.mask = new Mask(size);
    this.entries = instances ? [] : labels.map(({ name }, at) => ({ label: name, color: colours[at]! }));
    this.current = instances ? null : 0;
    this.brush = Math.max(5, Math.round(Math.min(size.width, size.height) / 40));
  }

  get canUndo(): boolean { return this.open.length > 0 || this.history.canUndo; }
  get canRedo(): boolean { return this.history.canRedo; }
  get busy(): boolean { return this.open.length > 0 || this.painting !== null || this.cursor !== null; }
  /** The entries that have any pixels: their place and how many. */
  get used(): { at: number; entry: Entry; pixels: number }[] {
    return this.entries.flatMap((entry, at) => (this.mask.counts[at + 1]! > 0 ? [{ at, entry, pixels: this.mask.counts[at + 1]! }] : []));
  }
  get count(): number { return this.used.length; }
  get draft(): MaskDraft { return { tiles: [...this.mask.tiles], entries: [...this.entries], nothing: this.nothing }; }
  private get one(): string { return this.instances ? "instance" : "label"; }
  private get marks(): Marks { return { entries: this.entries, nothing: this.nothing }; }

  /** Replaces everything by a draft. This cannot be undone. Throws an Error if the draft does not fit the picture. */
  load(draft: MaskDraft): void {
    for (const tile of [...this.mask.tiles.keys()]) this.mask.restore(tile, "");
    for (const [tile, runs] of draft.tiles) this.mask.restore(tile, runs);
    if (this.instances) this.entries = draft.entries;
    this.current = this.instances ? null : this.label;
    this.nothing = draft.nothing && this.count === 0;
    this.open = [];
    this.history = new MaskHistory();
    this.listener.shown();
  }

  // ---- what is painted

  setLabel(at: number): void {
    const label = this.labels[at];
    if (!label) return;
    this.label = at;
    const chosen = this.current === null ? null : this.entries[this.current];
    if (!this.instances) this.current = at;
    else if (chosen && chosen.label !== label.name) {
      const before = this.marks;
      this.entries = this.entries.with(this.current!, { ...chosen, label: label.name });
      return this.step(before, msg(str`Instance ${this.current! + 1} is now ${label.name}.`));
    }
    this.listener.say(`${label.name}.`);
    this.listener.shown();
  }

  /** Goes on painting an entry; null begins a new instance. */
  choose(at: number | null): void {
    if (at === null && !this.instances) return;
    this.current = at;
    const entry = at === null ? null : this.entries[at];
    if (entry) this.label = Math.max(0, this.labels.findIndex(({ name }) => name === entry.label));
    this.listener.say(entry ? msg(str`${this.one} ${at! + 1}, ${entry.label}, ${this.mask.counts[at! + 1]} pixels.`) : msg("The next stroke begins a new instance."));
    this.listener.shown();
  }

  /** Goes on with the next entry that has pixels; after the last one comes the first. */
  stepEntry(): void {
    const { used } = this;
    if (used.length === 0) return this.listener.say(msg("Nothing is painted yet."));
    this.choose((used.find(({ at }) => this.current === null || at > this.current) ?? used[0]!).at);
  }

  /** The value to paint with; a new instance where none is chosen. Null, with the reason said, if there is no room for one. */
  private value(): number | null {
    if (this.current !== null) return this.current + 1;
    const entry = { label: this.labels[this.label]?.name ?? "", color: "" };
    const free = this.entries.findIndex((_, at) => this.mask.counts[at + 1] === 0);
    const at = free >= 0 ? free : this.entries.length;
    if (at >= MOST_ENTRIES) {
      this.listener.say(msg(str`There are ${MOST_ENTRIES} instances already, which is the most.`));
      return null;
    }
    const others = this.entries.filter((_, other) => other !== at).map(({ color }) => color);
    const color = distinct([...others, labelColour(at)]).at(-1)!;
    this.entries = at < this.entries.length ? this.entries.with(at, { ...entry, color }) : [...this.entries, { ...entry, color }];
    this.current = at;
    return at + 1;
  }

  setMode(mode: Mode): void {
    if (this.open.length > 0) this.open = [];
    this.lift();
    this.mode = mode;
    this.listener.say(`${mode.charAt(0).toUpperCase()}${mode.slice(1)}.`);
    this.listener.shown();
  }

  /** Makes the brush larger or smaller by a quarter, at least by a pixel. */
  resize(by: 1 | -1): void {
    const { width, height } = this.size;
    const most = Math.max(1, Math.min(width, height, 1000));
    this.brush = clamp(by === 1 ? Math.max(this.brush + 1, Math.round(this.brush * 1.25)) : Math.min(this.brush - 1, Math.round(this.brush / 1.25)), 1, most);
    this.listener.say(msg(str`Brush of ${this.brush} pixels.`));
    this.listener.shown();
  }

  // ---- strokes of brush and eraser: begin, paint, then end or cancel

  begin(at: Point): void {
    const { marks, current } = this;
    const value = this.mode === "eraser" ? 0 : this.value();
    if (value === null) return;
    this.painting = { last: at, value, marks, current };
    this.paint(at);
  }

  paint(to: Point): void {
    if (!this.painting) return;
    this.mask.stroke(this.painting.last, to, this.brush, this.painting.value);
    this.painting.last = to;
    this.listener.shown();
  }

  end(): void {
    const { painting } = this;
    this.painting = null;
    if (painting) this.step(painting.marks, painting.value === 0 ? msg("Erased.") : msg("Painted."));
  }

  // ---- fill and polygon

  /** Fills the area of one kind around a point; outside the picture nothing. */
  flood(at: Point): void {
    const marks = this.marks;
    const value = this.value();
    if (value === null) return;
    this.mask.flood(at, value);
    this.step(marks, msg("Filled."));
  }

  /** Sets a point of the polygon. Its first or last point set again, within `reach`, ends it. */
  put(at: Point, reach: number): void {
    const point = { x: clamp(Math.round(at.x), 0, this.size.width), y: clamp(Math.round(at.y), 0, this.size.height) };
    const [first, last] = [this.open[0], this.open.at(-1)];
    const close = (end: Point | undefined) => end !== undefined && Math.hypot(end.x - point.x, end.y - point.y) <= reach;
    if (this.open.length > 2 && (close(first) || close(last))) return this.endPolygon();
    if (last?.x === point.x && last.y === point.y) return;
    this.open = [...this.open, point];
    this.listener.say(msg(str`Point ${this.open.length} at ${where(point)}.`));
    this.listener.shown();
  }

  /** Paints the polygon that is being drawn. */
  endPolygon(): void {
    if (this.open.length < 3) return this.listener.say(msg("A polygon has at least 3 points."));
    const marks = this.marks;
    const value = this.value();
    if (value === null) return;
    this.mask.polygon(this.open, value);
    this.open = [];
    this.next = null;
    this.step(marks, msg("Polygon painted."));
  }

  takeBack(): void {
    this.open = this.open.slice(0, -1);
    this.listener.say(this.open.length > 0 ? msg(str`Point taken back, ${this.open.length} left.`) : msg("Drawing cancelled."));
    this.listener.shown();
  }

  // ---- by keys: a crosshair that paints

  /** Shows the crosshair at `start`; there, puts the brush down or lifts it, fills, or sets a point of the polygon. */
  press(start: Point): void {
    if (!this.cursor) {
      const at = this.lastCursor ?? start;
      this.cursor = { x: Math.round(at.x), y: Math.round(at.y) };
      this.listener.say(msg(str`Crosshair at ${where(this.cursor)}. Arrow keys move it, Enter paints there, Escape cancels.`));
      return this.listener.shown();
    }
    if (this.mode === "fill") return this.flood(this.cursor);
    if (this.mode === "polygon") return this.put(this.cursor, 0);
    if (this.down) return this.lift();
    this.down = true;
    this.begin(this.cursor);
    this.listener.say(msg(str`${this.mode === "eraser" ? "Eraser" : "Brush"} down: arrow keys paint, Enter lifts it.`));
  }

  private lift(): void {
    this.down = false;
    this.end();
  }

  moveCursor(dx: number, dy: number): void {
    if (!this.cursor) return;
    this.cursor = { x: clamp(this.cursor.x + dx, 0, this.size.width), y: clamp(this.cursor.y + dy, 0, this.size.height) };
    if (this.down) this.paint(this.cursor);
    this.listener.say(where(this.cursor));
    this.listener.shown();
  }

  /** Ends what is being done: a stroke in the middle is taken back. */
  cancel(): void {
    if (this.painting) {
      this.mask.revert();
      this.entries = this.painting.marks.entries;
      this.current = this.painting.current;
      this.painting = null;
    }
    if (this.cursor) this.lastCursor = this.cursor;
    this.cursor = null;
    this.down = false;
    this.open = [];
    this.next = null;
    this.listener.say(msg("Cancelled."));
    this.listener.shown();
  }

  // ---- the whole answer

  /** Delete: takes back a point of the polygon, else removes what the current entry has painted. */
  erase(at: number | null = this.current): void {
    if (this.open.length > 0) return this.takeBack();
    const entry = at === null ? null : this.entries[at];
    if (at === null || !entry) return this.listener.say(msg("Choose what to delete first."));
    const marks = this.marks;
    this.mask.replace(at + 1, 0);
    if (this.instances && this.current === at) this.current = null;
    this.step(marks, msg(str`Deleted ${this.one} ${at + 1}, ${entry.label}.`));
  }

  setNothing(nothing: boolean): void {
    if (this.count > 0 || nothing === this.nothing) return;
    const marks = this.marks;
    this.nothing = nothing;
    this.step(marks, nothing ? msg("Marked: nothing to label here.") : msg("Unmarked."));
  }

  /** Makes one step of undo of what was painted since `before`. */
  private step(before: Marks, words: string): void {
    const tiles = this.mask.commit();
    if (this.count > 0) this.nothing = false;
    const after = this.marks;
    if (tiles.length === 0 && before.entries === after.entries && before.nothing === after.nothing) return this.listener.shown();
    this.history.push({ tiles, before, after });
    this.listener.say(words);
    this.listener.changed();
  }

  undo(): void {
    if (this.open.length > 0) return this.takeBack();
    this.lift();
    const step = this.history.undo();
    if (!step) return this.listener.say(msg("Nothing to undo."));
    for (const { tile, before } of step.tiles) this.mask.restore(tile, before);
    this.settle(step.before, msg("Undone."));
  }

  redo(): void {
    this.lift();
    const step: MaskStep | null = this.history.redo();
    if (!step) return this.listener.say(msg("Nothing to redo."));
    for (const { tile, after } of step.tiles) this.mask.restore(tile, after);
    this.settle(step.after, msg("Redone."));
  }

  private settle({ entries, nothing }: Marks, words: string): void {
    this.entries = entries;
    this.nothing = nothing;
    if (this.instances && (this.current ?? 0) >= entries.length) this.current = null;
    this.listener.say(words);
    this.listener.changed();
  }
}
