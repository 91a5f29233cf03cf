/** Layers of the canvas that are drawn somewhat beyond what is seen and then moved by the browser with the picture: while the
 *  picture is panned nothing is drawn but the strip that comes near, and of a change only the area around it. Knows pixels of the
 *  screen; what is drawn is its caller's matter. */
import Konva from "konva/lib/Core";
import type { Rect, Size } from "../picture/plane";
import type { View } from "../picture/viewport";
import type { Canvas, Scene } from "./tool";

/** How far the layers reach beyond each edge, and how much is drawn ahead at a time, in pixels of the screen's hardware. */
const MARGIN = 256;
const STRIP = 96;
/** After how many milliseconds without movement everything is drawn again where that was put off. */
const SETTLED = 150;

/** What has to be drawn again: everything, or areas of the picture. */
export type Outdated = "all" | readonly Rect[];
/** Draws a scene, of which only `area` (in pixels of the scene's room) is seen. */
export type Draw = (context: Canvas, scene: Scene, area: Rect) => void;

interface Drawn {
  readonly view: View;
  readonly room: Size;
  /** The part of the layers that is drawn, in their own pixels. */
  readonly done: Rect;
}

export class AheadLayers {
  readonly canvases: readonly HTMLCanvasElement[];
  /** For each layer, how often all of it that is seen was drawn. */
  readonly draws: number[];
  private readonly stage: Konva.Stage;
  private readonly density: number;
  private readonly margin: number;
  private drawn: Drawn | null = null;
  private settling = 0;

  constructor(container: HTMLDivElement, private readonly layers: readonly Draw[]) {
    this.stage = new Konva.Stage({ container, width: 1, height: 1, listening: false });
    const shown = layers.map(() => new Konva.Layer({ listening: false }));
    this.stage.add(...(shown as [Konva.Layer]));
    this.canvases = shown.map((layer) => layer.getNativeCanvasElement());
    this.draws = layers.map(() => 0);
    this.density = shown[0]!.getCanvas().getPixelRatio();
    this.margin = Math.ceil(MARGIN / this.density);
    const { style } = this.stage.content;
    [style.left, style.top, style.transformOrigin] = [`${-this.margin}px`, `${-this.margin}px`, `${this.margin}px ${this.margin}px`];
    style.willChange = "transform"; // a picture of its own for the browser, which it moves without painting
  }

  /** Whether nothing was put off until the movement has ended. */
  get settled(): boolean { return this.settling === 0; }

  resize({ width, height }: Size): void {
    this.stage.size({ width: width + 2 * this.margin, height: height + 2 * this.margin });
    this.drawn = null;
  }

  destroy(): void {
    window.clearTimeout(this.settling);
    this.stage.destroy();
  }

  /** Brings the layers up to date; `outdated` has an entry for each. `lazy`: drawing takes long, so that while zooming the last
   *  drawing is stretched. `settles`: to be called when the movement has ended. */
  show(scene: Scene, outdated: readonly Outdated[], lazy: boolean, settles: () => void): void {
    window.clearTimeout(this.settling);
    this.settling = 0;
    const { drawn } = this;
    if (!drawn) return this.whole(scene);
    const { view } = drawn;
    const moved = view.x !== scene.view.x || view.y !== scene.view.y;
    const unchanged = outdated.every((areas) => areas !== "all" && areas.length === 0);
    if (view.scale !== scene.view.scale) {
      if (!lazy || !unchanged) return this.whole(scene);
      this.place(scene.view, view);
      this.later(() => { this.drawn = null; settles(); });
      return;
    }
    for (const [layer, areas] of outdated.entries()) this.renew(scene, drawn, layer, areas);
    if (!moved) return this.place(scene.view, view);
    this.follow(scene, drawn);
    if (!lazy) this.later(settles);
  }

  private later(settles: () => void): void {
    this.settling = window.setTimeout(() => { this.settling = 0; settles(); }, SETTLED);
  }

  /** Draws all that is seen. */
  private whole(scene: Scene): void {
    const { margin, canvases } = this;
    for (const canvas of canvases) canvas.getContext("2d")!.clearRect(0, 0, canvas.width, canvas.height);
    this.drawn = { view: scene.view, room: scene.room, done: { left: margin, top: margin, width: scene.room.width, height: scene.room.height } };
    for (const layer of canvases.keys()) this.renew(scene, this.drawn, layer, "all");
    this.place(scene.view, scene.view);
  }

  /** Draws those areas of a layer again that are drawn already. */
  private renew(scene: Scene, { view, done }: Drawn, layer: number, areas: Outdated): void {
    if (areas === "all") {
      this.draws[layer]! += 1;
      return this.paint(scene, view, layer, done);
    }
    for (const { left, top, width, height } of areas) {
      const area = common(done, {
        left: left * view.scale + view.x + this.margin, top: top * view.scale + view.y + this.margin, width: width * view.scale, height: height * view.scale,
      });
      if (area) this.paint(scene, view, layer, area);
    }
  }

  /** To whole pixels of the hardware, which look sharp. */
  private snapped(value: number): number { return Math.round(value * this.density) / this.density; }

  /** Has the browser show the layers, drawn in one view, where they are in another one. */
  private place(now: View, drawn: View): void {
    const ratio = now.scale / drawn.scale;
    const [x, y] = ratio === 1 ? [this.snapped(now.x - drawn.x), this.snapped(now.y - drawn.y)] : [now.x - drawn.x * ratio, now.y - drawn.y * ratio];
    this.stage.content.style.transform = `translate(${x}px, ${y}px)${ratio === 1 ? "" : ` scale(${ratio})`}`;
  }

  /** Draws what has come near, and moves the layers to where the picture is now. */
  private follow(scene: Scene, drawn: Drawn): void {
    const { margin } = this;
    const { width, height } = scene.room;
    const [dx, dy] = [this.snapped(scene.view.x - drawn.view.x), this.snapped(scene.view.y - drawn.view.y)];
    if (Math.abs(dx) >= width || Math.abs(dy) >= height) return this.whole(scene);
    const far = Math.abs(dx) > margin || Math.abs(dy) > margin;
    const from = far ? this.scrolled(drawn, dx, dy) : drawn;
    this.drawn = this.grown(scene, from, far ? { left: margin, top: margin, width, height } : { left: margin - dx, top: margin - dy, width, height });
    this.place(scene.view, this.drawn.view);
  }

  /** Moves what is drawn within the layers, which then lie around the view again. */
  private scrolled(drawn: Drawn, dx: number, dy: number): Drawn {
    for (const canvas of this.canvases) {
      const context = canvas.getContext("2d")!;
      context.save();
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.globalCompositeOperation = "copy";
      context.drawImage(canvas, Math.round(dx * this.density), Math.round(dy * this.density));
      context.restore();
    }
    const { done, view } = drawn;
    const kept = common(this.extent, { ...done, left: done.left + dx, top: done.top + dy })!;
    return { ...drawn, view: { ...view, x: view.x + dx, y: view.y + dy }, done: kept };
  }

  /** The layers' own rectangle. */
  private get extent(): Rect {
    const { width, height } = this.canvases[0]!;
    return { left: 0, top: 0, width: width / this.density, height: height / this.density };
  }

  /** Draws strips beside what is drawn until that holds the window. */
  private grown(scene: Scene, drawn: Drawn, window: Rect): Drawn {
    const strip = STRIP / this.density;
    const { extent } = this;
    let { left, top, width, height } = drawn.done;
    const paint = (area: Rect) => { for (const layer of this.layers.keys()) this.paint(scene, drawn.view, layer, area); };
    if (window.left < left) {
      const from = Math.max(0, window.left - strip);
      paint({ left: from, top, width: left - from, height });
      [left, width] = [from, width + left - from];
    }
    if (window.left + window.width > left + width) {
      const to = Math.min(extent.width, window.left + window.width + strip);
      paint({ left: left + width, top, width: to - left - width, height });
      width = to - left;
    }
    if (window.top < top) {
      const from = Math.max(0, window.top - strip);
      paint({ left, top: from, width, height: top - from });
      [top, height] = [from, height + top - from];
    }
    if (window.top + window.height > top + height) {
      const to = Math.min(extent.height, window.top + window.height + strip);
      paint({ left, top: top + height, width, height: to - top - height });
      height = to - top;
    }
    return { ...drawn, done: { left, top, width, height } };
  }

  private paint(scene: Scene, view: View, layer: number, { left, top, width, height }: Rect): void {
    const { density, margin, extent } = this;
    const context = this.canvases[layer]!.getContext("2d")!;
    // whole pixels, because half a pixel at the edge would be drawn twice
    const [x, y] = [Math.floor(left * density), Math.floor(top * density)];
    const [wide, high] = [Math.ceil((left + width) * density) - x, Math.ceil((top + height) * density) - y];
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.beginPath();
    context.rect(x, y, wide, high);
    context.clip();
    context.clearRect(x, y, wide, high);
    context.setTransform(density, 0, 0, density, 0, 0);
    this.layers[layer]!(context, { ...scene, view: { ...view, x: view.x + margin, y: view.y + margin }, room: extent }, { left: x / density, top: y / density, width: wide / density, height: high / density });
    context.restore();
  }
}

/** The part that two rectangles have in common; null: none. */
function common(a: Rect, b: Rect): Rect | null {
  const [left, top] = [Math.max(a.left, b.left), Math.max(a.top, b.top)];
  const [right, bottom] = [Math.min(a.left + a.width, b.left + b.width), Math.min(a.top + a.height, b.top + b.height)];
  return right > left && bottom > top ? { left, top, width: right - left, height: bottom - top } : null;
}
