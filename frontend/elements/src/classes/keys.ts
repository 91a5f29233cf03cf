/** The keys of the classifiers: what a key press means, and the list of keys as the help shows it. Pure. */
import type { Hotkey } from "../crowd/element";
import { hotkeyOf } from "../labels/labels";
import { msg } from "../locale";

export type Command =
  | { do: "choose"; hotkey: string }
  | { do: "step"; by: 1 | -1 }
  | { do: "pan"; dx: number; dy: number }
  | { do: "zoom"; factor: number }
  | { do: "submit" | "fit" | "undo" | "redo" | "search" | "help" | "none" };

export type Press = Pick<KeyboardEvent, "key" | "code" | "shiftKey" | "altKey" | "ctrlKey" | "metaKey">;

export const HOTKEYS = [
  { keys: "1 … 0, letters", does: msg("choose the label next to it") },
  { keys: "← ↑ → ↓", does: msg("previous or next label") },
  { keys: "Enter", does: msg("submit") },
  { keys: msg("Ctrl + Z, Ctrl + Shift + Z"), does: msg("undo, redo") },
  { keys: "+ / −, wheel, two fingers", does: msg("zoom") },
  { keys: msg("Shift + arrows, drag"), does: msg("move the picture") },
  { keys: "F", does: msg("see the whole picture") },
  { keys: "/", does: msg("find a label") },
] as const;

/** The same where several labels can be chosen. */
export const SEVERAL_HOTKEYS = [
  { keys: "1 … 0, letters", does: msg("choose the label next to it, or take it back") },
  { keys: "X", does: msg("none of the labels fits") },
  { keys: "← ↑ → ↓, Space", does: msg("go to a label, choose it") },
  ...HOTKEYS.slice(2),
] as const;

/** Those keys of a list that mean something where there is no picture. */
export const withoutPicture = (hotkeys: readonly Hotkey[]): readonly Hotkey[] => hotkeys.filter(({ does }) => !/zoom|picture/.test(does));

/** How far Shift and an arrow key move the picture, in CSS pixels. */
const PAN = 60;

const ARROWS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const PLAIN: Record<string, "submit" | "fit" | "search" | "help" | "none"> = { Enter: "submit", f: "fit", x: "none", "/": "search", "?": "help" };

/** What a key press means, or null where it keeps its usual meaning. */
export function commandOf(press: Press): Command | null {
  if (press.altKey) return null;
  const letter = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  if (press.ctrlKey || press.metaKey) {
    if (letter === "z") return { do: press.shiftKey ? "redo" : "undo" };
    return letter === "y" ? { do: "redo" } : null;
  }
  const arrow = ARROWS[press.key];
  // the picture moves against the arrow, so that one sees more of the side to which the arrow points
  if (arrow && press.shiftKey) return { do: "pan", dx: -arrow[0] * PAN, dy: -arrow[1] * PAN };
  if (arrow) return { do: "step", by: arrow[0] + arrow[1] > 0 ? 1 : -1 };
  if (press.key === "+" || press.key === "=") return { do: "zoom", factor: 1.25 };
  if (press.key === "-" || press.key === "_") return { do: "zoom", factor: 0.8 };
  const command = PLAIN[letter];
  if (command && (!press.shiftKey || "?/".includes(letter))) return { do: command };
  const hotkey = hotkeyOf(press);
  return hotkey ? { do: "choose", hotkey } : null;
}
