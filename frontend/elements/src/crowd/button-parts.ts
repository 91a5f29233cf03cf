/** <crowd-button>, <crowd-icon-button> and <crowd-fab>: buttons. `form-action` is what <crowd-form> does when one is pressed. */
import { LitElement, css, html, nothing } from "lit";
import { property } from "lit/decorators.js";
import { iconStyles } from "../kit/icons";
import { wordsOf } from "./control";
import { iconWords } from "./iron-icon";
import { ironIcon } from "./iron-icons";
import "./kit";
import { crowdPart } from "./registry";
import { tokens } from "./styles";
import { msg } from "../locale";

const styles = [tokens, iconStyles, css`
  :host { display: inline-block; vertical-align: middle; }
  :host([hidden]) { display: none; }
  .glyph { display: inline-grid; }
  img { inline-size: 1.25em; block-size: 1.25em; object-fit: contain; }
`];

/** What a variant of AWS's looks like in the kit. */
const LOOKS = {
  primary: { variant: "brand", appearance: "accent" },
  normal: { variant: "neutral", appearance: "outlined" },
  link: { variant: "brand", appearance: "plain" },
  icon: { variant: "neutral", appearance: "plain" },
} as const;

/** Where a link may lead: never into a script. */
const safeUrl = (url: string) => (/^\s*(javascript|data|vbscript):/i.test(url) ? "" : url);

abstract class Pressed extends LitElement {
  static override shadowRootOptions: ShadowRootInit = { ...LitElement.shadowRootOptions, delegatesFocus: true };
  static override styles = styles;
  @property({ type: Boolean, reflect: true }) disabled = false;
  @property() icon = "";

  override connectedCallback(): void {
    super.connectedCallback();
    this.addEventListener("click", this.hold, true);
  }

  /** A disabled button does nothing, also for a script's click(). */
  private readonly hold = (event: Event): void => {
    if (this.disabled) event.stopImmediatePropagation();
  };
}

@crowdPart("crowd-button")
export class CrowdButton extends Pressed {
  @property({ attribute: "form-action", reflect: true, useDefault: true }) formAction = "";
  @property() href = "";
  @property({ attribute: "icon-align" }) iconAlign: "left" | "right" = "left";
  @property({ attribute: "icon-url" }) iconUrl = "";
  @property({ type: Boolean, reflect: true }) loading = false;
  @property() target = "";
  @property() variant: keyof typeof LOOKS = "normal";

  override render() {
    const { variant, appearance } = LOOKS[this.variant] ?? LOOKS.normal;
    const icon = this.iconUrl ? html`<img src=${this.iconUrl} alt="" />` : this.icon ? ironIcon(this.icon) : nothing;
    const right = this.iconAlign === "right";
    const name = wordsOf(this) ? nothing : html`<span class="sr">${this.getAttribute("aria-label") || this.title || this.icon || iconWords(this) || msg("Button")}</span>`;
    return html`<wa-button type="button" variant=${variant} appearance=${appearance} href=${safeUrl(this.href) || nothing} target=${this.target || nothing}
        ?disabled=${this.disabled} ?loading=${this.loading}>
      ${icon === nothing ? nothing : html`<span class="glyph" slot=${right ? "end" : "start"}>${icon}</span>`}<slot @slotchange=${() => this.requestUpdate()}></slot>${name}</wa-button>`;
  }
}

@crowdPart("crowd-icon-button")
export class CrowdIconButton extends Pressed {
  override render() {
    const name = this.getAttribute("aria-label") || this.title || this.icon || msg("Button");
    return html`<wa-button type="button" variant="neutral" appearance="plain" ?disabled=${this.disabled}>${ironIcon(this.icon)}<span class="sr">${name}</span></wa-button>`;
  }
}

@crowdPart("crowd-fab")
export class CrowdFab extends Pressed {
  /** One letter, shown where there is no icon. */
  @property() label = "";

  override render() {
    const name = this.title || this.getAttribute("aria-label") || this.label || this.icon || msg("Button");
    const letter = [...this.label][0] ?? "";
    return html`<wa-button type="button" variant="brand" appearance="accent" pill title=${this.title || nothing} ?disabled=${this.disabled}>
      ${this.icon ? ironIcon(this.icon) : html`<span aria-hidden="true">${letter}</span>`}<span class="sr">${name}</span></wa-button>`;
  }
}
