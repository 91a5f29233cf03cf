/** The entities marked in a text, with undo and redo, and their forms as JSON data: Ground Truth's answer, the journal's draft, an
 *  initial value. Offsets count Unicode code points, the end is exclusive. Pure: knows nothing of the screen. */

export interface Entity { label: string; start: number; end: number }
export interface EntityAnswer { entities: { endOffset: number; label: string; startOffset: number }[] }

interface Step { entities: Entity[]; none: boolean }
/** The work and the steps that undo and redo lead to, oldest first. `none`: the worker said that there is no entity. */
export interface EntityDraft extends Step { past: Step[]; future: Step[] }

/** So many steps can be undone; more would only make each entry in the journal larger. */
const MOST_STEPS = 100;

const inOrder = (entities: readonly Entity[]) => [...entities].sort((a, b) => a.start - b.start || b.end - a.end || a.label.localeCompare(b.label));
const same = (a: Entity, b: Entity) => a.start === b.start && a.end === b.end;

export class Entities {
  private now: EntityDraft;
  private readonly points: readonly string[];

  constructor(text: string, private readonly labels: readonly string[], initial: readonly Entity[] = []) {
    this.points = [...text];
    this.now = { entities: inOrder(initial.filter((one) => this.fits(one))), none: false, past: [], future: [] };
  }

  get length(): number { return this.points.length; }
  get list(): readonly Entity[] { return this.now.entities; }
  get none(): boolean { return this.now.none; }
  get canUndo(): boolean { return this.now.past.length > 0; }
  get canRedo(): boolean { return this.now.future.length > 0; }
  get draft(): EntityDraft { return structuredClone(this.now); }

  get answer(): EntityAnswer {
    return { entities: this.now.entities.map(({ label, start, end }) => ({ endOffset: end, label, startOffset: start })) };
  }

  /** The text between two offsets. */
  between(start: number, end: number): string { return this.points.slice(start, end).join(""); }

  /** Goes on from a draft. Entities that the text or the task do not have are left out. */
  restore(draft: EntityDraft): void {
    const step = (one: Step): Step => ({ entities: inOrder((one.entities ?? []).filter((entity) => this.fits(entity))), none: one.none === true });
    this.now = { ...step(draft), past: (draft.past ?? []).map(step), future: (draft.future ?? []).map(step) };
  }

  /** Marks a stretch without the white space around it; one that is marked already gets the label. Returns the entity, null where
   *  there is nothing but white space. */
  mark(label: string, from: number, to: number): Entity | null {
    let [start, end] = from < to ? [from, to] : [to, from];
    start = Math.max(start, 0);
    end = Math.min(end, this.points.length);
    while (start < end && !this.points[start]!.trim()) start++;
    while (end > start && !this.points[end - 1]!.trim()) end--;
    if (start === end) return null;
    const entity = { label, start, end };
    this.step({ entities: inOrder([...this.now.entities.filter((one) => !same(one, entity)), entity]), none: false });
    return entity;
  }

  remove(entity: Entity): void {
    this.step({ entities: this.now.entities.filter((one) => !same(one, entity)), none: false });
  }

  /** Says that there is no entity, or takes that back. Nothing happens while there are entities. */
  sayNone(none: boolean): void {
    if (this.now.entities.length === 0 && none !== this.now.none) this.step({ entities: [], none });
  }

  undo(): boolean {
    const { entities, none, past, future } = this.now;
    const before = past.at(-1);
    if (!before) return false;
    this.now = { ...before, past: past.slice(0, -1), future: [{ entities, none }, ...future] };
    return true;
  }

  redo(): boolean {
    const { entities, none, past, future } = this.now;
    const next = future[0];
    if (!next) return false;
    this.now = { ...next, past: [...past, { entities, none }], future: future.slice(1) };
    return true;
  }

  /** The offset one character, or one word, before (-1) or after (1) another. */
  moved(from: number, by: 1 | -1, word: boolean): number {
    let at = Math.min(Math.max(from + by, 0), this.length);
    if (!word) return at;
    const blank = (place: number) => !(this.points[place] ?? " ").trim();
    if (by > 0) while (at < this.length && !(blank(at - 1) && !blank(at))) at++;
    else while (at > 0 && !(blank(at - 1) && !blank(at))) at--;
    return at;
  }

  private step(next: Step): void {
    const { entities, none, past } = this.now;
    this.now = { ...next, past: [...past, { entities, none }].slice(-MOST_STEPS), future: [] };
  }

  private fits({ label, start, end }: Entity): boolean {
    return this.labels.includes(label) && Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start < end && end <= this.length;
  }
}

/** The entities of an initial value: a list of {label, startOffset, endOffset}, or {entities: [...]}. Throws an Error on anything else. */
export function initialEntities(raw: unknown): Entity[] {
  if (raw === null || raw === undefined || raw === "") return [];
  const list = Array.isArray(raw) ? raw : (raw as { entities?: unknown }).entities;
  if (!Array.isArray(list)) throw new Error(`The initial value is no list of entities: ${JSON.stringify(raw).slice(0, 80)}`);
  return list.map((one: Record<string, unknown>, at) => {
    const { label, startOffset, endOffset } = one ?? {};
    if (typeof label !== "string" || typeof startOffset !== "number" || typeof endOffset !== "number") {
      throw new Error(`Entity ${at + 1} of the initial value needs label, startOffset and endOffset.`);
    }
    return { label, start: startOffset, end: endOffset };
  });
}
