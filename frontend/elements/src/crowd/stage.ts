/** The canvas of the drawing tools: the picture and what is at rest on it, which are moved together (ahead.ts), and above them what
 *  is being worked on, which alone is drawn again while a pointer moves. Knows pixels and takes no decisions: a tool draws its own
 *  work. */
import Konva from "konva/lib/Core";
import type { Size } from "../picture/plane";
import { AheadLayers } from "./ahead";
import { type Light, filterOf } from "./light";
import type { Scene, Tool } from "./tool";

const PICTURE = 0;
const RESTING = 1;

export class Stage {
  private readonly below: AheadLayers;
  private readonly above: Konva.Stage;
  private readonly touched = new Konva.Layer({ listening: false });
  private image: CanvasImageSource | null = null;
  private fresh = true;
  private blank = false;
  private scene: Scene | null = null;

  constructor(container: HTMLDivElement, private readonly tool: Pick<Tool, "drawResting" | "drawTouched" | "outdated" | "idle" | "many">) {
    const [under, over] = [document.createElement("div"), document.createElement("div")];
    for (const { style } of [under, over]) [style.position, style.inset] = ["absolute", "0"];
    container.replaceChildren(under, over);
    this.below = new AheadLayers(under, [
      (context, { view, picture }) => {
        if (!this.image) return;
        // zoomed in, pixels are drawn as squares, so that edges can be placed exactly
        context.imageSmoothingEnabled = view.scale < 3;
        context.drawImage(this.image, view.x, view.y, picture.width * view.scale, picture.height * view.scale);
      },
      (context, scene, area) => tool.drawResting(context, scene, area),
    ]);
    this.above = new Konva.Stage({ container: over, width: 1, height: 1, listening: false });
    this.above.add(this.touched);
    this.touched.add(new Konva.Shape({ perfectDrawEnabled: false, sceneFunc: (context) => {
      if (this.scene) tool.drawTouched(context._context, this.scene);
    } }));
  }

  /** Counts how often all that is at rest was drawn. Tests read it: a gesture must not draw it again. */
  get restingDraws(): number { return this.below.draws[RESTING]!; }

  /** Whether what is shown is what was drawn last. Tests read it. */
  get settled(): boolean { return this.below.settled; }

  resize(room: Size): void {
    const size = { width: Math.max(1, room.width), height: Math.max(1, room.height) };
    this.above.size(size);
    this.below.resize(size);
    this.blank = false;
  }

  /** The picture is stretched to the coordinate space of the answer. */
  setImage(image: CanvasImageSource): void {
    this.image = image;
    this.fresh = true;
  }

  setLight(light: Light): void {
    this.below.canvases[PICTURE]!.style.filter = filterOf(light);
  }

  /** Shows a scene. `all`: the view, the answer or the selection changed, otherwise only the top layer is redrawn. */
  show(scene: Scene, all: boolean): void {
    this.scene = scene;
    if (all || this.fresh) {
      this.below.show(scene, [this.fresh ? "all" : [], this.tool.outdated(scene)], this.tool.many, () => this.settle());
      this.fresh = false;
    }
    const idle = this.tool.idle(scene);
    if (!idle || !this.blank) this.touched.draw();
    this.above.content.style.visibility = idle ? "hidden" : ""; // an empty layer costs the browser time as well
    this.blank = idle;
  }

  /** A movement has ended: name tags keep clear of the edges again, and what was stretched becomes sharp. */
  private settle(): void {
    if (this.scene) this.below.show(this.scene, [[], "all"], true, () => undefined);
  }

  destroy(): void {
    this.below.destroy();
    this.above.destroy();
  }
}
