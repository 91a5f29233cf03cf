/**
 * <crowd-entity-annotation>: mark stretches of a text, each with a label, by mouse, by keys alone or by touch.
 *
 * Attributes: name, text, header, labels (JSON or JSON5: texts, or objects with `label`, `fullDisplayName`, `shortDisplayName`),
 * initial-value ([{label, startOffset, endOffset}]), disabled. Beyond Ground Truth's: src, the address of the text.
 * Children: <short-instructions>, <full-instructions header>.
 * Properties and events: those of every crowd element (element.ts). `value` is Ground Truth's answer, {entities}; its offsets count
 * Unicode code points. It stands outside <crowd-form>: it has one of its own in its shadow root, with the Submit button, to which other
 * fields in the element belong. Within a <crowd-form>, that form is hidden, and its fields are those of the form around the element.
 */
import { html, nothing } from "lit";
import { property, state } from "lit/decorators.js";
import { type Entity, Entities, type EntityDraft, initialEntities } from "../entities/editor";
import { type Command, HOTKEYS, commandOf } from "../entities/keys";
import { icon, iconStyles } from "../kit/icons";
import { isDark } from "../labels/colours";
import { type Label, parseLabels, parseLenient } from "../labels/labels";
import { loadText } from "../text/load";
import { paint } from "../text/marks";
import { selectedOffsets } from "../text/selection";
import { type Stretch, stretches } from "../text/spans";
import { iconButton } from "./buttons";
import type { CrowdForm } from "./crowd-form";
import { type Hotkey, type TaskInput, emit } from "./element";
import { spot } from "./label-parts";
import { palette } from "./panels";
import { crowdElement } from "./registry";
import { shapeStyles, tokens, toolStyles } from "./styles";
import { entityStyles, markStyles, textStyles } from "./text-styles";
import { WorkElement } from "./work-element";
import { msg, str } from "../locale";

/** Commands that work while the element is disabled: they only change the display. */
const LOOKING: readonly Command["do"][] = ["move", "cancel", "next", "previous", "search", "help"];

@crowdElement("crowd-entity-annotation")
export class CrowdEntityAnnotation extends WorkElement<EntityDraft, string> {
  static override styles = [tokens, iconStyles, toolStyles, shapeStyles, textStyles, markStyles, entityStyles];

  @property() labels: unknown = null;
  @property() text = "";
  @state() private current = 0;
  @state() private selected: Entity | null = null;
  /** Where the cursor is, and where the selection began. */
  @state() private head = 0;
  @state() private anchor = 0;

  readonly hotkeys: readonly Hotkey[] = HOTKEYS;
  protected override readonly labelsProperty = "labels";
  protected override readonly subject = "text";
  private names = new Map<string, { short: string; full: string }>();
  private editor: Entities | null = null;
  private shown = "";
  /** What is selected by mouse or finger. */
  private native: { start: number; end: number } | null = null;
  private given: TaskInput | null = null;
  private readonly onSelection = () => { this.native = selectedOffsets(this.renderRoot as ShadowRoot); };

  protected override get hasTarget(): boolean { return this.src !== "" || this.text !== ""; }
  protected override get watched(): readonly string[] { return [...super.watched, "text"]; }
  protected override loadTarget(src: string): Promise<string> { return this.text ? Promise.resolve(this.text) : loadText(src); }
  /** The form around it, which has the button that submits. */
  private get outer(): CrowdForm | null { return this.closest("crowd-form"); }
  private get own(): CrowdForm | null { return this.renderRoot.querySelector("crowd-form"); }
  /** What a form around the element has to read as well. */
  get innerForm(): HTMLFormElement | null { return this.own?.form ?? null; }

  // ---- the interface of crowd elements

  get task(): TaskInput | null { return this.given; }

  set task(task: TaskInput | null) {
    this.given = task;
    if (!task) return;
    this.src = task.text_url ?? "";
    this.labels = task.labels;
    this.initialValue = task.initial_value;
  }

  get value(): unknown { return this.editor?.answer ?? null; }
  protected get work(): Entities | null { return this.editor; }
  protected resume(draft: EntityDraft): void { this.editor?.restore(draft); }
  protected get missing(): string { return this.empty ? msg("Mark every entity, or tick “No entities in this text”.") : ""; }
  get empty(): boolean { return this.editor ? this.editor.list.length === 0 && !this.editor.none : this.waiting === null; }

  protected override focusRefused(): void { this.renderRoot.querySelector<HTMLElement>("#none")?.focus(); }

  /** Puts the keyboard on the text, where all keys work. */
  override focus(): void { this.renderRoot.querySelector<HTMLElement>(".text")?.focus({ preventScroll: true }); }

  // ---- life

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("selectionchange", this.onSelection);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("selectionchange", this.onSelection);
  }

  protected override readLabels(): void {
    this.known = parseLabels(this.labels ?? []);
    const raw = typeof this.labels === "string" ? parseLenient(this.labels, "labels") : this.labels;
    this.names = new Map((raw as unknown[]).map((one) => {
      const { label, shortDisplayName: short, fullDisplayName: full } = (typeof one === "object" && one !== null ? one : { label: one }) as Record<string, unknown>;
      const name = String(label);
      return [name, { short: typeof short === "string" && short ? short : name, full: typeof full === "string" && full ? full : name }];
    }));
  }

  protected override start(text: string, initial: unknown): void {
    this.shown = text;
    this.editor = new Entities(text, this.known.map(({ name }) => name), initialEntities(initial));
    if (this.waiting) this.resume(this.waiting);
    this.selected = null;
    this.head = this.anchor = 0;
  }

  protected override stop(): void { this.editor = null; }

  protected override firstUpdated(): void {
    const { own } = this;
    const field = own?.querySelector("object-value-input");
    if (!own || !field) return;
    Object.defineProperties(field, {
      name: { get: () => (this.outer || this.disabled ? "" : this.name) },
      value: { get: () => this.value },
      validate: { value: () => this.reportValidity() },
    });
    own.addEventListener("submit", (event) => { if (!this.outer && !this.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }))) event.preventDefault(); });
    own.addEventListener("crowd-submit", (event) => {
      if (!this.outer) return;
      event.preventDefault();
      event.stopPropagation();
      this.outer.submit();
    });
    if (!this.outer) own.serve(this);
  }

  override updated(changed: Map<string, unknown>): void {
    super.updated(changed);
    paint(this.renderRoot);
  }

  // ---- what the worker does

  private mark(at: number, stretch: { start: number; end: number } | null): void {
    if (!this.editor || this.disabled) return;
    this.current = at;
    const label = this.known[at]!;
    const place = stretch ?? this.selected;
    if (!place) return;
    const entity = this.editor.mark(label.name, place.start, place.end);
    if (!entity) return this.say(msg("There is nothing but white space."));
    this.selected = entity;
    this.head = this.anchor = entity.end;
    this.native = null;
    document.getSelection()?.removeAllRanges();
    this.changed();
    this.say(msg(str`“${this.editor.between(entity.start, entity.end)}” is marked as ${this.names.get(label.name)?.full ?? label.name}.`));
    this.focus();
  }

  /** What is selected by keys, or else by mouse or finger. */
  private get stretch(): { start: number; end: number } | null {
    if (this.head !== this.anchor) return { start: Math.min(this.head, this.anchor), end: Math.max(this.head, this.anchor) };
    return this.native;
  }

  private drop(entity: Entity | null): void {
    if (!entity || !this.editor || this.disabled) return;
    this.editor.remove(entity);
    this.selected = null;
    this.changed();
    this.say(msg("The entity is removed."));
    this.focus();
  }

  private sayNone(none: boolean): void {
    this.editor?.sayNone(none);
    this.changed();
  }

  protected undone(word: string): void {
    this.selected = null;
    const { length } = this.editor!.list;
    this.say(msg(str`${word}. ${length} ${length === 1 ? "entity is" : "entities are"} marked.`));
  }

  private go(by: 1 | -1): void {
    const list = this.editor?.list ?? [];
    if (list.length === 0) return this.say(msg("No entity is marked."));
    const at = list.findIndex((one) => one === this.selected);
    this.select(list[(at + by + list.length + (at < 0 && by < 0 ? 1 : 0)) % list.length]!);
  }

  private select(entity: Entity): void {
    this.selected = entity;
    this.head = this.anchor = entity.end;
    this.say(`“${this.editor!.between(entity.start, entity.end)}”, ${entity.label}.`);
    void this.updateComplete.then(() => this.renderRoot.querySelector("mark.on")?.scrollIntoView({ block: "nearest" }));
  }

  private move(command: Extract<Command, { do: "move" }>): void {
    if (!this.editor) return;
    document.getSelection()?.removeAllRanges();
    this.selected = null;
    this.head = this.editor.moved(this.head, command.by, command.word);
    if (!command.extend) this.anchor = this.head;
    const { stretch } = this;
    this.say(stretch ? msg(str`Selected: ${this.editor.between(stretch.start, stretch.end)}`) : this.editor.between(this.head, this.editor.moved(this.head, 1, command.word)) || msg("End of the text"));
    void this.updateComplete.then(() => this.renderRoot.querySelector(".caret")?.scrollIntoView({ block: "nearest" }));
  }

  /** By mouse a stretch is marked as soon as it is selected; by finger, whose selection is moved, once a label is tapped. */
  private released(event: PointerEvent): void {
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    this.onSelection();
    this.head = this.anchor;
    if (this.native) return this.mark(this.current, this.native);
    const at = (event.composedPath()[0] as Element).closest<HTMLElement>("[data-start]");
    const place = at ? Number(at.dataset["start"]) : -1;
    const inside = this.editor?.list.filter((one) => one.start <= place && one.end > place) ?? [];
    if (inside.length > 0) this.select(inside.at(-1)!);
    else this.selected = null;
  }

  private keydown(event: KeyboardEvent): void {
    const origin = event.composedPath()[0] as HTMLElement;
    if (event.defaultPrevented || origin.closest("dialog")) return;
    if (origin instanceof HTMLInputElement && origin.type === "search") {
      if (event.key === "Escape") this.focus();
      return;
    }
    if (event.key === "Enter" && origin.closest("button, input")) return;
    const command = commandOf(event);
    if (!command || (this.disabled && !LOOKING.includes(command.do))) return;
    event.preventDefault();
    if (!(command.do === "confirm" && event.repeat)) this.run(command);
  }

  private run(command: Command): void {
    switch (command.do) {
      case "move": return this.move(command);
      case "label": {
        const at = this.known.findIndex(({ hotkey }) => hotkey === command.hotkey);
        if (at >= 0) this.mark(at, this.stretch);
        return;
      }
      case "confirm": return this.stretch ? this.mark(this.current, this.stretch) : this.hand();
      case "cancel": this.selected = null; this.anchor = this.head; document.getSelection()?.removeAllRanges(); return;
      case "remove": return this.drop(this.selected);
      case "next": return this.go(1);
      case "previous": return this.go(-1);
      case "undo": return this.undo();
      case "redo": return this.redo();
      case "none": return this.sayNone(!this.editor?.none);
      case "search": return this.find?.focus();
      case "help": return this.openKeys();
    }
  }

  /** Submits: by the form around it, or by its own. Returns false if a field or a listener refuses. */
  submit(): boolean { return this.own?.submit() ?? false; }

  private hand(): void {
    if (this.outer) emit(this, "request-submit");
    else this.own?.requestSubmit();
  }

  // ---- what is seen

  override render() {
    return html`<div class="root" @keydown=${this.keydown}>
      ${this.bar(iconButton({ name: msg("Remove the selected entity"), glyph: "trash", keys: "Delete", off: !this.selected || this.disabled, act: () => this.drop(this.selected) }))}
      <div class="main">
        <div class="work">${this.words()} ${this.notice()}</div>
        <div class="side">${this.brief()}
          ${palette({
            labels: this.known.map((label) => ({ ...label, name: this.names.get(label.name)?.full ?? label.name })), typed: this.typed, current: this.current,
            onType: (typed) => (this.typed = typed), onChoose: (at) => this.mark(at, this.stretch),
          })}
          ${this.list()} ${this.finish()}
        </div>
      </div>
      ${this.dialogs()}
      <crowd-form ?hidden=${this.outer !== null}><object-value-input hidden></object-value-input></crowd-form>
    </div>`;
  }

  private words() {
    const entities = this.editor?.list ?? [];
    const low = Math.min(this.head, this.anchor), high = Math.max(this.head, this.anchor);
    const selection = low < high ? [{ label: "", start: low, end: high }] : [];
    const pieces = this.editor ? stretches(this.shown, [...entities, ...selection, { label: "", start: this.head, end: this.head }]) : [];
    return html`<div class="text" role="group" tabindex="0" aria-label=${msg("Text to label. Arrow keys move the cursor, with Shift they select")} @pointerup=${this.released}>
      <div class="words">${pieces.map((piece) => this.piece(piece, low, high))}${this.editor && this.head === this.editor.length ? this.caret() : nothing}</div></div>`;
  }

  private caret() { return html`<span class="caret" aria-hidden="true"></span>`; }

  private piece(piece: Stretch<Entity>, low: number, high: number) {
    const here = this.head === piece.start ? this.caret() : nothing;
    const on = piece.start >= low && piece.end <= high && low < high ? "picked" : "";
    const top = piece.spans.filter(({ label }) => label !== "").at(-1);
    if (!top) return html`${here}<span class=${on} data-start=${piece.start} data-end=${piece.end}>${piece.text}</span>`;
    const colour = this.colourOf(top.label);
    const tag = top.end === piece.end ? html`<small class="tag" data-tag=${this.names.get(top.label)?.short ?? top.label}></small>` : nothing;
    return html`${here}<mark class="${on} ${isDark(colour) ? "dark" : ""} ${top === this.selected ? "on" : ""}" data-colour=${colour} data-start=${piece.start} data-end=${piece.end}>${piece.text}</mark>${tag}`;
  }

  private colourOf(name: string): string { return this.known.find((label: Label) => label.name === name)?.color ?? "#888"; }

  private list() {
    const entities = this.editor?.list ?? [];
    return html`<section class="boxes open" aria-label=${msg("Entities")}>
      <h2>${msg("Entities")} <span>${entities.length}</span></h2>
      ${entities.length === 0 ? html`<p class="empty">${msg("None yet. Select text with the mouse, or with Shift and the arrow keys, and press a label's key.")}</p>` : nothing}
      <ul class="list">${entities.map((one, at) => html`<li class=${one === this.selected ? "on" : ""}>
        <button type="button" class="go" aria-pressed=${one === this.selected ? "true" : "false"} @click=${() => this.select(one)}>
          ${spot(this.colourOf(one.label))}<span>${this.editor!.between(one.start, one.end)}</span><small>${this.names.get(one.label)?.short ?? one.label}</small></button>
        <button type="button" class="gone" aria-label=${msg(str`Remove entity ${at + 1}, ${one.label}`)} ?disabled=${this.disabled} @click=${() => this.drop(one)}>${icon("trash")}</button></li>`)}</ul>
    </section>`;
  }

  private finish() {
    const off = this.disabled || (this.editor?.list.length ?? 0) > 0;
    return html`<section class="finish">
      <label class="none"><input type="checkbox" id="none" .checked=${this.editor?.none ?? false} ?disabled=${off} aria-describedby="refusal"
        @change=${(event: Event) => this.sayNone((event.target as HTMLInputElement).checked)} /><span>${msg("No entities in this text")}</span><kbd aria-hidden="true">x</kbd></label>
      ${this.refused()}
    </section>`;
  }
}
