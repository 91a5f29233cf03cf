/** The keys of the drawing tools: what a key press means, and the lists of keys as the help shows them. Pure. */
import { hotkeyOf } from "../labels/labels";
import type { Hotkey } from "./element";

export type Command =
  | { do: "move"; dx: number; dy: number; grow: boolean }
  | { do: "label"; hotkey: string }
  | { do: "zoom"; factor: number }
  | { do: Plain };

type Plain = "place" | "confirm" | "cancel" | "remove" | "duplicate" | "next" | "previous" | "undo" | "redo" | "fit" | "hide" | "guides"
  | "hand" | "search" | "help" | "nothing" | "insert" | "point-before" | "point-after" | "snap" | "brush" | "eraser" | "fill" | "polygon"
  | "smaller" | "larger" | "new";

export interface Press {
  key: string; code: string; shiftKey: boolean; altKey: boolean; ctrlKey: boolean; metaKey: boolean; repeat: boolean;
}

/** What single keys mean in a tool. Letters that choose labels (labels.ts) must not be among them. */
export type Keys = Readonly<Record<string, Plain>>;

const ARROWS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const VIEW: Keys = {
  f: "fit", h: "hide", v: "hand", x: "nothing", "/": "search", "?": "help", Enter: "confirm", Escape: "cancel", Delete: "remove", Backspace: "remove",
};
export const BOX_KEYS: Keys = { ...VIEW, b: "place", n: "next", p: "previous", d: "duplicate", g: "guides" };
export const PATH_KEYS: Keys = { ...BOX_KEYS, i: "insert", ",": "point-before", ".": "point-after", ";": "snap" };
export const MASK_KEYS: Keys = { ...VIEW, b: "brush", d: "eraser", i: "fill", p: "polygon", n: "next", g: "new", ",": "smaller", ".": "larger" };
/** Signs that need Shift on some keyboards. */
const SHIFTED = "?/;";

const VIEWING: readonly Hotkey[] = [
  { keys: "Ctrl + Z, Ctrl + Shift + Z", does: "undo, redo" },
  { keys: "+ / −, wheel, two fingers", does: "zoom" },
  { keys: "Space + drag, middle button", does: "pan" },
  { keys: "F", does: "see the whole picture" },
  { keys: "V", does: "hand: drag the picture" },
];
const FINISHING: readonly Hotkey[] = [
  { keys: "X", does: "nothing to label here" },
  { keys: "/", does: "find a label" },
  { keys: "Escape", does: "cancel, deselect" },
];
const LABELING: Hotkey = { keys: "1 … 0, letters", does: "choose the label written next to it" };

/** The keys of the box tool as the help shows them. */
export const BOX_HOTKEYS: readonly Hotkey[] = [
  { keys: "B", does: "show the crosshair, then set each corner (arrows move it)" },
  { keys: "← ↑ → ↓", does: "move the selected box or the crosshair by 1 pixel" },
  { keys: "Shift + arrows", does: "by 10 pixels" },
  { keys: "Alt + arrows", does: "resize (with Shift by 10)" },
  LABELING,
  { keys: "N / P", does: "next / previous box" },
  { keys: "D", does: "duplicate" },
  { keys: "Delete", does: "delete the selected box" },
  ...VIEWING,
  { keys: "H", does: "hide the other boxes" },
  { keys: "G", does: "guide lines on or off" },
  ...FINISHING,
];

/** The keys of the tool for polygons (`one`, `many`: their name), lines or key points. */
export function pathHotkeys(one: string, many: string, points: { most: number; closed: boolean }): readonly Hotkey[] {
  const several = points.most > 1;
  const free = points.most > 2;
  const ends = points.closed ? `close the ${one} (also: a click on its first point)` : `end the ${one} (also: a second click on its last point)`;
  return [
    { keys: "B", does: several ? "show the crosshair, then set each point (arrows move it)" : "show the crosshair, then set the point (arrows move it)" },
    ...(free ? [{ keys: "Enter", does: ends }, { keys: "Delete", does: "while drawing: take back the last point" }] : []),
    { keys: "← ↑ → ↓", does: `move the crosshair, the chosen point or the selected ${one} by 1 pixel` },
    { keys: "Shift + arrows", does: "by 10 pixels" },
    ...(several ? [{ keys: ", / .", does: `previous / next point of the selected ${one}` }] : []),
    ...(free ? [{ keys: "I, or drag an edge", does: "insert a point after the chosen one" }] : []),
    LABELING,
    { keys: "N / P", does: `next / previous ${one}` },
    { keys: "D", does: "duplicate" },
    { keys: "Delete", does: several ? `delete the chosen point or the selected ${one}` : `delete the selected ${one}` },
    ...VIEWING,
    { keys: "H", does: `hide the other ${many}; clicks then draw over them` },
    { keys: "G", does: "guide lines on or off" },
    ...(several ? [{ keys: ";", does: "snap to neighbouring points and edges, on or off" }] : []),
    ...FINISHING,
  ];
}

/** The keys of the tool for masks. `instances`: each object has a mask of its own. */
export function maskHotkeys(instances: boolean): readonly Hotkey[] {
  return [
    { keys: "B, D", does: "brush, eraser" },
    { keys: "I", does: "fill an area" },
    { keys: "P", does: "polygon: set its points, the first one again to paint it" },
    { keys: ", / .", does: "smaller / larger brush" },
    { keys: "Enter", does: "show the crosshair, then paint there: brush down and up, fill, or set a point (arrows move it)" },
    { keys: "← ↑ → ↓", does: "move the crosshair by 1 pixel, with Shift by 10" },
    LABELING,
    { keys: "N", does: instances ? "go on with the next instance" : "go on with the next label that is painted" },
    ...(instances ? [{ keys: "G", does: "begin a new instance" }] : []),
    { keys: "Delete", does: instances ? "delete the chosen instance" : "delete what is painted with the label" },
    ...VIEWING,
    { keys: "H", does: "hide the other masks" },
    ...FINISHING,
  ];
}

/** How many pixels an arrow key moves the crosshair: one, but faster the longer it is held. */
export function stride(repeats: number): number {
  if (repeats < 8) return 1;
  return repeats < 25 ? 4 : 12;
}

/** What a key press means in a tool with these keys, or null. `repeats` counts the automatic repeats of a held arrow key. */
export function commandOf(press: Press, repeats = 0, keys: Keys = BOX_KEYS): Command | null {
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
  const command = keys[letter];
  if (command && (!press.shiftKey || SHIFTED.includes(letter))) return { do: command };
  const hotkey = hotkeyOf(press);
  return hotkey ? { do: "label", hotkey } : null;
}
