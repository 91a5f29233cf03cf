/** <waggle-boxes-view src width height>: a picture with its labels over it, in layers (the merged label, each worker, the
 *  machine) that can be switched on and off. A layer has boxes, or the class that was chosen for the whole picture, which is
 *  shown as a chip. Data: a child <script type="application/json"> {"layers": [...]} or the `layers` property. Everything is
 *  drawn in one <svg>, so that many fit on a page. All names are shown as text. */
import { LitElement, css, html, nothing, svg } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { isDark, labelColour } from "../labels/colours";

export interface ViewBox { left: number; top: number; width: number; height: number; label?: string; confidence?: number | null }
export interface Layer {
  name: string; color?: string; kind: "worker" | "merged" | "machine" | "truth"; on?: boolean;
  boxes?: ViewBox[];
  /** The class of the whole picture instead of boxes (null: none was chosen), and how sure the layer is of it (0 to 1). */
  choice?: string | null; confidence?: number | null;
}

const KIND_COLOUR: Record<string, string> = { merged: "#ffb000", machine: "#56b4e9", truth: "#2fd39a" };
const percent = (confidence: number): string => `${Math.round(confidence * 100)} %`;
const hasLabel = ({ boxes, choice }: Layer): boolean => typeof choice === "string" || (boxes?.length ?? 0) > 0;
const DASH: Record<string, string> = { worker: "5 3", machine: "9 4", merged: "", truth: "2 3" };

@customElement("waggle-boxes-view")
export class BoxesView extends LitElement {
  static override styles = css`
    :host { display: block; min-inline-size: 0; }
    .frame { position: relative; background: light-dark(#ece9e2, #0d0c0a); display: grid; place-items: center; overflow: hidden; }
    .picture { position: relative; inline-size: 100%; }
    img { display: block; inline-size: 100%; block-size: auto; }
    svg { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; }
    rect:not(.tint) { fill: transparent; vector-effect: non-scaling-stroke; }
    .under { stroke: rgb(0 0 0 / 65%); stroke-width: 3.5; }
    rect:hover + rect, .over:hover { fill: rgb(255 255 255 / 14%); }
    .chips { position: absolute; inset: 0.4rem 0.4rem auto; display: flex; flex-wrap: wrap; gap: 0.3rem; pointer-events: none; }
    .chip {
      position: relative; display: inline-flex; align-items: baseline; gap: 0.45em; max-inline-size: 100%; padding: 0.15rem 0.6rem;
      border-radius: 999px; border: 1px solid rgb(0 0 0 / 60%); color: #000; font-size: 0.8125rem; font-weight: 650;
      overflow: hidden; isolation: isolate; pointer-events: auto;
    }
    .chip.dark { color: #fff; }
    .chip svg { z-index: -1; } /* carries the layer's colour, since the pages' policy forbids style attributes */
    .chip b { font-weight: inherit; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    .chip small { font-size: 0.6875rem; font-weight: 500; white-space: nowrap; }
    .layers { display: flex; flex-wrap: wrap; gap: 0.25rem; padding: 0.5rem; }
    button {
      display: inline-flex; align-items: center; gap: 0.4em; min-block-size: 1.75rem; padding: 0.1rem 0.6rem; cursor: pointer;
      border: 1px solid var(--wg-line-strong, #888); border-radius: 999px; background: none; color: inherit; font: inherit;
      font-size: 0.75rem; max-inline-size: 100%;
    }
    button span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    button .name { flex: none; max-inline-size: 14ch; }
    button[aria-pressed="true"] { background: var(--wg-surface-3, #ddd); font-weight: 600; }
    button[aria-pressed="false"] { color: var(--wg-text-2, #666); border-style: dashed; }
    button:focus-visible { outline: 3px solid var(--wg-focus, #06c); outline-offset: 1px; }
    button svg { position: static; inline-size: 1.1em; block-size: 1.1em; flex: none; }
    .lost { padding: 2rem 1rem; color: var(--wg-text-2, #666); font-size: 0.875rem; }
  `;

  @property() src = "";
  @property() alt = "";
  @property({ type: Number }) width = 0;
  @property({ type: Number }) height = 0;
  @property({ attribute: false }) layers: Layer[] = [];
  @state() private off = new Set<number>();
  @state() private lost = "";

  override connectedCallback(): void {
    super.connectedCallback();
    const script = this.querySelector('script[type="application/json"]');
    if (this.layers.length > 0 || !script) return;
    try {
      this.layers = (JSON.parse(script.textContent) as { layers: Layer[] }).layers;
    } catch (error) {
      this.lost = `The labels cannot be read: ${String(error)}`;
    }
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has("layers")) return;
    // workers start switched off where another layer has a label to see, unless the data says otherwise with `on`
    const merged = this.layers.some((layer) => layer.kind !== "worker" && hasLabel(layer));
    this.off = new Set(this.layers.flatMap((layer, at) => ((layer.on ?? (layer.kind !== "worker" || !merged)) ? [] : [at])));
  }

  private colour(layer: Layer, at: number): string {
    return layer.color ?? KIND_COLOUR[layer.kind] ?? labelColour(at);
  }

  private toggle(at: number): void {
    const off = new Set(this.off);
    if (!off.delete(at)) off.add(at);
    this.off = off;
  }

  private drawLayer(layer: Layer, at: number) {
    if (this.off.has(at)) return nothing;
    const wide = layer.kind === "merged" ? 2.5 : 1.75;
    return svg`<g>${layer.boxes?.map((box) => {
      const sure = typeof box.confidence === "number" ? ` · ${percent(box.confidence)}` : "";
      return svg`
        <rect class="under" x=${box.left} y=${box.top} width=${box.width} height=${box.height}></rect>
        <rect class="over" x=${box.left} y=${box.top} width=${box.width} height=${box.height}
          stroke=${this.colour(layer, at)} stroke-width=${wide} stroke-dasharray=${DASH[layer.kind] ?? ""}>
          <title>${layer.name}: ${box.label ?? "box"}${sure}</title>
        </rect>`;
    })}</g>`;
  }

  private describe(): string {
    const shown = this.layers.filter((_, at) => !this.off.has(at));
    return shown.map((layer) => `${layer.name}: ${this.summary(layer)}`).join("; ");
  }

  /** "3 boxes", or "dog, 93 % sure" */
  private summary({ boxes, choice, confidence }: Layer): string {
    if (choice === null) return "no class";
    if (choice !== undefined) return typeof confidence === "number" ? `${choice}, ${percent(confidence)} sure` : choice;
    return boxes?.length === 1 ? "1 box" : `${boxes?.length ?? 0} boxes`;
  }

  /** The classes of the layers that are switched on. The picture's description says the same, hence hidden from screen readers. */
  private chips() {
    if (!this.layers.some(({ choice }) => typeof choice === "string")) return nothing;
    return html`<div class="chips" aria-hidden="true">${this.layers.map((layer, at) => {
      if (typeof layer.choice !== "string" || this.off.has(at)) return nothing;
      const colour = this.colour(layer, at);
      return html`<span class="chip ${isDark(colour) ? "dark" : ""}" title="${layer.name}: ${this.summary(layer)}">
        <svg><rect class="tint" width="100%" height="100%" fill=${colour}></rect></svg><b>${layer.choice}</b>
        ${typeof layer.confidence === "number" ? html`<small>${percent(layer.confidence)}</small>` : nothing}</span>`;
    })}</div>`;
  }

  private figure({ boxes, choice }: Layer) {
    return choice === null ? "–" : (choice ?? boxes?.length ?? 0);
  }

  override render() {
    return html`
      <div class="frame" part="frame">
        ${this.lost ? html`<p class="lost" role="alert">${this.lost}</p>` : html`<div class="picture">
          <img src=${this.src} alt=${this.alt || "Labeled image"} width=${this.width || nothing} height=${this.height || nothing}
            loading="lazy" decoding="async" @error=${() => (this.lost = "This picture cannot be loaded.")} />
          <svg viewBox="0 0 ${this.width} ${this.height}" preserveAspectRatio="none" role="img" aria-label=${this.describe()}>
            ${this.layers.map((layer, at) => this.drawLayer(layer, at))}
          </svg>
          ${this.chips()}
        </div>`}
      </div>
      ${this.layers.length > 0 ? html`<div class="layers" role="group" aria-label="Layers of labels">
        ${this.layers.map((layer, at) => html`
          <button type="button" aria-pressed=${this.off.has(at) ? "false" : "true"} @click=${() => this.toggle(at)}>
            <svg viewBox="0 0 12 12" aria-hidden="true"><rect x="1" y="1" width="10" height="10" rx="2" stroke=${this.colour(layer, at)}
              stroke-width="2" stroke-dasharray=${DASH[layer.kind] ? "3 2" : ""}></rect></svg>
            <span class=${layer.choice === undefined ? nothing : "name"}>${layer.name}${layer.choice === undefined ? "" : ":"}</span> <span>${this.figure(layer)}</span>
          </button>`)}
      </div>` : nothing}`;
  }
}
