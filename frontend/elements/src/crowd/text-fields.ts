/** <crowd-input> and <crowd-text-area>: one line or several lines of text. The answer is the text; an empty field has no key. */
import { html } from "lit";
import { property, query } from "lit/decorators.js";
import { ifDefined } from "lit/directives/if-defined.js";
import { live } from "lit/directives/live.js";
import { CrowdControl } from "./control";
import { crowdPart } from "./registry";
import { msg, str } from "../locale";

type Field = HTMLElement & { input?: HTMLInputElement | HTMLTextAreaElement; value: string | null };

const TYPES = ["date", "datetime-local", "email", "number", "password", "search", "tel", "text", "time", "url"] as const;

abstract class TextField extends CrowdControl {
  @property() value = "";
  @property() label = "";
  @property() placeholder = "";
  @property({ attribute: "allowed-pattern" }) allowedPattern = "";
  @property({ type: Boolean, attribute: "auto-focus" }) autoFocus = false;
  @property({ type: Boolean, attribute: "auto-validate" }) autoValidate = false;
  @property({ attribute: "error-message" }) errorMessage = "";
  @property({ type: Number, attribute: "max-length" }) maxLength?: number;
  @property({ type: Number, attribute: "min-length" }) minLength?: number;
  @query("wa-input, wa-textarea") protected field!: Field;

  get _submittableValue(): string | undefined { return this.text || undefined; }
  get draft(): unknown { return this.text; }
  set draft(draft: unknown) { this.value = String(draft); }
  get fieldName(): string { return this.label || this.getAttribute("aria-label") || this.placeholder || this.name; }
  formReset(): void { this.refusal = ""; this.value = this.getAttribute("value") ?? ""; }
  protected belongs(): boolean { return false; }

  /** Scripts may set numbers, or nothing. */
  private get text(): string { return String(this.value ?? ""); }

  get validationMessage(): string {
    const problem = this.problem();
    return problem && (this.errorMessage || problem);
  }

  private problem(): string {
    const { text, minLength, maxLength } = this;
    if (!text) return this.required ? msg("Fill this in.") : "";
    if (minLength !== undefined && text.length < minLength) return msg(str`Write at least ${minLength} characters.`);
    if (maxLength !== undefined && text.length > maxLength) return msg(str`Write at most ${maxLength} characters.`);
    if (!this.allows(text)) return msg(str`This does not fit the pattern ${this.allowedPattern}`);
    return this.field?.input?.validity.typeMismatch ? this.field.input.validationMessage : "";
  }

  /** The pattern describes one character, as the element of AWS reads it; whole texts that match it are right as well. */
  private allows(text: string): boolean {
    const pattern = this.pattern;
    if (!pattern) return true;
    const whole = new RegExp(`^(?:${pattern.source})$`, "u").test(text);
    return whole || (!this.anchored && [...text].every((letter) => pattern.test(letter)));
  }

  private get anchored(): boolean { return this.allowedPattern.startsWith("^") || this.allowedPattern.endsWith("$"); }

  private get pattern(): RegExp | null {
    if (!this.allowedPattern) return null;
    try {
      return new RegExp(this.allowedPattern, "u");
    } catch (error) {
      console.warn(`<${this.localName} name="${this.name}"> ignores its allowed-pattern: ${(error as Error).message}`);
      return null;
    }
  }

  protected readonly onInput = (): void => {
    this.value = this.field.value ?? "";
    // characters that are not allowed are never typed, rather than refused at the end
    const pattern = this.autoValidate && !this.anchored ? this.pattern : null;
    if (pattern) this.value = [...this.value].filter((letter) => pattern.test(letter)).join("");
    this.changed();
    if (this.autoValidate) this.refusal = this.text ? this.validationMessage : "";
  };

  protected override firstUpdated(): void {
    if (this.autoFocus) void this.updateComplete.then(() => this.focus());
  }

  protected override updated(): void {
    const { field, fieldName, refusal } = this;
    void (field as Field & { updateComplete?: Promise<unknown> }).updateComplete?.then(() => {
      field.input?.setAttribute("aria-invalid", refusal ? "true" : "false");
      if (this.label) field.input?.removeAttribute("aria-label");
      else field.input?.setAttribute("aria-label", fieldName);
    });
  }
}

@crowdPart("crowd-input")
export class CrowdInput extends TextField {
  @property() type = "text";

  override render() {
    const type = TYPES.find((known) => known === this.type) ?? "text";
    return html`<wa-input .type=${type} .value=${live(String(this.value ?? ""))} label=${this.label} placeholder=${this.placeholder} hint=${this.refusal}
      ?required=${this.required} ?disabled=${this.disabled} maxlength=${ifDefined(this.maxLength)} autocomplete="off" ?password-toggle=${type === "password"}
      @input=${this.onInput} @change=${this.onInput}></wa-input>`;
  }
}

@crowdPart("crowd-text-area")
export class CrowdTextArea extends TextField {
  @property({ type: Boolean, attribute: "char-counter" }) charCounter = false;
  @property({ type: Number }) rows = 2;
  @property({ type: Number, attribute: "max-rows" }) maxRows = 0;

  override render() {
    return html`<wa-textarea .value=${live(String(this.value ?? ""))} label=${this.label} placeholder=${this.placeholder} hint=${this.refusal} rows=${this.rows}
      resize="auto" ?with-count=${this.charCounter} ?required=${this.required} ?disabled=${this.disabled} maxlength=${ifDefined(this.maxLength)}
      @input=${this.onInput} @change=${this.onInput}></wa-textarea>`;
  }

  protected override updated(): void {
    super.updated();
    // a text that is longer than max-rows scrolls
    void (this.field as Field & { updateComplete?: Promise<unknown> }).updateComplete?.then(() => {
      const area = this.field.input;
      if (area) area.style.maxBlockSize = this.maxRows > 0 ? `calc(${this.maxRows}lh + 1.25em)` : "";
    });
  }
}
