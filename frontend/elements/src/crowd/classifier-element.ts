/**
 * What the classifiers have in common: the labels beside what is to be labeled, chosen by mouse, by keys alone or by touch.
 *
 * One label is chosen in a radio group, where arrow keys move the choice and so the focus; several in a group of checkboxes,
 * where they move the focus. `exclusion-category` adds one more, which says that no label fits. Where one label is chosen, it may be
 * the verdict on an earlier answer: `overlay` shows that one, and <worker-comment> asks why. Knows nothing of the shell.
 */
import { html, nothing } from "lit";
import { property, state } from "lit/decorators.js";
import { type ChoiceDraft, type Chooser, Choice, initialChoice } from "../classes/choice";
import { type ChoicesDraft, Choices, exclusionText, initialChoices } from "../classes/choices";
import { type Command, HOTKEYS, SEVERAL_HOTKEYS, commandOf } from "../classes/keys";
import { iconStyles } from "../kit/icons";
import { type Label, findLabels, parseLabels, parseLenient } from "../labels/labels";
import { type Hotkey, type TaskInput, emit } from "./element";
import { search } from "./label-parts";
import { type Overlay, readOverlay } from "./overlay";
import { choiceStyles, reviewStyles, tokens, toolStyles } from "./styles";
import { WorkElement } from "./work-element";
import { commentDialog, commentLink, regionOf } from "./worker-comment";
import { msg, str, thing } from "../locale";

/** Commands that work while the element is disabled: they only change the display. */
const LOOKING: readonly Command["do"][] = ["pan", "zoom", "fit", "search", "help"];

/** How labels are chosen: one, or several. */
export interface Manner<Draft> {
  role: "radio" | "checkbox"; group: "radiogroup" | "group"; hotkeys: readonly Hotkey[];
  make(names: string[], none: string | null, initial: unknown): Chooser<Draft>;
  /** What the worker is asked, and told when nothing was chosen. */
  question(subject: string): string;
  missing(subject: string, none: string | null): string;
}

export const ONE: Manner<ChoiceDraft> = {
  role: "radio", group: "radiogroup", hotkeys: HOTKEYS,
  make: (names, _, initial) => new Choice(names, initialChoice(initial, names)),
  question: (subject) => (subject === "text" ? msg("What is the text about?") : subject === "picture" ? msg("What does the picture show?") : msg(str`What does the ${subject} show?`)),
  missing: (subject) => msg(str`Choose the label that fits the ${thing(subject)}.`),
};

export const SEVERAL: Manner<ChoicesDraft> = {
  role: "checkbox", group: "group", hotkeys: SEVERAL_HOTKEYS,
  make: (names, none, initial) => new Choices(names, none, initialChoices(initial)),
  question: (subject) => msg(str`Which labels fit the ${thing(subject)}?`),
  missing: (subject, none) => (none === null ? msg(str`Choose every label that fits the ${thing(subject)}.`) : msg(str`Choose every label that fits the ${thing(subject)}, or “${none}”.`)),
};

const commentOf = (draft: { comment?: string } | null): string => draft?.comment ?? "";

export abstract class ClassifierElement<Draft extends object, Target> extends WorkElement<Draft, Target> {
  static override styles = [tokens, iconStyles, toolStyles, choiceStyles, reviewStyles];

  @property() categories: unknown = null;
  /** What is asked above the labels, where it is not what they show. Our own: Ground Truth has no such attribute. */
  @property() question = "";
  /** { text: "None of the above" }; only where several labels can be chosen. */
  @property({ attribute: "exclusion-category" }) exclusionCategory: unknown = null;

  /** An earlier answer to judge: see overlay.ts. */
  @property() overlay: unknown = null;
  @state() private comment = "";
  protected shownOver: Overlay | null = null;

  protected override readonly labelsProperty = "categories";
  protected abstract readonly manner: Manner<Draft>;
  protected chooser: Chooser<Draft> | null = null;
  private none: Label | null = null;
  /** The label that has the focus, where it need not be a chosen one. */
  private at: string | null = null;
  private given: TaskInput | null = null;

  /** What is to be labeled. */
  protected abstract target(): unknown;
  /** Its buttons in the bar. */
  protected tools(): unknown { return nothing; }
  /** Does what a command says about how it is shown. */
  protected look(_command: Command): void {}

  // ---- the interface of crowd elements

  get task(): TaskInput | null { return this.given; }

  set task(task: TaskInput | null) {
    this.given = task;
    if (!task) return;
    this.src = task.text_url ?? task.image_url ?? "";
    this.categories = task.labels;
    this.initialValue = task.initial_value;
  }

  get hotkeys(): readonly Hotkey[] { return this.manner.hotkeys; }
  get value(): unknown {
    const answer = this.chooser?.answer ?? null;
    return answer && this.comment.trim() ? { ...answer, workerComment: this.comment } : answer;
  }

  override get draft(): Draft | null {
    const draft = super.draft;
    return draft && this.comment ? { ...draft, comment: this.comment } : draft;
  }

  override set draft(draft: Draft | null) {
    this.comment = commentOf(draft);
    super.draft = draft;
  }

  private get verdict(): boolean { return this.manner.role === "radio"; }
  private get region() { return this.verdict ? regionOf(this) : null; }
  protected override get watched(): readonly string[] { return [...super.watched, "overlay"]; }
  protected override get slots(): Record<string, string> { return this.verdict ? { ...super.slots, "worker-comment": "comment" } : super.slots; }

  protected get work(): Chooser<Draft> | null { return this.chooser; }
  protected resume(draft: Draft): void { this.chooser?.restore(draft); }

  protected get missing(): string {
    return this.chooser?.nothing ? this.manner.missing(this.subject, this.none?.name ?? null) : "";
  }

  protected undone(word: string): void {
    this.say(`${word}. ${this.chooser!.words}`);
    this.follow(null);
  }

  get empty(): boolean { return (this.chooser?.nothing ?? this.waiting === null) && this.comment === ""; }

  protected override focusRefused(): void { this.focus(); }

  /** Puts the keyboard on the labels, where all keys work. */
  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>(`[role="${this.manner.role}"][tabindex="0"]`)?.focus({ preventScroll: true });
  }

  // ---- life

  protected override readLabels(): void {
    this.known = parseLabels(this.categories ?? [], "categories");
    const raw = this.exclusionCategory;
    const lenient = typeof raw === "string" && /^\s*[[{'"]/.test(raw) ? parseLenient(raw, "exclusion-category") : raw;
    const none = this.manner.role === "checkbox" ? exclusionText(lenient) : null;
    this.none = none === null || this.known.some(({ name }) => name === none) ? null : { name: none, color: "", hotkey: "x" };
  }

  /** A label may stand there as it is. */
  protected override parseInitial(text: string): unknown {
    return /^\s*[[{'"]/.test(text) ? super.parseInitial(text) : text.trim();
  }

  protected override start(target: Target, initial: unknown): void {
    this.chooser = this.manner.make(this.known.map(({ name }) => name), this.none?.name ?? null, initial);
    if (this.waiting) this.resume(this.waiting);
    this.at = null;
    this.comment = commentOf(this.waiting);
    const { overlay } = this;
    this.shownOver = this.verdict ? readOverlay(typeof overlay === "string" && overlay ? parseLenient(overlay, "overlay") : overlay) : null;
    this.show(target);
  }

  /** Shows what was loaded. */
  protected abstract show(target: Target): void;

  protected override stop(): void {
    this.chooser = null;
  }

  // ---- what the worker does

  private choose(label: Label | null | undefined): void {
    if (!label || !this.chooser || this.disabled) return;
    const changed = this.chooser.choose(label.name);
    this.at = label.name;
    if (changed) this.changed();
    this.follow(label.name);
  }

  /** Brings the focus to the label that is chosen now, once it is rendered. */
  private follow(name: string | null): void {
    void this.updateComplete.then(() => {
      this.focus();
      const there = name === null ? '[aria-checked="true"]' : '[tabindex="0"]';
      this.renderRoot.querySelector(`.choices ${there}`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
    });
  }

  /** The labels that the search shows, and the one that says that none fits. */
  private get shown(): Label[] {
    return [...findLabels(this.known, this.typed), ...(this.none ? [this.none] : [])];
  }

  /** Goes to the next (1) or previous (-1) label among those shown; after the last one comes the first. One choice goes along. */
  private step(by: 1 | -1): void {
    const { shown } = this;
    if (shown.length === 0) return;
    const place = shown.findIndex(({ name }) => name === this.tabStop(shown));
    const next = shown[(place + by + shown.length) % shown.length]!;
    if (this.manner.role === "radio") return this.choose(next);
    this.at = next.name;
    this.requestUpdate();
    this.follow(next.name);
  }

  /** The name of the one label that Tab reaches: the one that had the focus, else a chosen one, else the first. */
  private tabStop(shown: readonly Label[]): string | undefined {
    const here = this.manner.role === "checkbox" ? shown.find(({ name }) => name === this.at) : undefined;
    return (here ?? shown.find(({ name }) => this.chooser?.has(name)) ?? shown[0])?.name;
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
      case "none": return this.choose(this.none);
      case "step": return this.step(command.by);
      case "pan": case "zoom": case "fit": return this.look(command);
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
      ${this.bar(this.tools())}
      <div class="main">
        <div class="work">${this.target()} ${this.notice()} ${this.over()}</div>
        <div class="side">${this.brief()} ${this.choices()}</div>
      </div>
      ${this.dialogs()}
    </div>`;
  }

  /** What lies over what is to be labeled. */
  protected over(): unknown { return nothing; }

  protected override dialogs() {
    const { region } = this;
    return html`${super.dialogs()}${region ? commentDialog(region, this.comment, (comment) => { this.comment = comment; this.changed(); }) : nothing}`;
  }

  /** The classes of the answer that is judged. */
  private earlier() {
    const classes = this.shownOver?.classes;
    return classes ? html`<p class="earlier">${msg("Earlier label:")} <strong>${classes.join(", ")}</strong></p>` : nothing;
  }

  private choices() {
    const { field, shown } = search({
      labels: this.known, typed: this.typed, onType: (typed) => (this.typed = typed), onChoose: (at) => this.choose(this.known[at]),
    });
    const { manner, none } = this;
    const stop = this.tabStop(this.shown);
    const flag = (on: boolean) => (on ? "true" : "false");
    const one = manner.role === "radio";
    return html`<section class="labels">
      ${this.earlier()}
      <h2 id="labels-title">${this.question || manner.question(this.subject)}</h2>
      ${field}
      ${this.refused()}
      <div class="choices" role=${manner.group} aria-labelledby="labels-title" aria-describedby="refusal"
          aria-required=${one ? "true" : nothing} aria-disabled=${flag(this.disabled)} aria-invalid=${one ? flag(!!this.refusal) : nothing}>
        ${shown.map((label) => this.choiceButton(label, label.name === stop))}
        ${none ? this.choiceButton(none, none.name === stop) : nothing}
      </div>
      ${shown.length === 0 ? html`<p class="empty">${msg("No label is called that.")}</p>` : nothing}
      ${this.region ? commentLink(this.region, this.comment, this.disabled) : nothing}
    </section>`;
  }

  private choiceButton(label: Label, stop: boolean) {
    const chosen = this.chooser?.has(label.name) ?? false;
    return html`<button type="button" class="label ${label === this.none ? "no-label" : ""}" role=${this.manner.role} aria-checked=${chosen ? "true" : "false"} tabindex=${stop ? "0" : "-1"}
        aria-disabled=${this.disabled ? "true" : "false"} aria-keyshortcuts=${label.hotkey?.replace("⇧", "Shift+") ?? nothing}
        @click=${() => this.choose(label)}>
      <span class="dot" aria-hidden="true"></span><span class="name">${label.name}</span>
      ${label.hotkey ? html`<kbd aria-hidden="true">${label.hotkey}</kbd>` : nothing}
    </button>`;
  }
}
