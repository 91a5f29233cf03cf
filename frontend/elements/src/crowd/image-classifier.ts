/**
 * <crowd-image-classifier>: choose the one label that a picture gets, by mouse, by keys alone or by touch.
 *
 * Attributes: name, src, header, categories (JSON or JSON5: texts, or objects with `label`), initial-value ({label}), disabled.
 * Children: <short-instructions>, <full-instructions header>.
 * Properties and events: those of every crowd element (element.ts). `value` is Ground Truth's answer, {label}.
 *
 * The labels are a radio group: arrow keys move the choice, and so the focus. It knows nothing of the shell.
 */
import { html, nothing } from "lit";
import { property, query } from "lit/decorators.js";
import { Choice, type ChoiceDraft, type ClassAnswer, initialChoice } from "../classes/choice";
import { type Command, HOTKEYS, commandOf } from "../classes/keys";
import { iconStyles } from "../kit/icons";
import { type Label, findLabels, parseLabels } from "../labels/labels";
import { PictureView } from "../picture/picture-view";
import { iconButton } from "./buttons";
import { type TaskInput, emit } from "./element";
import { search } from "./label-parts";
import { filterOf, lightPanel } from "./light";
import { PictureElement } from "./picture-element";
import { crowdElement } from "./registry";
import { choiceStyles, tokens, toolStyles } from "./styles";

/** Commands that work while the element is disabled: they only change the display. */
const LOOKING: readonly Command["do"][] = ["pan", "zoom", "fit", "search", "help"];

@crowdElement("crowd-image-classifier")
export class CrowdImageClassifier extends PictureElement<ChoiceDraft> {
  static override styles = [tokens, iconStyles, toolStyles, choiceStyles];

  @property() categories: unknown = null;
  @query(".canvas") private frame!: HTMLDivElement;

  readonly hotkeys = HOTKEYS;
  protected override readonly labelsProperty = "categories";
  private choice: Choice | null = null;
  private picture: PictureView | null = null;
  private given: TaskInput | null = null;

  // ---- the interface of crowd elements

  get task(): TaskInput | null { return this.given; }

  set task(task: TaskInput | null) {
    this.given = task;
    if (!task) return;
    this.src = task.image_url;
    this.categories = task.labels;
    this.initialValue = task.initial_value;
  }

  get value(): ClassAnswer | null { return this.choice?.answer ?? null; }

  get draft(): ChoiceDraft | null { return this.choice ? this.choice.draft : this.waiting; }

  set draft(draft: ChoiceDraft | null) {
    if (!this.choice || !draft) this.waiting = draft;
    else this.choice.restore(draft);
    this.requestUpdate();
  }

  get empty(): boolean { return (this.draft?.choice ?? null) === null; }
  get canUndo(): boolean { return this.choice?.canUndo ?? false; }
  get canRedo(): boolean { return this.choice?.canRedo ?? false; }
  undo(): void { this.settle(this.choice?.undo() ?? false, "Undone", "Nothing to undo."); }
  redo(): void { this.settle(this.choice?.redo() ?? false, "Redone", "Nothing to redo."); }

  get validationMessage(): string {
    if (!this.choice) return this.problem || "The picture is still loading.";
    return this.choice.label === null ? "Choose the label that fits the picture." : "";
  }

  protected override focusRefused(): void { this.focus(); }

  /** Puts the keyboard on the labels, where all keys work. */
  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>('[role="radio"][tabindex="0"]')?.focus({ preventScroll: true });
  }

  // ---- life

  protected override readLabels(): void {
    this.known = parseLabels(this.categories ?? [], "categories");
  }

  protected override start(image: HTMLImageElement, initial: unknown): void {
    const names = this.known.map(({ name }) => name);
    this.choice = new Choice(names, initialChoice(initial, names));
    if (this.waiting) this.choice.restore(this.waiting);
    this.picture = new PictureView(this.frame, image, () => this.requestUpdate());
  }

  protected override stop(): void {
    this.picture?.destroy();
    this.picture = null;
    this.choice = null;
  }

  override updated(changed: Map<string, unknown>): void {
    super.updated(changed);
    if (changed.has("light")) this.frame.style.filter = filterOf(this.light);
  }

  // ---- what the worker does

  private choose(label: Label | undefined): void {
    if (!label || !this.choice || this.disabled) return;
    const changed = this.choice.choose(label.name);
    if (changed) this.changed();
    this.follow();
  }

  /** Brings the focus to the label that is chosen now, once it is rendered. */
  private follow(): void {
    void this.updateComplete.then(() => {
      this.focus();
      this.renderRoot.querySelector('[aria-checked="true"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
    });
  }

  private settle(done: boolean, word: string, nothingToDo: string): void {
    if (!done || !this.choice) return this.say(nothingToDo);
    this.changed();
    this.say(`${word}. ${this.choice.label === null ? "No label is chosen." : `${this.choice.label} is chosen.`}`);
    this.follow();
  }

  /** Chooses the next (1) or previous (-1) label among those that the search shows; after the last one comes the first. */
  private step(by: 1 | -1): void {
    const shown = findLabels(this.known, this.typed);
    if (shown.length === 0) return;
    const at = shown.findIndex(({ name }) => name === this.tabStop(shown));
    this.choose(shown[(at + by + shown.length) % shown.length]);
  }

  /** The name of the one label that Tab reaches: the chosen one, else the first. */
  private tabStop(shown: readonly Label[]): string | undefined {
    return (shown.find(({ name }) => name === this.choice?.label) ?? shown[0])?.name;
  }

  private keydown(event: KeyboardEvent): void {
    const origin = event.composedPath()[0] as HTMLElement;
    if (event.defaultPrevented || origin.closest("dialog, .light")) return;
    if (origin instanceof HTMLInputElement) {
      if (event.key === "Escape") this.focus();
      return;
    }
    // Enter belongs to a button of the bar that has the focus
    if (event.key === "Enter" && origin.closest("button:not([role])")) return;
    const command = commandOf(event);
    if (!command || (this.disabled && !LOOKING.includes(command.do))) return;
    event.preventDefault();
    // a key that is held down must not submit the next task as well
    if (command.do !== "submit" || !event.repeat) this.run(command);
  }

  private run(command: Command): void {
    switch (command.do) {
      case "choose": return this.choose(this.known.find(({ hotkey }) => hotkey === command.hotkey));
      case "step": return this.step(command.by);
      case "pan": return this.picture?.pan(command.dx, command.dy);
      case "zoom": return this.picture?.zoom(command.factor);
      case "fit": return this.picture?.fitView();
      case "undo": return this.undo();
      case "redo": return this.redo();
      case "submit": emit(this, "request-submit"); return;
      case "search": return this.find?.focus();
      case "help": return this.openKeys();
    }
  }

  // ---- what is seen

  override render() {
    return html`<div class="root" @keydown=${this.keydown}>
      ${this.bar()}
      <div class="main">
        <div class="work">
          <div class="canvas" role="img" aria-label="Picture to label${this.header ? `: ${this.header}` : ""}"></div>
          ${this.notice()}
          ${this.lightOpen ? lightPanel(this.light, (light) => (this.light = light)) : nothing}
        </div>
        <div class="side">${this.brief()} ${this.choices()}</div>
      </div>
      ${this.dialogs()}
    </div>`;
  }

  private bar() {
    const { picture } = this;
    return html`<div class="bar" role="toolbar" aria-label="Tools">
      ${this.header ? html`<h1 title=${this.header}>${this.header}</h1>` : nothing}
      ${iconButton({ name: "Undo", glyph: "undo", keys: "Ctrl+Z", off: !this.canUndo || this.disabled, act: () => this.undo() })}
      ${iconButton({ name: "Redo", glyph: "redo", keys: "Ctrl+Shift+Z", off: !this.canRedo || this.disabled, act: () => this.redo() })}
      <span class="rule"></span>
      ${iconButton({ name: "Zoom out", glyph: "minus", keys: "−", act: () => picture?.zoom(0.8) })}
      <span class="percent wide" aria-live="off">${Math.round((picture?.view.scale ?? 1) * 100)} %</span>
      ${iconButton({ name: "Zoom in", glyph: "plus", keys: "+", act: () => picture?.zoom(1.25) })}
      ${iconButton({ name: "See the whole picture", glyph: "maximize", keys: "F", act: () => picture?.fitView() })}
      <span class="rule"></span>
      ${iconButton({ name: "Brightness and contrast", glyph: "sliders", pressed: this.lightOpen, act: () => (this.lightOpen = !this.lightOpen) })}
      <span class="gap"></span>
      ${this.hasInstructions ? iconButton({ name: "Instructions", glyph: "book-open", act: () => this.openInstructions() }) : nothing}
      ${iconButton({ name: "Keys", glyph: "keyboard", keys: "?", class: "tight wide", act: () => this.openKeys() })}
    </div>`;
  }

  private choices() {
    const { field, shown } = search({
      labels: this.known, typed: this.typed, onType: (typed) => (this.typed = typed), onChoose: (at) => this.choose(this.known[at]),
    });
    const stop = this.tabStop(shown);
    return html`<section class="labels">
      <h2 id="labels-title">What does the picture show?</h2>
      ${field}
      <div id="refusal" aria-live="assertive">${this.refusal ? html`<p class="warn">${this.refusal}</p>` : nothing}</div>
      <div class="choices" role="radiogroup" aria-labelledby="labels-title" aria-required="true" aria-describedby="refusal"
          aria-disabled=${this.disabled ? "true" : "false"} aria-invalid=${this.refusal ? "true" : "false"}>
        ${shown.map((label) => this.choiceButton(label, label.name === stop))}
      </div>
      ${shown.length === 0 ? html`<p class="empty">No label is called that.</p>` : nothing}
    </section>`;
  }

  private choiceButton(label: Label, stop: boolean) {
    const chosen = label.name === this.choice?.label;
    return html`<button type="button" class="label" role="radio" aria-checked=${chosen ? "true" : "false"} tabindex=${stop ? "0" : "-1"}
        aria-disabled=${this.disabled ? "true" : "false"} aria-keyshortcuts=${label.hotkey?.replace("⇧", "Shift+") ?? nothing}
        @click=${() => this.choose(label)}>
      <span class="dot" aria-hidden="true"></span><span class="name">${label.name}</span>
      ${label.hotkey ? html`<kbd aria-hidden="true">${label.hotkey}</kbd>` : nothing}
    </button>`;
  }
}
