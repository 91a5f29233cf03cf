/** The shapes of one answer with unlimited undo and redo. Pure. Steps are stored as differences, so a thousand edits of a
 *  thousand shapes stay small; consecutive small moves of one shape become one step. */
import type { Shape } from "./shape";

/** `nothing`: the worker has checked the picture, and there is nothing to label. */
export interface Answer<S extends Shape> { readonly shapes: readonly S[]; readonly nothing: boolean }

/** At index `at` there was the shape `before` and is now the shape `after`; null stands for no shape. */
interface Change<S> { at: number; before: S | null; after: S | null }
interface Step<S> { changes: Change<S>[]; nothing: [boolean, boolean]; joins: string | null }

function apply<S>(shapes: S[], { at, before, after }: Change<S>): void {
  if (before && after) shapes[at] = after;
  else if (after) shapes.splice(at, 0, after);
  else shapes.splice(at, 1);
}

export class History<S extends Shape> {
  private now: Answer<S>;
  private done: Step<S>[] = [];
  private undone: Step<S>[] = [];

  constructor(start: Answer<S> = { shapes: [], nothing: false }) {
    this.now = start;
  }

  get answer(): Answer<S> { return this.now; }
  get canUndo(): boolean { return this.done.length > 0; }
  get canRedo(): boolean { return this.undone.length > 0; }

  find(id: number | null): S | undefined {
    return this.now.shapes.find((shape) => shape.id === id);
  }

  /** Adds a shape at the end and takes back the mark that there is nothing to label. */
  add(shape: S): void {
    this.push([{ at: this.now.shapes.length, before: null, after: shape }], false);
  }

  /** Adds several shapes in one step. */
  addAll(shapes: readonly S[]): void {
    const from = this.now.shapes.length;
    if (shapes.length > 0) this.push(shapes.map((after, at) => ({ at: from + at, before: null, after })), false);
  }

  /** Replaces the shape of the same id. Consecutive steps with the same `joins` become one. */
  replace(shape: S, joins: string | null = null): void {
    const at = this.now.shapes.findIndex((one) => one.id === shape.id);
    const before = this.now.shapes[at];
    if (!before) throw new Error(`there is no shape ${shape.id}`);
    this.push([{ at, before, after: shape }], this.now.nothing, joins);
  }

  remove(id: number): void {
    const at = this.now.shapes.findIndex((one) => one.id === id);
    if (at >= 0) this.push([{ at, before: this.now.shapes[at]!, after: null }], this.now.nothing);
  }

  /** Removes every shape in one step. */
  clear(): void {
    const changes = this.now.shapes.map((before, at) => ({ at, before, after: null })).reverse();
    if (changes.length > 0) this.push(changes, this.now.nothing);
  }

  setNothing(nothing: boolean): void {
    if (nothing !== this.now.nothing) this.push([], nothing);
  }

  /** Keeps the next step separate from the last one, even if they have the same `joins`. */
  seal(): void {
    const last = this.done.at(-1);
    if (last) last.joins = null;
  }

  undo(): void {
    const step = this.done.pop();
    if (!step) return;
    const back = step.changes.map(({ at, before, after }) => ({ at, before: after, after: before })).reverse();
    this.apply(back, step.nothing[0]);
    this.undone.push(step);
  }

  redo(): void {
    const step = this.undone.pop();
    if (!step) return;
    this.apply(step.changes, step.nothing[1]);
    this.done.push({ ...step, joins: null });
  }

  private apply(changes: readonly Change<S>[], nothing: boolean): void {
    const shapes = [...this.now.shapes];
    for (const change of changes) apply(shapes, change);
    this.now = { shapes, nothing };
  }

  private push(changes: Change<S>[], nothing: boolean, joins: string | null = null): void {
    const step: Step<S> = { changes, nothing: [this.now.nothing, nothing], joins };
    this.apply(changes, nothing);
    this.undone = [];
    const last = this.done.at(-1);
    const [then, next] = [last?.changes[0], changes[0]];
    if (joins && last?.joins === joins && then && next && changes.length === 1 && last.changes.length === 1) {
      then.after = next.after;
    } else this.done.push(step);
  }
}
