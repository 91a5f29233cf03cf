/** The keys of the box tool: what a key press means, and the list of keys as the help shows it. Pure. */
import { hotkeyOf } from "../labels/labels";
import type { Hotkey } from "./element";

export type Command =
  | { do: "move"; dx: number; dy: number; grow: boolean }
  | { do: "label"; hotkey: string }
  | { do: "zoom"; factor: number }
  | { do: "box" | "confirm" | "cancel" | "remove" | "duplicate" | "next" | "previous" | "undo" | "redo" | "fit" | "hide" | "guides"
      | "hand" | "search" | "help" | "nothing" };

export interface Press {
  key: string; code: string; shiftKey: boolean; altKey: boolean; ctrlKey: boolean; metaKey: boolean; repeat: boolean;
}

const ARROWS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const PLAIN: Record<string, Command["do"]> = {
  b: "box", n: "next", p: "previous", d: "duplicate", f: "fit", h: "hide", g: "guides", v: "hand", x: "nothing",
  "/": "search", "?": "help", Enter: "confirm", Escape: "cancel", Delete: "remove", Backspace: "remove",
};

/** The keys as the help shows them. */
export const HOTKEYS: readonly Hotkey[] = [
  { keys: "B", does: "show the crosshair, then set each corner (arrows move it)" },
  { keys: "← ↑ → ↓", does: "move the selected box or the crosshair by 1 pixel" },
  { keys: "Shift + arrows", does: "by 10 pixels" },
  { keys: "Alt + arrows", does: "resize (with Shift by 10)" },
  { keys: "1 … 0, letters", does: "choose the label written next to it" },
  { keys: "N / P", does: "next / previous box" },
  { keys: "D", does: "duplicate" },
  { keys: "Delete", does: "delete the selected box" },
  { keys: "Ctrl + Z, Ctrl + Shift + Z", does: "undo, redo" },
  { keys: "+ / −, wheel, two fingers", does: "zoom" },
  { keys: "Space + drag, middle button", does: "pan" },
  { keys: "F", does: "see the whole picture" },
  { keys: "V", does: "hand: drag the picture" },
  { keys: "H", does: "hide the other boxes" },
  { keys: "G", does: "guide lines on or off" },
  { keys: "X", does: "nothing to label here" },
  { keys: "/", does: "find a label" },
  { keys: "Escape", does: "cancel, deselect" },
];

/** How many pixels an arrow key moves the crosshair: one, but faster the longer it is held. */
export function stride(repeats: number): number {
  if (repeats < 8) return 1;
  return repeats < 25 ? 4 : 12;
}

/** What a key press means, or null. `repeats` counts the automatic repeats of a held arrow key. */
export function commandOf(press: Press, repeats = 0): Command | null {
  const arrow = ARROWS[press.key];
  if (arrow && !press.ctrlKey && !press.metaKey) {
    const step = press.shiftKey ? 10 : stride(repeats);
    return { do: "move", dx: arrow[0] * step, dy: arrow[1] * step, grow: press.altKey };
  }
  const letter = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  if (press.ctrlKey || press.metaKey) {
    if (letter === "z") return { do: press.shiftKey ? "redo" : "undo" };
    if (letter === "y") return { do: "redo" };
    if (letter === "d") return { do: "duplicate" };
    return null;
  }
  if (press.altKey) return null;
  if (press.key === "+" || press.key === "=") return { do: "zoom", factor: 1.25 };
  if (press.key === "-" || press.key === "_") return { do: "zoom", factor: 0.8 };
  const command = PLAIN[letter];
  if (command && (!press.shiftKey || "?/".includes(letter))) return { do: command } as Command;
  const hotkey = hotkeyOf(press);
  return hotkey ? { do: "label", hotkey } : null;
}
