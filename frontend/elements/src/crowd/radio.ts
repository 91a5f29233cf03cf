/**
 * <crowd-radio-button> and <crowd-radio-group>: one of several. Each button answers `{"<value>": true or false}`, those of one name
 * one object. Buttons belong together by their group, or without one by their name. Arrow keys choose the next one.
 */
import { LitElement, css, html, nothing } from "lit";
import { property, query } from "lit/decorators.js";
import { CrowdControl, controlStyles, isWords, wordsOf } from "./control";
import { crowdPart } from "./registry";
import { tokens } from "./styles";

type Radio = HTMLElement & { checked: boolean; updateComplete?: Promise<unknown> };
const STEP: Record<string, number> = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

@crowdPart("crowd-radio-button")
export class CrowdRadioButton extends CrowdControl {
  static override styles = [...controlStyles, css`:host { inline-size: fit-content; margin-block: 0.35rem; }`];

  @property() value = "on";
  @property({ type: Boolean }) checked = false;
  @query("wa-radio") private radio!: Radio;
  readonly joins = true;

  get _submittableValue(): Record<string, boolean> { return Object.fromEntries([[this.value, this.checked]]); }
  get validationMessage(): string { return ""; }
  get draft(): unknown { return this.checked; }
  set draft(draft: unknown) { this.checked = draft === true; }
  get fieldName(): string { return wordsOf(this) || this.getAttribute("aria-label") || this.value; }
  formReset(): void { this.checked = this.hasAttribute("checked"); }
  protected belongs(child: ChildNode): boolean { return isWords(child); }

  /** The buttons of which one is chosen, this one among them. */
  private get peers(): CrowdRadioButton[] {
    const group = this.closest("crowd-radio-group");
    const all = [...((group ?? this.closest("crowd-form") ?? this.getRootNode()) as ParentNode).querySelectorAll<CrowdRadioButton>(this.localName)];
    return all.filter((one) => group || (one.name === this.name && !one.closest("crowd-radio-group")));
  }

  private choose(): void {
    if (this.disabled || this.checked) return;
    this.checked = true;
    this.changed();
    // as a native radio button does
    for (const kind of ["input", "change"]) this.dispatchEvent(new Event(kind, { bubbles: true, composed: true }));
  }

  protected override pressed(): void { this.choose(); }

  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.key === " ") {
      event.preventDefault();
      return this.choose();
    }
    const step = STEP[event.key];
    if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const peers = this.peers.filter((one) => !one.disabled);
    const next = peers[(peers.indexOf(this) + step + peers.length) % peers.length];
    next?.focus();
    next?.choose();
  };

  protected override updated(changed: Map<string, unknown>): void {
    const peers = this.peers;
    if (changed.has("checked") && this.checked) for (const peer of peers) if (peer !== this) peer.checked = false;
    for (const peer of peers) peer.rove(peers);
  }

  /** Tab reaches the chosen button, or the first one. */
  private rove(peers: CrowdRadioButton[]): void {
    const reached = peers.find((one) => one.checked) ?? peers.find((one) => !one.disabled);
    void this.radio?.updateComplete?.then(() => {
      this.radio.tabIndex = reached === this && !this.disabled ? 0 : -1;
    });
  }

  override render() {
    const words = wordsOf(this);
    return html`<wa-radio .checked=${this.checked} ?disabled=${this.disabled} aria-label=${words ? nothing : this.fieldName} value=${this.value}
      @click=${this.choose} @keydown=${this.onKey}><slot @slotchange=${this.onWords}></slot></wa-radio>`;
  }
}

@crowdPart("crowd-radio-group")
export class CrowdRadioGroup extends LitElement {
  static override styles = [tokens, css`:host { display: block; margin-block: 0.5rem; } :host([hidden]) { display: none; }`];

  override connectedCallback(): void {
    super.connectedCallback();
    if (!this.hasAttribute("role")) this.setAttribute("role", "radiogroup");
  }

  override render() {
    return html`<slot></slot>`;
  }
}
