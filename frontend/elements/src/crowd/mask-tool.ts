/** The tool for masks: brush, eraser, fill and polygon. It connects the editor of masks with pointers, keys and the canvas, and
 *  keeps the mask as a coloured picture, of which only tiles that changed are coloured again. */
import type { MaskEditor } from "../masks/editor";
import { channels } from "../masks/png";
import type { Point, Rect } from "../picture/plane";
import { toScreen } from "../picture/viewport";
import type { Outdated } from "./ahead";
import type { Command } from "./keys";
import { guides, handle, outline, ring } from "./strokes";
import type { Canvas, Pointing, Scene, Tool } from "./tool";

/** The strength of the mask for the slider of the filling: half where the slider starts, so that both mask and picture are seen. */
const opacity = (fill: number): number => (fill <= 0.08 ? fill * 6.25 : Math.min(1, 0.5 + (fill - 0.08) * 0.97));
/** The colour of an eraser's outline. */
const ERASER = "#ffffff";

export class MaskTool implements Tool {
  readonly many = false; // a mask is one picture
  private readonly overlay = document.createElement("canvas");
  private pointer: Point | null = null;
  /** The only entry that is shown; null: all are. */
  private shown: number | null = null;
  /** How what is at rest was last drawn. */
  private look = "";

  constructor(readonly editor: MaskEditor) {
    this.overlay.width = editor.size.width;
    this.overlay.height = editor.size.height;
  }

  get size() { return this.editor.size; }
  get stale(): boolean { return this.editor.mask.stale.size > 0; }
  get guided(): boolean { return this.editor.mode === "fill" || this.editor.mode === "polygon"; }

  get panels(): string {
    const { current, label, mode, brush, open, cursor, down } = this.editor;
    return `${current}|${label}|${mode}|${brush}|${open.length}|${cursor !== null}|${down}`;
  }

  get focus(): Rect | null {
    const at = this.editor.cursor;
    return at && { left: at.x, top: at.y, width: 0, height: 0 };
  }

  // ---- pointers

  press(at: Point): void {
    const { editor } = this;
    this.pointer = at;
    if (editor.cursor && editor.open.length === 0) editor.cancel();
    if (editor.mode === "brush" || editor.mode === "eraser") editor.begin(at);
  }

  drag(at: Point): void {
    this.pointer = at;
    this.editor.paint(at);
    if (this.editor.mode === "polygon") this.editor.next = at;
  }

  release(at: Point, still: boolean, pointing: Pointing): void {
    const { editor } = this;
    if (editor.mode === "polygon") editor.put(at, pointing.reach);
    else if (editor.mode === "fill") {
      if (still) editor.flood(at);
    } else editor.end();
    if (pointing.touch) this.pointer = editor.next = null;
  }

  cancel(): void {
    // with a second finger the first was the start of a pinch: the points of a polygon stay
    if (this.editor.open.length === 0) this.editor.cancel();
  }

  hover(at: Point | null): string {
    this.pointer = at;
    this.editor.next = this.editor.mode === "polygon" && this.editor.open.length > 0 ? at : null;
    return "";
  }

  // ---- keys

  run(command: Command, centre: Point): boolean {
    const { editor } = this;
    switch (command.do) {
      case "move": return editor.cursor ? (editor.moveCursor(command.dx, command.dy), true) : false;
      case "label": return this.chooseLabel(command.hotkey);
      case "brush": case "eraser": case "fill": case "polygon": editor.setMode(command.do); return true;
      case "smaller": editor.resize(-1); return true;
      case "larger": editor.resize(1); return true;
      case "new": return editor.instances ? (editor.choose(null), true) : false;
      case "next": editor.stepEntry(); return true;
      case "confirm": editor.press(centre); return true;
      case "cancel": return this.letGo();
      case "remove": editor.erase(); return true;
      case "undo": editor.undo(); return true;
      case "redo": editor.redo(); return true;
      case "nothing": editor.setNothing(!editor.nothing); return true;
      default: return false;
    }
  }

  private chooseLabel(hotkey: string): boolean {
    const at = this.editor.labels.findIndex((label) => label.hotkey === hotkey);
    if (at >= 0) this.editor.setLabel(at);
    return at >= 0;
  }

  private letGo(): boolean {
    const { editor } = this;
    if (editor.busy) editor.cancel();
    else if (editor.instances && editor.current !== null) editor.choose(null);
    else return false;
    return true;
  }

  // ---- drawing

  /** The colour that is painted with. */
  private colour(scene: Scene): string {
    const { editor } = this;
    if (editor.mode === "eraser") return ERASER;
    const entry = editor.current === null ? null : editor.entries[editor.current];
    return entry?.color ?? scene.colour(editor.labels[editor.label]?.name ?? "");
  }

  outdated(scene: Scene): Outdated {
    const { shown, look } = this;
    this.look = `${scene.fill}`;
    return this.stale || this.look !== look || shown !== (scene.hideOthers ? this.editor.current : null) ? "all" : [];
  }

  idle(scene: Scene): boolean {
    const { open, cursor } = this.editor;
    return open.length === 0 && !cursor && !this.pointer && !scene.guides;
  }

  drawResting(context: Canvas, scene: Scene): void {
    const { editor, overlay } = this;
    const only = scene.hideOthers ? editor.current : null;
    if (only !== this.shown) for (const tile of editor.mask.tiles.keys()) editor.mask.stale.add(tile);
    this.shown = only;
    this.refresh();
    const { view, picture } = scene;
    context.globalAlpha = opacity(scene.fill);
    context.imageSmoothingEnabled = view.scale < 3;
    context.drawImage(overlay, view.x, view.y, picture.width * view.scale, picture.height * view.scale);
    context.globalAlpha = 1;
  }

  /** Colours the tiles that changed. */
  private refresh(): void {
    const { mask, entries } = this.editor;
    if (mask.stale.size === 0) return;
    const context = this.overlay.getContext("2d")!;
    const colours = entries.map(({ color }) => channels(color));
    for (const tile of mask.stale) {
      const { left, top, width, height } = mask.area(tile);
      const image = context.createImageData(width, height);
      for (let row = 0; row < height; row++) {
        for (let at = 0; at < width; at++) {
          const value = mask.data[(top + row) * mask.size.width + left + at]!;
          const colour = value === 0 || (this.shown !== null && value !== this.shown + 1) ? undefined : colours[value - 1];
          if (colour) image.data.set([...colour, 255], (row * width + at) * 4);
        }
      }
      context.putImageData(image, left, top);
    }
    mask.stale.clear();
  }

  drawTouched(context: Canvas, scene: Scene): void {
    const { editor } = this;
    const colour = this.colour(scene);
    if (editor.open.length > 0) this.drawOpen(context, scene, colour);
    const at = editor.cursor ?? this.pointer;
    const round = editor.mode === "brush" || editor.mode === "eraser";
    if (editor.cursor) {
      guides(context, scene, editor.cursor, colour);
      if (!round) ring(context, toScreen(scene.view, editor.cursor), colour);
    } else if (scene.guides) guides(context, scene, scene.guides);
    if (at && round && !scene.disabled) ring(context, toScreen(scene.view, at), colour, Math.max(2, (editor.brush / 2) * scene.view.scale));
  }

  private drawOpen(context: Canvas, scene: Scene, colour: string): void {
    const { open, next, cursor } = this.editor;
    const end = cursor ?? next;
    const path = new Path2D();
    for (const [at, vertex] of [...open, ...(end ? [end] : [])].entries()) {
      const { x, y } = toScreen(scene.view, vertex);
      if (at === 0) path.moveTo(x, y);
      else path.lineTo(x, y);
    }
    outline(context, path, colour, 3, 0.15);
    for (const [at, vertex] of open.entries()) handle(context, toScreen(scene.view, vertex), scene.touch ? 14 : 9, at === 0 && open.length > 2);
  }
}
