/** The keys of the drawing tools: what a key press means, and the lists of keys as the help shows them. Pure. */
import { hotkeyOf } from "../labels/labels";
import type { Hotkey } from "./element";
import { msg, str } from "../locale";

export type Command =
  | { do: "move"; dx: number; dy: number; grow: boolean }
  | { do: "label"; hotkey: string }
  | { do: "zoom"; factor: number }
  | { do: Plain };

export type Plain = "place" | "confirm" | "cancel" | "remove" | "duplicate" | "next" | "previous" | "undo" | "redo" | "fit" | "hide" | "guides"
  | "hand" | "search" | "help" | "nothing" | "insert" | "point-before" | "point-after" | "snap" | "brush" | "eraser" | "fill" | "polygon"
  | "smaller" | "larger" | "new" | "hide-one" | "lock-one" | "show-all";

export interface Press {
  key: string; code: string; shiftKey: boolean; altKey: boolean; ctrlKey: boolean; metaKey: boolean; repeat: boolean;
}

/** What single keys mean in a tool, with "⇧" before a letter that is typed with Shift. Letters that choose labels (labels.ts) must
 *  not be among them. */
export type Keys = Readonly<Record<string, Plain>>;

const ARROWS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const VIEW: Keys = {
  f: "fit", h: "hide", v: "hand", x: "nothing", "/": "search", "?": "help", Enter: "confirm", Escape: "cancel", Delete: "remove", Backspace: "remove",
};
export const BOX_KEYS: Keys = {
  ...VIEW, b: "place", n: "next", p: "previous", d: "duplicate", g: "guides", "⇧h": "hide-one", "⇧v": "show-all", "⇧f": "lock-one",
};
export const PATH_KEYS: Keys = { ...BOX_KEYS, i: "insert", ",": "point-before", ".": "point-after", ";": "snap" };
export const MASK_KEYS: Keys = { ...VIEW, b: "brush", d: "eraser", i: "fill", p: "polygon", n: "next", g: "new", ",": "smaller", ".": "larger" };

/** The elements whose keys a worker can choose, with the usual ones. */
export const KEYS_OF: Readonly<Record<string, Keys>> = {
  "crowd-bounding-box": BOX_KEYS,
  "crowd-polygon": PATH_KEYS, "crowd-polyline": PATH_KEYS, "crowd-line": PATH_KEYS, "crowd-keypoint": PATH_KEYS,
  "crowd-semantic-segmentation": MASK_KEYS, "crowd-instance-segmentation": MASK_KEYS,
};

/** One line of the list of keys; with an action where the worker can choose another key for it. `element`: whose it is, where the
 *  list has keys of several. */
export interface Line extends Hotkey { readonly action?: Plain; readonly element?: string }
type Planned = Line | readonly [action: Plain, does: string];

/** A key as people write it: "Shift + H". */
export const written = (key: string): string => key.replace("⇧", msg("Shift + ")).replace(/\b[a-z]$/, (letter) => letter.toUpperCase());

/** The keys of an action, as people write them. */
export const keysOf = (action: Plain, keys: Keys): string => Object.keys(keys).filter((key) => keys[key] === action).map(written).join(", ");

const listed = (lines: readonly Planned[], keys: Keys): readonly Line[] =>
  lines.map((line) => ("does" in line ? line : { keys: keysOf(line[0], keys), does: line[1], action: line[0] }));

const VIEWING: readonly Planned[] = [
  { keys: msg("Ctrl + Z, Ctrl + Shift + Z"), does: msg("undo, redo") },
  { keys: "+ / −, wheel, two fingers", does: msg("zoom") },
  { keys: msg("Space + drag, middle button"), does: msg("pan") },
  ["fit", msg("see the whole picture")],
  ["hand", msg("hand: drag the picture")],
];
const FINISHING: readonly Planned[] = [
  ["nothing", msg("nothing to label here")],
  ["search", msg("find a label")],
  { keys: "Escape", does: msg("cancel, deselect") },
];
const LABELING: Hotkey = { keys: "1 … 0, letters", does: msg("choose the label written next to it") };

const stepping = (one: string): readonly Planned[] => [["next", msg(str`next ${one}`)], ["previous", msg(str`previous ${one}`)]];
const copying = (many: string): readonly Planned[] => [
  ["duplicate", msg("duplicate")],
  { keys: msg("Ctrl + C, Ctrl + V"), does: msg(str`copy and paste, also on the next picture (all ${many} if none is selected)`) },
];
const hiding = (one: string, many: string, more = ""): readonly Planned[] => [
  ["hide", msg(str`hide the other ${many}${more}`)],
  ["hide-one", msg(str`hide the selected ${one}`)],
  ["show-all", msg(str`show all ${many} again`)],
  ["lock-one", msg(str`lock the selected ${one}, or unlock it`)],
  ["guides", msg("guide lines on or off")],
];

/** The keys of the box tool as the help shows them. */
export function boxHotkeys(keys: Keys = BOX_KEYS): readonly Line[] {
  return listed([
    ["place", msg("show the crosshair, then set each corner (arrows move it)")],
    { keys: "← ↑ → ↓", does: msg("move the selected box or the crosshair by 1 pixel") },
    { keys: msg("Shift + arrows"), does: msg("by 10 pixels") },
    { keys: msg("Alt + arrows"), does: msg("resize (with Shift by 10)") },
    LABELING, ...stepping(msg("box")), ...copying(msg("boxes")),
    ["remove", msg("delete the selected box")],
    ...VIEWING, ...hiding(msg("box"), msg("boxes")), ...FINISHING,
  ], keys);
}

/** The keys of the tool for polygons (`one`, `many`: their name), lines or key points. */
export function pathHotkeys(one: string, many: string, points: { most: number; closed: boolean }, keys: Keys = PATH_KEYS): readonly Line[] {
  const several = points.most > 1;
  const free = points.most > 2;
  const ends = points.closed ? msg(str`close the ${one} (also: a click on its first point)`) : msg(str`end the ${one} (also: a second click on its last point)`);
  return listed([
    ["place", several ? msg("show the crosshair, then set each point (arrows move it)") : msg("show the crosshair, then set the point (arrows move it)")],
    ...(free ? [{ keys: "Enter", does: ends }, { keys: "Delete", does: msg("while drawing: take back the last point") }] : []),
    { keys: "← ↑ → ↓", does: msg(str`move the crosshair, the chosen point or the selected ${one} by 1 pixel`) },
    { keys: msg("Shift + arrows"), does: msg("by 10 pixels") },
    ...(several ? [["point-before", msg(str`previous point of the selected ${one}`)], ["point-after", msg(str`next point of the selected ${one}`)]] as const : []),
    ...(free ? [["insert", msg("insert a point after the chosen one (also: drag an edge)")] as const] : []),
    LABELING, ...stepping(one), ...copying(many),
    ["remove", several ? msg(str`delete the chosen point or the selected ${one}`) : msg(str`delete the selected ${one}`)],
    ...VIEWING, ...hiding(one, many, msg("; clicks then draw over them")),
    ...(several ? [["snap", msg("snap to neighbouring points and edges, on or off")] as const] : []),
    ...FINISHING,
  ], keys);
}

/** The keys of the tool for masks. `instances`: each object has a mask of its own. */
export function maskHotkeys(instances: boolean, keys: Keys = MASK_KEYS): readonly Line[] {
  return listed([
    ["brush", msg("brush")],
    ["eraser", msg("eraser")],
    ["fill", msg("fill an area")],
    ["polygon", msg("polygon: set its points, the first one again to paint it")],
    ["smaller", msg("smaller brush")],
    ["larger", msg("larger brush")],
    { keys: "Enter", does: msg("show the crosshair, then paint there: brush down and up, fill, or set a point (arrows move it)") },
    { keys: "← ↑ → ↓", does: msg("move the crosshair by 1 pixel, with Shift by 10") },
    LABELING,
    ["next", instances ? msg("go on with the next instance") : msg("go on with the next label that is painted")],
    ...(instances ? [["new", msg("begin a new instance")] as const] : []),
    ["remove", instances ? msg("delete the chosen instance") : msg("delete what is painted with the label")],
    ...VIEWING,
    ["hide", msg("hide the other masks")],
    ...FINISHING,
  ], keys);
}

/** How many pixels an arrow key moves the crosshair: one, but faster the longer it is held. */
export function stride(repeats: number): number {
  if (repeats < 8) return 1;
  return repeats < 25 ? 4 : 12;
}

/** The name of the key of a press among `Keys`: signs as they are typed, whether or not that needs Shift. */
export function keyOf({ key, shiftKey }: Pick<Press, "key" | "shiftKey">): string {
  const letter = key.length === 1 ? key.toLowerCase() : key;
  const sign = key.length === 1 && !/[a-z]/.test(letter);
  return shiftKey && !sign ? `⇧${letter}` : letter;
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
  const command = keys[keyOf(press)];
  if (command) return { do: command };
  const hotkey = hotkeyOf(press);
  return hotkey ? { do: "label", hotkey } : null;
}
