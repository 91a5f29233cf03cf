/** Writes a mask as a PNG with a palette: exactly the colours that the answer names, and nothing is transparent but what belongs
 *  to nothing. A canvas could not promise that: some browsers change its pixels a little against fingerprinting. Pure. */
import { zlibSync } from "fflate";
import type { Size } from "../picture/plane";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function checksum(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (value >>> 8) ^ CRC[(value ^ byte) & 0xff]!;
  return (value ^ 0xffffffff) >>> 0;
}

function chunk(kind: string, data: Uint8Array): Uint8Array {
  const whole = new Uint8Array(data.length + 12);
  const view = new DataView(whole.buffer);
  view.setUint32(0, data.length);
  for (let at = 0; at < 4; at++) whole[4 + at] = kind.charCodeAt(at);
  whole.set(data, 8);
  view.setUint32(data.length + 8, checksum(whole.subarray(4, data.length + 8)));
  return whole;
}

/** The red, green and blue of #rrggbb. */
export const channels = (colour: string): [number, number, number] => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)) as [number, number, number];

/** The PNG of pixels whose value 0 is transparent and whose value k has the colour k - 1 (#rrggbb, at most 255). */
export function maskPng(pixels: Uint8Array, { width, height }: Size, colours: readonly string[]): Uint8Array {
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, width);
  new DataView(header.buffer).setUint32(4, height);
  header.set([8, 3, 0, 0, 0], 8); // eight bits a pixel, a palette, no interlacing
  const rows = new Uint8Array(height * (width + 1)); // each row begins with the number of its filter: 0, none
  for (let row = 0; row < height; row++) rows.set(pixels.subarray(row * width, (row + 1) * width), row * (width + 1) + 1);
  const palette = Uint8Array.from([255, 255, 255, ...colours.flatMap(channels)]);
  const parts = [
    Uint8Array.from(SIGNATURE), chunk("IHDR", header), chunk("PLTE", palette), chunk("tRNS", Uint8Array.of(0)),
    chunk("IDAT", zlibSync(rows, { level: 6 })), chunk("IEND", new Uint8Array()),
  ];
  const file = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

/** Bytes as base64. */
export function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
