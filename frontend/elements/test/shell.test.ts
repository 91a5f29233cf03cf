/** The pure parts of the shell and the kit: time left, money, kinds of errors, formats, chart data. */
import { describe, expect, it } from "vitest";
import { formatTick, formatValue, parseSpec, tableRows } from "../src/kit/chart-spec";
import { formatMicros, formatRelative } from "../src/kit/format";
import { inParts } from "../src/kit/parts";
import { ActivityCounter, NOTHING } from "../src/shell/activity";
import { backoff, classify } from "../src/shell/api";
import { Countdown, Stopwatch, clockText, microsOf, spoken } from "../src/shell/clock";

describe("time", () => {
  it("shows what is left", () => {
    expect([0, -3, 65, 3600 + 62, 59.2].map(clockText)).toEqual(["0:00", "0:00", "1:05", "1:01:02", "1:00"]);
    expect(new Countdown(120, 1000).at(31_000)).toBe(90);
  });

  it("speaks at marks, once, and only the last of those passed", () => {
    expect(spoken(61, 60)).toBe("1 minute left.");
    expect(spoken(60, 59)).toBeNull();
    expect(spoken(700, 25)).toBe("30 seconds left.");
    expect(spoken(1, 0)).toBe("Time is up.");
    expect(spoken(0, -1)).toBeNull();
  });

  it("counts only seconds in sight, and no sleep", () => {
    const watch = new Stopwatch(2);
    for (const [now, visible] of [[0, true], [1000, true], [2000, false], [9000, true], [10_000, true], [99_000, true]] as const) watch.tick(now, visible);
    expect(watch.seconds).toBe(2 + 1 + 1 + 5);
  });
});

describe("activity", () => {
  it("tells events of a person from those of a script, and time in front from time with input", () => {
    const counter = new ActivityCounter({ ...NOTHING, keys: 2, trusted: 2 });
    counter.tick(0, true);
    for (const type of ["pointermove", "pointermove", "keydown", "click"]) counter.note({ type, isTrusted: true }, 0);
    counter.note({ type: "click", isTrusted: false }, 0);
    for (const at of [4, 8, 12, 16, 20]) counter.tick(at * 1000, true);
    counter.tick(21_000, false);
    counter.tick(90_000, true);
    expect(counter.summary).toEqual({ moves: 2, trusted: 6, untrusted: 1, keys: 3, focus_seconds: 20, active_seconds: 12 });
  });
});

describe("activity", () => {
  it("tells events of a person from those of a script, and time in front from time with input", () => {
    const counter = new ActivityCounter({ ...NOTHING, keys: 2, trusted: 2 });
    counter.tick(0, true);
    for (const type of ["pointermove", "pointermove", "keydown", "click"]) counter.note({ type, isTrusted: true }, 0);
    counter.note({ type: "click", isTrusted: false }, 0);
    for (const at of [4, 8, 12, 16, 20]) counter.tick(at * 1000, true);
    counter.tick(21_000, false);
    counter.tick(90_000, true);
    expect([12_000, 30_000, 30_001].map((at) => counter.recent(at))).toEqual([true, true, false]);
    expect(counter.summary).toEqual({ moves: 2, trusted: 6, untrusted: 1, keys: 3, focus_seconds: 20, active_seconds: 12 });
  });
});

describe("money", () => {
  it("is exact from text to micro-dollars", () => {
    expect(["0.036000", "0.036", "12", "1.2", "-0.000001"].map(microsOf)).toEqual([36_000, 36_000, 12_000_000, 1_200_000, -1]);
    for (const wrong of ["", "1,2", "abc", "0.0000001", "1e3"]) expect(() => microsOf(wrong)).toThrow("is no amount");
  });

  it("shows cents at least, and never rounds a fraction of one away", () => {
    expect(formatMicros(36_000, "en-US")).toBe("$0.036");
    expect(formatMicros(125_000_000, "en-US")).toBe("$125.00");
    expect(formatMicros(1_234_567, "de-DE").replace("\u00a0", " ")).toBe("1,234567 $");
  });
});

describe("errors", () => {
  it("are told apart by what the worker can do", () => {
    expect(classify(401, {})).toBe("session");
    const said = (status: number, kind: string) => classify(status, { type: `urn:waggle:problem:${kind}` });
    expect(said(403, "not-authenticated")).toBe("session");
    expect(said(403, "csrf-failed")).toBe("session");
    expect(said(403, "forbidden")).toBe("refused");
    expect(said(409, "already-submitted")).toBe("answered");
    expect(said(409, "task-gone")).toBe("gone");
    expect(said(409, "task-limit")).toBe("refused");
    expect(said(409, "wrong-state")).toBe("refused");
    expect(classify(403, { type: "about:blank", detail: "the session of a proxy" })).toBe("refused");
    expect(classify(410, {})).toBe("gone");
    expect(classify(400, {})).toBe("invalid");
    expect([429, 500, 502, 503].map((status) => classify(status, {}))).toEqual(["busy", "busy", "busy", "busy"]);
  });

  it("are tried again ever more slowly, at least each minute", () => {
    expect([1, 2, 3, 7, 50].map(backoff)).toEqual([1, 2, 4, 60, 60]);
  });
});

describe("charts", () => {
  it("say which part of their data is wrong", () => {
    expect(() => parseSpec(null)).toThrow("expected a JSON object");
    expect(() => parseSpec({ type: "pie", series: [] })).toThrow('type is "pie"');
    expect(() => parseSpec({ series: [{ name: "a" }] })).toThrow("series[0].points is missing");
  });

  it("have a table with every point, in order", () => {
    const spec = parseSpec({ series: [{ name: "a", points: [[2, 5], [1, 4]] }, { name: "b", points: [[2, 6], [3, null]] }] });
    expect(tableRows(spec)).toEqual([{ x: 1, values: [4, null] }, { x: 2, values: [5, 6] }, { x: 3, values: [null, null] }]);
    expect([formatValue(0.8312, "percent", "en-US"), formatValue(36_000, "money", "en-US"), formatValue(null)]).toEqual(["83.1%", "$0.036", "–"]);
  });
});

it("writes the days of an axis in the reader's format, the same day in every time zone", () => {
  expect([formatValue("2026-11-21", "date", "en-US"), formatValue("2026-11-21", "date", "de-DE")]).toEqual(["Nov 21, 2026", "21.11.2026"]);
  expect([formatTick("2026-11-21", "date", "en-US"), formatTick("2026-11-21", "date", "de-DE")]).toEqual(["Nov 21", "21. Nov."]);
  expect([formatTick("Round 2", "number"), formatTick(36_000, "money", "en-US"), formatTick("someday", "date")]).toEqual(["Round 2", "$0.036", "someday"]);
});

it("sends files in parts of so many files and bytes, in order, and a large one alone", () => {
  const files = [1, 2, 3, 90, 4, 5, 6, 7].map((size) => ({ size }));
  expect(inParts(files, 3, 10).map((part) => part.map(({ size }) => size))).toEqual([[1, 2, 3], [90], [4, 5], [6], [7]]);
  expect(inParts([])).toEqual([]);
});

it("tells times apart", () => {
  const now = Date.UTC(2026, 10, 21, 4);
  expect(formatRelative(now - 2_000, now, "en")).toBe("now");
  expect(formatRelative(now - 3 * 60_000, now, "en")).toBe("3 minutes ago");
  expect(formatRelative(now + 26 * 3_600_000, now, "en")).toBe("tomorrow");
});
