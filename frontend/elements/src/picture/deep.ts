/** Grey pictures of 16 bits, of which a browser shows the upper 8 only: reads all values out of a PNG, and shows a window of them. Pure. */
import { unzlibSync } from "fflate";
import type { Size } from "./plane";

/** The values of a picture, row by row, 0 to 65535. */
export interface DeepPicture { readonly size: Size; readonly values: Uint16Array }
/** What is shown: values up to `level - width / 2` are black, from `level + width / 2` on white. */
export interface Window { readonly width: number; readonly level: number }

export const MOST = 65535;
export const WHOLE: Window = { width: MOST, level: MOST / 2 };

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const GREY = 0;
const GREY_ALPHA = 4;

/** The picture if the bytes are a grey PNG of 16 bits that is not interlaced, else null. Throws an Error if such a file is damaged. */
export function readDeep(bytes: Uint8Array): DeepPicture | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 33 || SIGNATURE.some((byte, at) => bytes[at] !== byte)) return null;
  const size = { width: view.getUint32(16), height: view.getUint32(20) };
  const [depth, kind, interlaced] = [bytes[24], bytes[25], bytes[28]];
  if (depth !== 16 || (kind !== GREY && kind !== GREY_ALPHA) || interlaced !== 0) return null;
  const pixel = kind === GREY ? 2 : 4;
  const rows = unfiltered(unzlibSync(compressed(bytes, view)), size, pixel);
  const values = new Uint16Array(size.width * size.height);
  for (let at = 0; at < values.length; at++) values[at] = (rows[at * pixel]! << 8) | rows[at * pixel + 1]!;
  return { size, values };
}

/** The compressed data of all IDAT chunks. */
function compressed(bytes: Uint8Array, view: DataView): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const length = view.getUint32(at);
    if (String.fromCharCode(...bytes.subarray(at + 4, at + 8)) === "IDAT") parts.push(bytes.subarray(at + 8, at + 8 + length));
  }
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Takes the filters of the rows away (PNG specification, section 9); `pixel`: bytes of a pixel. */
function unfiltered(data: Uint8Array, { width, height }: Size, pixel: number): Uint8Array {
  const stride = width * pixel;
  if (data.length < (stride + 1) * height) throw new Error("the picture is incomplete");
  const out = new Uint8Array(stride * height);
  for (let row = 0; row < height; row++) {
    const filter = data[row * (stride + 1)]!;
    const [from, to] = [row * (stride + 1) + 1, row * stride];
    for (let at = 0; at < stride; at++) {
      const left = at >= pixel ? out[to + at - pixel]! : 0;
      const up = row > 0 ? out[to + at - stride]! : 0;
      const corner = at >= pixel && row > 0 ? out[to + at - stride - pixel]! : 0;
      out[to + at] = data[from + at]! + predicted(filter, left, up, corner);
    }
  }
  return out;
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  if (filter !== 4) throw new Error(`the picture has the unknown filter ${filter}`);
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

/** The window that holds all values but the darkest and the brightest half percent. */
export function fitting({ values }: DeepPicture): Window {
  const counts = new Uint32Array(MOST + 1);
  for (const value of values) counts[value]! += 1;
  const beyond = Math.floor(values.length / 200);
  let [low, high] = [0, MOST];
  for (let sum = counts[low]!; sum <= beyond && low < MOST; sum += counts[low]!) low += 1;
  for (let sum = counts[high]!; sum <= beyond && high > low; sum += counts[high]!) high -= 1;
  return { width: Math.max(1, high - low), level: (low + high) / 2 };
}

/** The picture as RGBA pixels of 8 bits, as a window shows it. */
export function windowed({ values }: DeepPicture, { width, level }: Window): Uint8ClampedArray<ArrayBuffer> {
  const shades = new Uint8ClampedArray(MOST + 1);
  const low = level - width / 2;
  for (let value = 0; value <= MOST; value++) shades[value] = Math.round(((value - low) / width) * 255);
  const pixels = new Uint8ClampedArray(values.length * 4);
  for (let at = 0; at < values.length; at++) {
    const shade = shades[values[at]!]!;
    pixels[at * 4] = pixels[at * 4 + 1] = pixels[at * 4 + 2] = shade;
    pixels[at * 4 + 3] = 255;
  }
  return pixels;
}
