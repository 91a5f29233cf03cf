/** The boxes of one answer with unlimited undo and redo. Pure. Steps are stored as differences, so a thousand edits of a
 *  thousand boxes stay small; consecutive small moves of one box become one step. */
import type { Box } from "./geometry";

export interface Answer { readonly boxes: readonly Box[]; readonly nothing: boolean }

/** At index `at` there was the box `before` and is now the box `after`; null stands for no box. */
interface Change { at: number; before: Box | null; after: Box | null }
interface Step { changes: Change[]; nothing: [boolean, boolean]; joins: string | null }

function apply(boxes: Box[], { at, before, after }: Change): void {
  if (before && after) boxes[at] = after;
  else if (after) boxes.splice(at, 0, after);
  else boxes.splice(at, 1);
}

export class History {
  private now: Answer;
  private done: Step[] = [];
  private undone: Step[] = [];

  constructor(start: Answer = { boxes: [], nothing: false }) {
    this.now = start;
  }

  get answer(): Answer { return this.now; }
  get canUndo(): boolean { return this.done.length > 0; }
  get canRedo(): boolean { return this.undone.length > 0; }

  box(id: number | null): Box | undefined {
    return this.now.boxes.find((box) => box.id === id);
  }

  /** Adds a box at the end and takes back the mark that there is nothing to label. */
  add(box: Box): void {
    this.push([{ at: this.now.boxes.length, before: null, after: box }], false);
  }

  /** Replaces the box of the same id. Consecutive steps with the same `joins` become one. */
  replace(box: Box, joins: string | null = null): void {
    const at = this.now.boxes.findIndex((one) => one.id === box.id);
    const before = this.now.boxes[at];
    if (!before) throw new Error(`there is no box ${box.id}`);
    this.push([{ at, before, after: box }], this.now.nothing, joins);
  }

  remove(id: number): void {
    const at = this.now.boxes.findIndex((one) => one.id === id);
    if (at >= 0) this.push([{ at, before: this.now.boxes[at]!, after: null }], this.now.nothing);
  }

  /** Removes every box in one step. */
  clear(): void {
    const changes = this.now.boxes.map((before, at) => ({ at, before, after: null })).reverse();
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

  private apply(changes: readonly Change[], nothing: boolean): void {
    const boxes = [...this.now.boxes];
    for (const change of changes) apply(boxes, change);
    this.now = { boxes, nothing };
  }

  private push(changes: Change[], nothing: boolean, joins: string | null = null): void {
    const step: Step = { changes, nothing: [this.now.nothing, nothing], joins };
    this.apply(changes, nothing);
    this.undone = [];
    const last = this.done.at(-1);
    const [then, next] = [last?.changes[0], changes[0]];
    if (joins && last?.joins === joins && then && next && changes.length === 1 && last.changes.length === 1) {
      then.after = next.after;
    } else this.done.push(step);
  }
}
