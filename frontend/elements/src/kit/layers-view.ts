/** What the views of labeled objects have in common: labels in layers (the merged label, each worker, the machine) that can be
 *  switched on and off, and chips with the classes of the whole object. Data: a child (see given-data.ts)
 *  {"layers": [...], "classes": [...]} or the properties. A view says what lies under the chips. All names are shown as text. */
import { LitElement, css, html, nothing } from "lit";
import { property, state } from "lit/decorators.js";
import { isDark, labelColour } from "../labels/colours";
import { type ViewMasks, classColours } from "../masks/view";
import { givenText } from "./given-data";
import { msg, str } from "../locale";

export interface ViewBox { left: number; top: number; width: number; height: number; label?: string; confidence?: number | null }
/** Offsets count code points; the end is exclusive. */
export interface ViewSpan { start: number; end: number; label: string; confidence?: number | null }
/** A polygon or a polyline. */
export interface ViewOutline { label?: string; confidence?: number | null; vertices: { x: number; y: number }[] }
export interface ViewPoint { label?: string; confidence?: number | null; x: number; y: number }
interface Chosen { label: string; confidence?: number | null }
export interface Layer {
  name: string; color?: string; kind: "worker" | "merged" | "machine" | "truth"; on?: boolean;
  boxes?: ViewBox[];
  polygons?: ViewOutline[];
  polylines?: ViewOutline[];
  keypoints?: ViewPoint[];
  spans?: ViewSpan[];
  masks?: ViewMasks;
  /** The class of the whole object instead (null: none was chosen), and how sure the layer is of it (0 to 1). */
  choice?: string | null; confidence?: number | null;
  /** All classes of the whole object ([]: none of them fits), each with how sure the layer is of it. */
  choices?: Chosen[];
}

const KIND_COLOUR: Record<string, string> = { merged: "#ffb000", machine: "#56b4e9", truth: "#2fd39a" };
export const DASH: Record<string, string> = { worker: "5 3", machine: "9 4", merged: "", truth: "2 3" };
const NONE = "none of the classes";

export const percent = (confidence: number): string => `${Math.round(confidence * 100)} %`;
const counted = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`;
const sure = ({ label, confidence }: Chosen): string => (typeof confidence === "number" ? `${label}, ${percent(confidence)} sure` : label);

/** The classes of the whole object, null where the layer has something else. */
function chosen({ choice, choices, confidence }: Layer): Chosen[] | null {
  if (choices) return choices.length > 0 ? choices : [{ label: NONE }];
  return typeof choice === "string" ? [{ label: choice, confidence: confidence ?? null }] : null;
}

/** The members that list what is drawn, with the words for one and for several; the last one stands for a layer without any. */
const DRAWN = [
  ["polygons", "polygon", "polygons"], ["polylines", "line", "lines"], ["keypoints", "point", "points"], ["spans", "span", "spans"],
  ["boxes", "box", "boxes"],
] as const;

/** How many things the layer has drawn, and their words. */
function drawn(layer: Layer): { number: number; one: string; many: string } {
  if (layer.masks) return { number: layer.masks.segments.length, one: msg("mask"), many: msg("masks") };
  const [member, one, many] = DRAWN.find(([name]) => layer[name]) ?? DRAWN[DRAWN.length - 1]!;
  return { number: layer[member]?.length ?? 0, one, many };
}

const hasLabel = (layer: Layer): boolean => chosen(layer) !== null || drawn(layer).number > 0;

export const layerStyles = css`
    :host { display: block; min-inline-size: 0; }
    .frame { position: relative; background: light-dark(#ece9e2, #0d0c0a); display: grid; place-items: center; overflow: hidden; }
    rect:not(.tint) { fill: transparent; vector-effect: non-scaling-stroke; }
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

export abstract class LayersView extends LitElement {
  @property({ attribute: false }) layers: Layer[] = [];
  /** The job's classes, in its order. */
  @property({ attribute: false }) classes: string[] = [];
  @property() src = "";
  @property() alt = "";
  @state() protected off = new Set<number>();
  @state() protected lost = "";

  /** What the labels are of. */
  protected abstract stage(): unknown;

  override connectedCallback(): void {
    super.connectedCallback();
    const given = givenText(this);
    if (this.layers.length > 0 || given === null) return;
    try {
      const { layers, classes = [] } = JSON.parse(given) as { layers: Layer[]; classes?: string[] };
      [this.layers, this.classes] = [layers, classes];
    } catch (error) {
      this.lost = msg(str`The labels cannot be read: ${String(error)}`);
    }
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has("layers")) return;
    // workers start switched off where another layer has a label to see, unless the data says otherwise with `on`
    const merged = this.layers.some((layer) => layer.kind !== "worker" && hasLabel(layer));
    this.off = new Set(this.layers.flatMap((layer, at) => ((layer.on ?? (layer.kind !== "worker" || !merged)) ? [] : [at])));
  }

  protected colour(layer: Layer, at: number): string {
    return layer.color ?? KIND_COLOUR[layer.kind] ?? labelColour(at);
  }

  private toggle(at: number): void {
    const off = new Set(this.off);
    if (!off.delete(at)) off.add(at);
    this.off = off;
  }

  protected describe(): string {
    const shown = this.layers.filter((_, at) => !this.off.has(at));
    return shown.map((layer) => `${layer.name}: ${this.summary(layer)}`).join("; ");
  }

  /** "3 boxes", or "dog, 93 % sure" */
  private summary(layer: Layer): string {
    if (layer.choice === null) return "no class";
    const classes = chosen(layer);
    if (classes) return classes.map(sure).join(", ");
    if (layer.masks) return [counted(layer.masks.segments.length, "mask", "masks"), ...layer.masks.segments.map(sure)].join(", ");
    const { number, one, many } = drawn(layer);
    return counted(number, one, many);
  }

  /** The classes of the layers that are switched on. The description says the same, hence hidden from screen readers. */
  protected chips() {
    if (this.layers.some(({ masks }) => masks)) return this.legend();
    if (!this.layers.some((layer) => chosen(layer))) return nothing;
    return html`<div class="chips" aria-hidden="true">${this.layers.map((layer, at) => {
      if (this.off.has(at)) return nothing;
      const colour = this.colour(layer, at);
      return (chosen(layer) ?? []).map((one) => html`<span class="chip ${isDark(colour) ? "dark" : ""}" title="${layer.name}: ${sure(one)}">
        <svg><rect class="tint" width="100%" height="100%" fill=${colour}></rect></svg><b>${one.label}</b>
        ${typeof one.confidence === "number" ? html`<small>${percent(one.confidence)}</small>` : nothing}</span>`);
    })}</div>`;
  }

  /** The classes of all masks, each in its colour. */
  private legend() {
    const colours = [...classColours(this.layers.map(({ masks }) => masks), this.classes)];
    return html`<div class="chips" aria-hidden="true">${colours.map(([label, colour]) => html`<span class="chip ${isDark(colour) ? "dark" : ""}" title=${label}>
      <svg><rect class="tint" width="100%" height="100%" fill=${colour}></rect></svg><b>${label}</b></span>`)}</div>`;
  }

  private figure(layer: Layer): string | number {
    if (layer.choice === null) return "–";
    const classes = chosen(layer);
    return classes ? classes.map(({ label }) => label).join(", ") : drawn(layer).number;
  }

  override render() {
    return html`
      <div class="frame" part="frame">
        ${this.lost ? html`<p class="lost" role="alert">${this.lost}</p>` : this.stage()}
      </div>
      ${this.layers.length > 0 ? html`<div class="layers" role="group" aria-label=${msg("Layers of labels")}>
        ${this.layers.map((layer, at) => {
          const named = layer.choice !== undefined || layer.choices !== undefined;
          return html`<button type="button" aria-pressed=${this.off.has(at) ? "false" : "true"} @click=${() => this.toggle(at)}>
            <svg viewBox="0 0 12 12" aria-hidden="true"><rect x="1" y="1" width="10" height="10" rx="2" stroke=${this.colour(layer, at)}
              stroke-width="2" stroke-dasharray=${DASH[layer.kind] ? "3 2" : ""}></rect></svg>
            <span class=${named ? "name" : nothing}>${layer.name}${named ? ":" : ""}</span> <span>${this.figure(layer)}</span>
          </button>`;
        })}
      </div>` : nothing}`;
  }
}
