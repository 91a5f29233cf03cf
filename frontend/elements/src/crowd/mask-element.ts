/** What <crowd-semantic-segmentation> and <crowd-instance-segmentation> have in common: painting masks, the list of what is
 *  painted, and reading an initial mask from its picture. A subclass says how the masks stand in the answer. */
import { html, nothing } from "lit";
import { state } from "lit/decorators.js";
import { icon } from "../kit/icons";
import { type Initial, type LabeledImage, labeledImage, parseInitial, valuesOf } from "../masks/answer";
import { type MaskDraft, MaskEditor, type Mode, distinct } from "../masks/editor";
import type { Entry } from "../masks/history";
import { type Mask, TILE } from "../masks/mask";
import type { Size } from "../picture/plane";
import type { Listener } from "../shapes/editor";
import { iconButton } from "./buttons";
import { DrawingElement } from "./drawing-element";
import { emit } from "./element";
import { MASK_KEYS, maskHotkeys } from "./keys";
import { spot } from "./label-parts";
import { MaskTool } from "./mask-tool";
import { msg, str } from "../locale";

const MODES = [["brush", "brush"], ["eraser", "eraser"], ["fill", "bucket"], ["polygon", "pentagon"]] as const;
const percent = (part: number, whole: number): string => {
  const share = (100 * part) / whole;
  return share < 0.1 ? "< 0.1 %" : `${share.toFixed(1)} %`;
};

export abstract class MaskElement extends DrawingElement<MaskDraft, MaskTool> {
  /** Whether each object has a mask of its own. */
  protected abstract readonly instances: boolean;
  protected readonly drawing = { glyph: "brush", how: msg("paint") } as const;
  protected readonly how = msg("Press Enter to paint by keys, question mark for all keys.");
  protected override readonly filling = msg("Mask strength");
  /** The initial mask while it is being read; a draft that was given meanwhile waits in `kept`. */
  @state() private reading = false;
  private kept: MaskDraft | null = null;
  /** The tiles of the initial value; null if there was none. And what it names. */
  protected initial: Map<number, string> | null = null;
  private named: readonly string[] = [];
  private png: { mask: Mask; revision: number; entries: readonly Entry[]; image: LabeledImage } | null = null;

  protected readonly usual = MASK_KEYS;
  get hotkeys() { return maskHotkeys(this.instances, this.keys); }
  get editor(): MaskEditor | null { return this.tool?.editor ?? null; }
  protected override get locked(): boolean { return this.disabled || this.reading; }

  get draft(): MaskDraft | null {
    if (this.reading) return this.kept;
    return this.editor ? this.editor.draft : this.waiting;
  }

  set draft(draft: MaskDraft | null) {
    const fresh = draft ?? { tiles: [], entries: [], nothing: false };
    if (this.reading) this.kept = draft;
    else if (this.editor) this.editor.load(fresh);
    else this.waiting = draft;
    this.requestUpdate();
  }

  /** The PNG of the mask, made again only when the mask has changed. */
  protected pngOf({ mask, entries }: MaskEditor): LabeledImage {
    const { png } = this;
    if (png?.mask === mask && png.revision === mask.revision && png.entries === entries) return png.image;
    const image = labeledImage(mask, entries);
    this.png = { mask, revision: mask.revision, entries, image };
    return image;
  }

  get validationMessage(): string {
    const { editor } = this;
    if (this.problem) return this.problem;
    if (!editor || this.reading) return msg("The picture is still loading.");
    if (editor.open.length > 0) return msg("End the polygon that you are drawing, or cancel it with Escape.");
    return editor.count === 0 && !editor.nothing ? msg("Paint each object, or tick “Nothing to label here”.") : "";
  }

  protected override makeTool(size: Size, listener: Listener): MaskTool {
    return new MaskTool(new MaskEditor(this.instances, size, this.known, listener));
  }

  /** The start is split: the editor is there at once, and an initial mask is read from its picture as soon as that is loaded. */
  protected override start(image: HTMLImageElement, initial: unknown): void {
    const given = parseInitial(initial, this.known, this.instances);
    if (!this.instances) this.known = coloured(this.known, given?.keepColors ? given : null);
    super.start(image, initial);
    this.initial = null;
    this.reading = given !== null;
    if (given) void this.read(given);
  }

  protected override fill({ editor }: MaskTool, initial: unknown): void {
    this.kept = this.waiting;
    if (!initial && this.waiting) editor.load(this.waiting);
  }

  private async read(given: Initial): Promise<void> {
    const { tool } = this;
    try {
      const image = new Image();
      image.crossOrigin = "anonymous"; // its pixels are read, which a browser allows only then
      image.src = given.src;
      await image.decode();
      if (!tool || tool !== this.tool) return;
      const { editor } = tool;
      if (this.instances) editor.load({ tiles: [], entries: distinct(given.entries.map(({ color }) => color)).map((color, at) => ({ label: given.entries[at]!.label, color })), nothing: false });
      const values = this.instances ? given.entries.map((_, at) => at + 1) : given.entries.map(({ label }) => editor.labels.findIndex(({ name }) => name === label) + 1);
      copyPixels(image, editor, given, values);
      editor.mask.commit();
      this.initial = new Map(editor.mask.tiles);
      this.named = editor.entries.map(({ label }) => label);
      if (this.kept) editor.load(this.kept);
      this.reading = false;
      this.bench?.shown(true);
      emit(this, "ready");
    } catch (error) {
      if (tool !== this.tool) return;
      this.problem = msg(str`The mask of the initial value cannot be read: ${(error as Error).message}`);
      emit(this, "error", this.problem);
    }
  }

  protected get modified(): boolean {
    const { initial, editor } = this;
    if (!initial || !editor) return false;
    const { tiles } = editor.mask;
    if (this.named.some((label, at) => editor.entries[at]?.label !== label)) return true; // an instance may be something else now
    return tiles.size !== initial.size || [...tiles].some(([tile, runs]) => initial.get(tile) !== runs);
  }

  // ---- what is seen

  private act(act: (editor: MaskEditor) => void): () => void {
    return () => {
      if (this.editor) act(this.editor);
      this.requestUpdate();
      this.focus();
    };
  }

  protected override modes() {
    const { bench, editor } = this;
    return MODES.map(([mode, glyph]: readonly [Mode, (typeof MODES)[number][1]]) => iconButton({
      name: `${mode.charAt(0).toUpperCase()}${mode.slice(1)}`, glyph, keys: this.key(mode), pressed: !bench?.hand && editor?.mode === mode,
      act: this.act(() => { bench?.setHand(false); editor?.setMode(mode); }),
    }));
  }

  protected override overlay() {
    const { editor } = this;
    if (this.reading && !this.problem) return html`<div class="notice" role="status">${msg("Loading the earlier mask…")}</div>`;
    if (!editor || this.locked) return nothing;
    const hint = editor.open.length > 0 ? msg("Set the first point again to paint the polygon")
      : editor.cursor ? (editor.down ? msg("Arrow keys paint, Enter lifts the brush") : msg("Move with the arrow keys, then Enter")) : "";
    return html`${hint ? this.hint(hint) : nothing}<div class="acts" role="group" aria-label=${msg("Painting")}>
      ${editor.open.length > 0 ? html`
        ${iconButton({ name: msg("Take back the last point"), glyph: "undo", keys: this.key("remove"), act: this.act((one) => one.takeBack()) })}
        ${iconButton({ name: msg("Cancel"), glyph: "close", keys: "Escape", class: "danger", act: this.act((one) => one.cancel()) })}
        ${iconButton({ name: msg("Paint the polygon"), glyph: "check", off: editor.open.length < 3, act: this.act((one) => one.endPolygon()) })}` : html`
        ${iconButton({ name: msg("Smaller brush"), glyph: "minus", keys: this.key("smaller"), act: this.act((one) => one.resize(-1)) })}
        <span class="size" aria-live="off">${editor.brush} px</span>
        ${iconButton({ name: msg("Larger brush"), glyph: "plus", keys: this.key("larger"), act: this.act((one) => one.resize(1)) })}
        ${this.instances && editor.current !== null ? html`<button type="button" @click=${this.act((one) => one.choose(null))}>${msg("New instance")}</button>` : nothing}`}
    </div>`;
  }

  protected override list() {
    const { editor } = this;
    const { many } = this.words;
    const title = many.charAt(0).toUpperCase() + many.slice(1);
    return html`<section class="boxes ${this.listOpen ? "open" : ""}" id="shape-list" aria-label=${title}>
      <h2>${title} <span>${editor?.count ?? 0}</span></h2>
      ${editor && editor.count === 0 ? html`<p class="empty">${msg("Nothing is painted yet. Paint on the picture, or press")} <kbd>Enter</kbd> ${msg("to paint by keys.")}</p>` : nothing}
      <ul class="list">${editor?.used.map(({ at, entry, pixels }, place) => html`<li class=${at === editor.current ? "on" : ""}>
        <button type="button" class="go" aria-pressed=${at === editor.current ? "true" : "false"} @click=${this.act((one) => one.choose(at))}>
          ${spot(entry.color)}<span>${this.instances ? `${place + 1}. ` : ""}${entry.label}</span><small>${percent(pixels, editor.mask.data.length)}</small>
        </button>
        <button type="button" class="gone" aria-label=${msg(str`Delete ${this.instances ? `instance ${place + 1}` : "the mask of"} ${entry.label}`)} ?disabled=${this.locked}
          @click=${this.act((one) => one.erase(at))}>${icon("trash")}</button></li>`)}
      </ul>
    </section>`;
  }
}

/** The labels in the colours of the initial value, where it names them, and all in different ones. */
function coloured(labels: MaskElement["known"], given: Initial | null): MaskElement["known"] {
  const named = new Map(given?.entries.map(({ label, color }) => [label, color]));
  const inOrder = [...labels.filter(({ name }) => named.has(name)), ...labels.filter(({ name }) => !named.has(name))];
  const colours = distinct(inOrder.map(({ name, color }) => named.get(name) ?? color));
  return labels.map((label) => ({ ...label, color: colours[inOrder.indexOf(label)]! }));
}

/** Paints the mask from a picture, which is stretched to the mask, in strips that need little memory. `values` are those of the
 *  entries of the initial value. */
function copyPixels(image: HTMLImageElement, { mask }: MaskEditor, { entries }: Initial, values: readonly number[]): void {
  const { width, height } = mask.size;
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = Math.min(TILE, height);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  const colours = entries.map(({ color }) => color);
  for (let top = 0; top < height; top += canvas.height) {
    const rows = Math.min(canvas.height, height - top);
    context.clearRect(0, 0, width, canvas.height);
    context.imageSmoothingEnabled = false;
    context.drawImage(image, 0, -top, width, height);
    const found = valuesOf(context.getImageData(0, 0, width, rows).data, colours);
    for (let row = 0; row < rows; row++) {
      for (let from = 0, at = 1; at <= width; at++) {
        const value = found[row * width + from]!;
        if (at < width && found[row * width + at] === value) continue;
        if (value > 0) mask.run(top + row, from, at, values[value - 1]!);
        from = at;
      }
    }
  }
}
