/**
 * <crowd-bounding-box>: draw labeled boxes on a picture, by mouse, by keys alone or by touch.
 *
 * Attributes: name, src, labels, header, initial-value, disabled; image-width and image-height where the picture that is
 * served is scaled and boxes are wanted in other pixels. Children: <short-instructions>, <full-instructions header>.
 * Properties: `value` (Ground Truth's answer), `draft` (to save and restore), `reportValidity()`.
 * Events: `crowd-change` (detail: the draft), `crowd-ready`, `crowd-error`.
 *
 * It wires together the editor (what happens), the stage (what is seen), pointers and keys. It knows nothing of tasks.
 */
import { LitElement, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { guard } from "lit/directives/guard.js";
import { type BoundingBoxAnswer, type AnswerBox, type Draft, toAnswer, toDraft } from "../boxes/answer";
import { Editor } from "../boxes/editor";
import type { Size } from "../boxes/geometry";
import { type Label, parseLabels, parseLenient } from "../boxes/labels";
import { iconStyles } from "../kit/icons";
import { loadPicture } from "./picture";
import { type Light, PLAIN_LIGHT, boxList, keyHelp, lightPanel, palette } from "./panels";
import { boxStyles, tokens } from "./styles";
import { actions, instructionsDialog, toolbar } from "./toolbar";
import { Workbench } from "./workbench";

const BOX_FALLBACK = "#c9c9c9";

@customElement("crowd-bounding-box")
export class CrowdBoundingBox extends LitElement {
  static override styles = [tokens, iconStyles, boxStyles];

  @property({ reflect: true }) name = "";
  @property() src = "";
  @property() labels: unknown = null;
  @property() header = "";
  @property({ attribute: "initial-value" }) initialValue: unknown = null;
  @property({ type: Boolean }) disabled = false;
  @property({ type: Number, attribute: "image-width" }) imageWidth = 0;
  @property({ type: Number, attribute: "image-height" }) imageHeight = 0;

  @state() private problem = "";
  @state() private refusal = "";
  @state() private loading = true;
  @state() private typed = "";
  @state() private listOpen = false;
  @state() private lightOpen = false;
  @state() private light: Light = PLAIN_LIGHT;
  @query(".canvas") private canvas!: HTMLDivElement;
  @query(".find") private find?: HTMLInputElement;
  @query("#keys") private keysDialog!: HTMLDialogElement;
  @query("#instructions") private instructionsDialog!: HTMLDialogElement;
  @query("#say") private live!: HTMLElement;

  private known: Label[] = [];
  private initial: AnswerBox[] | null = null;
  private waiting: Draft | null = null;
  private bench: Workbench | null = null;
  private loads = 0;
  private readonly regions = new MutationObserver(() => this.placeRegions());

  // ---- what the form and the shell use

  get editor(): Editor | null { return this.bench?.editor ?? null; }

  /** The answer, or null while there is no picture. */
  get value(): BoundingBoxAnswer | null {
    return this.editor ? toAnswer(this.editor.answer, this.editor.size, this.initial) : null;
  }

  /** What has been drawn so far; setting it (also before the picture is there) starts from it. */
  get draft(): Draft | null {
    return this.editor ? this.editor.draft : this.waiting;
  }

  set draft(draft: Draft | null) {
    if (this.editor) this.editor.load(draft?.boxes, draft?.nothing);
    else this.waiting = draft;
  }

  /** False, with a message to the worker, when there is neither a box nor the word that there is nothing to label. */
  reportValidity(): boolean {
    this.refusal = this.whyNot();
    if (this.refusal) {
      this.say(this.refusal);
      this.renderRoot.querySelector<HTMLElement>("#nothing")?.focus();
    }
    return !this.refusal;
  }

  private whyNot(): string {
    if (!this.editor) return this.problem || "The picture is still loading.";
    const unlabeled = this.editor.boxes.find((box) => !this.known.some((label) => label.name === box.label));
    if (unlabeled) return `Choose a label for box ${this.editor.boxes.indexOf(unlabeled) + 1}.`;
    const empty = this.editor.boxes.length === 0 && !this.editor.answer.nothing;
    return empty ? "Draw a box around each object, or tick “Nothing to label here”." : "";
  }

  /** Puts the keyboard on the canvas, where all keys of the tool work. */
  override focus(): void {
    this.canvas?.focus({ preventScroll: true });
  }

  openInstructions(): void {
    this.instructionsDialog.showModal();
  }

  // ---- life

  override connectedCallback(): void {
    super.connectedCallback();
    this.placeRegions();
    this.regions.observe(this, { childList: true });
    if (this.hasUpdated && this.src) void this.load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.regions.disconnect();
    this.keepDraft(); // an element that is only moved in the page starts again from where it was
    this.bench?.destroy();
    this.bench = null;
  }

  private keepDraft(): void {
    this.waiting ??= this.editor?.draft ?? null;
  }

  /** Ground Truth's regions are plain children: put them where the tool shows them. */
  private placeRegions(): void {
    for (const child of this.children) {
      if (child.localName === "short-instructions") child.slot = "short";
      if (child.localName === "full-instructions") child.slot = "full";
    }
    this.requestUpdate();
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has("labels") && !changed.has("src") && !changed.has("initialValue")) return;
    try {
      if (changed.has("labels")) this.known = parseLabels(this.labels ?? []);
      this.problem = "";
    } catch (error) {
      this.problem = (error as Error).message;
    }
  }

  override updated(changed: Map<string, unknown>): void {
    const fresh = ["src", "labels", "initialValue"].some((name) => changed.has(name));
    if (fresh && this.src && !this.problem) {
      if (!changed.has("src")) this.keepDraft(); // new labels for the same picture: the boxes stay
      void this.load();
    }
    if (changed.has("light")) this.bench?.setLight(this.light);
  }

  private async load(): Promise<void> {
    const turn = ++this.loads;
    this.loading = true;
    this.bench?.destroy();
    this.bench = null;
    try {
      const image = await loadPicture(this.src);
      if (turn !== this.loads || !this.isConnected) return; // another picture was asked for meanwhile
      const size = { width: this.imageWidth || image.naturalWidth, height: this.imageHeight || image.naturalHeight };
      this.start(image, size);
    } catch (error) {
      if (turn !== this.loads) return;
      this.problem = (error as Error).message;
      this.dispatchEvent(new CustomEvent("crowd-error", { bubbles: true, composed: true, detail: this.problem }));
    } finally {
      if (turn === this.loads) this.loading = false;
    }
  }

  private start(image: HTMLImageElement, size: Size): void {
    const editor = new Editor(size, this.known, {
      changed: () => this.onChanged(),
      shown: () => this.bench?.shown(),
      say: (words) => this.say(words),
    });
    const raw = typeof this.initialValue === "string" && this.initialValue ? parseLenient(this.initialValue, "initial-value") : this.initialValue;
    if (raw) editor.load(raw);
    this.initial = raw ? toDraft(editor.answer).boxes : null;
    if (this.waiting) editor.load(this.waiting.boxes, this.waiting.nothing);
    this.waiting = null;
    this.refusal = "";
    this.light = PLAIN_LIGHT;
    this.bench = new Workbench(this.canvas, editor, {
      colour: (label) => this.colour(label),
      update: () => this.requestUpdate(),
      open: (what) => this.open(what),
      disabled: () => this.disabled,
    });
    this.bench.begin(image);
    this.dispatchEvent(new CustomEvent("crowd-ready", { bubbles: true, composed: true, detail: size }));
  }

  private onChanged(): void {
    this.refusal = "";
    this.bench?.shown(true);
    this.requestUpdate();
    this.dispatchEvent(new CustomEvent("crowd-change", { bubbles: true, composed: true, detail: this.draft }));
  }

  private colour(label: string): string {
    return this.known.find((one) => one.name === label)?.color ?? BOX_FALLBACK;
  }

  private say(words: string): void {
    // the same words twice are only read again when the text differs
    if (this.live) this.live.textContent = this.live.textContent === words ? `${words}\u00a0` : words;
  }

  private open(what: "search" | "help"): void {
    if (what === "help") this.keysDialog.showModal();
    else this.find?.focus();
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
        header: this.header, bench: this.bench, lightOpen: this.lightOpen, listOpen: this.listOpen, count: boxes.length,
        instructions: this.querySelector("full-instructions, short-instructions") !== null,
        toggleLight: () => (this.lightOpen = !this.lightOpen), toggleList: () => (this.listOpen = !this.listOpen),
        help: () => this.keysDialog.showModal(), openInstructions: () => this.openInstructions(),
      })}
      <div class="main">
        <div class="work">
          <div class="canvas ${this.bench?.cursorClass ?? ""}" tabindex="0" role="application" aria-label=${this.canvasLabel()} aria-describedby="how"></div>
          <span class="sr" id="how">Press B to draw a box by keys, N for the next box, question mark for all keys.</span>
          ${this.overlay()}
          ${this.lightOpen ? lightPanel(this.light, (light) => (this.light = light)) : nothing}
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
      <div class="sr" id="say" role="status" aria-live="polite"></div>
      ${instructionsDialog(this.querySelector("full-instructions")?.getAttribute("header") || this.header)}
      <dialog id="keys" aria-labelledby="keys-title"><header><h2 id="keys-title">Keys</h2>
        <button type="button" class="plain" @click=${() => this.keysDialog.close()}>Close</button></header>${keyHelp()}</dialog>
    </div>`;
  }

  private canvasLabel(): string {
    const boxes = this.editor?.boxes.length ?? 0;
    return `Picture to label${this.header ? `: ${this.header}` : ""}. ${boxes === 1 ? "1 box" : `${boxes} boxes`}.`;
  }

  private brief() {
    if (!this.querySelector("short-instructions")) return nothing;
    return html`<section class="brief" aria-label="Instructions in short"><h2>In short</h2><slot name="short"></slot>
      ${this.querySelector("full-instructions") ? html`<button type="button" @click=${this.openInstructions}>Full instructions</button>` : nothing}</section>`;
  }

  private overlay() {
    if (this.problem) {
      return html`<div class="notice" role="alert"><strong>${this.problem}</strong>
        ${this.src ? html`<button type="button" @click=${() => { this.problem = ""; void this.load(); }}>Try again</button>` : nothing}</div>`;
    }
    if (this.loading) return html`<div class="notice" role="status">Loading the picture…</div>`;
    const cursor = this.editor?.cursor;
    if (cursor) return html`<div class="hint">${cursor.corner ? "Move to the opposite corner, then B" : "Move with the arrow keys, then B for the first corner"}</div>`;
    return nothing;
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
