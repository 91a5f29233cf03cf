/** <waggle-try-endpoint address account least>: shows what an endpoint finds in the picture that is chosen in its form (the field
 *  `image`), with a slider for each class that says from which score boxes are shown. Data: a child <script type="application/json">
 *  {variant: {number of a class: its name}}. The scores chosen are in the form's field `least_scores` when it is sent. */
import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { labelColour } from "../labels/colours";
import { csrfToken } from "./csrf";
import type { Layer } from "./layers-view";
import "./boxes-view";
import { msg, str } from "../locale";

/** [class, score, left, top, right, bottom], the corners as shares of the picture. */
type Row = [number, number, number, number, number, number];
interface Found { rows: Row[]; names: Record<string, string>; variant: string; src: string; width: number; height: number; ms: number }
interface Problem { detail?: string; errors?: { reason: string }[] }

@customElement("waggle-try-endpoint")
export class TryEndpoint extends LitElement {
  static override styles = css`
    :host { display: block; }
    .found { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr) minmax(13rem, 18rem); align-items: start; }
    @media (max-width: 45rem) { .found { grid-template-columns: minmax(0, 1fr); } }
    fieldset { border: 0; margin: 0; padding: 0; display: grid; gap: 0.75rem; }
    legend { font-weight: 600; }
    label { display: grid; gap: 0.15rem; font-size: 0.875rem; }
    .line { display: flex; justify-content: space-between; gap: 0.5rem; }
    .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    input { inline-size: 100%; min-block-size: 1.75rem; accent-color: var(--wg-link, #06c); }
    p { margin: 0; font-size: 0.875rem; color: var(--wg-text-2, #555); }
    .bad { color: var(--wg-bad, #b00); }
  `;

  @property() address = "";
  @property() account = "";
  @property({ type: Number }) least = 0.5;

  @state() private found: Found | null = null;
  @state() private words = "";
  @state() private bad = false;
  @state() private scores: Record<string, number> = {};

  private classes: Record<string, Record<string, string>> = {};
  private asked = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    this.classes = JSON.parse(this.querySelector("script")?.textContent ?? "{}") as typeof this.classes;
    this.closest("form")?.addEventListener("change", this.chosen);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.closest("form")?.removeEventListener("change", this.chosen);
  }

  private readonly chosen = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    if (input.name === "image" && input.files?.[0]) void this.ask(input.files[0]);
  };

  private async ask(file: File): Promise<void> {
    const number = (this.asked += 1);
    [this.words, this.bad] = [msg("The model looks at the picture."), false];
    try {
      const [picture, src] = [await createImageBitmap(file), URL.createObjectURL(file)];
      const started = performance.now();
      const response = await fetch(this.address, {
        method: "POST",
        body: file,
        headers: { "Content-Type": "application/x-image", "X-CSRFToken": csrfToken(), "Waggle-Account": this.account },
      });
      const ms = Math.round(performance.now() - started);
      if (!response.ok) throw new Error(await said(response));
      const { prediction } = (await response.json()) as { prediction: Row[] };
      if (number !== this.asked) return; // another picture was chosen meanwhile
      if (this.found) URL.revokeObjectURL(this.found.src);
      const variant = response.headers.get("x-Amzn-Invoked-Production-Variant") ?? "";
      this.found = { rows: prediction, names: this.classes[variant] ?? {}, variant, src, width: picture.width, height: picture.height, ms };
      this.words = `${this.count()} shown; ${variant} answered in ${ms} ms.`;
    } catch (error) {
      if (number === this.asked) [this.words, this.bad, this.found] = [(error as Error).message || msg("This is no picture."), true, null];
    }
  }

  private name(number: number): string {
    return this.found?.names[String(number)] ?? `class ${number}`;
  }

  private from(name: string): number {
    return this.scores[name] ?? this.least;
  }

  private get names(): string[] {
    const { names = {}, rows = [] } = this.found ?? {};
    return [...new Set([...Object.values(names), ...rows.map(([number]) => this.name(number))])];
  }

  private layers(): Layer[] {
    const { rows, width, height } = this.found!;
    return this.names.map((name, at) => ({
      name, kind: "machine", on: true, color: labelColour(at),
      boxes: rows.filter(([number, score]) => this.name(number) === name && score >= this.from(name)).map(([, score, x1, y1, x2, y2]) => ({
        left: x1 * width, top: y1 * height, width: (x2 - x1) * width, height: (y2 - y1) * height, label: name, confidence: score,
      })),
    }));
  }

  private count(): string {
    const boxes = this.layers().reduce((sum, layer) => sum + (layer.boxes?.length ?? 0), 0);
    return `${boxes} ${boxes === 1 ? "box" : "boxes"}`;
  }

  private move(name: string, event: Event): void {
    this.scores = { ...this.scores, [name]: Number((event.target as HTMLInputElement).value) };
    const field = this.closest("form")?.elements.namedItem("least_scores") as HTMLInputElement | null;
    if (field) field.value = JSON.stringify(this.scores);
    this.words = `${this.count()} shown.`;
  }

  override render() {
    const { found } = this;
    return html`
      <p role="status" class=${this.bad ? "bad" : nothing}>${this.words}</p>
      ${found && html`<div class="found">
        <waggle-boxes-view .src=${found.src} .width=${found.width} .height=${found.height} alt=${msg("The picture that was chosen")} .layers=${this.layers()}></waggle-boxes-view>
        <fieldset><legend>${msg("Show boxes from a score of")}</legend>
          ${this.names.map((name) => html`<label><span class="line"><span class="name">${name}</span><strong>${this.from(name).toFixed(2)}</strong></span>
            <input type="range" min="0" max="1" step="0.01" .value=${String(this.from(name))} @input=${(event: Event) => this.move(name, event)} /></label>`)}
        </fieldset></div>`}`;
  }
}

async function said(response: Response): Promise<string> {
  try {
    const { errors, detail } = (await response.json()) as Problem;
    return errors?.[0]?.reason ?? detail ?? msg(str`The server answered ${response.status}.`);
  } catch {
    return msg(str`The server answered ${response.status}.`);
  }
}
