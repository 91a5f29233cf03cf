/** What the tools for shapes have in common: the commands that every editor of shapes knows, the picking of shapes, and how shapes
 *  at rest are drawn. Boxes and paths say the rest. */
import type { Point, Rect } from "../picture/plane";
import type { ShapeEditor } from "../shapes/editor";
import { type Shape, pick } from "../shapes/shape";
import type { Outdated } from "./ahead";
import type { Command } from "./keys";
import { MOST_TAGS, onScreen, outline, tag } from "./strokes";
import type { Canvas, Pointing, Scene, Tool } from "./tool";

/** More shapes than this cannot be drawn again in every frame while the picture is moved. */
const MOST_REDRAWN = 200;
/** If more shapes than this changed, everything is drawn again. */
const MOST_PATCHED = 24;
/** How far a line, or the dot of a key point, reaches beyond its shape, in pixels of the screen. */
const OVERHANG = 8;

export abstract class ShapeTool<S extends Shape, E extends ShapeEditor<S>> implements Tool {
  protected hovered: number | null = null;
  /** The shapes at rest when it was last asked what is outdated, and how they looked. */
  private rested: readonly S[] = [];
  private look = "";

  constructor(readonly editor: E) {}

  get size() { return this.editor.size; }
  get many(): boolean { return this.editor.count > MOST_REDRAWN; }
  readonly stale = false;
  abstract readonly panels: string;
  abstract readonly focus: Rect | null;
  abstract readonly guided: boolean;
  abstract press(at: Point, pointing: Pointing): void;
  abstract drag(at: Point, pointing: Pointing): void;
  abstract release(at: Point, still: boolean, pointing: Pointing): void;
  abstract hover(at: Point | null, pointing: Pointing): string;
  abstract drawTouched(context: Canvas, scene: Scene): void;
  /** Adds the outline of a shape, on the screen, to a path. */
  protected abstract trace(path: Path2D, shape: S, scene: Scene): void;
  /** An arrow key. Returns false if there is nothing to move. */
  protected abstract arrow(dx: number, dy: number, grow: boolean): boolean;
  /** The key that draws: places the next point at the crosshair. */
  protected abstract place(centre: Point): void;
  /** Enter: true if it meant something. */
  protected abstract confirm(centre: Point): boolean;

  cancel(): void {
    this.editor.cancel();
  }

  run(command: Command, centre: Point): boolean {
    const { editor } = this;
    switch (command.do) {
      case "move": return this.arrow(command.dx, command.dy, command.grow);
      case "label": return this.chooseLabel(command.hotkey);
      case "place": this.place(centre); return true;
      case "confirm": return this.confirm(centre);
      case "cancel": return this.letGo();
      case "remove": editor.erase(); return true;
      case "duplicate": editor.duplicate(); return true;
      case "hide-one": return this.toggle((id) => editor.setHidden(id, !editor.hidden.has(id)));
      case "lock-one": return this.toggle((id) => editor.setLocked(id, !editor.locked.has(id)));
      case "show-all": editor.setHidden(null, false); return true;
      case "next": editor.step(1); return true;
      case "previous": editor.step(-1); return true;
      case "undo": editor.undo(); return true;
      case "redo": editor.redo(); return true;
      case "nothing": editor.setNothing(!editor.answer.nothing); return true;
      default: return false;
    }
  }

  private toggle(act: (id: number) => void): boolean {
    if (this.editor.selected !== null) act(this.editor.selected);
    return this.editor.selected !== null;
  }

  private chooseLabel(hotkey: string): boolean {
    const at = this.editor.labels.findIndex((label) => label.hotkey === hotkey);
    if (at >= 0) this.editor.setLabel(at);
    return at >= 0;
  }

  protected letGo(): boolean {
    const { editor } = this;
    if (editor.busy) editor.cancel();
    else if (editor.selected !== null) editor.select(null);
    else return false;
    return true;
  }

  /** The shape that a click at a point selects. */
  protected under(at: Point, { slack, alone }: Pointing, chosen = this.editor.selected): S | null {
    const { editor } = this;
    const shapes = editor.near(at, slack).filter(({ id }) => !editor.locked.has(id) && (!alone || id === editor.selected));
    return pick(editor.kind, shapes, at, chosen, slack);
  }

  private get resting(): readonly S[] {
    const { shapes, selected, hidden } = this.editor;
    return selected === null && hidden.size === 0 ? shapes : shapes.filter(({ id }) => id !== selected && !hidden.has(id));
  }

  outdated(scene: Scene): Outdated {
    const { rested, look, resting } = this;
    this.rested = resting;
    const tags = this.editor.shapes.length <= MOST_TAGS;
    this.look = [scene.fill, scene.hideOthers, tags].join(" ");
    if (look !== this.look) return "all";
    if (rested === resting) return [];
    const [before, after] = [new Set(rested), new Set(resting)];
    const changed = [...rested.filter((shape) => !after.has(shape)), ...resting.filter((shape) => !before.has(shape))];
    if (changed.length > MOST_PATCHED || (tags && changed.length > 0)) return "all"; // a name tag lies beside its shape
    return changed.map((shape) => wider(this.editor.kind.bounds(shape), OVERHANG / scene.view.scale));
  }

  idle(scene: Scene): boolean {
    const { editor } = this;
    return editor.selected === null && !editor.busy && this.hovered === null && !scene.guides;
  }

  drawResting(context: Canvas, scene: Scene, area: Rect): void {
    if (scene.hideOthers) return;
    const { editor } = this;
    const { scale, x, y } = scene.view;
    const tags = editor.shapes.length <= MOST_TAGS;
    const seen = wider({ left: (area.left - x) / scale, top: (area.top - y) / scale, width: area.width / scale, height: area.height / scale }, OVERHANG / scale);
    for (const shape of tags ? editor.shapes : editor.grid.within(seen)) {
      if (shape.id === editor.selected || editor.hidden.has(shape.id)) continue;
      const rect = onScreen(editor.kind.bounds(shape), scene);
      if (!rect) continue;
      const path = new Path2D();
      this.trace(path, shape, scene);
      // one stroke a shape: a single path of all of them takes longer to draw
      outline(context, path, scene.colour(shape.label), 2, this.filled ? scene.fill : 0);
      if (tags && this.tagged(rect)) tag(context, rect, shape.label, scene.colour(shape.label));
    }
  }

  /** Whether a shape of this size on the screen has room for its label. */
  protected tagged(rect: Rect): boolean { return rect.width > 24; }
  /** Whether shapes have an inside. */
  protected get filled(): boolean { return true; }

  /** The shape under the pointer, drawn more strongly and with its label. */
  protected drawHovered(context: Canvas, scene: Scene): void {
    const { editor } = this;
    const hover = editor.shapes.find((shape) => shape.id === this.hovered && shape.id !== editor.selected);
    const rect = hover && !scene.hideOthers ? onScreen(editor.kind.bounds(hover), scene) : null;
    if (!hover || !rect) return;
    this.drawOne(context, scene, hover, scene.colour(hover.label), this.filled ? 0.12 : 0);
    tag(context, rect, hover.label, scene.colour(hover.label));
  }

  protected drawOne(context: Canvas, scene: Scene, shape: S, colour: string, fill: number): void {
    const path = new Path2D();
    this.trace(path, shape, scene);
    outline(context, path, colour, 3, fill);
  }
}

const wider = ({ left, top, width, height }: Rect, by: number): Rect => ({ left: left - by, top: top - by, width: width + 2 * by, height: height + 2 * by });
