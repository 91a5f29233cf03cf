/** What the workbench asks of a tool, and what it tells it. A tool turns gestures and keys into calls of an editor and draws
 *  what the editor holds; the workbench has the view, the pointers and the frame in which is drawn. One tool is one file. */
import type { Point, Rect, Size } from "../picture/plane";
import type { Outdated } from "./ahead";
import type { View } from "../picture/viewport";
import type { Command } from "./keys";

/** How a pointer points. */
export interface Pointing {
  touch: boolean;
  /** How near counts as on a handle, in picture pixels, and how near as on a shape. */
  reach: number;
  slack: number;
  /** Only the selected shape is shown, so only that one can be pointed at. */
  alone: boolean;
}

/** How the tool's work is to be drawn. */
export interface Scene {
  view: View;
  /** The size of the area on the screen, and of the picture. */
  room: Size;
  picture: Size;
  touch: boolean;
  hideOthers: boolean;
  disabled: boolean;
  /** How strongly shapes are filled, 0 to 1. */
  fill: number;
  /** Where the pointer's guide lines cross, in picture pixels; null: none. */
  guides: Point | null;
  colour: (label: string) => string;
}

/** What the element around a tool asks of the tool's editor. */
export interface Work {
  /** The place of the current label in the list. */
  readonly label: number;
  setLabel(at: number): void;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  undo(): void;
  redo(): void;
  /** How many shapes or masks there are, and whether the worker has marked that there is nothing to label. */
  readonly count: number;
  readonly nothing: boolean;
  setNothing(nothing: boolean): void;
}

export type Canvas = CanvasRenderingContext2D;

export interface Tool {
  readonly editor: Work;
  readonly size: Size;
  /** Changes whenever the panels around the canvas have to be rendered again although the answer is the same. */
  readonly panels: string;
  /** Whether there is too much at rest to draw it again in every frame while the picture is moved. */
  readonly many: boolean;
  /** Whether what is at rest has changed without the answer, as while a mask is painted, since it was last drawn. */
  readonly stale: boolean;
  /** What has to stay visible while keys move it; null: nothing. */
  readonly focus: Rect | null;
  /** Whether guide lines help now. */
  readonly guided: boolean;

  // A pointer: points are in picture pixels. `hover` returns the class of the cursor.
  press(at: Point, pointing: Pointing): void;
  drag(at: Point, pointing: Pointing): void;
  release(at: Point, still: boolean, pointing: Pointing): void;
  cancel(): void;
  hover(at: Point | null, pointing: Pointing): string;

  /** Carries out a command; `centre` is the middle of what is seen. Returns false if it does not apply. */
  run(command: Command, centre: Point): boolean;

  /** What of what is at rest looks different now than when this was last asked. */
  outdated(scene: Scene): Outdated;
  /** Whether nothing is being worked on, so that `drawTouched` would draw nothing. */
  idle(scene: Scene): boolean;
  /** Draws what is at rest, of which only `area` (in pixels of the scene's room) is seen, and what is being worked on. */
  drawResting(context: Canvas, scene: Scene, area: Rect): void;
  drawTouched(context: Canvas, scene: Scene): void;
}
