/** What the page of a template and the page around it say to each other. Both sides check what they get: a template's author may
 *  send anything. Pure. */
import type { ByElement } from "../crowd/keymap";
import { KEYS_OF, type Line, type Plain } from "../crowd/keys";
import { ACTIONS, type PageAction } from "../shell/page-keys";

/** From the template's page: the answer as its form gives it; that it can be submitted; what is filled in so far, as JSON text; a key
 *  of the page around it was pressed, with the task's own keys for the list of keys; those keys, once they are others; whether a
 *  command can have a key, empty if it can; what the worker did, for the time worked. */
export type FromTemplate =
  | { waggle: "ready" }
  | { waggle: "answer"; answer: Record<string, unknown> }
  | { waggle: "refused" }
  | { waggle: "draft"; draft: string }
  | { waggle: "key"; action: PageAction; hotkeys: Line[] }
  | { waggle: "hotkeys"; hotkeys: Line[] }
  | { waggle: "key-answer"; id: number; refused: string }
  | { waggle: "input"; type: string; trusted: boolean };

/** To the template's page: the worker pressed Submit; the task cannot be changed, or is not in view yet; what was filled in before;
 *  put the focus where the task's keys work; the keys that the worker has chosen; whether a command can have a key. */
export type ToTemplate =
  | { waggle: "submit" }
  | { waggle: "disabled"; disabled: boolean }
  | { waggle: "restore"; draft: string }
  | { waggle: "focus" }
  | { waggle: "keys"; keys: ByElement }
  | { waggle: "ask-key"; id: number; element: string; action: Plain; key: string };

/** Characters of what is filled in: masks of a large picture need the most. */
export const LONGEST_DRAFT = 8_000_000;
const MOST_HOTKEYS = 60;
const LONGEST_WORDS = 200;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
const isHotkey = (value: unknown): value is { keys: string; does: string; action?: unknown; element?: unknown } =>
  isObject(value) && [value.keys, value.does].every((words) => typeof words === "string" && words.length <= LONGEST_WORDS);

/** The list of keys of the task as far as it is one. */
function hotkeysOf(value: unknown): Line[] {
  return Array.isArray(value) ? value.slice(0, MOST_HOTKEYS).filter(isHotkey).map((one) => ({ keys: one.keys, does: one.does, ...commandOf(one.element, one.action) })) : [];
}

/** The command of an element whose keys a worker can choose, if it is one. */
function commandOf(element: unknown, action: unknown): { element: string; action: Plain } | undefined {
  const found = Object.entries(KEYS_OF).find(([tag]) => tag === element);
  const command = found && Object.values(found[1]).find((one) => one === action);
  return found && command ? { element: found[0], action: command } : undefined;
}

/** The message if it is one that a template's page may send, else null. */
export function fromTemplate(data: unknown): FromTemplate | null {
  if (!isObject(data)) return null;
  if (data.waggle === "ready" || data.waggle === "refused") return { waggle: data.waggle };
  if (data.waggle === "answer" && isObject(data.answer)) return { waggle: "answer", answer: data.answer };
  if (data.waggle === "draft" && typeof data.draft === "string" && data.draft.length <= LONGEST_DRAFT) return { waggle: "draft", draft: data.draft };
  if (data.waggle === "key") {
    const action = ACTIONS.find((one) => one === data.action);
    return action ? { waggle: "key", action, hotkeys: hotkeysOf(data.hotkeys) } : null;
  }
  if (data.waggle === "hotkeys") return { waggle: "hotkeys", hotkeys: hotkeysOf(data.hotkeys) };
  if (data.waggle === "key-answer" && typeof data.id === "number" && typeof data.refused === "string") {
    return { waggle: "key-answer", id: data.id, refused: data.refused.slice(0, LONGEST_WORDS) };
  }
  if (data.waggle === "input" && typeof data.type === "string") return { waggle: "input", type: data.type, trusted: data.trusted === true };
  return null;
}
