/** <crowd-checkbox> and <crowd-toggle-button>: on or off. The answer is `{"<value>": true or false}`, of one name one object. */
import { css, html, nothing } from "lit";
import { property, query } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import { CrowdControl, controlStyles, isWords, wordsOf } from "./control";
import { crowdPart } from "./registry";

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

  protected readonly onChange = (): void => {
    if (this.checked === this.box.checked) return;
    this.checked = this.box.checked;
    this.changed();
  };

  /** A script that clicks the element means the box. */
  protected override pressed(): void {
    if (this.disabled) return;
    this.checked = !this.checked;
    this.changed();
    for (const kind of ["input", "change"]) this.dispatchEvent(new Event(kind, { bubbles: true, composed: true }));
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
  get validationMessage(): string { return this.required && !this.checked ? "Tick this box." : ""; }

  override render() {
    return html`<wa-checkbox .checked=${live(this.checked)} ?disabled=${this.disabled} ?required=${this.required} hint=${this.refusal || nothing}
      @click=${this.onChange} @change=${this.onChange}><slot @slotchange=${this.onWords}></slot></wa-checkbox>`;
  }
}

@crowdPart("crowd-toggle-button")
export class CrowdToggleButton extends Tick {
  /** Shows the control as wrong. */
  @property({ type: Boolean, reflect: true }) invalid = false;
  get validationMessage(): string { return this.required && !this.checked ? "Switch this on." : ""; }

  override render() {
    return html`<wa-switch .checked=${live(this.checked)} ?disabled=${this.disabled} ?required=${this.required}
      hint=${this.refusal || (this.invalid ? "Check this." : nothing)} @click=${this.onChange} @change=${this.onChange}><slot @slotchange=${this.onWords}></slot></wa-switch>`;
  }
}
