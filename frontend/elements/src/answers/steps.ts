/** A state of the work and the states that undo and redo lead to. Pure: knows nothing of what is worked on. */

/** Everything needed to go on from here: the state, and those before and after it, oldest first. */
export interface StepsDraft<S> { now: S; past: S[]; future: S[] }

/** So many steps can be undone; more would only make each entry in the journal larger. */
const MOST_STEPS = 100;

export class Steps<S> {
  private past: S[] = [];
  private future: S[] = [];
  /** What was changed last: typing in the same place is one step. */
  private place: string | null = null;

  constructor(private state: S) {}

  get now(): S { return this.state; }
  get canUndo(): boolean { return this.past.length > 0; }
  get canRedo(): boolean { return this.future.length > 0; }
  get draft(): StepsDraft<S> { return structuredClone({ now: this.state, past: this.past, future: this.future }); }

  /** Goes on to another state. Changes one after the other at the same `place` are undone together; null: a step of its own. */
  go(next: S, place: string | null = null): void {
    if (place === null || place !== this.place) this.past = [...this.past, this.state].slice(-MOST_STEPS);
    this.place = place;
    this.state = next;
    this.future = [];
  }

  undo(): boolean {
    const before = this.past.at(-1);
    if (before === undefined) return false;
    this.future = [this.state, ...this.future];
    this.past = this.past.slice(0, -1);
    this.state = before;
    this.place = null;
    return true;
  }

  redo(): boolean {
    const after = this.future[0];
    if (after === undefined) return false;
    this.past = [...this.past, this.state];
    this.future = this.future.slice(1);
    this.state = after;
    this.place = null;
    return true;
  }

  /** Goes on from a draft; states that `fits` refuses are left out. Keeps what there is if the draft's own state does not fit. */
  restore(draft: StepsDraft<S>, fits: (state: S) => boolean): void {
    if (!fits(draft.now)) return;
    this.state = draft.now;
    this.past = (draft.past ?? []).filter(fits);
    this.future = (draft.future ?? []).filter(fits);
    this.place = null;
  }
}
