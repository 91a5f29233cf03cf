/**
 * What crowd elements that show one thing, mostly a picture, and a choice of labels have in common: the attributes, loading what
 * is shown, the regions with instructions, the dialogs, the refusal of an unfinished answer, the words for screen readers. A
 * subclass says what is done with it once it is there; one that shows something else than a picture says how it is loaded.
 */
import { LitElement, html, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import { type Label, parseLenient } from "../labels/labels";
import { loadPicture } from "../picture/load";
import { instructionsDialog, keysDialog } from "./dialogs";
import { type CrowdElement, type Hotkey, type TaskInput, emit } from "./element";
import { nameParts } from "./hooks";
import { type Light, PLAIN_LIGHT } from "./light";
import { submitButton } from "./submit-button";
import { msg, str, thing } from "../locale";

export abstract class PictureElement<Draft, Target = HTMLImageElement> extends LitElement implements CrowdElement {
  @property({ reflect: true }) name = "";
  @property() src = "";
  @property() header = "";
  @property({ attribute: "initial-value" }) initialValue: unknown = null;
  @property({ type: Boolean }) disabled = false;

  /** Whether the Submit button stands in this element; its form says so. */
  @property({ attribute: false }) submits = false;

  @state() protected problem = "";
  @state() protected refusal = "";
  @state() protected loading = true;
  @state() protected typed = "";
  @state() protected lightOpen = false;
  @state() protected light: Light = PLAIN_LIGHT;
  @query(".find") protected find?: HTMLInputElement;
  @query("#keys") private keysDialog!: HTMLDialogElement;
  @query("#instructions") private instructionsDialog!: HTMLDialogElement;
  @query("#say") private live!: HTMLElement;

  protected known: Label[] = [];
  /** A draft that was given before the picture was there. */
  protected waiting: Draft | null = null;
  private loads = 0;
  private readonly regions = new MutationObserver(() => this.placeRegions());

  abstract task: TaskInput | null;
  abstract readonly value: unknown;
  abstract readonly validationMessage: string;
  abstract draft: Draft | null;
  abstract readonly empty: boolean;
  abstract readonly canUndo: boolean;
  abstract readonly canRedo: boolean;
  abstract undo(): void;
  abstract redo(): void;
  abstract readonly hotkeys: readonly Hotkey[];

  /** The property with the labels: its change, as a change of `src`, starts the element over. */
  protected abstract readonly labelsProperty: string;
  /** Reads the labels into `known`. Throws an Error that the worker sees. */
  protected abstract readLabels(): void;
  /** What is shown is there: begin with `initial` (an initial value, read from its attribute) and then with `waiting`. */
  protected abstract start(target: Target, initial: unknown): void;
  /** Removes the picture that is shown and what belongs to it. */
  protected abstract stop(): void;
  /** Where the focus goes when an answer is refused. */
  protected abstract focusRefused(): void;

  /** Ground Truth's name for the answer, which its templates read. */
  get _submittableValue(): unknown { return this.value; }

  /** The properties whose change starts the element over. */
  protected get watched(): readonly string[] { return ["src", this.labelsProperty, "initialValue"]; }
  /** What is shown, in words. */
  protected readonly subject: string = "picture";
  /** Whether there is anything to load yet. */
  protected get hasTarget(): boolean { return this.src !== ""; }
  /** Where the element shows each of its regions. */
  protected get slots(): Record<string, string> { return { "short-instructions": "short", "full-instructions": "full" }; }
  /** Loads what is shown. Rejects with an Error for the worker. */
  protected loadTarget(src: string): Promise<Target> { return loadPicture(src) as Promise<Target>; }

  /** Reads the attribute with the initial value. Throws an Error that the worker sees. */
  protected parseInitial(text: string): unknown { return parseLenient(text, "initial-value"); }

  reportValidity(): boolean {
    this.refusal = this.validationMessage;
    if (this.refusal) {
      this.say(this.refusal);
      this.focusRefused();
    }
    return !this.refusal;
  }

  openInstructions(): void {
    this.instructionsDialog.showModal();
  }

  protected openKeys(): void {
    if (emit(this, "help")) this.keysDialog.showModal();
  }

  // ---- life

  override connectedCallback(): void {
    super.connectedCallback();
    this.addEventListener("pointerup", this.onRelease);
    this.placeRegions();
    this.regions.observe(this, { childList: true, subtree: true });
    if (this.hasUpdated && this.hasTarget) void this.load();
    void this.updateComplete.then(() => nameParts(this.renderRoot));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.removeEventListener("pointerup", this.onRelease);
    this.regions.disconnect();
    this.keepDraft(); // an element that is only moved within the page goes on from where it was
    this.stop();
  }

  /** Templates look at the answer at `mouseup`, which browsers leave out where a tool handles the pointer itself. */
  private readonly onRelease = (event: PointerEvent): void => {
    let told = false;
    const tell = () => (told = true);
    const { clientX, clientY, button } = event;
    this.addEventListener("mouseup", tell, { once: true });
    setTimeout(() => {
      this.removeEventListener("mouseup", tell);
      if (!told) this.dispatchEvent(new MouseEvent("mouseup", { bubbles: true, composed: true, clientX, clientY, button }));
    });
  };

  private keepDraft(): void {
    this.waiting ??= this.draft;
  }

  /** Ground Truth's regions are plain children: this puts them where the element shows them. One that is never closed holds the next. */
  private placeRegions(): void {
    for (const inner of this.querySelectorAll("short-instructions full-instructions")) this.append(inner);
    for (const child of this.children) {
      const slot = this.slots[child.localName];
      if (slot) child.slot = slot;
    }
    this.requestUpdate();
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (!this.watched.some((name) => changed.has(name))) return;
    try {
      if (changed.has(this.labelsProperty)) this.readLabels();
      this.problem = "";
    } catch (error) {
      this.problem = (error as Error).message;
    }
  }

  override updated(changed: Map<string, unknown>): void {
    const fresh = this.watched.some((name) => changed.has(name));
    if (!fresh || !this.hasTarget || this.problem) return;
    if (!changed.has("src")) this.keepDraft(); // new labels for the same picture: the work stays
    void this.load();
  }

  private async load(): Promise<void> {
    const turn = ++this.loads;
    this.loading = true;
    this.stop();
    try {
      const target = await this.loadTarget(this.src);
      if (turn !== this.loads || !this.isConnected) return; // another picture was asked for meanwhile
      const raw = this.initialValue;
      this.refusal = "";
      this.light = PLAIN_LIGHT;
      this.start(target, typeof raw === "string" && raw ? this.parseInitial(raw) : raw);
      this.waiting = null;
      emit(this, "ready");
    } catch (error) {
      if (turn !== this.loads) return;
      this.problem = (error as Error).message;
      emit(this, "error", this.problem);
    } finally {
      if (turn === this.loads) this.loading = false;
    }
  }

  /** The worker changed the answer. */
  protected changed(): void {
    this.refusal = "";
    this.requestUpdate();
    emit(this, "change", this.draft);
    this.dispatchEvent(new Event("change", { bubbles: true })); // what templates listen for
  }

  protected say(words: string): void {
    // a screen reader reads the same words a second time only if the text differs
    if (this.live) this.live.textContent = this.live.textContent === words ? `${words}\u00a0` : words;
  }

  // ---- what is seen

  protected get hasInstructions(): boolean {
    return this.querySelector("full-instructions, short-instructions") !== null;
  }

  /** The short instructions beside the picture. */
  protected brief() {
    if (!this.querySelector("short-instructions")) return nothing;
    return html`<section class="brief" aria-label=${msg("Instructions in short")}><h2>${msg("In short")}</h2><slot name="short"></slot>
      ${this.querySelector("full-instructions") ? html`<button type="button" @click=${this.openInstructions}>${msg("Full instructions")}</button>` : nothing}</section>`;
  }

  /** Over the picture while there is none. */
  protected notice() {
    if (this.problem) {
      return html`<div class="notice" role="alert"><strong>${this.problem}</strong>
        ${this.src ? html`<button type="button" @click=${() => { this.problem = ""; void this.load(); }}>${msg("Try again")}</button>` : nothing}</div>`;
    }
    return this.loading ? html`<div class="notice" role="status">${msg(str`Loading the ${thing(this.subject)}…`)}</div>` : nothing;
  }

  /** What a template put into the element besides its regions, such as further questions, stands below. */
  private lookForMore(event: Event): void {
    const slot = event.target as HTMLSlotElement;
    slot.parentElement!.hidden = !slot.assignedElements().some((one) => !one.matches("script, style, template"));
  }

  protected dialogs() {
    return html`<paper-icon-button hidden></paper-icon-button><div class="more" hidden><slot @slotchange=${this.lookForMore}></slot></div>${this.submits ? html`<div class="end">${submitButton(() => emit(this, "request-submit"))}</div>` : nothing}
      <div class="sr" id="say" role="status" aria-live="polite"></div>
      ${instructionsDialog(this.querySelector("full-instructions")?.getAttribute("header") || this.header)}
      ${keysDialog(this)}`;
  }
}
