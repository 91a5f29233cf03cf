/** The keys of the entity tool: what a key press means, and the list of keys as the help shows it. Pure. */
import type { Press } from "../classes/keys";
import type { Hotkey } from "../crowd/element";
import { hotkeyOf } from "../labels/labels";
import { msg } from "../locale";

export type Command =
  | { do: "move"; by: 1 | -1; word: boolean; extend: boolean }
  | { do: "label"; hotkey: string }
  | { do: "confirm" | "cancel" | "remove" | "next" | "previous" | "undo" | "redo" | "none" | "search" | "help" };

export const HOTKEYS: readonly Hotkey[] = [
  { keys: "1 … 0, letters", does: msg("mark the selected text with the label next to it, or choose the label") },
  { keys: "← →, Ctrl + ← →", does: msg("move the cursor by a character, by a word") },
  { keys: msg("Shift with these"), does: msg("select text") },
  { keys: "Enter", does: msg("mark the selected text with the chosen label; without a selection: submit") },
  { keys: "N / P", does: msg("next / previous entity") },
  { keys: "Delete", does: msg("remove the selected entity") },
  { keys: "X", does: msg("no entities in this text") },
  { keys: msg("Ctrl + Z, Ctrl + Shift + Z"), does: msg("undo, redo") },
  { keys: "/", does: msg("find a label") },
  { keys: "Escape", does: msg("deselect") },
];

const PLAIN: Record<string, Exclude<Command["do"], "move" | "label">> = {
  Enter: "confirm", Escape: "cancel", Delete: "remove", Backspace: "remove", n: "next", p: "previous", x: "none", "/": "search", "?": "help",
};

/** What a key press means, or null where it keeps its usual meaning. */
export function commandOf(press: Press): Command | null {
  const by = press.key === "ArrowRight" ? 1 : press.key === "ArrowLeft" ? -1 : null;
  if (by !== null) return press.metaKey ? null : { do: "move", by, word: press.ctrlKey || press.altKey, extend: press.shiftKey };
  if (press.altKey) return null;
  const letter = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  if (press.ctrlKey || press.metaKey) {
    if (letter === "z") return { do: press.shiftKey ? "redo" : "undo" };
    return letter === "y" ? { do: "redo" } : null;
  }
  const command = PLAIN[letter];
  if (command && (!press.shiftKey || "?/".includes(letter))) return { do: command };
  const hotkey = hotkeyOf(press);
  return hotkey ? { do: "label", hotkey } : null;
}
