/**
 * What the tools have in common whose work is one state of plain data: a ranking, a list of questions, the fields of a form. The
 * target is on the left, what is said about it on the right; undo, redo, drafts, keys and the refusal are the same in all of them.
 * A subclass says how the state begins, what is seen, and what is missing.
 */
import { html, nothing } from "lit";
import { Steps, type StepsDraft } from "../answers/steps";
import { iconStyles } from "../kit/icons";
import { type Hotkey, type TaskInput, emit } from "./element";
import { sheetStyles, tokens, toolStyles } from "./styles";
import { WorkElement } from "./work-element";
import { msg } from "../locale";

/** What is missing: a sentence, and the id of the field that lacks it. */
export interface Lack { says: string; id: string }

const KEYS: readonly Hotkey[] = [
  { keys: msg("Tab, Shift + Tab"), does: msg("next or previous field") },
  { keys: msg("Ctrl + Enter"), does: msg("submit") },
  { keys: msg("Ctrl + Z, Ctrl + Shift + Z"), does: msg("undo, redo") },
  { keys: "?", does: msg("the list of keys") },
];

export abstract class StepsElement<S, Target> extends WorkElement<StepsDraft<S>, Target> {
  static override styles = [tokens, iconStyles, toolStyles, sheetStyles];

  task: TaskInput | null = null;
  protected steps: Steps<S> | null = null;
  get hotkeys(): readonly Hotkey[] { return [...this.ownKeys, ...KEYS]; }

  // ---- what a subclass says

  protected readonly ownKeys: readonly Hotkey[] = [];
  /** The state that the work starts from. Throws an Error that the worker sees. */
  protected abstract first(target: Target, initial: unknown): S;
  /** Whether a state of a draft belongs to this task. */
  protected abstract fits(state: S): boolean;
  /** What is missing from a state, or null. */
  protected abstract lacks(state: S): Lack | null;
  /** What is looked at. */
  protected abstract target(): unknown;
  /** What is said about it. */
  protected abstract sheet(state: S): unknown;
  /** Buttons of its own in the bar. */
  protected tools(): unknown { return nothing; }

  // ---- the interface of crowd elements

  protected get work(): Steps<S> | null { return this.steps; }
  protected resume(draft: StepsDraft<S>): void { this.steps?.restore(draft, (state) => this.fits(state)); }
  protected get missing(): string { return this.steps ? (this.lacks(this.steps.now)?.says ?? "") : ""; }
  protected undone(word: string): void { this.say(`${word}.`); }

  get empty(): boolean { return this.steps ? !this.steps.canUndo : this.waiting === null; }

  protected override focusRefused(): void {
    const id = this.steps && this.lacks(this.steps.now)?.id;
    const field = id ? this.renderRoot.querySelector<HTMLElement>(`#${CSS.escape(id)}`) : null;
    field?.focus();
    field?.scrollIntoView({ block: "nearest" });
  }

  // ---- life

  protected override start(target: Target, initial: unknown): void {
    this.steps = new Steps(this.first(target, initial));
    if (this.waiting) this.resume(this.waiting);
  }

  protected override stop(): void { this.steps = null; }

  /** The worker changed something; `place` as in Steps.go(). */
  protected go(next: S, place: string | null = null): void {
    if (!this.steps || this.disabled) return this.requestUpdate();
    this.steps.go(next, place);
    this.changed();
  }

  /** Keys of the tool. Fields for text keep theirs. */
  protected keydown(event: KeyboardEvent): void {
    const origin = event.composedPath()[0] as HTMLElement;
    if (event.defaultPrevented || event.altKey || origin.closest("dialog")) return;
    const held = event.ctrlKey || event.metaKey;
    const typing = !origin.closest(".work") && (origin instanceof HTMLTextAreaElement || (origin instanceof HTMLInputElement && origin.type === "text"));
    if (held && event.key === "Enter") {
      if (!event.repeat && !this.disabled) emit(this, "request-submit");
    } else if (held && event.key.toLowerCase() === "z" && !typing) {
      if (this.disabled) return;
      if (event.shiftKey) this.redo();
      else this.undo();
    } else if (event.key === "?" && !typing) this.openKeys();
    else return;
    event.preventDefault();
  }

  // ---- what is seen

  override render() {
    const state = this.steps?.now;
    return html`<div class="root" @keydown=${this.keydown}>
      ${this.bar(this.tools())}
      <div class="main">
        <div class="work">${this.target()} ${this.notice()}</div>
        <div class="side sheet">${this.brief()}
          ${this.refused()}
          ${state === undefined ? nothing : this.sheet(state)}
        </div>
      </div>
      ${this.dialogs()}
    </div>`;
  }
}
