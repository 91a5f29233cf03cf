/** <waggle-boxes-view src width height>: a picture with its labels over it, in layers (layers-view.ts): boxes, polygons, lines,
 *  points, masks, or the classes of the whole picture as chips. Everything but masks is drawn in one <svg>, so that many fit on a
 *  page; a layer of masks has a <canvas>, which is painted when it comes near the screen. */
import { type SVGTemplateResult, css, html, nothing, svg } from "lit";
import { customElement, property } from "lit/decorators.js";
import { classColours, drawnSize, masksOf, rgbaOf } from "../masks/view";
import { DASH, type Layer, LayersView, type ViewOutline, layerStyles, percent } from "./layers-view";
import { msg, str } from "../locale";

export type { Layer, ViewBox } from "./layers-view";

@customElement("waggle-boxes-view")
export class BoxesView extends LayersView {
  static override styles = [css`
    .picture { position: relative; inline-size: 100%; }
    img { display: block; inline-size: 100%; block-size: auto; }
    canvas { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; pointer-events: none; }
    canvas[hidden] { display: none; }
    svg { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; }
    .under { stroke: rgb(0 0 0 / 65%); stroke-width: 3.5; }
    rect:hover + rect, .over:hover { fill: rgb(255 255 255 / 14%); }
    polygon, polyline, path { fill: transparent; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
    polyline, polyline.over:hover { fill: none; pointer-events: stroke; }
    path { stroke-linecap: round; } /* a stroke without length is a dot of one size, however large the picture is */
    path.under { stroke-width: 12; }
  `, layerStyles];

  @property({ type: Number }) width = 0;
  @property({ type: Number }) height = 0;

  private painted = new WeakMap<HTMLCanvasElement, Layer>();
  private readonly near = new IntersectionObserver((seen) => {
    for (const { target, isIntersecting } of seen) if (isIntersecting) void this.paint(target as HTMLCanvasElement);
  }, { rootMargin: "400px" });

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.near.disconnect();
  }

  override updated(): void {
    this.near.disconnect(); // a canvas that is observed anew is looked at once
    for (const canvas of this.renderRoot.querySelectorAll("canvas")) this.near.observe(canvas);
  }

  private async paint(canvas: HTMLCanvasElement): Promise<void> {
    const at = Number(canvas.dataset["layer"]);
    const layer = this.layers[at];
    if (!layer?.masks || canvas.hidden || this.painted.get(canvas) === layer) return;
    this.painted.set(canvas, layer);
    const size = drawnSize(this);
    try {
      const values = await masksOf(layer.masks, size);
      const colours = classColours(this.layers.map(({ masks }) => masks), this.classes);
      Object.assign(canvas, size);
      const fills = layer.masks.segments.map(({ label }) => colours.get(label) ?? "#ffffff");
      canvas.getContext("2d")!.putImageData(rgbaOf(values, size, fills, this.colour(layer, at)), 0, 0);
      canvas.dataset["ready"] = "";
    } catch (error) {
      this.lost = msg(str`The masks cannot be shown: ${(error as Error).message}`);
    }
  }

  private drawLayer(layer: Layer, at: number) {
    if (this.off.has(at)) return nothing;
    const colour = this.colour(layer, at);
    const wide = layer.kind === "merged" ? 2.5 : 1.75;
    const dash = DASH[layer.kind] ?? "";
    const title = (shape: { label?: string; confidence?: number | null }, what: string): SVGTemplateResult => {
      const sure = typeof shape.confidence === "number" ? ` · ${percent(shape.confidence)}` : "";
      return svg`<title>${layer.name}: ${shape.label ?? what}${sure}</title>`;
    };
    const points = ({ vertices }: ViewOutline): string => vertices.map(({ x, y }) => `${x},${y}`).join(" ");
    return svg`<g>
      ${layer.boxes?.map((box) => svg`
        <rect class="under" x=${box.left} y=${box.top} width=${box.width} height=${box.height}></rect>
        <rect class="over" x=${box.left} y=${box.top} width=${box.width} height=${box.height}
          stroke=${colour} stroke-width=${wide} stroke-dasharray=${dash}>${title(box, "box")}</rect>`)}
      ${layer.polygons?.map((shape) => svg`
        <polygon class="under" points=${points(shape)}></polygon>
        <polygon class="over" points=${points(shape)} stroke=${colour} stroke-width=${wide} stroke-dasharray=${dash}>${title(shape, "polygon")}</polygon>`)}
      ${layer.polylines?.map((shape) => svg`
        <polyline class="under" points=${points(shape)}></polyline>
        <polyline class="over" points=${points(shape)} stroke=${colour} stroke-width=${wide} stroke-dasharray=${dash}>${title(shape, "line")}</polyline>`)}
      ${layer.keypoints?.map((shape) => svg`
        <path class="under" d="M ${shape.x} ${shape.y} h 0"></path>
        <path class="over" d="M ${shape.x} ${shape.y} h 0" stroke=${colour} stroke-width=${layer.kind === "worker" ? 6 : 9}>${title(shape, "point")}</path>`)}
    </g>`;
  }

  protected override stage() {
    return html`<div class="picture">
      <img src=${this.src} alt=${this.alt || msg("Labeled image")} width=${this.width || nothing} height=${this.height || nothing}
        loading="lazy" decoding="async" @error=${() => (this.lost = msg("This picture cannot be loaded."))} />
      ${this.layers.map((layer, at) => (layer.masks ? html`<canvas data-layer=${at} ?hidden=${this.off.has(at)} aria-hidden="true"></canvas>` : nothing))}
      <svg viewBox="0 0 ${this.width} ${this.height}" preserveAspectRatio="none" role="img" aria-label=${this.describe()}>
        ${this.layers.map((layer, at) => this.drawLayer(layer, at))}
      </svg>
      ${this.chips()}
    </div>`;
  }
}
