/** Money and times as the reader writes them. Pure: no DOM, the locale and the present are given. */

import { readersLocale } from "../locale";

/** Integer micro-dollars in the reader's currency format: at least cents, and fractions of a cent are never rounded away. */
export function formatMicros(micros: number, locale = readersLocale(), currency = "USD"): string {
  return new Intl.NumberFormat(locale, {
    style: "currency", currency, minimumFractionDigits: 2, maximumFractionDigits: 6,
  }).format(micros / 1_000_000);
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000], ["month", 2_592_000], ["week", 604_800], ["day", 86_400], ["hour", 3_600], ["minute", 60],
];

/** "3 minutes ago", "in 2 hours", "now". `now` and `then` in ms since the epoch. */
export function formatRelative(then: number, now: number, locale = readersLocale()): string {
  const seconds = Math.round((then - now) / 1000);
  const words = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return words.format(Math.trunc(seconds / size), unit);
  }
  return Math.abs(seconds) < 10 ? words.format(0, "second") : words.format(seconds, "second");
}

