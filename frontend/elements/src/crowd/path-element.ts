/** What <crowd-polygon>, <crowd-polyline>, <crowd-line> and <crowd-keypoint> have in common: everything but their form. */
import { html } from "lit";
import { PathEditor, type PathDraft } from "../paths/editor";
import { type Form, type PathAnswer, type PlainPath, plain, toAnswer } from "../paths/forms";
import type { Path } from "../paths/geometry";
import type { Size } from "../picture/plane";
import type { Listener } from "../shapes/editor";
import { iconButton } from "./buttons";
import { PATH_KEYS, pathHotkeys } from "./keys";
import { PathTool } from "./path-tool";
import { ShapeElement } from "./shape-element";
import { msg, str } from "../locale";

export abstract class PathElement extends ShapeElement<Path, PathEditor, PathTool, PathDraft> {
  protected abstract readonly form: Form;
  private initial: PlainPath[] | null = null;

  protected readonly usual = PATH_KEYS;
  get hotkeys() { return pathHotkeys(this.form.one, this.form.many, this.form, this.keys); }
  protected get words() { return this.form; }

  protected get how(): string {
    return msg(str`Press ${this.key("place")} to draw a ${this.form.one} by keys, ${this.key("next")} for the next ${this.form.one}, question mark for all keys.`);
  }

  /** The answer, or null while there is no picture. */
  get value(): PathAnswer | null {
    return this.editor ? toAnswer(this.form, this.editor.answer, this.editor.size, this.initial, this.form.modified || this.tellModified) : null;
  }

  get draft(): PathDraft | null {
    return this.editor ? this.editor.draft : this.waiting;
  }

  set draft(draft: PathDraft | null) {
    if (this.editor) this.restore(this.editor, draft);
    else this.waiting = draft;
  }

  private restore(editor: PathEditor, draft: PathDraft | null): void {
    editor.load(draft?.paths, draft?.nothing);
    editor.resume(draft?.open ?? []);
  }

  override get empty(): boolean { return super.empty && (this.editor?.open.length ?? 0) === 0; }

  override get validationMessage(): string {
    if ((this.editor?.open.length ?? 0) > 0) return msg(str`End the ${this.form.one} that you are drawing, or cancel it with Escape.`);
    return super.validationMessage;
  }

  protected override focusRefused(): void {
    if ((this.editor?.open.length ?? 0) > 0) this.focus();
    else super.focusRefused();
  }

  protected makeTool(size: Size, listener: Listener): PathTool {
    return new PathTool(new PathEditor(this.form, size, this.known, listener));
  }

  protected fill({ editor }: PathTool, initial: unknown): void {
    if (initial) editor.load(initial);
    this.initial = initial ? editor.shapes.map((path) => plain(this.form, path)) : null;
    if (this.waiting) this.restore(editor, this.waiting);
  }

  protected override moreActions() {
    const { editor } = this;
    if (!editor || this.form.most <= 2) return html``;
    return iconButton({ name: msg("Insert a point"), glyph: "plus", keys: this.key("insert"), act: () => { editor.insert(); this.focus(); } });
  }

  /** While drawing, the hint also has the buttons that a finger needs in place of keys. */
  protected get drawingHint(): string {
    const { editor, form } = this;
    if (!editor) return "";
    const { open, cursor } = editor;
    if (open.length === 0) return cursor ? msg(str`Move with the arrow keys, then ${this.key("place")} for a point`) : "";
    if (open.length < form.least) return form.most === 2 ? msg("Set the other end") : msg(str`Set at least ${form.least - open.length} more ${form.least - open.length === 1 ? "point" : "points"}`);
    return form.closed ? msg("Set the first point again, or press Enter, to close") : msg("Set the last point again, or press Enter, to end");
  }

  protected override overlay() {
    const { editor } = this;
    const open = editor?.open.length ?? 0;
    return html`${super.overlay()}${open > 0 && !this.disabled ? html`<div class="acts" role="group" aria-label=${msg(str`The ${this.form.one} that is being drawn`)}>
      ${iconButton({ name: msg("Take back the last point"), glyph: "undo", keys: this.key("remove"), act: () => { editor?.takeBack(); this.focus(); } })}
      ${iconButton({ name: msg("Cancel"), glyph: "close", keys: "Escape", class: "danger", act: () => { editor?.cancel(); this.focus(); } })}
      ${iconButton({ name: msg(str`End the ${this.form.one}`), glyph: "check", keys: "Enter", off: open < this.form.least, act: () => { editor?.end(); this.focus(); } })}
    </div>` : ""}`;
  }

  protected override modes() {
    const { bench, editor, form } = this;
    if (form.most === 1) return undefined;
    return html`
      ${iconButton({ name: msg(str`Draw ${form.many}`), glyph: this.drawing.glyph, keys: this.drawing.how, pressed: !bench?.hand, act: () => bench?.setHand(false) })}
      ${iconButton({ name: msg("Snap to neighbours"), glyph: "magnet", keys: this.key("snap"), pressed: editor?.snapping ?? true, act: () => editor?.setSnapping(!editor.snapping) })}`;
  }
}
