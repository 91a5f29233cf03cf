/** The canvas of the drawing tools: three Konva layers (the picture, what is at rest, what is being worked on), of which only
 *  those that changed are redrawn. Knows pixels and takes no decisions: a tool draws its own work. */
import Konva from "konva/lib/Core";
import { Image as KonvaImage } from "konva/lib/shapes/Image";
import type { Size } from "../picture/plane";
import { type Light, filterOf } from "./light";
import type { Scene, Tool } from "./tool";

export class Stage {
  private readonly stage: Konva.Stage;
  private readonly picture = new Konva.Layer({ listening: false });
  private readonly resting = new Konva.Layer({ listening: false });
  private readonly touched = new Konva.Layer({ listening: false });
  private image: KonvaImage | null = null;
  private scene: Scene | null = null;
  /** Counts how often the layer of what is at rest was drawn. Tests read it: a gesture must not redraw that layer. */
  restingDraws = 0;

  constructor(container: HTMLDivElement, tool: Pick<Tool, "drawResting" | "drawTouched">) {
    this.stage = new Konva.Stage({ container, width: 1, height: 1, listening: false });
    this.stage.add(this.picture, this.resting, this.touched);
    this.resting.add(new Konva.Shape({ perfectDrawEnabled: false, sceneFunc: (context) => {
      if (!this.scene) return;
      this.restingDraws += 1;
      tool.drawResting(context._context, this.scene);
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

  /** Shows a scene. `all`: the view, the answer or the selection changed; otherwise only the top layer is redrawn. */
  show(scene: Scene, all: boolean): void {
    this.scene = scene;
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
    this.stage.destroy();
  }
}
