/** How things look on the canvas: outlines, name tags, handles, crosshairs. All coordinates are CSS pixels of the canvas. Labels
 *  are only ever drawn as text. Knows no tool. */
import type { Point, Rect } from "../picture/plane";
import { toScreen } from "../picture/viewport";
import type { Canvas, Scene } from "./tool";

/** With more shapes than this only the hovered and the selected one show their label: the labels would cover the picture. */
export const MOST_TAGS = 60;
const DARK = "rgb(0 0 0 / 60%)";

/** A rectangle of the picture on the screen; null when it is out of sight. */
export function onScreen(rect: Rect, { view, room }: Scene): Rect | null {
  const { x, y } = toScreen(view, { x: rect.left, y: rect.top });
  const [width, height] = [rect.width * view.scale, rect.height * view.scale];
  if (x > room.width || y > room.height || x + width < 0 || y + height < 0) return null;
  return { left: x, top: y, width, height };
}

/** A coloured line on a wider dark one, which is visible on any picture. */
export function outline(context: Canvas, path: Path2D, colour: string, width: number, fill: number): void {
  if (fill > 0) {
    context.globalAlpha = fill;
    context.fillStyle = colour;
    context.fill(path, "evenodd");
    context.globalAlpha = 1;
  }
  context.lineJoin = "round";
  context.lineWidth = width + 2;
  context.strokeStyle = DARK;
  context.stroke(path);
  context.lineWidth = width;
  context.strokeStyle = colour;
  context.stroke(path);
}

export function rectangle(rect: Rect): Path2D {
  const path = new Path2D();
  path.rect(rect.left, rect.top, rect.width, rect.height);
  return path;
}

function plate(context: Canvas, text: string, x: number, y: number, back: string, front: string): void {
  context.font = "600 12px system-ui, sans-serif";
  const width = context.measureText(text).width + 8;
  context.fillStyle = back;
  context.fillRect(x, y, width, 17);
  context.fillStyle = front;
  context.textBaseline = "middle";
  context.fillText(text, x + 4, y + 9);
}

/** A label's name above a rectangle, or in it at the upper edge of the canvas. */
export function tag(context: Canvas, rect: Rect, label: string, colour: string): void {
  const text = label.length > 24 ? `${label.slice(0, 23)}…` : label;
  plate(context, text, rect.left - 1, rect.top >= 19 ? rect.top - 19 : rect.top + 2, colour, "#14110a");
}

/** A few words below a rectangle. */
export function measure(context: Canvas, shown: Rect, words: string): void {
  plate(context, words, shown.left, shown.top + shown.height + 5, "rgb(0 0 0 / 75%)", "#fff");
}

/** A square handle; `strong`: the chosen one. */
export function handle(context: Canvas, { x, y }: Point, side: number, strong = false): void {
  context.fillStyle = strong ? "#f4b223" : "#fff";
  context.strokeStyle = "#111";
  context.lineWidth = strong ? 2.5 : 1.5;
  context.beginPath();
  context.rect(x - side / 2, y - side / 2, side, side);
  context.fill();
  context.stroke();
}

/** A circle with a dark edge, of `radius` CSS pixels. */
export function ring(context: Canvas, { x, y }: Point, colour: string, radius = 9): void {
  for (const [style, width] of [["rgb(0 0 0 / 70%)", 5], [colour, 2.5]] as const) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.beginPath();
    context.arc(x, y, radius, 0, Math.PI * 2);
    context.stroke();
  }
}

/** Lines across the whole picture that meet at a point of it. */
export function guides(context: Canvas, scene: Scene, at: Point, colour = "rgb(255 255 255 / 75%)"): void {
  const { x, y } = toScreen(scene.view, at);
  const from = toScreen(scene.view, { x: 0, y: 0 });
  const to = toScreen(scene.view, { x: scene.picture.width, y: scene.picture.height });
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
