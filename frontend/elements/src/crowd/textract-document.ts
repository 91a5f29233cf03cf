/**
 * <crowd-textract-analyze-document>: review the keys and values that were read from a document, and correct them.
 *
 * Attributes: src, header, initial-value (Textract's blocks), keys (JSON: [{importantFormKey, importantFormKeyAliases}]), block-types
 * (only KEY_VALUE_SET), no-key-edit and no-geometry-edit (Amazon A2I requires both; neither can be edited here), disabled.
 * Children: <short-instructions>, <full-instructions header>.
 * The answer stands under a name of its own. `value` is {blocks}: the blocks given, with the values that were corrected.
 */
import { html, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import { type Block, type Field, type Said, answerBlocks, asRead, fieldsOf, lack, readBlocks, readKeys } from "../answers/document";
import { parseLenient } from "../labels/labels";
import { PictureView } from "../picture/picture-view";
import { iconButton } from "./buttons";
import { crowdPart } from "./registry";
import { type Lack, StepsElement } from "./steps-element";
import { choiceStyles, reviewStyles } from "./styles";
import { msg, str } from "../locale";

const NAME = "AWS/Textract/AnalyzeDocument/Forms/V1";
const read = (raw: unknown, name: string): unknown => (typeof raw === "string" && raw.trim() ? parseLenient(raw, name) : raw);

@crowdPart("crowd-textract-analyze-document")
export class CrowdTextractDocument extends StepsElement<Said[], HTMLImageElement> {
  static override styles = [...StepsElement.styles, choiceStyles, reviewStyles];

  @property() keys: unknown = null;
  @property({ attribute: "block-types" }) blockTypes: unknown = null;
  @property({ type: Boolean, attribute: "no-key-edit" }) noKeyEdit = false;
  @property({ type: Boolean, attribute: "no-geometry-edit" }) noGeometryEdit = false;

  protected override readonly labelsProperty = "keys";
  protected override readonly subject = "document";
  private blocks: Block[] = [];
  private fields: Field[] = [];
  private picture: PictureView | null = null;
  private size = { width: 1, height: 1 };
  /** The field that is shown on the document. */
  @state() private current = 0;
  @query(".canvas") private frame!: HTMLDivElement;

  get value(): { blocks: Block[] } | null {
    if (!this.steps || lack(this.fields, this.steps.now)) return null;
    return { blocks: answerBlocks(this.blocks, this.fields, this.steps.now) };
  }

  override willUpdate(changed: Map<string, unknown>): void {
    this.name = NAME;
    super.willUpdate(changed);
  }

  /** The keys are read with the blocks, because only both together say what is missing. */
  protected override readLabels(): void {
    const types = read(this.blockTypes, "block-types");
    if (Array.isArray(types) && types.some((one) => one !== "KEY_VALUE_SET")) throw new Error('The attribute "block-types" can only be ["KEY_VALUE_SET"].');
  }

  protected override first(image: HTMLImageElement, initial: unknown): Said[] {
    this.blocks = readBlocks(initial);
    this.fields = fieldsOf(this.blocks, readKeys(read(this.keys, "keys")));
    this.size = { width: image.naturalWidth, height: image.naturalHeight };
    this.picture = new PictureView(this.frame, image, () => this.requestUpdate());
    this.current = 0;
    return asRead(this.fields);
  }

  protected override stop(): void {
    super.stop();
    this.picture?.destroy();
    this.picture = null;
  }

  protected override fits(said: Said[]): boolean { return Array.isArray(said) && said.length === this.fields.length; }

  protected override lacks(said: Said[]): Lack | null {
    const found = lack(this.fields, said);
    return found && { says: found.says, id: `value-${found.at}` };
  }

  private change(at: number, part: Partial<Said>, place: string | null = null): void {
    if (this.steps) this.go(this.steps.now.map((one, here) => (here === at ? { ...one, ...part } : one)), place);
  }

  override updated(changed: Map<string, unknown>): void {
    super.updated(changed);
    const over = this.renderRoot.querySelector<SVGElement>(".over");
    const { picture } = this;
    if (over && picture) over.style.transform = `translate(${picture.view.x}px, ${picture.view.y}px) scale(${picture.view.scale})`;
  }

  // ---- what is seen

  protected override tools() {
    const { picture } = this;
    return html`<span class="rule"></span>
      ${iconButton({ name: msg("Zoom out"), glyph: "minus", act: () => picture?.zoom(0.8) })}
      ${iconButton({ name: msg("Zoom in"), glyph: "plus", act: () => picture?.zoom(1.25) })}
      ${iconButton({ name: msg("See the whole document"), glyph: "maximize", act: () => picture?.fitView() })}`;
  }

  protected override target() {
    const { width, height } = this.size;
    return html`<div class="canvas" role="img" aria-label=${msg("Document to review")}></div>${this.picture ? html`
      <svg class="over" width=${width} height=${height} viewBox="0 0 ${width} ${height}" aria-hidden="true"><path d=${this.outlines}></path></svg>` : nothing}`;
  }

  /** The key and the value of the current field; their places are given in parts of the document's size. */
  private get outlines(): string {
    const { width: across, height: down } = this.size;
    return (this.fields[this.current]?.places ?? []).map(({ left, top, width, height }) =>
      `M${left * across} ${top * down}h${width * across}v${height * down}h${-width * across}z`).join("");
  }

  protected override sheet(said: Said[]) {
    if (this.fields.length === 0) return html`<section><p class="empty">${msg("No keys and values were read from the document.")}</p></section>`;
    return this.fields.map((field, at) => this.card(field, said[at]!, at));
  }

  private card({ key, block }: Field, { text, blank, none }: Said, at: number) {
    const tick = (part: "blank" | "none", words: string, on: boolean) => html`<label class="tick"><input type="checkbox" .checked=${on}
      @change=${(event: Event) => this.change(at, { blank: false, none: false, [part]: (event.target as HTMLInputElement).checked })} />${words}</label>`;
    return html`<fieldset class="card ${at === this.current ? "on" : ""}" ?disabled=${this.disabled} @focusin=${() => (this.current = at)} @click=${() => (this.current = at)}>
      <legend>${key}</legend>
      <label for="value-${at}">${msg("Value")}</label>
      <input type="text" id="value-${at}" aria-label=${msg(str`Value of ${key}`)} autocomplete="off" .value=${blank || none ? "" : text} ?readonly=${blank || none}
        @input=${(event: Event) => this.change(at, { text: (event.target as HTMLInputElement).value }, `value-${at}`)} />
      ${tick("blank", msg("Value is blank"), blank)} ${tick("none", block === null ? msg("Key not found") : msg("Not a key and its value"), none)}
    </fieldset>`;
  }
}
