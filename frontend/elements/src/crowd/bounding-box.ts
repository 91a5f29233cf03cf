/**
 * <crowd-bounding-box>: draw labeled boxes on a picture, by mouse, by keys alone or by touch.
 *
 * Attributes: name, src, labels, header, initial-value, disabled; image-width and image-height where the picture that is
 * served is scaled and boxes are wanted in other pixels. Children: <short-instructions>, <full-instructions header>.
 * Properties and events: those of every crowd element (element.ts). `value` is Ground Truth's answer.
 *
 * It connects the editor (what happens), the workbench (pointers, keys, view) and the panels. It knows nothing of the shell.
 */
import { html, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import { guard } from "lit/directives/guard.js";
import { type BoundingBoxAnswer, type AnswerBox, type Draft, toAnswer, toDraft } from "../boxes/answer";
import { Editor } from "../boxes/editor";
import { iconStyles } from "../kit/icons";
import { parseLabels } from "../labels/labels";
import type { TaskInput } from "./element";
import { HOTKEYS } from "./keys";
import { lightPanel } from "./light";
import { boxList, palette } from "./panels";
import { PictureElement } from "./picture-element";
import { crowdElement } from "./registry";
import { boxStyles, tokens, toolStyles } from "./styles";
import { actions, toolbar } from "./toolbar";
import { Workbench } from "./workbench";

/** For a box whose label is none of the task's. */
const FALLBACK_COLOUR = "#c9c9c9";

@crowdElement("crowd-bounding-box")
export class CrowdBoundingBox extends PictureElement<Draft> {
  static override styles = [tokens, iconStyles, toolStyles, boxStyles];

  @property() labels: unknown = null;
  @property({ type: Number, attribute: "image-width" }) imageWidth = 0;
  @property({ type: Number, attribute: "image-height" }) imageHeight = 0;

  @state() private listOpen = false;
  @query(".canvas") private canvas!: HTMLDivElement;

  readonly hotkeys = HOTKEYS;
  protected override readonly labelsProperty = "labels";
  private initial: AnswerBox[] | null = null;
  private bench: Workbench | null = null;
  private given: TaskInput | null = null;

  // ---- the interface of crowd elements

  get editor(): Editor | null { return this.bench?.editor ?? null; }
  get task(): TaskInput | null { return this.given; }

  set task(task: TaskInput | null) {
    this.given = task;
    if (!task) return;
    this.src = task.image_url ?? "";
    this.labels = task.labels;
    this.initialValue = task.initial_value;
    this.imageWidth = task.image_size.width;
    this.imageHeight = task.image_size.height;
  }

  /** The answer, or null while there is no picture. */
  get value(): BoundingBoxAnswer | null {
    return this.editor ? toAnswer(this.editor.answer, this.editor.size, this.initial) : null;
  }

  get draft(): Draft | null {
    return this.editor ? this.editor.draft : this.waiting;
  }

  set draft(draft: Draft | null) {
    if (this.editor) this.editor.load(draft?.boxes, draft?.nothing);
    else this.waiting = draft;
  }

  get empty(): boolean { return (this.draft?.boxes.length ?? 0) === 0; }
  get canUndo(): boolean { return this.editor?.history.canUndo ?? false; }
  get canRedo(): boolean { return this.editor?.history.canRedo ?? false; }
  undo(): void { this.editor?.undo(); }
  redo(): void { this.editor?.redo(); }

  /** An answer needs a box, or the mark that there is nothing to label, and a label on every box. */
  get validationMessage(): string {
    if (!this.editor) return this.problem || "The picture is still loading.";
    const unlabeled = this.editor.boxes.find((box) => !this.known.some((label) => label.name === box.label));
    if (unlabeled) return `Choose a label for box ${this.editor.boxes.indexOf(unlabeled) + 1}.`;
    const empty = this.editor.boxes.length === 0 && !this.editor.answer.nothing;
    return empty ? "Draw a box around each object, or tick “Nothing to label here”." : "";
  }

  protected override focusRefused(): void {
    this.renderRoot.querySelector<HTMLElement>("#nothing")?.focus();
  }

  /** Puts the keyboard on the canvas, where all keys of the tool work. */
  override focus(): void {
    this.canvas?.focus({ preventScroll: true });
  }

  // ---- life

  protected override readLabels(): void {
    this.known = parseLabels(this.labels ?? []);
  }

  protected override start(image: HTMLImageElement, initial: unknown): void {
    const size = { width: this.imageWidth || image.naturalWidth, height: this.imageHeight || image.naturalHeight };
    const editor = new Editor(size, this.known, {
      changed: () => this.changed(),
      shown: () => this.bench?.shown(),
      say: (words) => this.say(words),
    });
    if (initial) editor.load(initial);
    this.initial = initial ? toDraft(editor.answer).boxes : null;
    if (this.waiting) editor.load(this.waiting.boxes, this.waiting.nothing);
    this.bench = new Workbench(this.canvas, editor, {
      colour: (label) => this.colour(label),
      update: () => this.requestUpdate(),
      open: (what) => (what === "help" ? this.openKeys() : this.find?.focus()),
      disabled: () => this.disabled,
    });
    this.bench.begin(image);
  }

  protected override stop(): void {
    this.bench?.destroy();
    this.bench = null;
  }

  override updated(changed: Map<string, unknown>): void {
    super.updated(changed);
    if (changed.has("light")) this.bench?.setLight(this.light);
  }

  protected override changed(): void {
    this.bench?.shown(true);
    super.changed();
  }

  private colour(label: string): string {
    return this.known.find((one) => one.name === label)?.color ?? FALLBACK_COLOUR;
  }

  private choose(at: number): void {
    this.editor?.setLabel(at);
    this.requestUpdate();
    this.focus();
  }

  // ---- what is seen

  override render() {
    const editor = this.editor;
    const boxes = editor?.boxes ?? [];
    return html`<div class="root" @keydown=${(event: KeyboardEvent) => this.bench?.keydown(event)} @keyup=${(event: KeyboardEvent) => this.bench?.keyup(event)}>
      ${toolbar({
        header: this.header, bench: this.bench, lightOpen: this.lightOpen, instructions: this.hasInstructions,
        toggleLight: () => (this.lightOpen = !this.lightOpen), help: () => this.openKeys(), openInstructions: () => this.openInstructions(),
      })}
      <div class="main">
        <div class="work">
          <div class="canvas ${this.bench?.cursorClass ?? ""}" tabindex="0" role="application" aria-label=${this.canvasLabel()} aria-describedby="how"></div>
          <span class="sr" id="how">Press B to draw a box by keys, N for the next box, question mark for all keys.</span>
          ${this.notice()} ${this.cursorHint()}
          ${this.lightOpen ? lightPanel(this.light, (light) => (this.light = light), "Box filling") : nothing}
          ${editor?.box && !this.disabled ? actions(editor, () => this.focus()) : nothing}
        </div>
        <div class="side">
          ${this.brief()}
          ${palette({
            labels: this.known, current: editor?.label ?? 0, typed: this.typed,
            onType: (typed) => (this.typed = typed), onChoose: (at) => this.choose(at),
          })}
          ${guard([boxes, editor?.selected, this.listOpen, this.known], () => boxList({
            boxes, selected: editor?.selected ?? null, open: this.listOpen, colour: (label) => this.colour(label),
            onSelect: (id) => { editor?.select(id); this.bench?.reveal(); this.requestUpdate(); },
            onRemove: (id) => editor?.remove(id),
          }))}
          ${this.finish()}
        </div>
      </div>
      ${this.dialogs()}
    </div>`;
  }

  private canvasLabel(): string {
    const boxes = this.editor?.boxes.length ?? 0;
    return `Picture to label${this.header ? `: ${this.header}` : ""}. ${boxes === 1 ? "1 box" : `${boxes} boxes`}.`;
  }

  private cursorHint() {
    const cursor = this.editor?.cursor;
    if (!cursor) return nothing;
    return html`<div class="hint">${cursor.corner ? "Move to the opposite corner, then B" : "Move with the arrow keys, then B for the first corner"}</div>`;
  }

  private finish() {
    const editor = this.editor;
    const has = (editor?.boxes.length ?? 0) > 0;
    return html`<section class="finish">
      <label class="none"><input id="nothing" type="checkbox" .checked=${editor?.answer.nothing ?? false} ?disabled=${has || !editor || this.disabled}
          aria-describedby="refusal" @change=${(event: Event) => editor?.setNothing((event.target as HTMLInputElement).checked)} />
        <span>Nothing to label here</span></label>
      <button type="button" class="listing" aria-expanded=${this.listOpen ? "true" : "false"} aria-controls="box-list"
        @click=${() => (this.listOpen = !this.listOpen)}>Boxes ${editor?.boxes.length ?? 0}</button>
      <div id="refusal" aria-live="assertive">${this.refusal ? html`<p class="warn">${this.refusal}</p>` : nothing}</div>
    </section>`;
  }
}
