/** The logic of drawing tools without their display, as far as it is the same for every kind of shape: selecting, labels,
 *  moving by keys, deleting, copying, undo. Knows history and labels, but neither canvas nor DOM. It tells its listener what
 *  changed, and describes it in words for screen readers. How a shape is drawn is the matter of a subclass. */
import { type Attribute, inWords, known } from "../labels/attributes";
import type { Label } from "../labels/labels";
import type { Point, Size } from "../picture/plane";
import { ShapeGrid } from "./grid";
import { type Answer, History } from "./history";
import { type Fresh, type Kind, type Shape, counted } from "./shape";
import { msg, str } from "../locale";

export interface Listener {
  /** The answer changed and has to be saved. */
  changed(): void;
  /** Only the display changed: the selection, a gesture or the crosshair. */
  shown(): void;
  /** Announces something to screen readers. */
  say(words: string): void;
}

export abstract class ShapeEditor<S extends Shape> {
  history = new History<S>();
  selected: number | null = null;
  label = 0;
  /** Shapes that are not shown, and shapes that cannot be changed, by their id. Both can be seen in lists. Not part of the answer. */
  hidden: ReadonlySet<number> = new Set();
  locked: ReadonlySet<number> = new Set();
  private nextId = 1;
  private indexed: { shapes: readonly S[]; grid: ShapeGrid<S> } | null = null;

  constructor(
    readonly kind: Kind<S>, readonly size: Size, readonly labels: readonly Label[], protected readonly listener: Listener,
  ) {}

  get answer(): Answer<S> { return this.history.answer; }
  get shapes(): readonly S[] { return this.history.answer.shapes; }
  /** The selected shape. */
  get shape(): S | null { return this.history.find(this.selected) ?? null; }
  /** Where the shapes lie. */
  get grid(): ShapeGrid<S> {
    const { shapes } = this;
    if (this.indexed?.shapes !== shapes) this.indexed = { shapes, grid: new ShapeGrid(this.kind, shapes, this.size) };
    return this.indexed.grid;
  }
  get labelName(): string { return this.labels[this.label]?.name ?? ""; }
  get count(): number { return this.shapes.length; }
  get nothing(): boolean { return this.answer.nothing; }
  get canUndo(): boolean { return this.history.canUndo; }
  get canRedo(): boolean { return this.history.canRedo; }

  /** Whether something is being drawn, moved or pointed at, which `cancel` would end. */
  abstract readonly busy: boolean;
  /** Ends what is being done; nothing is changed by it. */
  abstract cancel(): void;
  /** Shapes from an initial value, a draft or a copy. Throws an Error on anything else. */
  protected abstract parse(raw: unknown): Fresh<S>[];
  /** A shape as it stands in a draft. */
  protected abstract plainOf(shape: S): unknown;
  /** Forgets what is being done, because other shapes are loaded. */
  protected abstract forget(): void;

  /** Replaces everything by a draft or an initial value. This cannot be undone. */
  load(raw: unknown, nothing = false): void {
    const shapes = this.parse(raw).map((shape) => this.numbered(shape));
    this.history = new History<S>({ shapes, nothing: nothing && shapes.length === 0 });
    this.selected = null;
    this.hidden = this.locked = new Set();
    this.forget();
    this.listener.shown();
  }

  select(id: number | null): void {
    if (id !== this.selected) this.history.seal();
    this.selected = id;
    const shape = this.shape;
    if (shape) {
      const known = this.labels.findIndex((label) => label.name === shape.label);
      if (known >= 0) this.label = known;
      this.listener.say(this.describe(shape));
    }
    this.listener.shown();
  }

  /** Selects the next (1) or previous (-1) shape that is shown; after the last one comes the first. */
  step(by: 1 | -1): void {
    const shapes = this.shapes.filter(({ id }) => !this.hidden.has(id) || id === this.selected);
    const count = shapes.length;
    if (count === 0) return this.listener.say(this.count > 0 ? msg(str`All ${this.kind.many} are hidden.`) : msg(str`There are no ${this.kind.many} yet.`));
    const at = shapes.findIndex((shape) => shape.id === this.selected);
    const next = at < 0 ? (by === 1 ? 0 : count - 1) : (at + by + count) % count;
    this.select(shapes[next]!.id);
  }

  // ---- shapes that are hidden or locked

  /** The shapes that are shown around a point. */
  near(at: Point, slack: number): S[] {
    return this.grid.around(at, slack).filter(({ id }) => !this.hidden.has(id));
  }

  /** Hides one shape, or all with null, or shows it again. */
  setHidden(id: number | null, hidden: boolean): void {
    this.hidden = this.marked(this.hidden, id, hidden, hidden ? "hidden" : "shown");
    if (hidden && (id === null || id === this.selected)) this.selected = null;
    this.listener.shown();
  }

  /** Locks one shape, or all with null, against changes and against the pointer, or unlocks it. */
  setLocked(id: number | null, locked: boolean): void {
    this.cancel();
    this.locked = this.marked(this.locked, id, locked, locked ? "locked" : "unlocked");
    this.listener.shown();
  }

  private marked(marks: ReadonlySet<number>, id: number | null, on: boolean, word: string): ReadonlySet<number> {
    const shape = this.history.find(id);
    if (id !== null && !shape) return marks;
    this.listener.say(shape ? `${capital(this.kind.one)} ${this.place(shape)} is ${word}.` : msg(str`All ${this.kind.many} are ${word}.`));
    if (id === null) return new Set(on ? this.shapes.map((one) => one.id) : []);
    const now = new Set(marks);
    if (on) now.add(id);
    else now.delete(id);
    return now;
  }

  /** Whether a shape cannot be changed; says so. */
  protected refuses(shape: S): boolean {
    if (!this.locked.has(shape.id)) return false;
    this.listener.say(msg(str`${capital(this.kind.one)} ${this.place(shape)} is locked.`));
    return true;
  }

  // ---- copies, also for another picture

  /** The selected shape as JSON data, or all that are shown if none is selected. */
  copied(): { label: string }[] {
    const shapes = this.shape ? [this.shape] : this.shapes.filter(({ id }) => !this.hidden.has(id));
    this.listener.say(shapes.length > 0 ? msg(str`Copied ${counted(this.kind, shapes.length)}.`) : msg(str`There are no ${this.kind.many} to copy.`));
    return shapes.map((shape) => this.plainOf(shape) as { label: string });
  }

  /** Adds copies, where they were on their own picture but beside any equal shape of this one. Throws an Error on anything that
   *  is no list of such shapes. */
  paste(copies: unknown): void {
    const known = (label: string) => this.labels.some(({ name }) => name === label);
    const fresh = this.parse(copies).map((shape) => this.beside(this.numbered(known(shape.label) ? shape : { ...shape, label: this.labelName })));
    if (fresh.length === 0) return;
    this.cancel();
    this.history.addAll(fresh);
    this.select(fresh.length === 1 ? fresh[0]!.id : null);
    this.listener.say(fresh.length === 1 ? msg(str`Pasted ${this.describe(fresh[0]!)}`) : msg(str`Pasted ${counted(this.kind, fresh.length)}.`));
    this.listener.changed();
  }

  /** The shape, moved if there is an equal one already. */
  private beside(shape: S): S {
    let place = shape;
    while (this.near(corner(this.kind, place), 0).some((other) => this.kind.same(other, place))) {
      const moved = this.shifted(place);
      if (this.kind.same(moved, place)) return place;
      place = moved;
    }
    return place;
  }

  private shifted(shape: S, towards: 1 | -1 = 1): S {
    const { width, height } = this.kind.bounds(shape);
    const shift = towards * Math.max(4, Math.round(Math.min(width, height) / 4));
    return this.kind.moved(shape, shift, shift, this.size);
  }

  /** Makes a label the current one and gives it to the selected shape. */
  setLabel(at: number): void {
    const label = this.labels[at];
    if (!label) return;
    this.label = at;
    const shape = this.shape;
    if (shape && shape.label !== label.name) {
      if (this.refuses(shape)) return this.listener.shown();
      this.history.replace({ ...shape, label: label.name, ...(shape.attributes && { attributes: known(label.attributes ?? [], shape.attributes) }) });
      this.listener.say(msg(str`${capital(this.kind.one)} ${this.place(shape)} is now ${label.name}.`));
      return this.listener.changed();
    }
    this.listener.say(`${label.name}.`);
    this.listener.shown();
  }

  /** What can be said of a shape besides its label. */
  attributesOf(shape: S): readonly Attribute[] {
    return this.labels.find(({ name }) => name === shape.label)?.attributes ?? [];
  }

  /** Sets an attribute of the selected shape; undefined takes its value away. */
  setAttribute(name: string, value: string | number | undefined): void {
    const { shape } = this;
    if (!shape || shape.attributes?.[name] === value || this.refuses(shape)) return;
    const others = Object.entries(shape.attributes ?? {}).filter(([other]) => other !== name);
    this.history.replace({ ...shape, attributes: Object.fromEntries(value === undefined ? others : [...others, [name, value]]) });
    this.listener.say(value === undefined ? msg(str`${name} has no value.`) : `${name}: ${value}.`);
    this.listener.changed();
  }

  /** Adds a shape with the current label and selects it. */
  protected add(shape: Omit<Fresh<S>, "label">): void {
    const added = this.numbered({ ...shape, label: this.labelName } as Fresh<S>);
    this.history.add(added);
    this.selected = added.id;
    this.listener.say(msg(str`Added ${this.describe(added)}`));
    this.listener.changed();
  }

  /** Moves the selected shape. */
  nudge(dx: number, dy: number): void {
    this.change((shape) => this.kind.moved(shape, dx, dy, this.size), "nudge");
  }

  /** Changes the selected shape in a way that says where it is then; steps of the same `kind` in a row are undone together. */
  protected change(by: (shape: S) => S, kind: string): void {
    const shape = this.shape;
    if (!shape) return this.listener.say(msg(str`Choose a ${this.kind.one} first.`));
    if (this.refuses(shape)) return;
    const next = by(shape);
    if (this.kind.same(shape, next)) return;
    this.history.replace(next, `${kind}:${shape.id}`);
    this.listener.say(this.kind.describe(next));
    this.listener.changed();
  }

  /** What the Delete key does. */
  erase(): void {
    this.remove();
  }

  remove(id: number | null = this.selected): void {
    const shape = this.history.find(id);
    if (!shape || this.refuses(shape)) return;
    const at = this.shapes.indexOf(shape);
    this.history.remove(shape.id);
    if (this.selected === shape.id) this.selected = null;
    this.listener.say(msg(str`Deleted ${this.kind.one} ${at + 1}, ${shape.label}. ${counted(this.kind, this.shapes.length)} left.`));
    this.listener.changed();
  }

  duplicate(): void {
    const shape = this.shape;
    if (!shape) return;
    let moved = this.shifted(shape);
    if (this.kind.same(moved, shape)) moved = this.shifted(shape, -1);
    const copy = this.numbered(moved);
    this.history.add(copy);
    this.selected = copy.id;
    this.listener.say(msg(str`Copied to ${this.describe(copy)}`));
    this.listener.changed();
  }

  setNothing(nothing: boolean): void {
    if (this.shapes.length > 0) return;
    this.history.setNothing(nothing);
    this.listener.say(nothing ? msg("Marked: nothing to label here.") : msg("Unmarked."));
    this.listener.changed();
  }

  undo(): void {
    if (!this.history.canUndo) return this.listener.say(msg("Nothing to undo."));
    this.history.undo();
    this.settle("Undone");
  }

  redo(): void {
    if (!this.history.canRedo) return this.listener.say(msg("Nothing to redo."));
    this.history.redo();
    this.settle("Redone");
  }

  private settle(word: string): void {
    if (!this.shape) this.selected = null;
    this.listener.say(`${word}. ${counted(this.kind, this.shapes.length)}.`);
    this.listener.changed();
  }

  private numbered(shape: Fresh<S>): S {
    return { ...shape, id: this.nextId++ } as unknown as S;
  }

  private place(shape: S): number {
    return this.shapes.findIndex((one) => one.id === shape.id) + 1;
  }

  /** "box 2 of 5, bee, at 10, 20, 30 by 40 pixels." */
  describe(shape: S): string {
    return `${this.kind.one} ${this.place(shape)} of ${this.shapes.length}, ${shape.label}, ${this.kind.describe(shape)}${inWords(shape.attributes)}.`;
  }
}

const corner = <S extends Shape>(kind: Kind<S>, shape: S): Point => ({ x: kind.bounds(shape).left, y: kind.bounds(shape).top });
const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
/** A point in words. */
export const where = (point: Point): string => `${point.x}, ${point.y}`;
