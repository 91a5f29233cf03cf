/**
 * <crowd-bounding-box>: draw labeled boxes on a picture, by mouse, by keys alone or by touch.
 *
 * Attributes and children: those of every drawing element (drawing-element.ts). Properties and events: those of every crowd
 * element (element.ts). `value` is Ground Truth's answer.
 */
import { type AnswerBox, type BoundingBoxAnswer, type Draft, toAnswer, toDraft } from "../boxes/answer";
import { BoxEditor } from "../boxes/editor";
import type { Box } from "../boxes/geometry";
import type { Size } from "../picture/plane";
import type { Listener } from "../shapes/editor";
import { BoxTool } from "./box-tool";
import { BOX_KEYS, boxHotkeys } from "./keys";
import { crowdElement } from "./registry";
import { ShapeElement } from "./shape-element";
import { msg, str } from "../locale";

@crowdElement("crowd-bounding-box")
export class CrowdBoundingBox extends ShapeElement<Box, BoxEditor, BoxTool, Draft> {
  protected get how() { return msg(str`Press ${this.key("place")} to draw a box by keys, ${this.key("next")} for the next box, question mark for all keys.`); }
  protected readonly usual = BOX_KEYS;
  get hotkeys() { return boxHotkeys(this.keys); }
  protected readonly words = { one: msg("box"), many: msg("boxes") };
  protected readonly drawing = { glyph: "square-dashed", how: msg("drag") } as const;
  protected readonly request = msg("Draw a box around each object");
  protected override readonly filling = msg("Box filling");
  private initial: AnswerBox[] | null = null;

  /** The answer, or null while there is no picture. */
  get value(): BoundingBoxAnswer | null {
    return this.editor ? toAnswer(this.editor.answer, this.editor.size, this.initial) : null;
  }

  get draft(): Draft | null {
    return this.editor ? this.editor.draft : this.waiting;
  }

  set draft(draft: Draft | null) {
    if (this.editor) this.editor.load(draft?.boxes, draft?.nothing);
    else this.waiting = draft;
  }

  protected makeTool(size: Size, listener: Listener): BoxTool {
    return new BoxTool(new BoxEditor(size, this.known, listener));
  }

  protected fill({ editor }: BoxTool, initial: unknown): void {
    if (initial) editor.load(initial);
    this.initial = initial ? toDraft(editor.answer).boxes : null;
    if (this.waiting) editor.load(this.waiting.boxes, this.waiting.nothing);
  }

  protected get drawingHint(): string {
    const cursor = this.editor?.cursor;
    if (!cursor) return "";
    return cursor.corner ? msg("Move to the opposite corner, then Enter") : msg("Move with the arrow keys, then Enter for the first corner");
  }
}
