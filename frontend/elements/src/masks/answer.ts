/** Converts between masks and Ground Truth's JSON: answers, initial values and the pictures in them. Pure. */
import { safeColour } from "../labels/colours";
import type { Label } from "../labels/labels";
import type { Size } from "../picture/plane";
import type { Entry } from "./history";
import type { Mask } from "./mask";
import { base64, channels, maskPng } from "./png";

export interface LabeledImage { pngImageData: string }
export interface SemanticAnswer {
  inputImageProperties: Size;
  labelMappings: Record<string, { color: string }>;
  labeledImage: LabeledImage;
  initialValueModified?: boolean;
}
export interface InstanceAnswer { inputImageProperties: Size; instances: { color: string; label: string }[]; labeledImage: LabeledImage; initialValueModified?: boolean }

/** What an initial value says: where its mask is, and which colour stands for which label. Beyond Ground Truth's: with
 *  `keepColors: false` the colours only say which pixel is which, and the labels keep their own. */
export interface Initial { src: string; entries: Entry[]; keepColors: boolean }

const size = ({ width, height }: Size): Size => ({ height, width });

/** The mask as the base64 of a PNG in the colours of its entries. */
export const labeledImage = (mask: Mask, entries: readonly Entry[]): LabeledImage => ({
  pngImageData: base64(maskPng(mask.data, mask.size, entries.map(({ color }) => color))),
});

export function semanticAnswer(mask: Mask, entries: readonly Entry[], image: LabeledImage): SemanticAnswer {
  const labelMappings = Object.fromEntries(entries.map(({ label, color }) => [label, { color }]));
  return { inputImageProperties: size(mask.size), labelMappings, labeledImage: image };
}

/** Only instances that have pixels are in the answer. */
export function instanceAnswer(mask: Mask, entries: readonly Entry[], image: LabeledImage): InstanceAnswer {
  const instances = entries.filter((_, at) => mask.counts[at + 1]! > 0).map(({ color, label }) => ({ color, label }));
  return { inputImageProperties: size(mask.size), instances, labeledImage: image };
}

/** Reads an initial value; null if there is none. Throws an Error that says what is wrong with it. */
export function parseInitial(raw: unknown, labels: readonly Label[], instances: boolean): Initial | null {
  if (raw === null || raw === undefined || raw === "") return null;
  const { src, labelMappings, instances: list, keepColors } = raw as { src?: unknown; labelMappings?: unknown; instances?: unknown; keepColors?: unknown };
  if (typeof src !== "string" || !src) throw new Error("The initial value lacks src, the address of its mask.");
  const given: [unknown, unknown][] = instances
    ? (Array.isArray(list) ? list : []).map((one: Record<string, unknown> | null) => [one?.["label"], one?.["color"]])
    : Object.entries((labelMappings ?? {}) as Record<string, { color?: unknown } | null>).map(([label, mapping]) => [label, mapping?.color]);
  if (given.length === 0) throw new Error(`The initial value lacks ${instances ? "instances" : "labelMappings"}.`);
  const entries = given.map(([label, color]) => {
    if (!labels.some(({ name }) => name === label)) throw new Error(`The initial value has the label "${String(label)}", which is none of the labels.`);
    if (typeof color !== "string" || !/^#[0-9a-f]{6}$/i.test(color)) throw new Error(`The initial value lacks a colour (#rrggbb) for "${String(label)}".`);
    return { label: String(label), color: safeColour(color, 0).toLowerCase() };
  });
  return { src, entries, keepColors: keepColors !== false };
}

/** How far a colour may be from the one it stands for, as the sum of the squares of its channels: enough for a lossy picture. */
const NEAR = 3 * 24 ** 2;

/** For RGBA pixels, the place of each in `colours` plus one; 0 for transparent ones and for colours that are near none. */
export function valuesOf(rgba: Uint8ClampedArray, colours: readonly string[]): Uint8Array {
  const known = colours.map(channels);
  const cache = new Map<number, number>();
  const values = new Uint8Array(rgba.length / 4);
  for (let at = 0; at < values.length; at++) {
    const [red, green, blue, alpha] = [rgba[at * 4]!, rgba[at * 4 + 1]!, rgba[at * 4 + 2]!, rgba[at * 4 + 3]!];
    if (alpha < 128) continue;
    const key = (red << 16) | (green << 8) | blue;
    let value = cache.get(key);
    if (value === undefined) {
      const apart = known.map(([r, g, b]) => (r - red) ** 2 + (g - green) ** 2 + (b - blue) ** 2);
      const least = Math.min(...apart);
      value = least <= NEAR ? apart.indexOf(least) + 1 : 0;
      if (cache.size > 65536) cache.clear(); // a photograph instead of a mask has millions of colours
      cache.set(key, value);
    }
    values[at] = value;
  }
  return values;
}
