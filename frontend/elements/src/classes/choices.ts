/** Any number of choices among labels, or that none of them fits, with undo and redo, and its forms as JSON data. Pure: knows
 *  nothing of the screen. */
import type { Chooser } from "./choice";
import { msg, str } from "../locale";

export interface ClassesAnswer { labels: string[] }

/** The chosen labels and those before and after that undo and redo lead to, oldest first. [] is: nothing was chosen. */
export interface ChoicesDraft { chosen: string[]; past: string[][]; future: string[][] }

/** So many steps can be undone; more would only make each entry in the journal larger. */
const MOST_STEPS = 100;

export class Choices implements Chooser<ChoicesDraft> {
  private now: ChoicesDraft;

  /** `none`: the label that says that no other fits, and goes with none of them; null: there is no such label. */
  constructor(private readonly labels: readonly string[], private readonly none: string | null = null, start: readonly string[] = []) {
    this.now = { chosen: this.known(start), past: [], future: [] };
  }

  get nothing(): boolean { return this.now.chosen.length === 0; }
  get canUndo(): boolean { return this.now.past.length > 0; }
  get canRedo(): boolean { return this.now.future.length > 0; }
  get draft(): ChoicesDraft { return structuredClone(this.now); }
  get answer(): ClassesAnswer | null { return this.nothing ? null : { labels: [...this.now.chosen] }; }

  get words(): string {
    const { chosen } = this.now;
    if (chosen.length < 2) return chosen.length === 0 ? msg("No label is chosen.") : msg(str`${chosen[0]!} is chosen.`);
    return `${chosen.slice(0, -1).join(", ")} and ${chosen.at(-1)!} are chosen.`;
  }

  has(label: string): boolean { return this.now.chosen.includes(label); }

  /** Goes on from a draft. Labels in it that the task does not have any more count as not chosen. */
  restore(draft: ChoicesDraft): void {
    const each = (steps: string[][] | undefined) => (steps ?? []).map((step) => this.known(step));
    this.now = { chosen: this.known(draft.chosen), past: each(draft.past), future: each(draft.future) };
  }

  /** Chooses a label, or takes it back. What says that none fits takes all others back, and they it. */
  choose(label: string): boolean {
    if (label !== this.none && !this.labels.includes(label)) throw new Error(`"${label}" is none of the labels ${this.labels.join(", ")}`);
    const { chosen } = this.now;
    let next: string[];
    if (chosen.includes(label)) next = chosen.filter((one) => one !== label);
    else next = label === this.none ? [label] : [...chosen, label];
    this.now = { chosen: this.known(next, label), past: [...this.now.past, chosen].slice(-MOST_STEPS), future: [] };
    return true;
  }

  undo(): boolean {
    const { chosen, past, future } = this.now;
    if (past.length === 0) return false;
    this.now = { chosen: past.at(-1)!, past: past.slice(0, -1), future: [chosen, ...future] };
    return true;
  }

  redo(): boolean {
    const { chosen, past, future } = this.now;
    if (future.length === 0) return false;
    this.now = { chosen: future[0]!, past: [...past, chosen], future: future.slice(1) };
    return true;
  }

  /** Those that the task has, in its order; of "none" and others, those that `newest` belongs to. */
  private known(chosen: readonly string[], newest: string | null = null): string[] {
    const labels = this.labels.filter((label) => chosen.includes(label));
    const { none } = this;
    if (none === null || !chosen.includes(none)) return labels;
    return labels.length > 0 && newest !== none ? labels : [none];
  }
}

/** The labels that an initial value names: {labels: [...]} or the list itself. Throws an Error on anything else. */
export function initialChoices(raw: unknown): string[] {
  if (raw === null || raw === undefined || raw === "") return [];
  const list = typeof raw === "string" ? [raw] : Array.isArray(raw) ? raw : (raw as { labels?: unknown }).labels;
  if (!Array.isArray(list) || !list.every((one) => typeof one === "string")) throw new Error(`The initial value is no list of labels: ${JSON.stringify(raw).slice(0, 80)}`);
  return list;
}

/** The text of `exclusion-category`: { text: "None" } or the text itself; null where there is none. Throws an Error on anything else. */
export function exclusionText(raw: unknown): string | null {
  if (raw === null || raw === undefined || raw === "") return null;
  const text = typeof raw === "object" ? (raw as { text?: unknown }).text : raw;
  if (typeof text !== "string" || !text) throw new Error(`The attribute "exclusion-category" has no text. Found: ${JSON.stringify(raw).slice(0, 80)}`);
  return text;
}
