/** <waggle-parallel>: parallel coordinates, one axis for each hyperparameter and one for the objective, one line for each
 *  training; the best ones stand out. The same data as a table for readers who cannot see it. Data: a child
 *  <script type="application/json">, the `data` property, or `src` (a same-origin URL, re-read every `every` seconds). */
import { LitElement, css, html, nothing, svg } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { isChoice, type ParallelAxis, type ParallelSpec, parseParallel, position, ranks, shortNumber } from "./parallel-spec";
import { msg, str } from "../locale";

const HEIGHT = 240;
const TOP = 34;
const BOTTOM = 26;
const GAP = 150;
const SIDE = 70;

@customElement("waggle-parallel")
export class WaggleParallel extends LitElement {
  static override styles = css`
    :host { display: flex; flex-direction: column; gap: 0.5rem; min-inline-size: 0; }
    h3 { margin: 0; font-size: 1rem; }
    .frame { overflow-x: auto; }
    .frame:focus-visible, summary:focus-visible { outline: 3px solid var(--wg-focus); }
    svg { display: block; min-inline-size: 100%; block-size: auto; max-block-size: 22rem; }
    text { fill: var(--wg-text-2); font-size: 11px; text-anchor: middle; }
    text.choice { text-anchor: start; }
    text.label { fill: var(--wg-text); font-size: 12px; font-weight: 600; }
    .axis { stroke: var(--wg-text-2); stroke-width: 1; }
    path { fill: none; stroke: var(--wg-series-1); stroke-width: 1.5; }
    path.best { stroke-width: 3; }
    path:hover { stroke-width: 4; }
    details { font-size: 0.8125rem; color: var(--wg-text-2); }
    summary { cursor: pointer; inline-size: max-content; max-inline-size: 100%; }
    .scroll { overflow: auto; max-block-size: 16rem; margin-block-start: 0.5rem; }
    table { border-collapse: collapse; inline-size: 100%; }
    th, td { padding: 0.25rem 0.6rem; text-align: end; font-variant-numeric: tabular-nums; border-block-end: 1px solid var(--wg-line); }
    th:first-child { text-align: start; }
    .none { color: var(--wg-text-2); padding: 2rem 0; text-align: center; }
  `;

  @property() src = "";
  @property({ type: Number }) every = 0;
  @property({ attribute: false }) data: unknown = null;
  @state() private problem = "";
  private timer = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    const script = this.querySelector('script[type="application/json"]');
    if (this.data === null && script) this.data = JSON.parse(script.textContent);
    if (this.src && this.every > 0) this.timer = window.setInterval(() => void this.load(), this.every * 1000);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.clearInterval(this.timer);
  }

  private async load(): Promise<void> {
    try {
      const response = await fetch(this.src, { headers: { Accept: "application/json" } });
      if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
      this.data = await response.json();
      this.problem = "";
    } catch (error) {
      if (this.data === null) this.problem = msg(str`This chart cannot be loaded: ${String(error)}`);
    }
  }

  private x(at: number): number {
    return SIDE + at * GAP;
  }

  private y(share: number): number {
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
  }

  private axis(axis: ParallelAxis, at: number) {
    const ends = isChoice(axis) ? axis.values : [axis.low, axis.high];
    const x = this.x(at);
    return svg`<text class="label" x=${x} y="14">${axis.label}</text>
      <line class="axis" x1=${x} x2=${x} y1=${this.y(1)} y2=${this.y(0)}></line>
      ${ends.map((value, number) => {
        const share = position(axis, value) ?? 0;
        const number_ = !isChoice(axis);
        const y = number_ ? (number === 0 ? this.y(0) + 16 : this.y(1) - 5) : this.y(share) + 4;
        return svg`<text x=${number_ ? x : x + 8} y=${y} class=${number_ ? "" : "choice"}>${shortNumber(value)}</text>`;
      })}`;
  }

  private line(spec: ParallelSpec, at: number, rank: number) {
    const line = spec.lines[at]!;
    const places = line.values.map((value, axis) => [this.x(axis), position(spec.axes[axis]!, value)] as const);
    const known = places.filter((place): place is readonly [number, number] => place[1] !== null);
    const path = known.map(([x, share], number) => `${number ? "L" : "M"}${x} ${this.y(share).toFixed(1)}`).join("");
    return svg`<path class=${rank === 1 ? "best" : ""} d=${path} stroke-opacity=${(0.15 + 0.85 * rank ** 2).toFixed(2)}><title>${line.name}: ${shortNumber(line.values.at(-1) ?? null)}</title></path>`;
  }

  private table(spec: ParallelSpec) {
    return html`<details><summary>${msg("Show as table")}</summary><div class="scroll" tabindex="0" role="region" aria-label=${msg("Data of the chart")}><table>
      <thead><tr><th scope="col">${msg("Training")}</th>${spec.axes.map((axis) => html`<th scope="col">${axis.label}</th>`)}</tr></thead>
      <tbody>${spec.lines.map((line) => html`<tr><th scope="row">${line.name}</th>${line.values.map((value) => html`<td>${shortNumber(value)}</td>`)}</tr>`)}</tbody>
    </table></div></details>`;
  }

  protected override render() {
    if (this.problem) return html`<p role="alert">${this.problem}</p>`;
    if (this.data === null) return nothing;
    const spec = parseParallel(this.data);
    const width = 2 * SIDE + (spec.axes.length - 1) * GAP;
    const order = ranks(spec).map((rank, at) => ({ rank, at })).sort((a, b) => a.rank - b.rank);
    return html`${spec.title ? html`<h3>${spec.title}</h3>` : nothing}
      ${spec.lines.length === 0 ? html`<p class="none">${msg("Nothing to show yet.")}</p>` : html`<div class="frame" tabindex="0" role="region" aria-label=${spec.title || msg("Parallel coordinates")}>
        <svg viewBox="0 0 ${width} ${HEIGHT}" width=${width * 0.75} role="img" aria-label=${msg(str`${spec.title}: ${spec.lines.length} lines over ${spec.axes.length} axes; the table below has the values`)}>
          ${order.map(({ at, rank }) => this.line(spec, at, rank))}${spec.axes.map((axis, at) => this.axis(axis, at))}</svg></div>
      ${this.table(spec)}`}`;
  }
}

declare global {
  interface HTMLElementTagNameMap { "waggle-parallel": WaggleParallel }
}
