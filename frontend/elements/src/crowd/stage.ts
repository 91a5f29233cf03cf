/** Draws the box tool on a canvas: three Konva layers (the picture, the boxes at rest, the box being worked on), of which only
 *  those that changed are redrawn. Knows pixels and colours and takes no decisions. Labels are only ever drawn as text. */
import Konva from "konva/lib/Core";
import { Image as KonvaImage } from "konva/lib/shapes/Image";
import { type Box, HANDLES, handlePoint } from "../boxes/geometry";
import type { Point, Rect, Size } from "../picture/plane";
import { type View, toScreen } from "../picture/viewport";
import { type Light, filterOf } from "./light";

export interface Scene {
  view: View;
  boxes: readonly Box[];
  selected: number | null;
  /** The rectangle of the current gesture: the selected box while it is moved or resized, or a box being drawn. */
  live: Rect | null;
  liveColor: string;
  handles: boolean;
  touch: boolean;
  hideOthers: boolean;
  fill: number;
  hover: number | null;
  /** Crosshair lines in picture pixels: the pointer's guides or the keyboard's crosshair. */
  guides: Point | null;
  cursor: { at: Point; corner: Point | null } | null;
  colour: (label: string) => string;
}

/** With more boxes than this only the hovered and the selected box show their label: the labels would cover the picture. */
const MOST_TAGS = 60;

export class Stage {
  private readonly stage: Konva.Stage;
  private readonly picture = new Konva.Layer({ listening: false });
  private readonly resting = new Konva.Layer({ listening: false });
  private readonly touched = new Konva.Layer({ listening: false });
  private image: KonvaImage | null = null;
  private scene: Scene | null = null;
  private size: Size = { width: 0, height: 0 };
  /** Counts how often the layer of boxes at rest was drawn. Tests read it: a gesture must not redraw that layer. */
  restingDraws = 0;

  constructor(container: HTMLDivElement) {
    this.stage = new Konva.Stage({ container, width: 1, height: 1, listening: false });
    this.stage.add(this.picture, this.resting, this.touched);
    this.resting.add(new Konva.Shape({ perfectDrawEnabled: false, sceneFunc: (context) => this.drawResting(context._context) }));
    this.touched.add(new Konva.Shape({ perfectDrawEnabled: false, sceneFunc: (context) => this.drawTouched(context._context) }));
  }

  resize(room: Size): void {
    this.stage.size({ width: Math.max(1, room.width), height: Math.max(1, room.height) });
  }

  /** `size` is the coordinate space of the boxes; the picture is stretched to it. */
  setImage(image: HTMLImageElement, size: Size): void {
    this.picture.destroyChildren();
    this.image = new KonvaImage({ image, width: size.width, height: size.height, perfectDrawEnabled: false });
    this.size = size;
    this.picture.add(this.image);
  }

  setLight(light: Light): void {
    this.picture.getNativeCanvasElement().style.filter = filterOf(light);
  }

  /** Shows a scene. `all`: the view, the boxes or the selection changed; otherwise only the top layer is redrawn. */
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

  private onScreen(rect: Rect): Rect | null {
    const view = this.scene!.view;
    const { x, y } = toScreen(view, { x: rect.left, y: rect.top });
    const [width, height] = [rect.width * view.scale, rect.height * view.scale];
    if (x > this.stage.width() || y > this.stage.height() || x + width < 0 || y + height < 0) return null;
    return { left: x, top: y, width, height };
  }

  private drawResting(context: CanvasRenderingContext2D): void {
    const scene = this.scene;
    if (!scene) return;
    this.restingDraws += 1;
    if (scene.hideOthers) return;
    const tags = scene.boxes.length <= MOST_TAGS;
    for (const box of scene.boxes) {
      if (box.id === scene.selected) continue;
      const rect = this.onScreen(box);
      if (!rect) continue;
      const colour = scene.colour(box.label);
      outline(context, rect, colour, 2, scene.fill);
      if (tags && rect.width > 24) tag(context, rect, box.label, colour);
    }
  }

  private drawTouched(context: CanvasRenderingContext2D): void {
    const scene = this.scene;
    if (!scene) return;
    const chosen = scene.boxes.find((box) => box.id === scene.selected);
    const hover = scene.boxes.find((box) => box.id === scene.hover && box.id !== scene.selected);
    const hoverRect = hover && !scene.hideOthers ? this.onScreen(hover) : null;
    if (hover && hoverRect) {
      outline(context, hoverRect, scene.colour(hover.label), 3, 0.12);
      tag(context, hoverRect, hover.label, scene.colour(hover.label));
    }
    const shown = scene.live ?? chosen;
    const rect = shown ? this.onScreen(shown) : null;
    if (rect) {
      outline(context, rect, scene.liveColor, 3, 0);
      if (chosen) tag(context, rect, chosen.label, scene.liveColor);
      if (scene.live) measure(context, rect, scene.live);
      if (scene.handles) this.drawHandles(context, rect, scene);
    }
    if (scene.cursor) this.drawCursor(context, scene);
    else if (scene.guides) this.drawGuides(context, scene.guides, "rgb(255 255 255 / 75%)");
  }

  private drawHandles(context: CanvasRenderingContext2D, rect: Rect, scene: Scene): void {
    const side = scene.touch ? 14 : 9;
    const roomy = Math.min(rect.width, rect.height) > side * 4;
    for (const handle of HANDLES) {
      if (!roomy && (handle.x === 0 || handle.y === 0)) continue; // on a small box the handles in between would cover the corners
      const { x, y } = handlePoint(rect, handle);
      context.fillStyle = "#fff";
      context.strokeStyle = "#111";
      context.lineWidth = 1.5;
      context.beginPath();
      context.rect(x - side / 2, y - side / 2, side, side);
      context.fill();
      context.stroke();
    }
  }

  private drawCursor(context: CanvasRenderingContext2D, scene: Scene): void {
    const { at, corner } = scene.cursor!;
    this.drawGuides(context, at, scene.liveColor);
    const { x, y } = toScreen(scene.view, at);
    ring(context, x, y, scene.liveColor);
    if (!corner) return;
    const first = toScreen(scene.view, corner);
    ring(context, first.x, first.y, scene.liveColor);
    const rect = { left: Math.min(corner.x, at.x), top: Math.min(corner.y, at.y), width: Math.abs(corner.x - at.x), height: Math.abs(corner.y - at.y) };
    const shown = this.onScreen(rect);
    if (!shown) return;
    outline(context, shown, scene.liveColor, 3, 0);
    measure(context, shown, rect);
  }

  private drawGuides(context: CanvasRenderingContext2D, at: Point, colour: string): void {
    const view = this.scene!.view;
    const { x, y } = toScreen(view, at);
    const from = toScreen(view, { x: 0, y: 0 });
    const to = toScreen(view, { x: this.size.width, y: this.size.height });
    context.lineWidth = 1;
    for (const [style, shift] of [["rgb(0 0 0 / 55%)", 1], [colour, 0]] as const) {
      context.strokeStyle = style;
      context.beginPath();
      context.moveTo(Math.round(x) + 0.5 + shift, from.y);
      context.lineTo(Math.round(x) + 0.5 + shift, to.y);
      context.moveTo(from.x, Math.round(y) + 0.5 + shift);
      context.lineTo(to.x, Math.round(y) + 0.5 + shift);
      context.stroke();
    }
  }
}

/** A coloured line on a wider dark one, which is visible on any picture. */
function outline(context: CanvasRenderingContext2D, rect: Rect, colour: string, width: number, fill: number): void {
  if (fill > 0) {
    context.globalAlpha = fill;
    context.fillStyle = colour;
    context.fillRect(rect.left, rect.top, rect.width, rect.height);
    context.globalAlpha = 1;
  }
  context.lineWidth = width + 2;
  context.strokeStyle = "rgb(0 0 0 / 60%)";
  context.strokeRect(rect.left, rect.top, rect.width, rect.height);
  context.lineWidth = width;
  context.strokeStyle = colour;
  context.strokeRect(rect.left, rect.top, rect.width, rect.height);
}

function plate(context: CanvasRenderingContext2D, text: string, x: number, y: number, back: string, front: string): void {
  context.font = "600 12px system-ui, sans-serif";
  const width = context.measureText(text).width + 8;
  context.fillStyle = back;
  context.fillRect(x, y, width, 17);
  context.fillStyle = front;
  context.textBaseline = "middle";
  context.fillText(text, x + 4, y + 9);
}

function tag(context: CanvasRenderingContext2D, rect: Rect, label: string, colour: string): void {
  const text = label.length > 24 ? `${label.slice(0, 23)}…` : label;
  plate(context, text, rect.left - 1, rect.top >= 19 ? rect.top - 19 : rect.top + 2, colour, "#14110a");
}

function measure(context: CanvasRenderingContext2D, shown: Rect, rect: Rect): void {
  plate(context, `${rect.width} × ${rect.height}`, shown.left, shown.top + shown.height + 5, "rgb(0 0 0 / 75%)", "#fff");
}

function ring(context: CanvasRenderingContext2D, x: number, y: number, colour: string): void {
  for (const [style, width] of [["rgb(0 0 0 / 70%)", 5], [colour, 2.5]] as const) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.beginPath();
    context.arc(x, y, 9, 0, Math.PI * 2);
    context.stroke();
  }
}
