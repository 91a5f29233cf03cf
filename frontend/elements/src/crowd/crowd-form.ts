/** <crowd-form>: collects the values of the named crowd elements in it into the answer. Adds a submit button when
 *  the template has none (`form-action="submit"`). Emits `submit` (cancelable, as forms do), then `crowd-submit` with the
 *  answer as detail. An element may ask for it with `crowd-request-submit`. Of an element the form needs `name`, `value` and
 *  perhaps `reportValidity()`, a small part of the interface in element.ts. */
import { LitElement, css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import type { CrowdElement } from "./element";
import { tokens } from "./styles";

type Named = HTMLElement & Pick<CrowdElement, "name" | "value"> & Partial<Pick<CrowdElement, "reportValidity">>;

@customElement("crowd-form")
export class CrowdForm extends LitElement {
  static override styles = [tokens, css`
    :host { display: block; }
    .end { display: flex; justify-content: flex-end; padding: 0.75rem; }
  `];

  @state() private bare = false;

  override connectedCallback(): void {
    super.connectedCallback();
    this.addEventListener("click", this.onClick);
    this.addEventListener("crowd-request-submit", this.onRequest);
    this.bare = !this.querySelector('[form-action="submit"]');
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.removeEventListener("click", this.onClick);
    this.removeEventListener("crowd-request-submit", this.onRequest);
  }

  private readonly onClick = (event: Event) => {
    const button = (event.target as Element).closest('[form-action="submit"]');
    if (button && !button.hasAttribute("disabled")) this.submit();
  };

  /** An element may submit only while the worker could press the button. */
  private readonly onRequest = () => {
    if (!this.querySelector('[form-action="submit"][disabled]')) this.submit();
  };

  private get elements(): Named[] {
    return [...this.querySelectorAll<Named>("[name]")].filter((one) => one.localName.startsWith("crowd-") && "value" in one);
  }

  /** The answer as Ground Truth stores it: one key for each named element. */
  get answer(): Record<string, unknown> {
    return Object.fromEntries(this.elements.map((element) => [element.name, element.value]));
  }

  /** Checks every element and emits the answer. Returns false if an element or a listener refuses. */
  submit(): boolean {
    for (const element of this.elements) if (element.reportValidity?.() === false) return false;
    if (!this.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }))) return false;
    this.dispatchEvent(new CustomEvent("crowd-submit", { detail: this.answer, bubbles: true, composed: true }));
    return true;
  }

  override render() {
    return html`<slot @slotchange=${() => (this.bare = !this.querySelector('[form-action="submit"]'))}></slot>
      ${this.bare ? html`<div class="end"><button type="button" class="primary" @click=${this.submit}>Submit</button></div>` : nothing}`;
  }
}
