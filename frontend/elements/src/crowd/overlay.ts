/** What the classifiers show of an earlier answer for verification, as their attribute `overlay` describes it: boxes, shapes or a
 *  mask over a picture, marks in a text, or the classes that were chosen. Takes no part in the answer. Ground Truth's are boxes and
 *  masks; the others are ours. */
import { type TemplateResult, html, nothing, svg } from "lit";
import { safeColour } from "../labels/colours";
import type { Point, Rect, Size } from "../picture/plane";
import { spot } from "./label-parts";
import { msg, str } from "../locale";

interface Mark extends Rect { label: string }
/** A polygon, a line, or a point, which is a line of one point. */
interface Outline { label: string; points: Point[]; closed: boolean }
interface Span { label: string; start: number; end: number }
/** What is shown: boxes and outlines in pixels of the picture, the address of a mask, stretches of a text by their offsets; and the
 *  colour of each label. `classes`: those of the whole, null where it has none of its own. */
export interface Overlay {
  boxes: Mark[]; outlines: Outline[]; spans: Span[]; mask: string | null; classes: string[] | null; colours: ReadonlyMap<string, string>;
}

type Plain = Record<string, unknown>;
const KINDS = ["boundingBox", "polygon", "polyline", "keypoint", "semanticSegmentation", "instanceSegmentation", "classification", "namedEntity"] as const;
const NOTHING: Overlay = { boxes: [], outlines: [], spans: [], mask: null, classes: null, colours: new Map() };

const plain = (value: unknown): Plain => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Plain) : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Reads the attribute; null where there is nothing to show. Throws an Error that the worker sees. */
export function readOverlay(raw: unknown): Overlay | null {
  if (raw === null || raw === undefined || raw === "") return null;
  const given = plain(raw);
  const kind = KINDS.find((name) => given[name]);
  if (!kind) throw new Error(`The attribute "overlay" holds none of ${KINDS.join(", ")}.`);
  const held = plain(given[kind]);
  if (kind === "boundingBox") return coloured(held, { boxes: list(held["value"]).map(box) });
  if (kind === "classification") return { ...NOTHING, classes: list(held["labels"]).map(String) };
  if (kind === "namedEntity") return coloured(held, { spans: list(held["value"]).map(span) });
  if (kind === "semanticSegmentation" || kind === "instanceSegmentation") return maskOf(held);
  return coloured(held, { outlines: list(held["value"]).map((one, at) => outlineOf(one, at, kind === "polygon")) });
}

function maskOf(mask: Plain): Overlay {
  if (typeof mask["src"] !== "string") throw new Error('The mask of the attribute "overlay" has no src, the address of its picture.');
  const mappings = Object.entries(plain(mask["labelMappings"])).map(([label, one]) => [label, plain(one)["color"]] as const);
  const instances = list(mask["instances"]).map((one) => [String(plain(one)["label"] ?? ""), plain(one)["color"]] as const);
  const colours = [...mappings, ...instances].map(([label, color], at) => [label, safeColour(typeof color === "string" ? color : undefined, at)] as const);
  return { ...NOTHING, mask: mask["src"], colours: new Map(colours) };
}

function numbers(one: unknown, names: readonly string[], what: string): number[] {
  const found = names.map((name) => Number(plain(one)[name] ?? NaN));
  if (!found.every(Number.isFinite)) throw new Error(`${what} of the attribute "overlay" lacks a number.`);
  return found;
}

const labelOf = (one: unknown): string => String(plain(one)["label"] ?? "");

function box(one: unknown, at: number): Mark {
  const [left, top, width, height] = numbers(one, ["left", "top", "width", "height"], msg(str`Box ${at + 1}`)) as [number, number, number, number];
  return { label: labelOf(one), left, top, width, height };
}

function outlineOf(one: unknown, at: number, closed: boolean): Outline {
  const vertices = Array.isArray(plain(one)["vertices"]) ? list(plain(one)["vertices"]) : [one];
  const points = vertices.map((vertex) => {
    const [x, y] = numbers(vertex, ["x", "y"], msg(str`Shape ${at + 1}`)) as [number, number];
    return { x, y };
  });
  return { label: labelOf(one), points, closed };
}

function span(one: unknown, at: number): Span {
  const [start, end] = numbers(one, ["startOffset", "endOffset"], msg(str`Entity ${at + 1}`)) as [number, number];
  return { label: labelOf(one), start, end };
}

/** With a colour for each label, those that are listed first. */
function coloured({ labels }: Plain, shown: Partial<Overlay>): Overlay {
  const overlay = { ...NOTHING, ...shown };
  const names = new Set([...list(labels).map((one) => String(plain(one)["label"] ?? one)), ...marksOf(overlay).map(({ label }) => label)]);
  return { ...overlay, colours: new Map([...names].map((name, at) => [name, safeColour(undefined, at)])) };
}

const marksOf = ({ boxes, outlines, spans }: Overlay): { label: string }[] => [...boxes, ...outlines, ...spans];

/** The overlay of a picture of this size, drawn over it. */
export function drawn({ boxes, outlines, mask, colours }: Overlay, size: Size): TemplateResult {
  return html`<svg class="over" viewBox="0 0 ${size.width} ${size.height}" width=${size.width} height=${size.height} aria-hidden="true">
    ${mask === null ? nothing : svg`<image class="mask" href=${mask} width=${size.width} height=${size.height} preserveAspectRatio="none"></image>`}
    ${boxes.map((box) => svg`<rect x=${box.left} y=${box.top} width=${box.width} height=${box.height} stroke=${colours.get(box.label)!}></rect>`)}
    ${outlines.map(({ label, points, closed }) => {
      const colour = colours.get(label)!;
      if (points.length === 1) return svg`<circle class="point" cx=${points[0]!.x} cy=${points[0]!.y} fill=${colour}></circle>`;
      return svg`<path class="outline" d="M${points.map(({ x, y }) => `${x} ${y}`).join("L")}${closed ? "Z" : ""}" stroke=${colour}></path>`;
    })}</svg>`;
}

/** Which colour stands for which label, and how many marks have it. */
export function legend(overlay: Overlay) {
  const { colours } = overlay;
  if (colours.size === 0) return nothing;
  const marks = marksOf(overlay);
  return html`<ul class="legend" aria-label=${msg("Shown on the picture")}>${[...colours].map(([label, colour]) => {
    const count = marks.filter((mark) => mark.label === label).length;
    return html`<li>${spot(colour)}<span>${label}${count > 0 ? ` (${count})` : ""}</span></li>`;
  })}</ul>`;
}
