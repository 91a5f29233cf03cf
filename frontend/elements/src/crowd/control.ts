/**
 * What the controls of a <crowd-form> have in common: a name, whether they are disabled or required, a refusal that is shown at the
 * control, and going back to what the template said. A control says what it hands in (`_submittableValue`) and what is missing.
 */
import { LitElement, css } from "lit";
import { property, state } from "lit/decorators.js";
import { emit } from "./element";
import "./kit";
import { tokens } from "./styles";

export const controlStyles = [tokens, css`
  :host { display: block; margin-block: 0.5rem; font-size: 1rem; }
  :host([hidden]) { display: none; }
  .error { margin: 0.25rem 0 0; color: var(--_bad); font-size: 0.875rem; font-weight: 550; }
  wa-input::part(hint), wa-textarea::part(hint), wa-checkbox::part(hint), wa-switch::part(hint), wa-slider::part(hint) { color: var(--_bad); font-weight: 550; }
`];

export abstract class CrowdControl extends LitElement {
  static override shadowRootOptions: ShadowRootInit = { ...LitElement.shadowRootOptions, delegatesFocus: true };
  static override styles = controlStyles;

  @property({ reflect: true, useDefault: true }) name = "";
  @property({ type: Boolean, reflect: true }) disabled = false;
  @property({ type: Boolean }) required = false;

  /** Why the answer was refused, shown at the control until it is changed. */
  @state() protected refusal = "";
  private readonly spills = new MutationObserver(() => this.spill());

  /** What the form writes under `name`; undefined: nothing. */
  abstract readonly _submittableValue: unknown;
  /** Empty when the value may be handed in, otherwise a sentence. */
  abstract readonly validationMessage: string;
  /** Everything needed to go on from here after a reload. */
  abstract draft: unknown;
  /** What a worker knows the control by. */
  abstract readonly fieldName: string;
  /** Back to what the template said. */
  abstract formReset(): void;

  /** Shows what is missing, if anything is, and moves the focus here. Returns whether the value may be handed in. */
  reportValidity(): boolean {
    this.refusal = this.validationMessage;
    if (!this.refusal) return true;
    this.dispatchEvent(new CustomEvent("crowd-reveal", { bubbles: true, composed: true })); // a tab or dialog around it opens
    this.focus();
    // what has just been opened takes the focus a frame later
    if (!this.matches(":focus-within")) requestAnimationFrame(() => requestAnimationFrame(() => this.focus()));
    return false;
  }

  /** What templates call to ask the same: what is missing is shown, and the focus stays where it is. */
  validate(): boolean {
    this.refusal = this.validationMessage;
    return !this.refusal;
  }

  /** Whether the value may be handed in, without showing anything. */
  checkValidity(): boolean {
    return !this.validationMessage;
  }

  /** The words beside a box come after it where the page is still being read. */
  protected readonly onWords = (): void => this.requestUpdate();

  /** The worker changed the value. */
  protected changed(): void {
    this.refusal = "";
    emit(this, "change", this.draft);
  }

  /** Whether a child belongs to this control. The others are put behind it, see spill(). */
  protected abstract belongs(child: ChildNode): boolean;

  /** A script called click() on the element itself. */
  protected pressed(): void { /* most controls do nothing then */ }
  private readonly onClick = (event: Event): void => { if (event.composedPath()[0] === this) this.pressed(); };

  override connectedCallback(): void {
    super.connectedCallback();
    this.addEventListener("click", this.onClick);
    this.spill();
    this.spills.observe(this, { childList: true });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.removeEventListener("click", this.onClick);
    this.spills.disconnect();
  }

  /** For a browser `<crowd-input …/>` is not closed, and all that follows becomes its children: this puts it behind the element. */
  private spill(): void {
    const children = [...this.childNodes];
    let from = children.findIndex((child) => !this.belongs(child));
    if (from < 0) return;
    while (from > 0 && isGap(children[from - 1]!)) from -= 1;
    this.after(...children.slice(from));
  }
}

const isGap = (node: ChildNode): boolean => (node instanceof Text && !node.data.trim()) || node instanceof HTMLBRElement;

const BLOCK = "p, div, h1, h2, h3, h4, h5, h6, ul, ol, table, section, hr, form, fieldset";

/** Whether a child can be part of the words beside a box: no crowd element, and no new paragraph after other words. */
export function isWords(child: ChildNode): boolean {
  if (!(child instanceof Element)) return true;
  const crowd = (one: Element) => one.localName.startsWith("crowd-");
  if (crowd(child) || [...child.querySelectorAll("*")].some(crowd)) return false;
  return !(child.matches(BLOCK) && (child.previousSibling as Text | Element | null)?.textContent?.trim());
}

/** The words beside a box on one line. */
export const wordsOf = (element: Element): string => (element.textContent ?? "").replace(/\s+/g, " ").trim();
