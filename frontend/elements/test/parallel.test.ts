import { expect, test } from "vitest";
import { parseParallel, position, ranks, shortNumber } from "../src/kit/parallel-spec";

const RATE = { label: "learning_rate", low: 0.001, high: 0.1, scale: "Logarithmic" } as const;
const MOMENTUM = { label: "momentum", low: 0, high: 0.99, scale: "ReverseLogarithmic" } as const;
const BATCH = { label: "batch_size", low: 2, high: 10, scale: "Linear" } as const;
const OPTIMIZER = { label: "optimizer", values: ["sgd", "adam", "adamw"] };
const MAP = { label: "mAP", low: 0.2, high: 0.8, scale: "Linear" } as const;

test("values lie on their axis by its scale", () => {
  expect(position(BATCH, 6)).toBe(0.5);
  expect(position(RATE, 0.01)).toBeCloseTo(0.5, 9);
  expect(position(MOMENTUM, 0.9)).toBeCloseTo(0.5, 9);
  expect(position(OPTIMIZER, "adam")).toBe(0.5);
  expect(position(OPTIMIZER, "lion")).toBe(null);
  expect(position(RATE, null)).toBe(null);
  expect(position({ ...BATCH, high: 2 }, 2)).toBe(0.5);
  expect(position(BATCH, 99)).toBe(1);
});

test("the best line has the first rank, whichever way is better", () => {
  const lines = [0.5, 0.8, 0.5, 0.2].map((value, at) => ({ name: `t${at}`, values: [4, value] }));
  const spec = parseParallel({ axes: [BATCH, MAP], lines });
  expect(ranks(spec)).toEqual([1 / 3, 1, 1 / 3, 0]);
  expect(ranks({ ...spec, maximize: false })).toEqual([1 / 3, 0, 1 / 3, 1]);
  expect(ranks({ ...spec, lines: lines.slice(0, 1) })).toEqual([1]);
});

test("data that is wrong is named", () => {
  expect(() => parseParallel(null)).toThrow(/a JSON object/);
  expect(() => parseParallel({ axes: [] })).toThrow(/axes are missing/);
  expect(() => parseParallel({ axes: [{ label: "a" }] })).toThrow(/axes\[0\] has neither/);
  expect(() => parseParallel({ axes: [BATCH], lines: [{ name: "a", values: [1, 2] }] })).toThrow(/lines\[0\]/);
});

test("numbers are short", () => {
  expect(shortNumber(0.123456, "en")).toBe("0.1235");
  expect(shortNumber(0.00001, "en")).toBe("1E-5");
  expect(shortNumber(null)).toBe("–");
  expect(shortNumber("adam")).toBe("adam");
});
