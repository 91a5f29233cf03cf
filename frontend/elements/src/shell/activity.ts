/** What a worker does on the page while a task is shown, counted and never recorded: how often the pointer moved, how many events
 *  a person and how many a script caused, keys pressed, seconds in front and seconds with input. It goes along with the answer.
 *  Pure: events are handed in, the time is an argument in ms of a monotonic clock. */

export interface Activity {
  moves: number; trusted: number; untrusted: number; keys: number; focus_seconds: number; active_seconds: number;
}

export const NOTHING: Activity = { moves: 0, trusted: 0, untrusted: 0, keys: 0, focus_seconds: 0, active_seconds: 0 };

/** The events that are counted: those that a person causes, and that no element of the page makes of others. */
export const COUNTED = ["pointermove", "pointerdown", "keydown", "click"] as const;

/** Seconds without input after which a worker does not count as active. */
const IDLE_SECONDS = 15;
/** Seconds without input in which a worker is still taken to be looking at the task, and which count as time worked. */
const LOOKING_SECONDS = 30;
/** A longer gap between two ticks counts as so many seconds: the machine was asleep. */
const LONGEST_TICK = 5;
/** More than this tells nothing more. */
const MOST = 1_000_000;

export class ActivityCounter {
  private counts: Activity;
  private last: number | null = null;
  private lastInput = -Infinity;

  /** `before`: what an earlier page counted for the same task. */
  constructor(before: Activity = NOTHING) {
    this.counts = { ...before };
  }

  /** Counts an event of a type of COUNTED. */
  note(event: Pick<Event, "type" | "isTrusted">, now: number): void {
    const counts = this.counts;
    if (!event.isTrusted) {
      counts.untrusted = Math.min(MOST, counts.untrusted + 1);
      return;
    }
    counts.trusted = Math.min(MOST, counts.trusted + 1);
    if (event.type === "pointermove") counts.moves = Math.min(MOST, counts.moves + 1);
    if (event.type === "keydown") counts.keys = Math.min(MOST, counts.keys + 1);
    this.lastInput = now;
  }

  /** Called about every second; `focused`: the page is in front. */
  tick(now: number, focused: boolean): void {
    if (focused && this.last !== null) {
      const passed = Math.min((now - this.last) / 1000, LONGEST_TICK);
      this.counts.focus_seconds += passed;
      if (now - this.lastInput <= IDLE_SECONDS * 1000) this.counts.active_seconds += passed;
    }
    this.last = focused ? now : null;
  }

  /** Whether the last input is so recent that the worker is taken to be at work. */
  recent(now: number): boolean {
    return now - this.lastInput <= LOOKING_SECONDS * 1000;
  }

  get summary(): Activity {
    const tenth = (seconds: number) => Math.round(seconds * 10) / 10;
    return {
      ...this.counts, focus_seconds: tenth(this.counts.focus_seconds), active_seconds: tenth(this.counts.active_seconds),
    };
  }
}
