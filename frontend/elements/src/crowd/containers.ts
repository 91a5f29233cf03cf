/** <crowd-tabs> of <crowd-tab>, <crowd-card>, <crowd-modal> and <crowd-instructions>: what templates arrange their content in. Fields in
 *  them are part of the answer, also while they are out of sight; a refused field is brought into view (`crowd-reveal`). */
import { LitElement, css, html, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import "./kit";
import { crowdPart } from "./registry";
import { tokens } from "./styles";
import { msg, str } from "../locale";

type Group = HTMLElement & { active: string; updateComplete: Promise<unknown>; updateActiveTab: () => void };
type Dialog = HTMLElement & { open: boolean };

@crowdPart("crowd-tab")
export class CrowdTab extends LitElement {
  /** The words on the tab. */
  @property() header = "";

  protected override updated(): void {
    (this.parentElement as CrowdTabs | null)?.requestUpdate?.();
  }

  override render() {
    return html`<slot></slot>`;
  }
}

@crowdPart("crowd-tabs")
export class CrowdTabs extends LitElement {
  static override styles = [tokens, css`:host { display: block; margin-block: 0.75rem; } :host([hidden]) { display: none; }`];
  @query("wa-tab-group") private group?: Group;
  private readonly grown = new MutationObserver(() => this.requestUpdate());

  override connectedCallback(): void {
    super.connectedCallback();
    this.grown.observe(this, { childList: true });
    this.addEventListener("crowd-reveal", this.reveal);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.grown.disconnect();
    this.removeEventListener("crowd-reveal", this.reveal);
  }

  private get tabs(): CrowdTab[] {
    return [...this.children].filter((child): child is CrowdTab => child.localName === "crowd-tab");
  }

  private readonly reveal = (event: Event): void => {
    const at = this.tabs.findIndex((tab) => tab.contains(event.target as Node));
    if (at >= 0 && this.group) this.group.active = `tab-${at}`;
  };

  /** The kit opens the first tab only when it scrolls into view, and the page would jump. */
  protected override updated(): void {
    const group = this.group;
    void group?.updateComplete.then(() => group.updateActiveTab());
  }

  override render() {
    const tabs = this.tabs;
    for (const [at, tab] of tabs.entries()) tab.slot = `tab-${at}`;
    if (tabs.length === 0) return nothing;
    const active = this.group?.active || "tab-0";
    return html`<wa-tab-group active=${active}>
      ${tabs.map((tab, at) => html`<wa-tab panel="tab-${at}">${tab.header || tab.getAttribute("header") || msg(str`Tab ${at + 1}`)}</wa-tab>`)}
      ${tabs.map((_, at) => html`<wa-tab-panel name="tab-${at}"><slot name="tab-${at}"></slot></wa-tab-panel>`)}</wa-tab-group>`;
  }
}

@crowdPart("crowd-card")
export class CrowdCard extends LitElement {
  static override styles = [tokens, css`
    :host { display: inline-block; vertical-align: top; inline-size: 20rem; max-inline-size: 100%; margin: 0.5rem; }
    :host([hidden]) { display: none; }
    wa-card { inline-size: 100%; }
    strong { font-size: 1.0625rem; }
    img { display: block; inline-size: 100%; }
  `];

  @property() heading = "";
  /** The address of a picture above the content. */
  @property() image = "";

  override render() {
    return html`<wa-card ?with-header=${this.heading !== ""} ?with-media=${this.image !== ""}>
      ${this.image ? html`<img slot="media" src=${this.image} alt="" />` : nothing}
      ${this.heading ? html`<strong slot="header">${this.heading}</strong>` : nothing}<slot></slot></wa-card>`;
  }
}

/** A link or a button that opens a dialog. */
abstract class Opener extends LitElement {
  static override styles = [tokens, css`
    :host { display: inline-block; }
    :host([hidden]) { display: none; }
    .good { border-inline-start: 4px solid var(--_ok); padding-inline-start: 0.75rem; }
    .bad { border-inline-start: 4px solid var(--_bad); padding-inline-start: 0.75rem; }
    wa-dialog { --width: min(42rem, calc(100vw - 2rem)); }
  `];

  @property({ attribute: "link-text" }) linkText = "";
  @property({ attribute: "link-type" }) linkType: "link" | "button" = "link";
  @query("wa-dialog") private dialog!: Dialog;
  protected abstract readonly words: string;

  open(): void { this.dialog.open = true; }
  close(): void { this.dialog.open = false; }

  override connectedCallback(): void {
    super.connectedCallback();
    this.addEventListener("crowd-reveal", this.open);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.removeEventListener("crowd-reveal", this.open);
  }

  protected opener(content: unknown) {
    const text = this.linkText || this.words;
    return html`<wa-button type="button" variant=${this.linkType === "button" ? "neutral" : "brand"} appearance=${this.linkType === "button" ? "outlined" : "plain"}
        @click=${this.open}>${text}</wa-button><wa-dialog label=${text} light-dismiss>${content}</wa-dialog>`;
  }
}

@crowdPart("crowd-modal")
export class CrowdModal extends Opener {
  protected readonly words = msg("Click to open modal");

  override render() {
    return this.opener(html`<slot></slot>`);
  }
}

/** The regions of the instructions: which tab each is on. */
const REGIONS = ["short-summary", "detailed-instructions", "positive-example", "negative-example"] as const;
type Region = (typeof REGIONS)[number];

@crowdPart("crowd-instructions")
export class CrowdInstructions extends Opener {
  protected readonly words = msg("Click for instructions");
  @state() private there: Region[] = [];
  private readonly grown = new MutationObserver(() => this.lookForRegions());

  override connectedCallback(): void {
    super.connectedCallback();
    this.lookForRegions();
    this.grown.observe(this, { childList: true });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.grown.disconnect();
  }

  private lookForRegions(): void {
    for (const child of this.children) if (REGIONS.includes(child.localName as Region)) child.slot = child.localName;
    this.there = REGIONS.filter((region) => this.querySelector(`:scope > ${region}`));
  }

  override render() {
    const has = (region: Region) => this.there.includes(region);
    const tabs = [
      ...(has("short-summary") ? [{ title: msg("Summary"), content: html`<slot name="short-summary"></slot>` }] : []),
      ...(has("detailed-instructions") ? [{ title: msg("Detailed instructions"), content: html`<slot name="detailed-instructions"></slot>` }] : []),
      ...(has("positive-example") || has("negative-example") ? [{ title: msg("Examples"), content: html`
        ${has("positive-example") ? html`<section class="good"><h3>${msg("✓ Good")}</h3><slot name="positive-example"></slot></section>` : nothing}
        ${has("negative-example") ? html`<section class="bad"><h3>${msg("✕ Not like this")}</h3><slot name="negative-example"></slot></section>` : nothing}` }] : []),
    ];
    return this.opener(html`<wa-tab-group active="page-0">
      ${tabs.map((tab, at) => html`<wa-tab panel="page-${at}">${tab.title}</wa-tab>`)}
      ${tabs.map((tab, at) => html`<wa-tab-panel name="page-${at}">${tab.content}</wa-tab-panel>`)}</wa-tab-group><slot></slot>`);
  }
}
