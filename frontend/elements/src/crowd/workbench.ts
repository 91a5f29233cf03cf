/** Connects pointers, keys and the canvas with the editor: holds the view (zoom, pan), turns gestures and keys into calls of the
 *  editor, and has the stage redraw what changed, once a frame. Knows one canvas element; nothing of the panels or of tasks. */
import type { Editor } from "../boxes/editor";
import { type Handle, contains, handleAt, pick } from "../boxes/geometry";
import type { Point, Size } from "../picture/plane";
import { PointerGestures } from "../picture/pointer";
import { type View, fit, panned, revealed, toPicture, zoomed } from "../picture/viewport";
import { type Command, commandOf } from "./keys";
import type { Light } from "./light";
import { Stage } from "./stage";

export interface Surroundings {
  colour(label: string): string;
  /** Something outside the canvas has to be rendered again. */
  update(): void;
  open(what: "search" | "help"): void;
  disabled(): boolean;
}

const REACH = { mouse: 9, touch: 24 };
const CURSORS: Record<string, string> = { nw: "nwse", se: "nwse", ne: "nesw", sw: "nesw", n: "ns", s: "ns", e: "ew", w: "ew" };

export class Workbench {
  view: View = { scale: 1, x: 0, y: 0 };
  hand = false;
  hideOthers = false;
  guides = true;
  fill = 0.08;
  cursorClass = "";
  readonly stage: Stage;
  readonly gestures: PointerGestures;
  private room: Size = { width: 1, height: 1 };
  private pointer: Point | null = null;
  /** Where the pointer was pressed outside the selected box (picture pixels): a drag draws a box from there. */
  private origin: Point | null = null;
  private hover: number | null = null;
  private touch = false;
  private frame = 0;
  private all = true;
  private repeats = 0;
  private fitting = true;
  private shownState = "";
  private readonly observer: ResizeObserver;

  constructor(private readonly canvas: HTMLDivElement, readonly editor: Editor, private readonly around: Surroundings) {
    const holder = document.createElement("div"); // Konva manages this element, Lit the canvas element around it
    canvas.replaceChildren(holder);
    this.stage = new Stage(holder);
    this.gestures = new PointerGestures(canvas, {
      press: (at, touch) => this.press(at, touch),
      drag: (at) => this.onDrag(at),
      release: (at, still) => this.release(at, still),
      cancel: () => { this.origin = null; this.editor.cancel(); },
      hover: (at) => this.onHover(at),
      pan: (dx, dy) => this.setView(panned(this.view, dx, dy, this.editor.size, this.room)),
      zoom: (factor, at) => this.zoom(factor, at),
    });
    this.observer = new ResizeObserver(() => this.onResize());
  }

  begin(image: HTMLImageElement): void {
    this.stage.setImage(image, this.editor.size);
    this.onResize();
    this.observer.observe(this.canvas);
  }

  destroy(): void {
    cancelAnimationFrame(this.frame);
    this.observer.disconnect();
    this.gestures.destroy();
    this.stage.destroy();
    this.canvas.replaceChildren();
  }

  // ---- the view

  fitView(): void {
    this.fitting = true;
    this.setView(fit(this.editor.size, this.room, this.room.width < 500 ? 8 : 20), true);
  }

  zoom(factor: number, at: Point = { x: this.room.width / 2, y: this.room.height / 2 }): void {
    this.setView(zoomed(this.view, factor, at, this.editor.size, this.room));
    this.around.update();
  }

  /** Moves the view until the selected box or the crosshair is visible. */
  reveal(): void {
    const { box, cursor } = this.editor;
    const rect = cursor ? { left: cursor.at.x, top: cursor.at.y, width: 0, height: 0 } : box;
    if (rect) this.setView(revealed(this.view, rect, this.editor.size, this.room), this.fitting);
  }

  private setView(view: View, stillFits = false): void {
    if (!stillFits) this.fitting = false;
    this.view = view;
    this.paint(true);
  }

  private onResize(): void {
    this.room = { width: this.canvas.clientWidth, height: this.canvas.clientHeight };
    this.stage.resize(this.room);
    if (this.fitting) this.fitView();
    else this.paint(true);
    this.around.update();
  }

  setHand(hand: boolean): void {
    this.hand = hand;
    this.gestures.panning = hand;
    this.around.update();
  }

  /** Brightness and contrast of the picture, filling of the boxes: only the display changes. */
  setLight(light: Light): void {
    this.fill = light.fill;
    this.stage.setLight(light);
    this.paint(true);
  }

  toggleOthers(): void {
    this.hideOthers = !this.hideOthers;
    this.paint(true);
    this.around.update();
  }

  // ---- drawing

  /** The editor's display changed. The panels are rendered again only if the selection or the answer changed. */
  shown(answer = false): void {
    const { selected, cursor, label, gesture } = this.editor;
    const now = `${selected}|${cursor ? (cursor.corner ? 2 : 1) : 0}|${label}|${gesture?.kind}`;
    const panels = answer || now !== this.shownState;
    this.shownState = now;
    this.paint(panels);
    if (panels) this.around.update();
  }

  paint(all: boolean): void {
    this.all ||= all;
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      const { editor } = this;
      const gesture = editor.gesture;
      this.stage.show({
        view: this.view, boxes: editor.boxes, selected: editor.selected, live: gesture ? (gesture.kind === "draw" ? gesture.rect : gesture.box) : null,
        liveColor: this.around.colour(editor.box?.label ?? editor.labelName), handles: Boolean(editor.box) && !this.around.disabled(),
        touch: this.touch, hideOthers: this.hideOthers, fill: this.fill, hover: this.hover, cursor: editor.cursor,
        guides: this.guides && this.pointer && !this.hand && !this.cursorClass && gesture?.kind !== "move" ? this.toPicture(this.pointer) : null,
        colour: this.around.colour,
      }, this.all);
      this.all = false;
    });
  }

  // ---- pointers

  private toPicture(at: Point): Point {
    return toPicture(this.view, at);
  }

  private handleAt(at: Point): Handle | null {
    const box = this.editor.box;
    const reach = (this.touch ? REACH.touch : REACH.mouse) / this.view.scale;
    return box ? handleAt(box, this.toPicture(at), reach) : null;
  }

  private press(at: Point, touch: boolean): void {
    this.touch = touch;
    this.pointer = touch ? null : at;
    if (this.around.disabled()) return;
    const { editor } = this;
    if (editor.cursor) editor.cancel();
    const point = this.toPicture(at);
    const handle = this.handleAt(at);
    if (handle) editor.beginResize(point, handle);
    else if (editor.box && contains(editor.box, point)) editor.beginMove(point);
    // drawing starts with the first movement; a click without movement selects a box
    else this.origin = point;
  }

  private onDrag(at: Point): void {
    if (!this.touch) this.pointer = at;
    if (this.origin && !this.editor.gesture) this.editor.beginDraw(this.origin);
    this.editor.drag(this.toPicture(at));
  }

  private release(at: Point, still: boolean): void {
    const { editor } = this;
    const drawing = editor.gesture !== null;
    const onHandle = editor.gesture?.kind === "resize";
    editor.finish();
    if (this.touch) this.pointer = null;
    this.origin = null;
    if (!still || (drawing && onHandle)) return;
    const slack = (this.touch ? 12 : 4) / this.view.scale;
    editor.select(pick(editor.boxes, this.toPicture(at), editor.selected, slack)?.id ?? null);
  }

  private onHover(at: Point | null): void {
    this.pointer = at;
    const point = at && this.toPicture(at);
    const handle = at ? this.handleAt(at) : null;
    const inside = point && this.editor.box && contains(this.editor.box, point);
    const before = this.cursorClass;
    this.cursorClass = this.hand ? "hand" : handle ? CURSORS[handle.name]! : inside ? "move" : "";
    this.hover = point && !handle && !inside && !this.editor.gesture ? (pick(this.editor.boxes, point, null)?.id ?? null) : null;
    if (before !== this.cursorClass) this.around.update();
    this.paint(false);
  }

  // ---- keys

  keydown(event: KeyboardEvent): void {
    const origin = event.composedPath()[0] as HTMLElement;
    if (event.defaultPrevented || origin.closest("dialog, .light")) return;
    const typing = origin instanceof HTMLInputElement && origin.type !== "checkbox";
    if (typing) {
      if (event.key === "Escape") this.canvas.focus();
      return;
    }
    if (event.key === " " && origin === this.canvas) {
      this.gestures.panning = true;
      return event.preventDefault();
    }
    // Enter and the space bar belong to a button or checkbox that has the focus
    if (origin !== this.canvas && (event.key === "Enter" || event.key === " ")) return;
    this.repeats = event.repeat ? this.repeats + 1 : 0;
    const command = commandOf(event, this.repeats);
    if (!command || (this.around.disabled() && !["zoom", "fit", "help", "next", "previous"].includes(command.do))) return;
    if (this.run(command)) event.preventDefault();
  }

  keyup(event: KeyboardEvent): void {
    if (event.key === " ") this.gestures.panning = this.hand;
  }

  /** Runs a command. Returns false if it did not apply, so that the key keeps its usual meaning. */
  private run(command: Command): boolean {
    const { editor } = this;
    switch (command.do) {
      case "move": return this.arrow(command);
      case "label": return this.chooseLabel(command.hotkey);
      case "zoom": this.zoom(command.factor); return true;
      case "box": this.pressCrosshair(); return true;
      case "confirm": return editor.cursor ? (this.pressCrosshair(), true) : false;
      case "cancel": return this.cancel();
      case "remove": editor.remove(); return true;
      case "duplicate": editor.duplicate(); return true;
      case "next": editor.step(1); this.reveal(); return true;
      case "previous": editor.step(-1); this.reveal(); return true;
      case "undo": editor.undo(); return true;
      case "redo": editor.redo(); return true;
      case "fit": this.fitView(); return true;
      case "hide": this.toggleOthers(); return true;
      case "guides": this.guides = !this.guides; this.paint(false); return true;
      case "hand": this.setHand(!this.hand); return true;
      case "nothing": editor.setNothing(!editor.answer.nothing); return true;
      case "search":
      case "help": this.around.open(command.do); return true;
    }
  }

  private arrow({ dx, dy, grow }: Extract<Command, { do: "move" }>): boolean {
    const { editor } = this;
    if (editor.cursor) editor.moveCursor(dx, dy);
    else if (!editor.box) return false;
    else if (grow) editor.grow(dx, dy);
    else editor.nudge(dx, dy);
    this.reveal();
    return true;
  }

  private chooseLabel(hotkey: string): boolean {
    const at = this.editor.labels.findIndex((label) => label.hotkey === hotkey);
    if (at < 0) return false;
    this.editor.setLabel(at);
    this.around.update();
    return true;
  }

  private pressCrosshair(): void {
    this.editor.press(this.toPicture({ x: this.room.width / 2, y: this.room.height / 2 }));
    this.reveal();
  }

  private cancel(): boolean {
    const { editor } = this;
    if (editor.cursor || editor.gesture) editor.cancel();
    else if (editor.selected !== null) editor.select(null);
    else return false;
    return true;
  }
}
