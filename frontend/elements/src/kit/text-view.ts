/** <waggle-text-view src>: a text with its labels, in layers (layers-view.ts): spans marked in it, or the classes of the whole text
 *  as chips. The text at `src` is fetched when the view comes near the screen, and only ever shown as text. */
import { css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { isDark } from "../labels/colours";
import { loadText } from "../text/load";
import { paint } from "../text/marks";
import { stretches } from "../text/spans";
import { LayersView, type ViewSpan, layerStyles, percent } from "./layers-view";
import { msg } from "../locale";

interface Marked extends ViewSpan { colour: string; layer: string }

@customElement("waggle-text-view")
export class TextView extends LayersView {
  static override styles = [layerStyles, css`
    .frame { place-items: stretch; background: var(--wg-surface-2, #f3f1ec); }
    .paper { max-block-size: 16rem; min-block-size: 6rem; padding: 0.75rem 1rem; overflow: auto; font-size: 0.9375rem; line-height: 1.7;
      white-space: pre-wrap; overflow-wrap: anywhere; }
    .paper:focus-visible { outline: 3px solid var(--wg-focus, #06c); outline-offset: -3px; }
    .chips { position: static; padding: 0.5rem 0.75rem 0; }
    mark { padding: 0.1em 0.15em; border-radius: 3px; color: #000; -webkit-box-decoration-break: clone; box-decoration-break: clone; }
    mark.dark { color: #fff; }
    mark small { margin-inline-start: 0.35em; font-size: 0.6875rem; font-weight: 650; }
  `];

  @state() private text: string | null = null;
  private readonly near = new IntersectionObserver((seen) => {
    if (seen.some((one) => one.isIntersecting)) void this.load();
  }, { rootMargin: "400px" });

  override connectedCallback(): void {
    super.connectedCallback();
    this.near.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.near.disconnect();
  }

  override updated(): void {
    paint(this.renderRoot);
  }

  private async load(): Promise<void> {
    this.near.disconnect();
    try {
      this.text = await loadText(this.src);
    } catch (error) {
      this.lost = (error as Error).message;
    }
  }

  private get marked(): Marked[] {
    return this.layers.flatMap((layer, at) => (this.off.has(at) ? [] : (layer.spans ?? []).map((span) => ({ ...span, colour: this.colour(layer, at), layer: layer.name }))));
  }

  protected override stage() {
    const { text, marked } = this;
    return html`<div>${this.chips()}<div class="paper" role="region" tabindex="0" aria-label="${this.alt || msg("Labeled text")}. ${this.describe()}">${
      text === null ? msg("Loading…") : stretches(text, marked).map((piece) => {
        const top = piece.spans.at(-1);
        if (!top) return piece.text;
        const said = piece.spans.map(({ layer, label, confidence }) => `${layer}: ${label}${typeof confidence === "number" ? ` · ${percent(confidence)}` : ""}`).join("; ");
        return html`<mark class=${isDark(top.colour) ? "dark" : ""} title=${said} data-colour=${top.colour}>${piece.text}${
          top.end === piece.end ? html`<small>${top.label}</small>` : nothing}</mark>`;
      })}</div></div>`;
  }
}
