/** What <crowd-image-classifier> shows over its picture for verification: the boxes or the mask of an earlier answer, as its
 *  attribute `overlay` describes them. Takes no part in the answer. */
import { type TemplateResult, html, nothing, svg } from "lit";
import { safeColour } from "../labels/colours";
import type { Rect, Size } from "../picture/plane";
import { spot } from "./label-parts";

interface Mark extends Rect { label: string }
/** What is shown: boxes in pixels of the picture, or the address of a mask; and the colour of each label. */
export interface Overlay { boxes: Mark[]; mask: string | null; colours: ReadonlyMap<string, string> }

type Plain = Record<string, unknown>;
const plain = (value: unknown): Plain => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Plain) : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Reads the attribute; null where there is nothing to show. Throws an Error that the worker sees. */
export function readOverlay(raw: unknown): Overlay | null {
  if (raw === null || raw === undefined || raw === "") return null;
  const { boundingBox, semanticSegmentation, instanceSegmentation } = plain(raw);
  if (boundingBox) return boxesOf(plain(boundingBox));
  const mask = plain(semanticSegmentation ?? instanceSegmentation);
  if (typeof mask["src"] !== "string") throw new Error('The attribute "overlay" holds none of boundingBox, semanticSegmentation and instanceSegmentation.');
  const mappings = Object.entries(plain(mask["labelMappings"])).map(([label, one]) => [label, plain(one)["color"]] as const);
  const instances = list(mask["instances"]).map((one) => [String(plain(one)["label"] ?? ""), plain(one)["color"]] as const);
  const colours = [...mappings, ...instances].map(([label, color], at) => [label, safeColour(typeof color === "string" ? color : undefined, at)] as const);
  return { boxes: [], mask: mask["src"], colours: new Map(colours) };
}

function boxesOf({ labels, value }: Plain): Overlay {
  const boxes = list(value).map((one, at): Mark => {
    const { label, left, top, width, height } = plain(one);
    const box = { label: String(label ?? ""), left: Number(left), top: Number(top), width: Number(width), height: Number(height) };
    if (![box.left, box.top, box.width, box.height].every(Number.isFinite)) throw new Error(`Box ${at + 1} of the attribute "overlay" lacks a number.`);
    return box;
  });
  const names = new Set([...list(labels).map((one) => String(plain(one)["label"] ?? one)), ...boxes.map(({ label }) => label)]);
  return { boxes, mask: null, colours: new Map([...names].map((name, at) => [name, safeColour(undefined, at)])) };
}

/** The overlay of a picture of this size, drawn over it. */
export function drawn({ boxes, mask, colours }: Overlay, size: Size): TemplateResult {
  return html`<svg class="over" viewBox="0 0 ${size.width} ${size.height}" width=${size.width} height=${size.height} aria-hidden="true">
    ${mask === null ? nothing : svg`<image class="mask" href=${mask} width=${size.width} height=${size.height} preserveAspectRatio="none"></image>`}
    ${boxes.map((box) => svg`<rect x=${box.left} y=${box.top} width=${box.width} height=${box.height} stroke=${colours.get(box.label)!}></rect>`)}</svg>`;
}

/** Which colour stands for which label, and how many boxes have it. */
export function legend({ boxes, colours }: Overlay) {
  if (colours.size === 0) return nothing;
  return html`<ul class="legend" aria-label="Shown on the picture">${[...colours].map(([label, colour]) => {
    const count = boxes.filter((box) => box.label === label).length;
    return html`<li>${spot(colour)}<span>${label}${count > 0 ? ` (${count})` : ""}</span></li>`;
  })}</ul>`;
}
