/** The data of <waggle-parallel>: its validation, and where each value lies on its axis. Knows nothing of the DOM. */
import { readersLocale } from "../locale";

export type Scale = "Linear" | "Logarithmic" | "ReverseLogarithmic";
export interface NumberAxis { label: string; low: number; high: number; scale: Scale }
export interface ChoiceAxis { label: string; values: string[] }
export type ParallelAxis = NumberAxis | ChoiceAxis;
export type Value = number | string | null;
export interface Line { name: string; values: Value[] }
export interface ParallelSpec { title: string; axes: ParallelAxis[]; lines: Line[]; maximize: boolean }

export function isChoice(axis: ParallelAxis): axis is ChoiceAxis {
  return "values" in axis;
}

/** Validates data that came as JSON. Throws an Error that names the part that is wrong. */
export function parseParallel(raw: unknown): ParallelSpec {
  const data = raw as Partial<ParallelSpec> | null;
  if (!data || typeof data !== "object") throw new Error("waggle-parallel: expected a JSON object");
  if (!Array.isArray(data.axes) || data.axes.length === 0) throw new Error("waggle-parallel: axes are missing");
  for (const [at, axis] of data.axes.entries()) {
    if (typeof axis.label !== "string") throw new Error(`waggle-parallel: axes[${at}].label is missing`);
    if (!isChoice(axis) && (typeof axis.low !== "number" || typeof axis.high !== "number")) {
      throw new Error(`waggle-parallel: axes[${at}] has neither values nor low and high`);
    }
  }
  const lines = data.lines ?? [];
  for (const [at, line] of lines.entries()) {
    if (line.values?.length !== data.axes.length) throw new Error(`waggle-parallel: lines[${at}] has not one value for each axis`);
  }
  return { title: data.title ?? "", axes: data.axes, lines, maximize: data.maximize ?? true };
}

function scaled(value: number, scale: Scale): number {
  if (scale === "Logarithmic") return Math.log(value);
  return scale === "ReverseLogarithmic" ? -Math.log(1 - value) : value;
}

/** Where a value lies on its axis: 0 at the low end, 1 at the high one; null for a value that is not on it. */
export function position(axis: ParallelAxis, value: Value): number | null {
  if (value === null) return null;
  if (isChoice(axis)) {
    const at = axis.values.indexOf(String(value));
    if (at < 0) return null;
    return axis.values.length === 1 ? 0.5 : at / (axis.values.length - 1);
  }
  const [low, high] = [scaled(axis.low, axis.scale), scaled(axis.high, axis.scale)];
  if (!(high > low)) return 0.5;
  return Math.min(1, Math.max(0, (scaled(Number(value), axis.scale) - low) / (high - low)));
}

/** How good each line is among all: 1 for the best objective (the last axis), 0 for the worst, equal ones alike. */
export function ranks(spec: ParallelSpec): number[] {
  const objectives = spec.lines.map((line) => Number(line.values.at(-1)));
  return objectives.map((one) => {
    const beaten = objectives.filter((other) => (spec.maximize ? other < one : other > one)).length;
    return objectives.length === 1 ? 1 : beaten / (objectives.length - 1);
  });
}

/** A number of an axis with four digits that count. */
export function shortNumber(value: Value, locale = readersLocale()): string {
  if (value === null) return "–";
  if (typeof value === "string") return value;
  const small = value !== 0 && Math.abs(value) < 0.001;
  return new Intl.NumberFormat(locale, { maximumSignificantDigits: 4, notation: small ? "scientific" : "standard" }).format(value);
}
