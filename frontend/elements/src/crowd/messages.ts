/** <crowd-alert>, <crowd-toast> and <crowd-badge>: words to the worker. None of them has an answer. */
import { LitElement, css, html, nothing } from "lit";
import { property, query } from "lit/decorators.js";
import { iconStyles } from "../kit/icons";
import { ironIcon } from "./iron-icons";
import "./kit";
import { crowdPart } from "./registry";
import { tokens } from "./styles";
import { msg } from "../locale";

const KINDS = {
  info: { variant: "neutral", icon: "info" },
  success: { variant: "success", icon: "check-circle" },
  warning: { variant: "warning", icon: "warning" },
  error: { variant: "danger", icon: "error" },
} as const;

@crowdPart("crowd-alert")
export class CrowdAlert extends LitElement {
  static override styles = [tokens, iconStyles, css`
    :host { display: block; margin-block: 0.75rem; }
    :host([hidden]) { display: none; }
    .words { display: flex; align-items: center; gap: 0.75rem; }
    .words > div { flex: 1; }
    button { min-block-size: 1.75rem; min-inline-size: 1.75rem; padding: 0; }
  `];

  @property() type: keyof typeof KINDS = "info";
  @property({ type: Boolean }) dismissible = false;

  override render() {
    const { variant, icon } = KINDS[this.type] ?? KINDS.info;
    const urgent = this.type === "error" || this.type === "warning";
    return html`<wa-callout variant=${variant} role=${urgent ? "alert" : "status"}><span slot="icon">${ironIcon(icon)}</span>
      <div class="words"><div><slot></slot></div>${this.dismissible
        ? html`<button type="button" class="plain" aria-label=${msg("Close message")} @click=${this.dismiss}>${ironIcon("close")}</button>` : nothing}</div></wa-callout>`;
  }

  private dismiss(): void {
    this.hidden = true;
    this.dispatchEvent(new CustomEvent("dismiss", { bubbles: true, composed: true }));
  }
}

/** How long a toast is shown where nothing is said, in milliseconds. */
const TOAST_TIME = 3000;

@crowdPart("crowd-toast")
export class CrowdToast extends LitElement {
  static override styles = [tokens, css`
    .toast {
      position: fixed; inset: auto auto 1.25rem 1.25rem; margin: 0; max-inline-size: min(28rem, calc(100vw - 2.5rem)); padding: 0.75rem 1.25rem;
      border: 0; border-radius: 8px; background: var(--_text); color: var(--_surface); font-weight: 550; box-shadow: 0 6px 24px rgb(0 0 0 / 35%);
    }
  `];

  /** How long it is shown, in milliseconds; 0: until close(). */
  @property({ type: Number }) duration = TOAST_TIME;
  @property({ type: Boolean, reflect: true }) opened = false;
  @property() text = "";
  @query(".toast") private toast!: HTMLElement;
  private timer = 0;

  open(): void { this.opened = true; }
  show(): void { this.open(); }
  close(): void { this.opened = false; }
  hide(): void { this.close(); }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  protected override updated(changed: Map<string, unknown>): void {
    if (!changed.has("opened")) return;
    clearTimeout(this.timer);
    if (this.toast.matches(":popover-open") !== this.opened) this.toast.togglePopover(this.opened);
    if (this.opened && this.duration > 0) this.timer = window.setTimeout(() => this.close(), this.duration);
  }

  override render() {
    return html`<div role="status"><div class="toast" popover="manual">${this.text}<slot></slot></div></div>`;
  }
}

/** A badge of more letters would cover what it stands on. */
const BADGE_LETTERS = 3;

@crowdPart("crowd-badge")
export class CrowdBadge extends LitElement {
  static override styles = [tokens, iconStyles, css`
    :host { position: absolute; z-index: 1; transform: translate(-50%, -50%); pointer-events: none; }
    :host([hidden]) { display: none; }
    .icon svg { inline-size: 1em; block-size: 1em; }
  `];

  /** The id of the element at whose corner it stands; without one, the element around it. */
  @property() for = "";
  @property() icon = "";
  @property() label = "";
  private readonly moved = new ResizeObserver(() => this.place());

  override connectedCallback(): void {
    super.connectedCallback();
    this.moved.observe(document.documentElement);
    this.moved.observe(document.body);
    window.addEventListener("load", this.place);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.moved.disconnect();
    window.removeEventListener("load", this.place);
  }

  private get target(): HTMLElement | null {
    return this.for ? (this.getRootNode() as Document | ShadowRoot).getElementById(this.for) : this.parentElement;
  }

  /** Puts it on the upper right corner, wherever that is now. */
  private readonly place = (): void => {
    const target = this.target?.getBoundingClientRect();
    if (!target) return;
    this.style.left = this.style.top = "0";
    const own = this.getBoundingClientRect(); // where the page's origin is, whatever contains this
    this.style.left = `${target.right - own.left - own.width / 2}px`;
    this.style.top = `${target.top - own.top - own.height / 2}px`;
  };

  protected override updated(): void {
    const { target } = this;
    if (!target) return;
    this.moved.observe(target);
    this.place();
  }

  override render() {
    return html`<wa-badge variant="danger" pill>${this.icon ? ironIcon(this.icon) : nothing}${[...this.label].slice(0, BADGE_LETTERS).join("")}</wa-badge>`;
  }
}
