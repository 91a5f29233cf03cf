/** Labels of a task: reading the `labels` attribute leniently (templates write JSON, JSON5 and Python-like lists), giving
 *  each a hotkey and a colour, searching them. Pure. Label texts are hostile: only ever shown as text. */
import JSON5 from "json5";
import { type Attribute, parseAttributes } from "./attributes";
import { safeColour } from "./colours";

export interface Label {
  readonly name: string;
  readonly color: string;
  readonly hotkey: string | null;
  /** What is said of each shape with this label. */
  readonly attributes?: readonly Attribute[];
}

/** Letters that commands of the tool do not use. */
const LETTERS = "acejklmoqrstuwyz";
const DIGITS = "1234567890";

/** The hotkeys in order: digits, letters, then both with Shift ("⇧1"). */
export const HOTKEYS: readonly string[] = [...DIGITS, ...LETTERS, ...[...DIGITS, ...LETTERS].map((key) => `⇧${key}`)];

/** Any JSON5 text; throws an Error that says which attribute is wrong. */
export function parseLenient(text: string, attribute: string): unknown {
  try {
    return JSON5.parse(text);
  } catch (error) {
    throw new Error(`The attribute "${attribute}" cannot be read: ${(error as Error).message}. Found: ${text.slice(0, 80)}`, { cause: error });
  }
}

/** Labels from the attribute: texts, or objects with `label` (or `name`) and perhaps `color` and `categoryAttributes`; or an object
 *  with such a list as `labels` and perhaps `categoryGlobalAttributes`, which all labels have. Duplicates are dropped. No label has
 *  a key that is `taken`. */
export function parseLabels(raw: unknown, attribute = "labels", taken: ReadonlySet<string> = new Set()): Label[] {
  const given = typeof raw === "string" ? parseLenient(raw, attribute) : raw;
  const whole = typeof given === "object" && given !== null && !Array.isArray(given) ? (given as Record<string, unknown>) : null;
  const list = whole ? whole["labels"] : given;
  if (!Array.isArray(list)) throw new Error(`The attribute "${attribute}" is not a list.`);
  const common = parseAttributes(whole?.["categoryGlobalAttributes"], "all labels");
  const seen = new Map<string, { color: string | undefined; attributes: Attribute[] }>();
  for (const [at, entry] of list.entries()) {
    const object: Record<string, unknown> = typeof entry === "object" && entry !== null ? entry : { label: entry };
    const name = object["label"] ?? object["name"];
    if (typeof name !== "string" && typeof name !== "number") throw new Error(`Label ${at + 1} has no name.`);
    if (seen.has(String(name))) continue;
    const own = parseAttributes(object["categoryAttributes"], `the label "${name}"`);
    const attributes = [...common.filter((one) => !own.some((other) => other.name === one.name)), ...own];
    seen.set(String(name), { color: typeof object["color"] === "string" ? object["color"] : undefined, attributes });
  }
  if (seen.size === 0) throw new Error(`The attribute "${attribute}" names no label.`);
  const free = HOTKEYS.filter((key) => !taken.has(key));
  return [...seen].map(([name, { color, attributes }], at) => {
    const label = { name, color: safeColour(color, at), hotkey: free[at] ?? null };
    return attributes.length > 0 ? { ...label, attributes } : label;
  });
}

/** The hotkey of a key press: digits by the position of the key, because Shift changes the character, letters by the character. */
export function hotkeyOf(event: { key: string; code: string; shiftKey: boolean }): string | null {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1];
  const base = digit ?? (event.key.length === 1 ? event.key.toLowerCase() : null);
  if (!base || !(DIGITS + LETTERS).includes(base)) return null;
  return event.shiftKey ? `⇧${base}` : base;
}

/** Labels that hold every word typed, those that begin with it first. */
export function findLabels(labels: readonly Label[], typed: string): Label[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const first = words[0] ?? "";
  return labels
    .filter((label) => words.every((word) => label.name.toLowerCase().includes(word)))
    .sort((a, b) => Number(b.name.toLowerCase().startsWith(first)) - Number(a.name.toLowerCase().startsWith(first)));
}
