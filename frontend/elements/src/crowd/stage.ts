/** The canvas of the drawing tools: three Konva layers (the picture, what is at rest, what is being worked on), of which only
 *  those that changed are redrawn. Where there is much at rest, it is drawn once, somewhat beyond the edges, and that drawing is
 *  moved with the picture. Knows pixels and takes no decisions: a tool draws its own work. */
import Konva from "konva/lib/Core";
import { Image as KonvaImage } from "konva/lib/shapes/Image";
import type { Size } from "../picture/plane";
import type { View } from "../picture/viewport";
import { type Light, filterOf } from "./light";
import type { Canvas, Scene, Tool } from "./tool";

/** How far beyond the edges is drawn ahead, in pixels of the screen. */
const MARGIN = 256;
/** After how many milliseconds without zooming everything is drawn again, sharply. */
const SETTLED = 150;

export class Stage {
  private readonly stage: Konva.Stage;
  private readonly picture = new Konva.Layer({ listening: false });
  private readonly resting = new Konva.Layer({ listening: false });
  private readonly touched = new Konva.Layer({ listening: false });
  private image: KonvaImage | null = null;
  private scene: Scene | null = null;
  /** Counts how often the layer of what is at rest was drawn. Tests read it: a gesture must not redraw that layer. */
  restingDraws = 0;

  /** What is at rest as it was last drawn, and in which view; null: it has to be drawn again. */
  private drawn: { view: View; margin: number; room: Size } | null = null;
  private readonly ahead = document.createElement("canvas");
  private settling = 0;

  constructor(container: HTMLDivElement, private readonly tool: Pick<Tool, "drawResting" | "drawTouched" | "many">) {
    this.stage = new Konva.Stage({ container, width: 1, height: 1, listening: false });
    this.stage.add(this.picture, this.resting, this.touched);
    this.resting.add(new Konva.Shape({ perfectDrawEnabled: false, sceneFunc: (context) => {
      if (this.scene && tool.many) this.drawMany(context._context, this.scene);
      else if (this.scene) this.drawResting(context._context, this.scene);
    } }));
    this.touched.add(new Konva.Shape({ perfectDrawEnabled: false, sceneFunc: (context) => {
      if (this.scene) tool.drawTouched(context._context, this.scene);
    } }));
  }

  resize(room: Size): void {
    this.stage.size({ width: Math.max(1, room.width), height: Math.max(1, room.height) });
  }

  /** `size` is the coordinate space of the answer; the picture is stretched to it. */
  setImage(image: HTMLImageElement, size: Size): void {
    this.picture.destroyChildren();
    this.image = new KonvaImage({ image, width: size.width, height: size.height, perfectDrawEnabled: false });
    this.picture.add(this.image);
  }

  setLight(light: Light): void {
    this.picture.getNativeCanvasElement().style.filter = filterOf(light);
  }

  private drawResting(context: Canvas, scene: Scene): void {
    this.restingDraws += 1;
    this.tool.drawResting(context, scene);
  }

  /** Shows the last drawing where the picture is now. It is drawn again where it no longer reaches, and when zooming has ended. */
  private drawMany(context: Canvas, scene: Scene): void {
    const { view, room } = scene;
    const { drawn } = this;
    const [dx, dy] = drawn ? [view.x - drawn.view.x, view.y - drawn.view.y] : [0, 0];
    const zoomed = drawn !== null && view.scale !== drawn.view.scale;
    const reaches = drawn !== null && drawn.room.width === room.width && drawn.room.height === room.height && Math.max(Math.abs(dx), Math.abs(dy)) <= drawn.margin;
    if (!drawn || (!zoomed && !reaches)) this.drawAhead(scene);
    const { view: then, margin, room: whole } = this.drawn!;
    const ratio = view.scale / then.scale;
    context.drawImage(this.ahead, view.x - (then.x + margin) * ratio, view.y - (then.y + margin) * ratio, (whole.width + 2 * margin) * ratio, (whole.height + 2 * margin) * ratio);
    window.clearTimeout(this.settling);
    if (view.scale === then.scale) return;
    this.settling = window.setTimeout(() => {
      this.drawn = null;
      this.resting.batchDraw();
    }, SETTLED);
  }

  private drawAhead(scene: Scene): void {
    const { view, room } = scene;
    const density = this.resting.getCanvas().getPixelRatio();
    const margin = Math.round(MARGIN / density);
    const wide = { width: room.width + 2 * margin, height: room.height + 2 * margin };
    [this.ahead.width, this.ahead.height] = [wide.width * density, wide.height * density]; // this also clears it
    const context = this.ahead.getContext("2d")!;
    context.scale(density, density);
    this.drawResting(context, { ...scene, view: { ...view, x: view.x + margin, y: view.y + margin }, room: wide });
    this.drawn = { view, margin, room };
  }

  /** Shows a scene. `all`: the view, the answer or the selection changed, otherwise only the top layer is redrawn; `moved`: of
   *  them only the view. */
  show(scene: Scene, all: boolean, moved: boolean): void {
    this.scene = scene;
    if (all && !moved) this.drawn = null;
    if (all) {
      this.image?.position({ x: scene.view.x, y: scene.view.y }).scale({ x: scene.view.scale, y: scene.view.scale });
      // zoomed in, pixels are drawn as squares, so that edges can be placed exactly
      this.picture.imageSmoothingEnabled(scene.view.scale < 3);
      this.picture.batchDraw();
      this.resting.batchDraw();
    }
    this.touched.batchDraw();
  }

  destroy(): void {
    window.clearTimeout(this.settling);
    this.stage.destroy();
  }
}
