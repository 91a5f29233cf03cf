/**
 * What elements have in common whose work is one thing that keeps its own steps: a choice, marks in a text, the fields of a form.
 * Its draft, undo and redo, the bar above it and the refusal of an unfinished answer are the same in all of them. A subclass says
 * what the work is and how it goes on from a draft. Knows no kind of work.
 */
import { html, nothing } from "lit";
import { iconButton } from "./buttons";
import { PictureElement } from "./picture-element";
import { msg, str, thing } from "../locale";

/** The work on one task, with the steps that undo and redo lead to. */
export interface Work<Draft> {
  readonly draft: Draft;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  undo(): boolean;
  redo(): boolean;
}

export abstract class WorkElement<Draft, Target> extends PictureElement<Draft, Target> {
  /** The work; null as long as what is shown is not there. */
  protected abstract readonly work: Work<Draft> | null;
  /** Goes on from a draft; there is work. */
  protected abstract resume(draft: Draft): void;
  /** What is missing from the work, as a sentence; empty where nothing is. */
  protected abstract readonly missing: string;
  /** Undo or redo has changed the work. */
  protected abstract undone(word: "Undone" | "Redone"): void;

  get draft(): Draft | null { return this.work ? this.work.draft : this.waiting; }

  set draft(draft: Draft | null) {
    if (!this.work || !draft) this.waiting = draft;
    else this.resume(draft);
    this.requestUpdate();
  }

  get canUndo(): boolean { return this.work?.canUndo ?? false; }
  get canRedo(): boolean { return this.work?.canRedo ?? false; }
  undo(): void { this.settle(this.work?.undo() ?? false, "Undone", msg("Nothing to undo.")); }
  redo(): void { this.settle(this.work?.redo() ?? false, "Redone", msg("Nothing to redo.")); }

  private settle(done: boolean, word: "Undone" | "Redone", nothingToDo: string): void {
    if (!done) return this.say(nothingToDo);
    this.changed();
    this.undone(word);
  }

  get validationMessage(): string {
    return this.work ? this.missing : this.problem || msg(str`The ${thing(this.subject)} is still loading.`);
  }

  // ---- what is seen

  /** The buttons above the work; `tools` are those of the element. */
  protected bar(tools: unknown) {
    return html`<div class="bar" role="toolbar" aria-label=${msg("Tools")}>
      ${this.header ? html`<h1 title=${this.header}>${this.header}</h1>` : nothing}
      ${iconButton({ name: msg("Undo"), glyph: "undo", keys: "Ctrl+Z", off: !this.canUndo || this.disabled, act: () => this.undo() })}
      ${iconButton({ name: msg("Redo"), glyph: "redo", keys: "Ctrl+Shift+Z", off: !this.canRedo || this.disabled, act: () => this.redo() })}
      ${tools}
      <span class="gap"></span>
      ${this.hasInstructions ? iconButton({ name: msg("Instructions"), glyph: "book-open", act: () => this.openInstructions() }) : nothing}
      ${iconButton({ name: msg("Keys"), glyph: "keyboard", keys: "?", class: "tight wide", act: () => this.openKeys() })}
    </div>`;
  }

  /** Why an unfinished answer was refused. */
  protected refused() {
    return html`<div id="refusal" aria-live="assertive">${this.refusal ? html`<p class="warn">${this.refusal}</p>` : nothing}</div>`;
  }
}
