/** The keys that a worker has chosen for the commands of drawing tools in place of the usual ones, by element. The worker's page keeps
 *  them with the worker (shell/own-keys.ts) and in the browser; any other page keeps them in the browser, where it has a storage of
 *  its own; the page of a template is told them by the page around it. */
import type { Label } from "../labels/labels";
import { pageStorage } from "../template/storage";
import { KEYS_OF, type Keys, type Line, type Plain, written } from "./keys";
import { msg } from "../locale";

export type Chosen = Readonly<Partial<Record<Plain, string>>>;
/** By the element's tag. */
export type ByElement = Readonly<Record<string, Chosen>>;

const STORED = "waggle-keys";
/** What these keys do is the same everywhere. */
const FIXED: ReadonlySet<string> = new Set(["Enter", "Escape", "Tab", " ", "?", "+", "-", "=", "_", "Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "Dead", "Process", "Unidentified"]);

const nameable = (key: string): boolean => /^⇧?[a-z]$/.test(key) || (key.length === 1 && !/[\s\d]/.test(key)) || /^(Delete|Backspace|Insert|Home|End|PageUp|PageDown|F([1-9]|1[0-2]))$/.test(key);
const isFixed = (key: string): boolean => FIXED.has(key) || FIXED.has(key.replace("⇧", "")) || key.includes("Arrow");
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** The keys of a tool with what the worker has chosen. */
export function applied(keys: Keys, chosen: Chosen): Keys {
  const used = new Set<string>(Object.values(keys));
  const own = Object.entries(chosen).filter(([action]) => used.has(action)) as [Plain, string][];
  const replaced = new Set(own.map(([action]) => action));
  return Object.fromEntries([...Object.entries(keys).filter(([, action]) => !replaced.has(action)), ...own.map(([action, key]) => [key, action] as const)]);
}

interface Situation { usual: Keys; chosen: Chosen; lines: readonly Line[]; labels: readonly Label[] }

/** Why a key cannot be chosen for an action, in words; empty if it can. `lines` name the commands of the tool that is shown. */
export function refusal(action: Plain, key: string, { usual, chosen, lines, labels }: Situation): string {
  if (isFixed(key)) return `${written(key)} always means the same and cannot be chosen.`;
  if (/^⇧?\d$/.test(key)) return msg("Digits choose labels.");
  if (!nameable(key)) return `${written(key)} cannot be chosen.`;
  const others = Object.fromEntries(Object.entries(chosen).filter(([other]) => other !== action)) as Chosen;
  const other = applied(usual, others)[key];
  if (other && other !== action) {
    const does = lines.find((line) => line.action === other)?.does;
    return does ? `${written(key)} is the key for “${does}” already.` : `${written(key)} is in use for something else.`;
  }
  const label = labels.find(({ hotkey }) => hotkey === key);
  return label ? `${written(key)} chooses the label “${label.name}”.` : "";
}

/** What was kept for a tool, without anything that is no choice. */
export function parseChosen(raw: unknown, usual: Keys): Chosen {
  const commands = new Set<string>(Object.values(usual));
  const known = Object.entries(isObject(raw) ? raw : {}).filter((entry): entry is [Plain, string] => commands.has(entry[0]) && typeof entry[1] === "string");
  const chosen: Chosen = Object.fromEntries(known);
  return Object.fromEntries(known.filter(([action, key]) => !refusal(action, key, { usual, chosen, lines: [], labels: [] })));
}

/** What was kept for all elements. Earlier versions kept one choice for all of them, by command. */
export function parseAll(raw: unknown): ByElement {
  const found = isObject(raw) ? raw : {};
  const forAll = Object.values(found).some((value) => typeof value === "string");
  const tags = Object.keys(KEYS_OF).filter((tag) => forAll || tag in found);
  return Object.fromEntries(tags.map((tag) => [tag, parseChosen(forAll ? found : found[tag], KEYS_OF[tag]!)]));
}

function ownStorage(): Storage {
  try {
    return window.localStorage;
  } catch (error) {
    console.warn("this page has no storage; chosen keys are kept as long as it is open", error);
    return pageStorage();
  }
}

/** Fires `change` when any keys are others than before, and `chosen` when somebody has chosen them here for the element that
 *  `detail` names. */
class Keymap extends EventTarget {
  private storage: Storage | null = null;
  private name = STORED;
  private known: ByElement | null = null;
  /** Whether they are kept with the worker, and why that did not work, in words. */
  shared = false;
  problem = "";

  get all(): ByElement {
    return (this.known ??= parseAll(this.stored(this.name)));
  }

  of(element: string): Chosen { return this.all[element] ?? {}; }

  /** The chosen keys of an element, which no label can have. */
  taken(element: string): ReadonlySet<string> { return new Set(Object.values(this.of(element))); }

  /** Replaces the choices for an element; none: the usual keys. */
  choose(element: string, chosen: Chosen): void {
    this.known = { ...this.all, [element]: chosen };
    this.store(this.name, this.known);
    this.dispatchEvent(new Event("change"));
    this.dispatchEvent(new CustomEvent("chosen", { detail: element }));
  }

  /** Takes over what another place has kept. */
  adopt(all: ByElement): void {
    this.known = all;
    this.dispatchEvent(new Event("change"));
  }

  /** Belongs to this worker from now on: `kept` is what the server has kept, which counts more than what this browser has, but for
   *  elements whose keys did not reach the server yet. Returns those. */
  belongTo(worker: number, kept: unknown): string[] {
    this.shared = true;
    this.name = `${STORED}-${worker}`;
    const here = parseAll(this.stored(this.name) ?? this.stored(STORED));
    const waiting = this.waiting();
    const late = Object.fromEntries(waiting.map((tag) => [tag, here[tag] ?? {}]));
    this.adopt({ ...here, ...parseAll(kept), ...late });
    return waiting;
  }

  /** The elements whose keys have not reached the server. */
  waiting(): string[] {
    const found = this.stored(`${this.name}-waiting`);
    return Array.isArray(found) ? Object.keys(KEYS_OF).filter((tag) => found.includes(tag)) : [];
  }

  wait(element: string, waits: boolean): void {
    const others = this.waiting().filter((tag) => tag !== element);
    this.store(`${this.name}-waiting`, waits ? [...others, element] : others);
  }

  /** Says why keys are kept on this device only; empty where they are not. */
  report(problem: string): void {
    this.problem = problem;
    this.dispatchEvent(new Event("change"));
  }

  private stored(name: string): unknown {
    this.storage ??= ownStorage();
    try {
      return JSON.parse(this.storage.getItem(name) ?? "null") as unknown;
    } catch (error) {
      console.warn("the chosen keys cannot be read; the usual ones are used", error);
      return null;
    }
  }

  private store(name: string, value: unknown): void {
    this.storage ??= ownStorage();
    this.storage.setItem(name, JSON.stringify(value));
  }
}

export const keymap = new Keymap();
