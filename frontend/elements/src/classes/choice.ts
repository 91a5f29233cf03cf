/** A single choice among labels, with undo and redo, and its forms as JSON data: Ground Truth's answer, the journal's draft, an
 *  initial value. Pure: knows nothing of the screen. */
import { msg, str } from "../locale";

export interface ClassAnswer { label: string }

/** The choice and the choices before and after it that undo and redo lead to, oldest first; null: nothing was chosen. */
export interface ChoiceDraft { choice: string | null; past: (string | null)[]; future: (string | null)[] }

/** What an element needs of the labels that are chosen, whether one or several can be. */
export interface Chooser<Draft> {
  readonly answer: unknown;
  readonly draft: Draft;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /** Whether the label is chosen. */
  has(label: string): boolean;
  /** Nothing was chosen, not even that no label fits. */
  readonly nothing: boolean;
  /** What is chosen, as a sentence for screen readers. */
  readonly words: string;
  restore(draft: Draft): void;
  /** The worker pressed the label. Returns whether that changed anything; throws an Error on a label that the task does not have. */
  choose(label: string): boolean;
  undo(): boolean;
  redo(): boolean;
}

/** So many steps can be undone; more would only make each entry in the journal larger. */
const MOST_STEPS = 100;

export class Choice implements Chooser<ChoiceDraft> {
  private now: ChoiceDraft;

  constructor(private readonly labels: readonly string[], start: string | null = null) {
    this.now = { choice: start, past: [], future: [] };
  }

  get label(): string | null { return this.now.choice; }
  get nothing(): boolean { return this.now.choice === null; }
  get words(): string { return this.now.choice === null ? msg("No label is chosen.") : msg(str`${this.now.choice} is chosen.`); }
  get canUndo(): boolean { return this.now.past.length > 0; }
  get canRedo(): boolean { return this.now.future.length > 0; }
  get draft(): ChoiceDraft { return structuredClone(this.now); }
  get answer(): ClassAnswer | null { return this.now.choice === null ? null : { label: this.now.choice }; }

  has(label: string): boolean { return label === this.now.choice; }

  /** Goes on from a draft. Labels in it that the task does not have any more count as not chosen. */
  restore(draft: ChoiceDraft): void {
    const known = (label: string | null) => (label !== null && this.labels.includes(label) ? label : null);
    this.now = { choice: known(draft.choice), past: (draft.past ?? []).map(known), future: (draft.future ?? []).map(known) };
  }

  /** Chooses a label of the task. Returns whether that changed anything; throws an Error on a label that the task does not have. */
  choose(label: string): boolean {
    if (!this.labels.includes(label)) throw new Error(`"${label}" is none of the labels ${this.labels.join(", ")}`);
    if (label === this.now.choice) return false;
    this.now = { choice: label, past: [...this.now.past, this.now.choice].slice(-MOST_STEPS), future: [] };
    return true;
  }

  undo(): boolean {
    const { choice, past, future } = this.now;
    if (past.length === 0) return false;
    this.now = { choice: past.at(-1)!, past: past.slice(0, -1), future: [choice, ...future] };
    return true;
  }

  redo(): boolean {
    const { choice, past, future } = this.now;
    if (future.length === 0) return false;
    this.now = { choice: future[0]!, past: [...past, choice], future: future.slice(1) };
    return true;
  }
}

/** The label that an initial value names: {label} or the text itself, null where it names none of `labels`. Throws an Error on
 *  anything else. */
export function initialChoice(raw: unknown, labels: readonly string[]): string | null {
  if (raw === null || raw === undefined || raw === "") return null;
  const label = typeof raw === "object" ? (raw as { label?: unknown }).label : raw;
  if (typeof label !== "string") throw new Error(`The initial value is not a label: ${JSON.stringify(raw).slice(0, 80)}`);
  return labels.includes(label) ? label : null;
}
