/** The keys that a worker has chosen for the drawing tools' commands in place of the usual ones: kept on the device, for all tools
 *  and tasks, where a page has a storage of its own; in the page of a template as long as that page lives. */
import type { Label } from "../labels/labels";
import { pageStorage } from "../template/storage";
import { BOX_KEYS, type Keys, type Line, MASK_KEYS, PATH_KEYS, type Plain, written } from "./keys";

export type Chosen = Readonly<Partial<Record<Plain, string>>>;

const STORED = "waggle-keys";
const TOOLS: readonly (readonly [Keys, string])[] = [[BOX_KEYS, "for boxes"], [PATH_KEYS, "for polygons and lines"], [MASK_KEYS, "for masks"]];
const COMMANDS: ReadonlySet<string> = new Set(TOOLS.flatMap(([keys]) => Object.values(keys)));
/** What these keys do is the same everywhere. */
const FIXED: ReadonlySet<string> = new Set(["Enter", "Escape", "Tab", " ", "?", "+", "-", "=", "_", "Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "Dead", "Process", "Unidentified"]);

const nameable = (key: string): boolean => /^⇧?[a-z]$/.test(key) || (key.length === 1 && !/[\s\d]/.test(key)) || /^(Delete|Backspace|Insert|Home|End|PageUp|PageDown|F([1-9]|1[0-2]))$/.test(key);
const isFixed = (key: string): boolean => FIXED.has(key) || FIXED.has(key.replace("⇧", "")) || key.includes("Arrow");

/** The keys of a tool with what the worker has chosen. */
export function applied(keys: Keys, chosen: Chosen): Keys {
  const used = new Set<string>(Object.values(keys));
  const own = Object.entries(chosen).filter(([action]) => used.has(action)) as [Plain, string][];
  const replaced = new Set(own.map(([action]) => action));
  return Object.fromEntries([...Object.entries(keys).filter(([, action]) => !replaced.has(action)), ...own.map(([action, key]) => [key, action] as const)]);
}

/** Why a key cannot be chosen for an action, in words; empty if it can. `lines` name the commands of the tool that is shown. */
export function refusal(action: Plain, key: string, { chosen, lines, labels }: { chosen: Chosen; lines: readonly Line[]; labels: readonly Label[] }): string {
  if (isFixed(key)) return `${written(key)} always means the same and cannot be chosen.`;
  if (/^⇧?\d$/.test(key)) return "Digits choose labels.";
  if (!nameable(key)) return `${written(key)} cannot be chosen.`;
  const others = Object.fromEntries(Object.entries(chosen).filter(([other]) => other !== action)) as Chosen;
  for (const [keys, where] of TOOLS) {
    const other = applied(keys, others)[key];
    if (!other || other === action) continue;
    const does = lines.find((line) => line.action === other)?.does;
    return does ? `${written(key)} is the key for “${does}” already.` : `${written(key)} is in use ${where}.`;
  }
  const label = labels.find(({ hotkey }) => hotkey === key);
  return label ? `${written(key)} chooses the label “${label.name}”.` : "";
}

/** What was stored, without anything that is no choice. */
export function parseChosen(text: string | null): Chosen {
  const found = JSON.parse(text ?? "{}") as unknown;
  const entries = Object.entries(typeof found === "object" && found !== null ? found : {});
  const known = entries.filter((entry): entry is [Plain, string] => COMMANDS.has(entry[0]) && typeof entry[1] === "string");
  const chosen: Chosen = Object.fromEntries(known);
  return Object.fromEntries(known.filter(([action, key]) => !refusal(action, key, { chosen, lines: [], labels: [] })));
}

function ownStorage(): Storage {
  try {
    return window.localStorage;
  } catch (error) {
    console.warn("this page has no storage; chosen keys are kept as long as it is open", error);
    return pageStorage();
  }
}

class Keymap extends EventTarget {
  private storage: Storage | null = null;
  private known: Chosen | null = null;

  get chosen(): Chosen {
    if (this.known) return this.known;
    this.storage ??= ownStorage();
    try {
      this.known = parseChosen(this.storage.getItem(STORED));
    } catch (error) {
      console.warn("the chosen keys cannot be read; the usual ones are used", error);
      this.known = {};
    }
    return this.known;
  }

  /** The chosen keys, which no label can have. */
  get taken(): ReadonlySet<string> { return new Set(Object.values(this.chosen)); }

  /** Replaces the choices; none: the usual keys. */
  choose(chosen: Chosen): void {
    this.known = chosen;
    this.storage ??= ownStorage();
    this.storage.setItem(STORED, JSON.stringify(chosen));
    this.dispatchEvent(new Event("change"));
  }
}

export const keymap = new Keymap();
