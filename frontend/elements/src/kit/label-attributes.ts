/** <waggle-label-attributes config="id" labels="id">: the attributes of labels as a form. `config` is the textarea that has the
 *  label category configuration and is sent, `labels` the one that has the labels, one a line. Without the script the textarea
 *  itself is filled in. */
import { LitElement, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import { type Kind, type Row, emptyRow, labelsOf, readDocument, rowsOf, withRows } from "../labels/config-document";
import { msg, readersLocale, str } from "../locale";

const KINDS: readonly (readonly [Kind, string])[] = [["choice", msg("One of several choices")], ["number", msg("A number")], ["text", msg("A text")]];
const LONGEST = 100_000;

@customElement("waggle-label-attributes")
export class LabelAttributes extends LitElement {
  @property() config = "";
  @property() labels = "";
  @state() private rows: Row[] = [];
  @state() private problem = "";
  private document: Record<string, unknown> = {};

  /** In the page itself, which has the styles of forms. */
  override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.field(this.config)?.addEventListener("input", this.read);
    this.field(this.labels)?.addEventListener("input", this.refresh);
    this.read();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.field(this.config)?.removeEventListener("input", this.read);
    this.field(this.labels)?.removeEventListener("input", this.refresh);
  }

  private field(id: string): HTMLTextAreaElement | null {
    return document.getElementById(id) as HTMLTextAreaElement | null;
  }

  private readonly refresh = (): void => this.requestUpdate();

  private readonly read = (): void => {
    try {
      this.document = readDocument(this.field(this.config)?.value ?? "");
      this.rows = rowsOf(this.document);
      this.problem = "";
    } catch (error) {
      this.problem = msg(str`The JSON below cannot be read: ${(error as Error).message}. Correct it, then attributes can be edited here.`);
    }
  };

  private write(rows: Row[]): void {
    const field = this.field(this.config);
    if (!field) return;
    this.rows = rows;
    field.value = withRows(this.document, rows);
    this.document = readDocument(field.value);
  }

  private change(at: number, changes: Partial<Row>): void {
    this.write(this.rows.map((row, place) => (place === at ? { ...row, ...changes } : row)));
  }

  private async add(): Promise<void> {
    this.write([...this.rows, emptyRow()]);
    await this.updateComplete;
    this.querySelector<HTMLInputElement>(`#attribute-${this.rows.length - 1}-name`)?.focus();
  }

  private async drop(at: number): Promise<void> {
    this.write(this.rows.filter((_, place) => place !== at));
    await this.updateComplete;
    this.querySelector<HTMLButtonElement>("[data-add]")?.focus();
  }

  private async load(event: Event): Promise<void> {
    const input = event.target as HTMLInputElement, file = input.files?.[0], field = this.field(this.config);
    if (!file || !field) return;
    input.value = "";
    if (file.size > LONGEST) {
      this.problem = `${file.name} has more than ${LONGEST.toLocaleString(readersLocale())} bytes.`;
      return;
    }
    field.value = await file.text();
    this.read();
    const labels = this.field(this.labels);
    if (labels && !labels.value.trim() && !this.problem) labels.value = labelsOf(this.document).join("\n");
  }

  private names(): string[] {
    const typed = (this.field(this.labels)?.value ?? "").split("\n").map((line) => line.trim()).filter(Boolean);
    return [...new Set([...typed, ...labelsOf(this.document)])];
  }

  override render() {
    return html`<div class="stack">
      ${this.problem ? html`<p class="callout callout-warn" role="alert">${this.problem}</p>` : this.rows.map((row, at) => this.row(row, at))}
      <div class="cluster"><button class="btn" type="button" data-add ?disabled=${this.problem !== ""} @click=${() => void this.add()}>${msg("Add an attribute")}</button></div>
      <div class="field"><label for="attributes-file">${msg("Or take them from a file")}</label><input id="attributes-file" type="file" accept=".json,application/json" @change=${(event: Event) => void this.load(event)} /></div></div>`;
  }

  private row(row: Row, at: number) {
    const text = (key: "name" | "choices" | "minimum" | "maximum", said: string, more: { type?: string; hint?: string } = {}) => html`<div class="field">
      <label for="attribute-${at}-${key}">${said}</label><input id="attribute-${at}-${key}" type=${more.type ?? "text"} step="any" maxlength=${key === "name" ? 16 : nothing} autocomplete="off"
        .value=${live(row[key])} @change=${(event: Event) => this.change(at, { [key]: (event.target as HTMLInputElement).value })} />
      ${more.hint ? html`<p class="hint">${more.hint}</p>` : nothing}</div>`;
    const select = (key: "label" | "kind", said: string, choices: readonly (readonly [string, string])[]) => html`<div class="field">
      <label for="attribute-${at}-${key}">${said}</label><select id="attribute-${at}-${key}" @change=${(event: Event) => this.change(at, { [key]: (event.target as HTMLSelectElement).value })}>
        ${choices.map(([value, words]) => html`<option value=${value} ?selected=${live(row[key] === value)}>${words}</option>`)}</select></div>`;
    const said = row.name || `attribute ${at + 1}`;
    return html`<fieldset class="fieldset"><legend>${row.name || msg(str`Attribute ${at + 1}`)}</legend><div class="form-row">
      ${text("name", msg("Name"))}
      ${select("label", msg("Of"), [["", msg("all labels")], ...this.names().map((name) => [name, name] as const)])}
      ${select("kind", msg("Kind"), KINDS)}
      ${row.kind === "choice" ? text("choices", "Choices", { hint: msg("With commas between them.") }) : nothing}
      ${row.kind === "number" ? html`${text("minimum", "Minimum", { type: "number" })}${text("maximum", "Maximum", { type: "number" })}` : nothing}</div>
      <div class="cluster"><label class="check"><input type="checkbox" .checked=${live(row.required)} @change=${(event: Event) => this.change(at, { required: (event.target as HTMLInputElement).checked })} /><span>${msg("Required")}</span></label>
        <button class="btn btn-s" type="button" aria-label=${msg(str`Remove ${said}`)} @click=${() => void this.drop(at)}>${msg("Remove")}</button></div></fieldset>`;
  }
}
