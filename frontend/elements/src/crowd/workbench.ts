/** Connects pointers, keys and the canvas with a tool: holds the view (zoom, pan), hands gestures and keys to the tool in picture
 *  pixels, and has the stage redraw what changed, once a frame. Knows one canvas element; nothing of the panels or of tasks. */
import type { Point, Size } from "../picture/plane";
import { PointerGestures } from "../picture/pointer";
import { type View, fit, onPixels, panned, revealed, toPicture, zoomed } from "../picture/viewport";
import { type Command, type Keys, commandOf } from "./keys";
import { type Light, PLAIN_LIGHT } from "./light";
import { Stage } from "./stage";
import type { Pointing, Tool } from "./tool";

export interface Surroundings {
  colour(label: string): string;
  /** Something outside the canvas has to be rendered again. */
  update(): void;
  open(what: "search" | "help"): void;
  disabled(): boolean;
  /** What single keys mean. */
  keys(): Keys;
}

const REACH = { mouse: 9, touch: 24 };
const SLACK = { mouse: 4, touch: 12 };
/** What can be done while nothing can be changed. */
const LOOKING: readonly Command["do"][] = ["zoom", "fit", "help", "next", "previous", "point-before", "point-after", "hide-one", "show-all"];

export class Workbench {
  view: View = { scale: 1, x: 0, y: 0 };
  /** The view before it was rounded to pixels: movements of less than a pixel add up in it. */
  private exact: View = this.view;
  hand = false;
  hideOthers = false;
  guides = true;
  fill = PLAIN_LIGHT.fill;
  cursorClass = "";
  readonly stage: Stage;
  readonly gestures: PointerGestures;
  private room: Size = { width: 1, height: 1 };
  private pointer: Point | null = null;
  private touch = false;
  private frame = 0;
  private all = true;
  private repeats = 0;
  private fitting = true;
  private shownState = "";
  private readonly observer: ResizeObserver;

  constructor(private readonly canvas: HTMLDivElement, readonly tool: Tool, private readonly around: Surroundings) {
    const holder = document.createElement("div"); // Konva manages this element, Lit the canvas element around it
    canvas.replaceChildren(holder);
    this.stage = new Stage(holder, tool);
    this.gestures = new PointerGestures(canvas, {
      press: (at, touch) => this.press(at, touch),
      drag: (at) => this.onDrag(at),
      release: (at, still) => this.release(at, still),
      cancel: () => this.tool.cancel(),
      hover: (at) => this.onHover(at),
      pan: (dx, dy) => this.setView(panned(this.exact, dx, dy, this.tool.size, this.room)),
      zoom: (factor, at) => this.zoom(factor, at),
    });
    this.observer = new ResizeObserver(() => this.onResize());
  }

  begin(image: HTMLImageElement): void {
    this.stage.setImage(image);
    this.onResize();
    this.observer.observe(this.canvas);
  }

  /** Shows the picture in another way. */
  setImage(image: CanvasImageSource): void {
    this.stage.setImage(image);
    this.paint(true);
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
    this.setView(fit(this.tool.size, this.room, this.room.width < 500 ? 8 : 20), true);
  }

  zoom(factor: number, at: Point = { x: this.room.width / 2, y: this.room.height / 2 }): void {
    this.setView(zoomed(this.exact, factor, at, this.tool.size, this.room));
    this.around.update();
  }

  /** Moves the view until what the tool works on is visible. */
  reveal(): void {
    const rect = this.tool.focus;
    if (rect) this.setView(revealed(this.exact, rect, this.tool.size, this.room), this.fitting);
  }

  private setView(view: View, stillFits = false): void {
    if (!stillFits) this.fitting = false;
    this.exact = view;
    this.view = onPixels(view, window.devicePixelRatio || 1);
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

  /** Brightness and contrast of the picture, filling of the shapes: only the display changes. */
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

  /** What the tool shows changed. The panels are rendered again only if the selection or the answer changed. */
  shown(answer = false): void {
    const now = this.tool.panels;
    const panels = answer || now !== this.shownState;
    this.shownState = now;
    this.paint(panels || this.tool.stale);
    if (panels) this.around.update();
  }

  /** Has the stage draw in the next frame: all layers or only the top one. */
  paint(all: boolean): void {
    this.all ||= all;
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      const guided = this.guides && this.pointer && !this.hand && !this.cursorClass && this.tool.guided;
      this.stage.show({
        view: this.view, room: this.room, picture: this.tool.size, touch: this.touch, hideOthers: this.hideOthers,
        disabled: this.around.disabled(), fill: this.fill, guides: guided ? this.toPicture(this.pointer!) : null, colour: this.around.colour,
      }, this.all);
      this.all = false;
    });
  }

  // ---- pointers

  private toPicture(at: Point): Point {
    return toPicture(this.view, at);
  }

  private get pointing(): Pointing {
    const kind = this.touch ? "touch" : "mouse";
    return { touch: this.touch, reach: REACH[kind] / this.view.scale, slack: SLACK[kind] / this.view.scale, alone: this.hideOthers };
  }

  private press(at: Point, touch: boolean): void {
    this.touch = touch;
    this.pointer = touch ? null : at;
    if (!this.around.disabled()) this.tool.press(this.toPicture(at), this.pointing);
  }

  private onDrag(at: Point): void {
    if (!this.touch) this.pointer = at;
    if (!this.around.disabled()) this.tool.drag(this.toPicture(at), this.pointing);
  }

  private release(at: Point, still: boolean): void {
    if (this.touch) this.pointer = null;
    if (!this.around.disabled()) this.tool.release(this.toPicture(at), still, this.pointing);
  }

  private onHover(at: Point | null): void {
    this.pointer = at;
    const before = this.cursorClass;
    const over = this.tool.hover(at && this.toPicture(at), this.pointing);
    this.cursorClass = this.hand ? "hand" : over;
    if (before !== this.cursorClass) this.around.update();
    this.paint(false);
  }

  // ---- keys

  keydown(event: KeyboardEvent): void {
    const origin = event.composedPath()[0] as HTMLElement;
    if (event.defaultPrevented || origin.closest("dialog, .light")) return;
    const typing = origin instanceof HTMLSelectElement || (origin instanceof HTMLInputElement && origin.type !== "checkbox");
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
    const command = commandOf(event, this.repeats, this.around.keys());
    if (!command || (this.around.disabled() && !LOOKING.includes(command.do))) return;
    if (this.run(command)) event.preventDefault();
  }

  keyup(event: KeyboardEvent): void {
    if (event.key === " ") this.gestures.panning = this.hand;
  }

  /** Runs a command, of the view or of the tool. Returns false if it did not apply, so that the key keeps its usual meaning. */
  private run(command: Command): boolean {
    switch (command.do) {
      case "zoom": this.zoom(command.factor); return true;
      case "fit": this.fitView(); return true;
      case "hide": this.toggleOthers(); return true;
      case "guides": this.guides = !this.guides; this.paint(false); return true;
      case "hand": this.setHand(!this.hand); return true;
      case "search":
      case "help": this.around.open(command.do); return true;
      default: return this.runTool(command);
    }
  }

  private runTool(command: Command): boolean {
    const done = this.tool.run(command, this.toPicture({ x: this.room.width / 2, y: this.room.height / 2 }));
    if (done && MOVING.includes(command.do)) this.reveal();
    if (done && command.do === "label") this.around.update();
    return done;
  }
}

/** After these the view follows what moved. */
const MOVING: readonly Command["do"][] = ["move", "place", "confirm", "next", "previous", "insert", "point-before", "point-after"];
