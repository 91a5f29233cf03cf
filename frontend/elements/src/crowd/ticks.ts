/**
 * <crowd-checkbox> and <crowd-toggle-button>: on or off. The answer is `{"<value>": true or false}`, of one name one object.
 *
 * A click is one `click` event of the element, also on the words. Its listeners see `checked` as Ground Truth's templates know it: as it
 * was before for an element of the template itself, whose listeners are older than Ground Truth's own there, and as it is now for one
 * that a script makes later. `input` and `change` always come afterwards.
 */
import { css, html, nothing } from "lit";
import { property, query } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import { CrowdControl, controlStyles, isWords, wordsOf } from "./control";
import { crowdPart } from "./registry";
import { msg } from "../locale";

type Box = HTMLElement & { checked: boolean; input?: HTMLInputElement; updateComplete?: Promise<unknown> };

abstract class Tick extends CrowdControl {
  static override styles = [...controlStyles, css`:host { display: inline-block; margin-inline-end: 1rem; }`];

  @property({ type: Boolean }) checked = false;
  @property() value = "on";
  @query("wa-checkbox, wa-switch") private box!: Box;
  /** Boxes of one name make one object. */
  readonly joins = true;

  get _submittableValue(): Record<string, boolean> { return Object.fromEntries([[this.value, this.checked]]); }
  get draft(): unknown { return this.checked; }
  set draft(draft: unknown) { this.checked = draft === true; }
  get fieldName(): string { return wordsOf(this) || this.getAttribute("aria-label") || this.name; }
  formReset(): void { this.refusal = ""; this.checked = this.hasAttribute("checked"); }
  protected belongs(child: ChildNode): boolean { return isWords(child); }

  /** A click was made and `checked` does not say so yet. */
  #held = false;
  /** Whether the template has the element itself, so that its listeners come first. */
  #older = document.readyState === "loading";

  constructor() {
    super();
    this.addEventListener("click", this.#first, true);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.addEventListener("click", this.#settle);
  }

  readonly #first = (event: Event): void => {
    const path = event.composedPath();
    const within = path.slice(0, path.indexOf(this)) as Element[];
    if (within.length === 0) {
      if (!this.#older) this.#press();
    } else if (!within.some((one) => one.matches?.("a, button, input, select, textarea"))) {
      event.stopImmediatePropagation(); // a click on the box follows, and that is the one that counts
    }
  };

  readonly #settle = (): void => {
    if (!this.#held) return;
    this.#held = false;
    this.#take();
  };

  protected readonly onBox = (event: Event): void => {
    if (event.type === "change") event.stopPropagation(); // the element has one of its own
    if (!this.#older) return this.#take();
    if (event.type !== "click" || this.checked === this.box.checked) return;
    this.#held = true;
    setTimeout(this.#settle); // a listener may keep the event from the element
  };

  #take(): void {
    if (this.checked === this.box.checked) return;
    this.#set(this.box.checked);
  }

  #set(checked: boolean): void {
    this.checked = checked;
    this.changed();
    for (const kind of ["input", "change"]) this.dispatchEvent(new Event(kind, { bubbles: true, composed: true }));
  }

  /** A click on the words, or a script's click on the element, means the box. */
  #press(): void {
    if (!this.disabled) this.#set(!this.checked);
  }

  protected override pressed(): void {
    if (this.#older) this.#press();
  }

  protected override updated(): void {
    const { box, refusal } = this;
    const title = wordsOf(this) ? null : this.fieldName;
    void box.updateComplete?.then(() => {
      box.input?.setAttribute("aria-invalid", refusal ? "true" : "false");
      if (title) box.input?.setAttribute("aria-label", title);
      else box.input?.removeAttribute("aria-label");
    });
  }
}

@crowdPart("crowd-checkbox")
export class CrowdCheckbox extends Tick {
  get validationMessage(): string { return this.required && !this.checked ? msg("Tick this box.") : ""; }

  override render() {
    return html`<wa-checkbox .checked=${live(this.checked)} ?disabled=${this.disabled} ?required=${this.required} hint=${this.refusal || nothing}
      @click=${this.onBox} @change=${this.onBox}><slot @slotchange=${this.onWords}></slot></wa-checkbox>`;
  }
}

@crowdPart("crowd-toggle-button")
export class CrowdToggleButton extends Tick {
  /** Shows the control as wrong. */
  @property({ type: Boolean, reflect: true }) invalid = false;
  get validationMessage(): string { return this.required && !this.checked ? msg("Switch this on.") : ""; }

  override render() {
    return html`<wa-switch .checked=${live(this.checked)} ?disabled=${this.disabled} ?required=${this.required}
      hint=${this.refusal || (this.invalid ? msg("Check this.") : nothing)} @click=${this.onBox} @change=${this.onBox}><slot @slotchange=${this.onWords}></slot></wa-switch>`;
  }
}
