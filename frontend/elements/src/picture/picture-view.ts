/** A picture that can be zoomed and moved, in an element of the page. Pointers, wheel and fingers work by themselves; buttons and
 *  keys call the methods. Knows nothing of what the picture is shown for. */
import type { Point, Size } from "./plane";
import { PointerGestures } from "./pointer";
import { type View, fit, panned, zoomed } from "./viewport";

/** Above this scale pixels are drawn as squares, so that small things can be seen as they are. */
const SHARP_FROM = 3;
/** How far a double click zooms in. */
const DOUBLE_CLICK = 2.5;

const ignore = () => undefined;

export class PictureView {
  view: View = { scale: 1, x: 0, y: 0 };
  private readonly size: Size;
  private room: Size = { width: 1, height: 1 };
  private fitting = true;
  private readonly gestures: PointerGestures;
  private readonly observer = new ResizeObserver(() => this.onResize());
  private readonly onDoubleClick = (event: MouseEvent) => {
    const frame = this.frame.getBoundingClientRect();
    if (this.fitting) this.zoom(DOUBLE_CLICK, { x: event.clientX - frame.left, y: event.clientY - frame.top });
    else this.fitView();
  };

  /** Puts the picture into `frame`; `changed` is called whenever the view is another one. */
  constructor(private readonly frame: HTMLElement, private readonly image: HTMLImageElement, private readonly changed: () => void) {
    this.size = { width: image.naturalWidth || 1, height: image.naturalHeight || 1 };
    image.draggable = false;
    image.alt = "";
    frame.replaceChildren(image);
    this.gestures = new PointerGestures(frame, {
      press: ignore, drag: ignore, release: ignore, cancel: ignore, hover: ignore,
      pan: (dx, dy) => this.pan(dx, dy),
      zoom: (factor, at) => this.zoom(factor, at),
    });
    this.gestures.panning = true;
    frame.addEventListener("dblclick", this.onDoubleClick);
    this.observer.observe(frame);
    this.onResize();
  }

  destroy(): void {
    this.observer.disconnect();
    this.gestures.destroy();
    this.frame.removeEventListener("dblclick", this.onDoubleClick);
    this.image.remove();
  }

  fitView(): void {
    this.fitting = true;
    this.show(fit(this.size, this.room, this.room.width < 500 ? 8 : 20));
  }

  zoom(factor: number, at: Point = { x: this.room.width / 2, y: this.room.height / 2 }): void {
    this.fitting = false;
    this.show(zoomed(this.view, factor, at, this.size, this.room));
  }

  pan(dx: number, dy: number): void {
    this.fitting = false;
    this.show(panned(this.view, dx, dy, this.size, this.room));
  }

  private onResize(): void {
    this.room = { width: this.frame.clientWidth, height: this.frame.clientHeight };
    if (this.fitting) this.fitView();
    else this.pan(0, 0);
  }

  private show(view: View): void {
    this.view = view;
    const { style } = this.image;
    style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    style.imageRendering = view.scale >= SHARP_FROM ? "pixelated" : "auto";
    this.changed();
  }
}
