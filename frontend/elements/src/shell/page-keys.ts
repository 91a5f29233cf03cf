/** The keys of the worker's page, wherever the focus is: in an element, beside it, or in the page of a template. Pure. */
import type { Hotkey } from "../crowd/element";
import { msg } from "../locale";

export const ACTIONS = ["submit", "skip", "help"] as const;
export type PageAction = (typeof ACTIONS)[number];

export const PAGE_KEYS: readonly Hotkey[] = [
  { keys: msg("Ctrl + Enter"), does: msg("submit") },
  { keys: msg("Ctrl + Shift + Enter"), does: msg("return this task and go on with another one") },
  { keys: "?", does: msg("this list of keys") },
];

type Press = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey" | "repeat">;

/** What a key press does on the page, null where it means nothing there. */
export function actionOf(press: Press): PageAction | null {
  if (press.altKey || press.repeat) return null;
  if (press.ctrlKey || press.metaKey) return press.key !== "Enter" ? null : press.shiftKey ? "skip" : "submit";
  return press.key === "?" ? "help" : null;
}

/** Whether somebody is typing there: fields keep their keys. */
export function typing(origin: EventTarget | null | undefined): boolean {
  return Boolean((origin as Partial<HTMLElement> | null | undefined)?.closest?.('dialog, input, textarea, select, [contenteditable]:not([contenteditable="false"])'));
}
