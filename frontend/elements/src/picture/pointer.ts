/** Turns pointer, wheel and pinch events of one element into a few plain gestures. Knows pointers and buttons, not what is done with them.
 *  One pointer presses, drags and releases (or taps); two fingers, the middle button or the held space bar pan and zoom. Where a
 *  pen is used, the palm beside it is not a finger. */
import type { Point } from "./plane";

export interface Hooks {
  press(at: Point, touch: boolean): void;
  drag(at: Point): void;
  /** `still`: the pointer did not move, so it was a click or a tap. */
  release(at: Point, still: boolean, touch: boolean): void;
  cancel(): void;
  hover(at: Point | null): void;
  pan(dx: number, dy: number): void;
  zoom(factor: number, at: Point): void;
}

const SLACK = { mouse: 3, touch: 8 };
/** For so many milliseconds after a pen a touch is the palm of the hand that holds it. */
const PALM = 500;

export class PointerGestures {
  /** While the space bar is held (or the hand tool is chosen) one pointer pans. */
  panning = false;
  private readonly down = new Map<number, Point>();
  private start: Point | null = null;
  private still = true;
  /** The pen on the screen, and when one was last seen there or just above. */
  private pen: number | null = null;
  private penSeen = -Infinity;
  private mode: "none" | "press" | "pan" | "pinch" = "none";
  private readonly stop = new AbortController();

  constructor(private readonly target: HTMLElement, private readonly hooks: Hooks) {
    const on = <K extends keyof HTMLElementEventMap>(kind: K, listen: (event: HTMLElementEventMap[K]) => void) =>
      target.addEventListener(kind, listen, { signal: this.stop.signal, passive: false });
    on("pointerdown", (event) => this.onDown(event));
    on("pointermove", (event) => this.onMove(event));
    on("pointerup", (event) => this.onUp(event));
    on("pointercancel", (event) => this.onCancel(event));
    on("pointerleave", () => this.hooks.hover(null));
    on("wheel", (event) => this.onWheel(event));
    on("contextmenu", (event) => event.preventDefault());
  }

  destroy(): void {
    this.stop.abort();
  }

  private at(event: MouseEvent): Point {
    const frame = this.target.getBoundingClientRect();
    return { x: event.clientX - frame.left, y: event.clientY - frame.top };
  }

  /** Whether a press is that of a palm, which rests on the screen while a pen draws. A palm that came first is forgotten. */
  private isPalm(event: PointerEvent): boolean {
    if (event.pointerType === "touch") return this.pen !== null || event.timeStamp - this.penSeen < PALM;
    if (event.pointerType !== "pen") return false;
    this.penSeen = event.timeStamp;
    if (this.down.size > 0 && this.mode === "press") this.hooks.cancel();
    this.down.clear();
    this.mode = "none";
    this.pen = event.pointerId;
    return false;
  }

  private onDown(event: PointerEvent): void {
    if (this.isPalm(event)) return event.preventDefault();
    const middle = event.pointerType === "mouse" && event.button === 1;
    if (event.pointerType === "mouse" && event.button !== 0 && !middle) return;
    if (this.mode !== "none" && this.down.size === 0) this.mode = "none";
    event.preventDefault();
    this.target.focus({ preventScroll: true });
    this.target.setPointerCapture(event.pointerId);
    const at = this.at(event);
    this.down.set(event.pointerId, at);
    if (this.down.size === 2) {
      if (this.mode === "press") this.hooks.cancel(); // with a second finger the first was the start of a pinch
      this.mode = "pinch";
    } else if (this.down.size === 1) {
      this.start = at;
      this.still = true;
      this.mode = middle || this.panning ? "pan" : "press";
      if (this.mode === "press") this.hooks.press(at, event.pointerType === "touch");
    }
  }

  private onMove(event: PointerEvent): void {
    if (event.pointerType === "pen") this.penSeen = event.timeStamp;
    const at = this.at(event);
    const before = this.down.get(event.pointerId);
    if (!before) {
      if (event.pointerType !== "touch") this.hooks.hover(at);
      return;
    }
    if (this.mode === "pinch") {
      this.pinch(event.pointerId, before, at);
      this.down.set(event.pointerId, at);
      return;
    }
    this.down.set(event.pointerId, at);
    if (this.mode === "pan") return this.hooks.pan(at.x - before.x, at.y - before.y);
    const slack = event.pointerType === "touch" ? SLACK.touch : SLACK.mouse;
    if (this.still && this.start && Math.hypot(at.x - this.start.x, at.y - this.start.y) < slack) return;
    this.still = false;
    if (event.pointerType !== "touch") this.hooks.hover(at);
    this.hooks.drag(at);
  }

  /** One of two fingers moved: the movement of their midpoint pans, the change of their distance zooms. */
  private pinch(id: number, before: Point, after: Point): void {
    const other = [...this.down].find(([key]) => key !== id)?.[1];
    if (!other) return;
    const spread = (p: Point) => Math.max(1, Math.hypot(p.x - other.x, p.y - other.y));
    const middle = { x: (after.x + other.x) / 2, y: (after.y + other.y) / 2 };
    this.hooks.pan((after.x - before.x) / 2, (after.y - before.y) / 2);
    this.hooks.zoom(spread(after) / spread(before), middle);
  }

  private onUp(event: PointerEvent): void {
    this.liftPen(event);
    if (!this.down.delete(event.pointerId)) return;
    if (this.mode === "press") {
      const at = this.at(event);
      this.hooks.release(at, this.still, event.pointerType === "touch");
    }
    if (this.down.size === 0 || this.mode === "press") this.mode = "none";
    if (this.mode === "pinch" && this.down.size === 1) this.mode = "pan"; // the remaining finger goes on panning
  }

  private liftPen(event: PointerEvent): void {
    if (event.pointerId !== this.pen) return;
    this.pen = null;
    this.penSeen = event.timeStamp;
  }

  private onCancel(event: PointerEvent): void {
    this.liftPen(event);
    if (!this.down.delete(event.pointerId)) return;
    if (this.mode === "press") this.hooks.cancel();
    if (this.down.size === 0) this.mode = "none";
  }

  private onWheel(event: WheelEvent): void {
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : event.deltaMode === WheelEvent.DOM_DELTA_PAGE ? 400 : 1;
    if (event.shiftKey) return this.hooks.pan(-(event.deltaX + event.deltaY) * unit, 0);
    // browsers report a pinch on a trackpad as a wheel event with Ctrl and small steps
    const rate = event.ctrlKey ? 0.01 : 0.0015;
    this.hooks.zoom(Math.exp(-event.deltaY * unit * rate), this.at(event));
  }
}
