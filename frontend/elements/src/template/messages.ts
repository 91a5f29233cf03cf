/** What the page of a template and the page around it say to each other. Both sides check what they get: a template's author may
 *  send anything. Pure. */
import type { Hotkey } from "../crowd/element";
import { ACTIONS, type PageAction } from "../shell/page-keys";

/** From the template's page: the answer as its form gives it; that it can be submitted; what is filled in so far, as JSON text; a key
 *  of the page around it was pressed, with the task's own keys for the list of keys; what the worker did, for the time worked. */
export type FromTemplate =
  | { waggle: "ready" }
  | { waggle: "answer"; answer: Record<string, unknown> }
  | { waggle: "refused" }
  | { waggle: "draft"; draft: string }
  | { waggle: "key"; action: PageAction; hotkeys: Hotkey[] }
  | { waggle: "input"; type: string; trusted: boolean };

/** To the template's page: the worker pressed Submit; the task cannot be changed, or is not in view yet; what was filled in before;
 *  put the focus where the task's keys work. */
export type ToTemplate =
  | { waggle: "submit" }
  | { waggle: "disabled"; disabled: boolean }
  | { waggle: "restore"; draft: string }
  | { waggle: "focus" };

/** Characters of what is filled in: masks of a large picture need the most. */
export const LONGEST_DRAFT = 8_000_000;
const MOST_HOTKEYS = 60;
const LONGEST_WORDS = 200;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
const isHotkey = (value: unknown): value is Hotkey =>
  isObject(value) && [value.keys, value.does].every((words) => typeof words === "string" && words.length <= LONGEST_WORDS);

/** The list of keys of the task as far as it is one. */
function hotkeysOf(value: unknown): Hotkey[] {
  return Array.isArray(value) ? value.slice(0, MOST_HOTKEYS).filter(isHotkey).map(({ keys, does }) => ({ keys, does })) : [];
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
  if (data.waggle === "input" && typeof data.type === "string") return { waggle: "input", type: data.type, trusted: data.trusted === true };
  return null;
}
