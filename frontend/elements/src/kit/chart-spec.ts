/** The data of <waggle-chart> and its validation, and the pure parts of showing it (number formats, table rows).
 *  Knows nothing of Chart.js or the DOM. */
import { readersLocale } from "../locale";

export type ChartType = "line" | "bar" | "scatter";
export type Format = "number" | "percent" | "money" | "seconds" | "date";
export interface Axis { label?: string; format?: Format; min?: number; max?: number }
export interface Series { name: string; points: [number | string, number | null][]; color?: string; dashed?: boolean }
export interface Mark { label: string; x?: number; y?: number }
export interface ChartSpec {
  type: ChartType; title: string; x: Axis; y: Axis; series: Series[]; marks: Mark[]; stacked: boolean;
}

/** Validates data that came as JSON and fills in defaults. Throws an Error that names the part that is wrong. */
export function parseSpec(raw: unknown): ChartSpec {
  const data = raw as Partial<ChartSpec> | null;
  if (!data || typeof data !== "object") throw new Error("waggle-chart: expected a JSON object");
  const type = data.type ?? "line";
  if (!["line", "bar", "scatter"].includes(type)) throw new Error(`waggle-chart: type is "${type}", expected line, bar or scatter`);
  if (!Array.isArray(data.series)) throw new Error("waggle-chart: series is missing");
  for (const [at, series] of data.series.entries()) {
    if (typeof series.name !== "string") throw new Error(`waggle-chart: series[${at}].name is missing`);
    if (!Array.isArray(series.points)) throw new Error(`waggle-chart: series[${at}].points is missing`);
  }
  return {
    type, title: data.title ?? "", x: data.x ?? {}, y: data.y ?? {}, series: data.series,
    marks: data.marks ?? [], stacked: data.stacked ?? false,
  };
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** A date as text. A day without a time ("2026-11-21") is the same day in every time zone. */
function formatDate(value: number | string, how: Intl.DateTimeFormatOptions, locale = readersLocale()): string {
  const at = typeof value === "string" ? Date.parse(value) : value;
  if (Number.isNaN(at)) return String(value);
  return new Intl.DateTimeFormat(locale, DAY.test(String(value)) ? { ...how, timeZone: "UTC" } : how).format(at);
}

/** A value beside an axis, where there is little room: days without their year, the rest as formatValue() writes it. */
export function formatTick(value: number | string | null, format: Format = "number", locale = readersLocale()): string {
  if (value !== null && format === "date") return formatDate(value, { day: "numeric", month: "short" }, locale);
  return formatValue(value, format, locale);
}

/** One value of an axis as text. Money is in micro-dollars, dates in ms since the epoch or ISO text. */
export function formatValue(value: number | string | null, format: Format = "number", locale = readersLocale()): string {
  if (value === null) return "–";
  if (format === "date") return formatDate(value, { dateStyle: "medium" }, locale);
  if (typeof value === "string") return value;
  switch (format) {
    case "percent": return new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }).format(value);
    case "money": return new Intl.NumberFormat(locale, { style: "currency", currency: "USD", maximumFractionDigits: 3 }).format(value / 1e6);
    case "seconds": return `${new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(value)} s`;
    default: return new Intl.NumberFormat(locale, { maximumFractionDigits: 3 }).format(value);
  }
}

/** The same data as rows for readers who cannot see the chart: x, then each series in order (null where it has none). */
export function tableRows(spec: ChartSpec): { x: number | string; values: (number | null)[] }[] {
  const rows = new Map<number | string, (number | null)[]>();
  spec.series.forEach((series, at) => {
    for (const [x, y] of series.points) {
      const row = rows.get(x) ?? spec.series.map(() => null);
      row[at] = y;
      rows.set(x, row);
    }
  });
  const sorted = [...rows].map(([x, values]) => ({ x, values }));
  if (sorted.every((row) => typeof row.x === "number")) sorted.sort((a, b) => Number(a.x) - Number(b.x));
  return sorted;
}
