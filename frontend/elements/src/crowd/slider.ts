/** <crowd-slider>: a number between `min` and `max`, which is the answer. <crowd-slider-label position="3">: words below it. */
import { LitElement, css, html, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import { CrowdControl, controlStyles } from "./control";
import { crowdPart } from "./registry";
import { tokens } from "./styles";
import { msg } from "../locale";

type Slider = HTMLElement & { value: number };
type Typed = HTMLElement & { input?: HTMLInputElement; updateComplete?: Promise<unknown> };

@crowdPart("crowd-slider")
export class CrowdSlider extends CrowdControl {
  static override styles = [...controlStyles, css`
    .row { display: flex; align-items: center; gap: 1rem; max-inline-size: 36rem; }
    .track { flex: 1; min-inline-size: 6rem; padding-inline: 0.75rem; }
    .labels { position: relative; margin-block-start: 0.35rem; }
    .labels.some { block-size: 1.5em; }
    wa-input { inline-size: 6rem; }
    wa-slider::part(label) { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    wa-slider::part(track) { background: linear-gradient(to right, var(--_line-strong) var(--_second, 0%), var(--_surface-3) 0); }
  `];

  @property({ type: Number }) min = 0;
  @property({ type: Number }) max = 100;
  @property({ type: Number }) step = 1;
  @property({ type: Number, attribute: "secondary-progress" }) secondaryProgress = 0;
  /** The number can be typed as well. */
  @property({ type: Boolean }) editable = false;
  /** The number is shown above the thumb while it moves. */
  @property({ type: Boolean }) pin = false;
  @state() private given: number | null = null;
  @state() private touched = false;
  @state() private labeled = false;
  @query("wa-input") private typed?: Typed;
  @query("wa-slider") private slider!: LitElement;

  /** A number from min to max. */
  @property({ type: Number })
  get value(): number { return Math.min(Math.max(this.given ?? 0, this.min), this.max); }
  set value(value: number) { this.given = Number(value); }

  get _submittableValue(): number { return this.value; }
  get validationMessage(): string { return this.required && !this.touched && !this.hasAttribute("value") ? msg("Move the slider to your answer.") : ""; }
  get draft(): unknown { return [this.value, this.touched]; }
  set draft(draft: unknown) { [this.value, this.touched] = draft as [number, boolean]; }
  get fieldName(): string { return this.getAttribute("label") || this.getAttribute("aria-label") || this.name; }

  formReset(): void {
    this.given = this.hasAttribute("value") ? Number(this.getAttribute("value")) : null;
    this.touched = false;
    this.refusal = "";
  }

  protected belongs(child: ChildNode): boolean {
    return child instanceof Element ? child.localName === "crowd-slider-label" : !child.textContent?.trim();
  }

  private readonly onInput = (event: Event): void => {
    const value = Number((event.currentTarget as Slider).value);
    this.touched = true;
    if (Number.isFinite(value)) this.value = value;
    this.changed();
  };

  /** The first thing that a worker does with it counts as an answer, also where it leaves the number as it is. */
  private readonly onTouch = (): void => {
    if (!this.disabled) this.touched = true;
  };

  protected override firstUpdated(): void {
    // the kit places the thumb by a style attribute first, which a strict policy refuses, and by script from then on
    void this.slider.updateComplete.then(() => this.slider.requestUpdate());
  }

  protected override updated(): void {
    const span = this.max - this.min || 1;
    this.style.setProperty("--_second", `${((this.secondaryProgress - this.min) / span) * 100}%`);
    for (const label of this.querySelectorAll<CrowdSliderLabel>("crowd-slider-label")) label.at = (label.position - this.min) / span;
    void this.typed?.updateComplete?.then(() => this.typed?.input?.setAttribute("aria-label", this.fieldName || msg("Answer")));
  }

  override render() {
    return html`<div class="row" @pointerdown=${this.onTouch} @keydown=${this.onTouch}><div class="track">
        <wa-slider label=${this.fieldName || msg("Answer")} min=${this.min} max=${this.max} step=${this.step} .value=${this.value} ?disabled=${this.disabled}
          ?with-tooltip=${this.pin} hint=${this.refusal || nothing} @input=${this.onInput} @change=${this.onInput}></wa-slider>
        <div class="labels ${this.labeled ? "some" : ""}"><slot @slotchange=${() => (this.labeled = this.querySelector("crowd-slider-label") !== null)}></slot></div></div>
      ${this.editable ? html`<wa-input type="number" .value=${String(this.value)} min=${this.min} max=${this.max} step=${this.step}
        ?disabled=${this.disabled} @change=${this.onInput}></wa-input>` : nothing}</div>`;
  }
}

@crowdPart("crowd-slider-label")
export class CrowdSliderLabel extends LitElement {
  static override styles = [tokens, css`:host { position: absolute; font-size: 0.8125rem; white-space: nowrap; }`];

  /** The number that the words stand below. */
  @property({ type: Number }) position = 0;

  /** Puts it below that number: 0 at the start of the slider, 1 at its end. The outer ones stay within the slider. */
  set at(at: number) {
    this.style.setProperty("left", `${at * 100}%`);
    this.style.setProperty("transform", `translateX(${at * -100}%)`);
  }

  override render() {
    return html`<slot></slot>`;
  }
}
