/** Masks as pages show them: labels by COCO's run lengths, answers by their PNG; both become one number a pixel of a canvas that may
 *  be smaller than the picture. Knows no element. */
import { isDark, labelColour } from "../labels/colours";
import type { Size } from "../picture/plane";
import { valuesOf } from "./answer";
import { channels } from "./png";

export interface ViewSegment { label: string; confidence?: number | null; counts?: string; color?: string }
/** Either every segment has `counts` (column by column, of a picture of width x height), or each has its `color` in a picture: the
 *  `png` (base64), or a small copy that is loaded from `src`. */
export interface ViewMasks { width?: number; height?: number; png?: string; src?: string; segments: ViewSegment[] }

/** Sides of a canvas of masks: more would not be seen. */
export const MOST_SIDE = 1024;

/** The size at which masks of a picture are drawn. */
export function drawnSize({ width, height }: Size): Size {
  const scale = Math.min(1, MOST_SIDE / Math.max(width, height, 1));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** The lengths of COCO's compressed text: background, mask, background and so on. Throws an Error if it is damaged. */
export function runLengths(text: string): number[] {
  const runs: number[] = [];
  for (let at = 0; at < text.length;) {
    let [value, shift, more] = [0, 0, true];
    while (more) {
      const group = text.charCodeAt(at) - 48;
      if (!(group >= 0 && group < 64) || shift > 30) throw new Error(`run lengths are damaged at character ${at + 1}`);
      value |= (group & 31) << shift;
      shift += 5;
      at++;
      more = (group & 32) !== 0;
      if (!more && group & 16) value |= -1 << shift;
    }
    runs.push(runs.length > 2 ? value + runs[runs.length - 2]! : value);
  }
  return runs;
}

/** Writes `value` where the run lengths of a picture have the mask, at the size of the canvas: of the pixels that fall on one, the
 *  middle one counts. */
export function paintRuns(values: Uint8Array, drawn: Size, picture: Size, text: string, value: number): void {
  const place = new Int32Array(picture.width).fill(-1);
  for (let x = 0; x < drawn.width; x++) place[Math.floor(((x + 0.5) * picture.width) / drawn.width)] = x;
  const down = drawn.height / picture.height;
  let start = 0;
  runLengths(text).forEach((length, at) => {
    const end = start + length;
    if (at % 2 === 1) {
      for (let column = Math.floor(start / picture.height); column * picture.height < end && column < picture.width; column++) {
        const x = place[column]!;
        if (x < 0) continue;
        const top = Math.max(start - column * picture.height, 0);
        const bottom = Math.min(end - column * picture.height, picture.height);
        for (let y = Math.ceil(top * down - 0.5); y < bottom * down - 0.5; y++) values[y * drawn.width + x] = value;
      }
    }
    start = end;
  });
}

/** For each pixel of a canvas of this size the place of its segment plus one, 0 where there is none. */
export async function masksOf(masks: ViewMasks, drawn: Size): Promise<Uint8Array> {
  const { png, src, segments, width = 0, height = 0 } = masks;
  if (!png && !src) {
    const values = new Uint8Array(drawn.width * drawn.height);
    segments.forEach(({ counts }, at) => paintRuns(values, drawn, { width, height }, counts ?? "", at + 1));
    return values;
  }
  const image = new Image();
  image.src = src ?? `data:image/png;base64,${png}`;
  await image.decode();
  const context = canvasOf(drawn).getContext("2d", { willReadFrequently: true })!;
  context.imageSmoothingEnabled = false;
  context.drawImage(image, 0, 0, drawn.width, drawn.height);
  const found = valuesOf(context.getImageData(0, 0, drawn.width, drawn.height).data, segments.map(({ color }) => color ?? "#ffffff"));
  return found;
}

function canvasOf({ width, height }: Size): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

/** The colour of each class, so that all layers of a picture have the same: as the tools have it, by its place among the job's classes;
 *  without any of these in the order of the names. Classes that the job does not have come last. */
export function classColours(layers: Iterable<ViewMasks | undefined>, classes: readonly string[] = []): Map<string, string> {
  const names = new Set([...layers].flatMap((masks) => masks?.segments.map(({ label }) => label) ?? []));
  const known = classes.filter((name) => names.has(name));
  const others = [...names].filter((name) => !classes.includes(name)).sort();
  const first = known.length > 0 ? classes.length : 0;
  return new Map([...known.map((name): [string, string] => [name, labelColour(classes.indexOf(name))]),
    ...others.map((name, at): [string, string] => [name, labelColour(first + at)])]);
}

/** Paints masks: each pixel half through in the colour of its class, the outlines in that of the layer, on a dark or light line. */
export function rgbaOf(values: Uint8Array, { width, height }: Size, fills: readonly string[], outline: string): ImageData {
  const image = new ImageData(width, height);
  const known = fills.map(channels);
  const [line, under] = [channels(outline), isDark(outline) ? 255 : 0];
  const put = (at: number, [red, green, blue]: readonly number[], alpha: number) => image.data.set([red!, green!, blue!, alpha], at * 4);
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!;
    if (value === 0) continue;
    const [x, y] = [at % width, Math.floor(at / width)];
    const edge = x === 0 || y === 0 || x === width - 1 || y === height - 1 || values[at - 1] !== value || values[at + 1] !== value
      || values[at - width] !== value || values[at + width] !== value;
    const near = !edge && (values[at - 2] !== value || values[at + 2] !== value || values[at - 2 * width] !== value || values[at + 2 * width] !== value);
    if (edge) put(at, line, 255);
    else if (near) put(at, [under, under, under], 130);
    else put(at, known[value - 1]!, 115);
  }
  return image;
}
