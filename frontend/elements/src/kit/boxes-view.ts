/** <waggle-boxes-view src width height>: a picture with boxes over it, in layers (the merged label, each worker, the
 *  machine) that can be switched on and off. Data: a child <script type="application/json"> {"layers": [...]} or the
 *  `layers` property. Light: one <svg>, so that many fit on a page. All names are shown as text. */
import { LitElement, css, html, nothing, svg } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { labelColour } from "../labels/colours";

export interface ViewBox { left: number; top: number; width: number; height: number; label?: string; confidence?: number }
export interface Layer { name: string; color?: string; kind: "worker" | "merged" | "machine" | "truth"; boxes: ViewBox[]; on?: boolean }

const KIND_COLOUR: Record<string, string> = { merged: "#ffb000", machine: "#56b4e9", truth: "#2fd39a" };
const DASH: Record<string, string> = { worker: "5 3", machine: "9 4", merged: "", truth: "2 3" };

@customElement("waggle-boxes-view")
export class BoxesView extends LitElement {
  static override styles = css`
    :host { display: block; min-inline-size: 0; }
    .frame { position: relative; background: light-dark(#ece9e2, #0d0c0a); display: grid; place-items: center; overflow: hidden; }
    .picture { position: relative; inline-size: 100%; }
    img { display: block; inline-size: 100%; block-size: auto; }
    svg { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; }
    rect { fill: transparent; vector-effect: non-scaling-stroke; }
    .under { stroke: rgb(0 0 0 / 65%); stroke-width: 3.5; }
    rect:hover + rect, .over:hover { fill: rgb(255 255 255 / 14%); }
    .layers { display: flex; flex-wrap: wrap; gap: 0.25rem; padding: 0.5rem; }
    button {
      display: inline-flex; align-items: center; gap: 0.4em; min-block-size: 1.75rem; padding: 0.1rem 0.6rem; cursor: pointer;
      border: 1px solid var(--wg-line-strong, #888); border-radius: 999px; background: none; color: inherit; font: inherit;
      font-size: 0.75rem; max-inline-size: 100%;
    }
    button span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
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
      this.lost = `The boxes cannot be read: ${String(error)}`;
    }
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has("layers")) return;
    // workers start switched off where there is a merged box to see; `on` in the data overrules
    const merged = this.layers.some((layer) => layer.kind !== "worker" && layer.boxes.length > 0);
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
    return svg`<g>${layer.boxes.map((box) => {
      const sure = box.confidence === undefined ? "" : ` · ${Math.round(box.confidence * 100)} %`;
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
    return shown.map((layer) => `${layer.name}: ${layer.boxes.length} ${layer.boxes.length === 1 ? "box" : "boxes"}`).join("; ");
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
        </div>`}
      </div>
      ${this.layers.length > 0 ? html`<div class="layers" role="group" aria-label="Layers of boxes">
        ${this.layers.map((layer, at) => html`
          <button type="button" aria-pressed=${this.off.has(at) ? "false" : "true"} @click=${() => this.toggle(at)}>
            <svg viewBox="0 0 12 12" aria-hidden="true"><rect x="1" y="1" width="10" height="10" rx="2" stroke=${this.colour(layer, at)}
              stroke-width="2" stroke-dasharray=${DASH[layer.kind] ? "3 2" : ""}></rect></svg>
            <span>${layer.name}</span> ${layer.boxes.length}
          </button>`)}
      </div>` : nothing}`;
  }
}
