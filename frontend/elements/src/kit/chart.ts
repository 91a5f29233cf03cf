/** <waggle-chart>: line, bar or scatter over Chart.js, with the same data as a table for readers who cannot see it.
 *  Data: a child (see given-data.ts), the `data` property, or `src` (a same-origin URL, re-read every
 *  `every` seconds). Attributes in, no events out. Reads colours from the page's tokens and follows light and dark. */
import {
  BarController, BarElement, CategoryScale, Chart, type ChartConfiguration, Legend, LinearScale, LineController, LineElement,
  PointElement, ScatterController, Tooltip,
} from "chart.js";
import { LitElement, css, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { type Axis, type ChartSpec, formatTick, formatValue, parseSpec, tableRows } from "./chart-spec";
import { givenText } from "./given-data";
import { msg, str } from "../locale";

Chart.register(BarController, BarElement, CategoryScale, Legend, LinearScale, LineController, LineElement, PointElement,
  ScatterController, Tooltip);

const POINT_STYLES = ["circle", "rect", "triangle", "rectRot", "star", "crossRot"] as const;

@customElement("waggle-chart")
export class WaggleChart extends LitElement {
  static override styles = css`
    :host { display: flex; flex-direction: column; gap: 0.5rem; min-inline-size: 0; }
    .frame { position: relative; block-size: var(--chart-height, 16rem); min-inline-size: 0; }
    h3 { margin: 0; font-size: 1rem; }
    details { font-size: 0.8125rem; color: var(--wg-text-2); }
    summary { cursor: pointer; inline-size: max-content; max-inline-size: 100%; }
    summary:focus-visible { outline: 3px solid var(--wg-focus); }
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
  @query("canvas") private canvas?: HTMLCanvasElement;
  private chart: Chart | null = null;
  private spec: ChartSpec | null = null;
  private timer = 0;
  private readonly repaint = () => { this.drop(); this.requestUpdate(); };
  private readonly system = matchMedia("(prefers-color-scheme: dark)");

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("waggle-theme", this.repaint);
    this.system.addEventListener("change", this.repaint);
    const given = givenText(this);
    if (this.data === null && given !== null) this.data = this.parseText(given);
    if (this.src) void this.load();
    if (this.src && this.every > 0) this.timer = window.setInterval(() => void this.load(), this.every * 1000);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.clearInterval(this.timer);
    document.removeEventListener("waggle-theme", this.repaint);
    this.system.removeEventListener("change", this.repaint);
    this.drop();
  }

  private parseText(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (error) {
      this.problem = msg(str`This chart's data cannot be read: ${String(error)}`);
      return null;
    }
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

  private drop(): void {
    this.chart?.destroy();
    this.chart = null;
  }

  private colour(name: string | undefined, at: number): string {
    const token = name ? (/^\d$/.test(name) ? `--wg-series-${name}` : `--wg-${name}`) : `--wg-series-${(at % 6) + 1}`;
    return this.resolve(token);
  }

  /** Tokens are light-dark(); a canvas needs the resolved colour. */
  private resolve(token: string): string {
    const probe = document.createElement("span");
    probe.style.color = `var(${token})`;
    this.renderRoot.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  }

  private scale(axis: Axis, labels?: (number | string)[]) {
    const category = labels !== undefined;
    const text = this.resolve("--wg-text-2");
    return {
      type: category ? ("category" as const) : ("linear" as const),
      min: axis.min, max: axis.max, stacked: this.spec!.stacked,
      title: { display: Boolean(axis.label), text: axis.label ?? "", color: text },
      grid: { color: this.resolve("--wg-line"), display: !category },
      ticks: category
        ? { color: text, maxRotation: 0, autoSkipPadding: 12, callback: (at: string | number) => formatTick(labels[Number(at)] ?? null, axis.format) }
        : { color: text, maxTicksLimit: 7, maxRotation: 0, callback: (value: string | number) => formatTick(Number(value), axis.format) },
    };
  }

  private datasets(spec: ChartSpec) {
    const lines = spec.series.map((series, at) => {
      const colour = this.colour(series.color, at);
      return {
        label: series.name, borderColor: colour, backgroundColor: colour, borderWidth: spec.type === "bar" ? 0 : 2,
        borderDash: series.dashed ? [6, 4] : [], pointRadius: series.points.length > 60 ? 0 : 3.5, pointHoverRadius: 6,
        pointStyle: POINT_STYLES[at % POINT_STYLES.length], borderRadius: 3, tension: 0.15, spanGaps: true, maxBarThickness: 48,
        data: series.points.map(([x, y]) => ({ x: x as number, y: y as number })),
      };
    });
    const xs = spec.series.flatMap((series) => series.points.map(([x]) => x)).filter((x) => typeof x === "number");
    const ys = spec.series.flatMap((series) => series.points.map(([, y]) => y)).filter((y) => y !== null);
    const marks = spec.type === "bar" ? [] : spec.marks.map((mark) => ({
      label: mark.label, borderColor: this.resolve("--wg-text-2"), backgroundColor: "transparent", borderWidth: 1.5,
      borderDash: [4, 4], pointRadius: 0, pointHoverRadius: 0, type: "line" as const, showLine: true,
      data: mark.y !== undefined
        ? [{ x: Math.min(...xs), y: mark.y }, { x: Math.max(...xs), y: mark.y }]
        : [{ x: mark.x!, y: spec.y.min ?? Math.min(...ys) }, { x: mark.x!, y: spec.y.max ?? Math.max(...ys) }],
    }));
    return [...lines, ...marks];
  }

  private draw(spec: ChartSpec): void {
    const words = spec.series.some((series) => series.points.some(([x]) => typeof x === "string"));
    const category = words || spec.type === "bar";
    const labels = category ? tableRows(spec).map((row) => row.x) : undefined;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches || this.every > 0;
    const config = {
      type: spec.type,
      data: { labels, datasets: this.datasets(spec) },
      options: {
        responsive: true, maintainAspectRatio: false, animation: calm ? false : { duration: 250 },
        interaction: { mode: spec.type === "scatter" ? "nearest" : "index", intersect: false },
        scales: { x: this.scale(spec.x, labels), y: this.scale(spec.y) },
        plugins: {
          legend: { display: spec.series.length + spec.marks.length > 1, position: "bottom",
            labels: { color: this.resolve("--wg-text"), usePointStyle: true, boxHeight: 7 } },
          tooltip: { callbacks: {
            title: (items: { parsed: { x: number | null }; dataIndex: number }[]) => {
              if (!items[0]) return "";
              const at = labels ? (labels[items[0].dataIndex] ?? null) : items[0].parsed.x;
              return typeof at === "string" ? formatValue(at, spec.x.format) : `${spec.x.label ?? ""} ${formatValue(at, spec.x.format)}`.trim();
            },
            label: (item: { dataset: { label?: string }; parsed: { y: number | null } }) =>
              `${item.dataset.label}: ${formatValue(item.parsed.y, spec.y.format)}`,
          } },
        },
      },
    } as unknown as ChartConfiguration;
    this.drop();
    this.chart = new Chart(this.canvas!, config);
  }

  override willUpdate(): void {
    if (this.data === null) return;
    try {
      this.spec = parseSpec(this.data);
      this.problem = "";
    } catch (error) {
      this.spec = null;
      this.problem = String(error);
    }
  }

  override updated(): void {
    if (this.spec && this.canvas) this.draw(this.spec);
  }

  override render() {
    if (this.problem) return html`<p class="none" role="alert">${this.problem}</p>`;
    const spec = this.spec;
    if (!spec) return html`<p class="none">${msg("Loading…")}</p>`;
    const rows = tableRows(spec);
    if (rows.length === 0) return html`${spec.title ? html`<h3>${spec.title}</h3>` : nothing}<p class="none">${msg("Nothing to show yet.")}</p>`;
    return html`
      ${spec.title ? html`<h3>${spec.title}</h3>` : nothing}
      <div class="frame"><canvas role="img" aria-label=${msg(str`${spec.title || "Chart"}; the same figures are in the table below`)}></canvas></div>
      <details>
        <summary>${msg("Show as table")}</summary>
        <div class="scroll"><table>
          <thead><tr><th scope="col">${spec.x.label ?? "x"}</th>${spec.series.map((s) => html`<th scope="col">${s.name}</th>`)}</tr></thead>
          <tbody>${rows.map((row) => html`<tr><th scope="row">${formatValue(row.x, spec.x.format)}</th>
            ${row.values.map((value) => html`<td>${formatValue(value, spec.y.format)}</td>`)}</tr>`)}</tbody>
        </table></div>
      </details>`;
  }
}
