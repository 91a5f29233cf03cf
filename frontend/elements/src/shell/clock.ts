/** Time left on a task, and the time worked on it. Pure: the current time is an argument, in ms of a monotonic clock. */
import { msg } from "../locale";

/** Seconds left at which the time left is announced to screen readers. */
export const SPOKEN = [600, 300, 120, 60, 30, 10] as const;

/** "1:05", "12:00", "2:03:00"; never below 0:00. */
export function clockText(seconds: number): string {
  const left = Math.max(0, Math.ceil(seconds));
  const [hours, minutes, rest] = [Math.floor(left / 3600), Math.floor((left % 3600) / 60), left % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** What to say when the time left went from `before` to `now` (seconds), or null. */
export function spoken(before: number, now: number): string | null {
  if (before > 0 && now <= 0) return msg("Time is up.");
  const passed = SPOKEN.filter((mark) => before > mark && now <= mark).at(-1);
  if (passed === undefined) return null;
  return passed >= 60 ? `${passed / 60} ${passed === 60 ? "minute" : "minutes"} left.` : `${passed} seconds left.`;
}

/** Counts down by a local clock from the time left that the server told. */
export class Countdown {
  constructor(private readonly secondsLeft: number, private readonly since: number) {}

  at(now: number): number {
    return this.secondsLeft - (now - this.since) / 1000;
  }
}

/** Adds up the seconds in which somebody was at work. A longer gap between two ticks
 *  than `longest` seconds counts as `longest`, because then the machine was asleep. */
export class Stopwatch {
  private last: number | null = null;

  constructor(public seconds: number, private readonly longest = 5) {}

  tick(now: number, working: boolean): void {
    if (working && this.last !== null) this.seconds += Math.min((now - this.last) / 1000, this.longest);
    this.last = working ? now : null;
  }
}

/** Text of a price ("0.036000") as integer micro-dollars. Throws an Error on anything else. */
export function microsOf(amount: string): number {
  const found = /^(-?)(\d+)(?:\.(\d{1,6})0*)?$/.exec(amount.trim());
  if (!found) throw new Error(`"${amount}" is no amount`);
  const micros = Number(found[2]) * 1_000_000 + Number((found[3] ?? "").padEnd(6, "0"));
  return found[1] ? -micros : micros;
}
