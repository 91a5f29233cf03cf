/** Grey pictures of 16 bits. */
import { zlibSync } from "fflate";
import { expect, test } from "vitest";
import { MOST, WHOLE, fitting, readDeep, windowed } from "../src/picture/deep";

const [WIDTH, HEIGHT] = [5, 6];
const VALUES = Array.from({ length: WIDTH * HEIGHT }, (_, at) => (at * at * 977 + 13) % 65536);

function chunk(kind: string, data: number[] | Uint8Array): number[] {
  const length = [24, 16, 8, 0].map((shift) => (data.length >> shift) & 255);
  return [...length, ...[...kind].map((letter) => letter.charCodeAt(0)), ...data, 0, 0, 0, 0];
}

/** A PNG whose rows are filtered in turn by all five filters. */
function png({ kind = 0, depth = 16, interlaced = 0, cut = 0 } = {}): Uint8Array {
  const pixel = kind === 4 ? 4 : 2;
  const rows = Array.from({ length: HEIGHT }, (_, row) => Array.from({ length: WIDTH * pixel }, (_, at) => {
    const value = VALUES[row * WIDTH + Math.floor(at / pixel)]!;
    return at % pixel === 0 ? value >> 8 : at % pixel === 1 ? value & 255 : 255;
  }));
  const raw = rows.flatMap((bytes, row) => [row % 5, ...bytes.map((byte, at) => {
    const [left, up, corner] = [bytes[at - pixel] ?? 0, rows[row - 1]?.[at] ?? 0, (at >= pixel ? rows[row - 1]?.[at - pixel] : 0) ?? 0];
    const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
    const paeth = a <= b && a <= c ? left : b <= c ? up : corner;
    return (byte - [0, left, up, (left + up) >> 1, paeth][row % 5]!) & 255;
  })]);
  const data = zlibSync(Uint8Array.from(raw.slice(0, raw.length - cut)));
  return Uint8Array.from([
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, ...chunk("IHDR", [0, 0, 0, WIDTH, 0, 0, 0, HEIGHT, depth, kind, 0, 0, interlaced]),
    ...chunk("IDAT", data.subarray(0, 9)), ...chunk("IDAT", data.subarray(9)), ...chunk("IEND", []),
  ]);
}

test("all values are read, through every filter, with and without transparency", () => {
  for (const kind of [0, 4]) {
    const found = readDeep(png({ kind }))!;
    expect(found.size).toEqual({ width: WIDTH, height: HEIGHT });
    expect([...found.values]).toEqual(VALUES);
  }
});

test("other files are left alone, and a damaged one is said", () => {
  expect(readDeep(new Uint8Array(10))).toBeNull();
  expect(readDeep(png({ depth: 8 }))).toBeNull();
  expect(readDeep(png({ kind: 2 }))).toBeNull();
  expect(readDeep(png({ interlaced: 1 }))).toBeNull();
  expect(() => readDeep(png({ cut: 4 }))).toThrow("incomplete");
});

test("a window shows its values from black to white", () => {
  const picture = { size: { width: 4, height: 1 }, values: Uint16Array.from([1000, 1500, 2000, 9000]) };
  expect([...windowed(picture, { width: 1000, level: 1500 })].filter((_, at) => at % 4 === 0)).toEqual([0, 128, 255, 255]);
  expect([...windowed(picture, WHOLE)].slice(0, 4)).toEqual([4, 4, 4, 255]);
});

test("the window that fits leaves out half a percent at each end", () => {
  const values = Uint16Array.from({ length: 1000 }, (_, at) => (at < 3 ? 0 : at > 996 ? MOST : 2000 + at));
  expect(fitting({ size: { width: 1000, height: 1 }, values })).toEqual({ width: 2994 - 2005, level: (2005 + 2994) / 2 });
});
