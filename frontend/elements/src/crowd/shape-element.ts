/** What the elements have in which shapes are drawn: the list of shapes, the actions on the selected one, and the rule that every
 *  shape has a label. A subclass says how shapes stand in the answer and in the draft. */
import { html, nothing } from "lit";
import { guard } from "lit/directives/guard.js";
import { type Values, missing } from "../labels/attributes";
import type { ShapeEditor } from "../shapes/editor";
import type { Shape } from "../shapes/shape";
import { attributePanel } from "./attribute-panel";
import { DrawingElement } from "./drawing-element";
import { shapeList } from "./panels";
import type { ShapeTool } from "./shape-tool";
import { actions } from "./toolbar";
import { msg, str } from "../locale";

/** Marks a text on the clipboard as shapes of a kind. */
const COPIED = "waggle-copied";

export abstract class ShapeElement<S extends Shape, E extends ShapeEditor<S>, T extends ShapeTool<S, E>, Draft> extends DrawingElement<Draft, T> {
  get editor(): E | null { return this.tool?.editor ?? null; }

  /** What to do to answer, for a worker who has drawn nothing. */
  protected abstract readonly request: string;
  /** What is said while something is being drawn; empty: nothing. */
  protected abstract readonly drawingHint: string;
  /** The attributes that shapes had in the initial value, by the shape's id. */
  private given = new Map<number, Values>();

  /** Buttons for the selected shape. */
  protected moreActions(): unknown { return nothing; }

  /** An answer needs a shape, or the mark that there is nothing to label, and a label on every shape. */
  get validationMessage(): string {
    const { editor } = this;
    if (!editor) return this.problem || msg("The picture is still loading.");
    const unlabeled = editor.shapes.findIndex((shape) => !this.known.some((label) => label.name === shape.label));
    if (unlabeled >= 0) return msg(str`Choose a label for ${editor.kind.one} ${unlabeled + 1}.`);
    for (const [at, shape] of editor.shapes.entries()) {
      const lacking = missing(editor.attributesOf(shape), shape.attributes);
      if (lacking) return msg(str`Say what “${lacking.name}” is of ${editor.kind.one} ${at + 1}, ${shape.label}.`);
    }
    return editor.shapes.length === 0 && !editor.nothing ? `${this.request}, or tick “Nothing to label here”.` : "";
  }

  // ---- copying, also to the next picture, by the clipboard of the system

  override connectedCallback(): void {
    super.connectedCallback();
    // the browser sends these to the page, wherever the focus is
    document.addEventListener("copy", this.onCopy);
    document.addEventListener("paste", this.onPaste);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("copy", this.onCopy);
    document.removeEventListener("paste", this.onPaste);
  }

  /** Whether a copy or paste is meant for the canvas: the focus is in this element, and neither in a text field nor in a dialog. */
  private get onCanvas(): boolean {
    const focused = this.shadowRoot?.activeElement;
    return focused instanceof HTMLElement && !focused.closest("dialog, input:not([type=checkbox]), select, textarea");
  }

  private readonly onCopy = (event: ClipboardEvent): void => {
    if (!this.editor || !this.onCanvas || window.getSelection()?.isCollapsed === false) return;
    const shapes = this.editor.copied();
    if (shapes.length === 0) return;
    event.clipboardData?.setData("text/plain", JSON.stringify({ [COPIED]: this.editor.kind.many, shapes }));
    event.preventDefault();
  };

  private readonly onPaste = (event: ClipboardEvent): void => {
    const { editor } = this;
    if (!editor || this.locked || !this.onCanvas) return;
    try {
      const found = JSON.parse(event.clipboardData?.getData("text/plain") ?? "") as { [COPIED]?: unknown; shapes?: unknown } | null;
      if (found?.[COPIED] !== editor.kind.many) throw new Error(`the clipboard holds no ${editor.kind.many}`);
      editor.paste(found.shapes);
    } catch {
      this.say(msg(str`There are no copied ${editor.kind.many} to paste.`));
    }
    event.preventDefault();
  };

  protected override overlay() {
    const { editor } = this;
    return html`${this.drawingHint ? this.hint(this.drawingHint) : nothing}
      ${editor?.shape && !this.disabled ? actions(editor as ShapeEditor<S>, (action) => this.key(action), () => this.focus(), this.moreActions()) : nothing}`;
  }

  private attributeForm() {
    const { editor } = this;
    const shape = editor?.shape;
    if (!editor || !shape) return nothing;
    return attributePanel({
      title: `${editor.kind.one} ${editor.shapes.indexOf(shape) + 1}, ${shape.label}`, attributes: editor.attributesOf(shape),
      values: shape.attributes ?? {}, given: this.given.get(shape.id) ?? {}, disabled: this.locked,
      onRefuse: (words) => (this.refusal = words),
      onChange: (name, value) => { editor.setAttribute(name, value); this.requestUpdate(); },
    });
  }

  protected override start(image: HTMLImageElement, initial: unknown): void {
    this.given = new Map();
    super.start(image, initial);
    if (initial && !this.waiting) for (const { id, attributes } of this.editor?.shapes ?? []) if (attributes) this.given.set(id, attributes);
  }

  protected override list() {
    return html`${this.attributeForm()}${this.shapeList()}`;
  }

  private shapeList() {
    const { editor } = this;
    const shapes: readonly S[] = editor?.shapes ?? [];
    return guard([shapes, editor?.selected, editor?.hidden, editor?.locked, this.listOpen, this.known], () => editor ? shapeList<S>({
      kind: editor.kind, shapes, selected: editor.selected, hidden: editor.hidden, locked: editor.locked, open: this.listOpen, colour: (label) => this.colour(label),
      hint: html`${msg(str`None yet. ${this.drawing.how.charAt(0).toUpperCase()}${this.drawing.how.slice(1)} on the picture, or press`)} <kbd>${this.key("place")}</kbd> ${msg("to draw by keys.")}`,
      onSelect: (id) => { editor.select(id); this.bench?.reveal(); this.requestUpdate(); },
      onHide: (id, hidden) => { editor.setHidden(id, hidden); this.requestUpdate(); },
      onLock: (id, locked) => { editor.setLocked(id, locked); this.requestUpdate(); },
      onRemove: (id) => {
        if (this.locked) return;
        editor.remove(id);
        this.focus(); // the button that had the focus is gone
      },
    }) : nothing);
  }
}
