/** <waggle-rows>: a list of which only the rows near what is seen are in the page, so that thousands cost no more than a few. All
 *  rows are of one height. It draws into the page of its owner, whose styles it uses. Knows nothing of what the rows say. */
import { LitElement, html, nothing } from "lit";
import { property, query } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";

/** One row: an identity, whether it is the current one, and what is in it. */
export interface Row { readonly key: number; readonly on: boolean; readonly cells: () => unknown }

/** Fewer rows than this are all in the page. */
const FEW = 60;
/** How many rows are in the page before and after those that are seen. */
const AHEAD = 12;
/** The height of a row before one was measured, in CSS pixels. */
const ROW = 36;

export class WaggleRows extends LitElement {
  @property({ attribute: false }) rows: readonly Row[] = [];
  @query("li:not([aria-hidden])") private first?: HTMLElement;
  private range: [number, number] = [0, FEW];
  private height = ROW;
  private readonly resized = new ResizeObserver(() => this.look());

  protected override createRenderRoot(): HTMLElement { return this; }

  override connectedCallback(): void {
    super.connectedCallback();
    this.getRootNode().addEventListener("scroll", this.look, { capture: true, passive: true });
    if (this.parentElement) this.resized.observe(this.parentElement);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.getRootNode().removeEventListener("scroll", this.look, { capture: true });
    this.resized.disconnect();
  }

  protected override updated(): void {
    this.look();
  }

  /** Finds out which rows are seen, and shows others if those are not in the page. */
  private readonly look = (): void => {
    const { rows } = this;
    if (rows.length <= FEW) return;
    const height = this.first?.offsetHeight || this.height;
    const grown = height !== this.height;
    this.height = height;
    const { top } = this.getBoundingClientRect();
    const [from, to] = this.seen();
    const at = (y: number) => Math.min(rows.length, Math.max(0, Math.floor((y - top) / this.height)));
    const range: [number, number] = [Math.max(0, at(from) - AHEAD), Math.min(rows.length, at(to) + 1 + AHEAD)];
    const [start, end] = this.range;
    if (!grown && Math.abs(start - range[0]) < AHEAD / 2 && Math.abs(end - range[1]) < AHEAD / 2) return;
    this.range = range;
    this.requestUpdate();
  };

  /** The part of the window in which this can be seen: of all that scrolls around it. */
  private seen(): [number, number] {
    let [from, to] = [0, window.innerHeight];
    for (let around = this.parentElement; around; around = around.parentElement) {
      if (getComputedStyle(around).overflowY === "visible") continue;
      const { top, bottom } = around.getBoundingClientRect();
      [from, to] = [Math.max(from, top), Math.min(to, bottom)];
    }
    return [from, to];
  }

  override render() {
    const { rows } = this;
    const [from, to] = rows.length <= FEW ? [0, rows.length] : [Math.min(this.range[0], rows.length), Math.min(this.range[1], rows.length)];
    const space = (count: number) => (count > 0 ? html`<li aria-hidden="true"><svg height=${count * this.height} width="1"></svg></li>` : nothing);
    return html`<ul class="list">${space(from)}${repeat(rows.slice(from, to), ({ key }) => key, ({ on, cells }, at) => html`
      <li class=${on ? "on" : ""} aria-setsize=${rows.length} aria-posinset=${from + at + 1}>${cells()}</li>`)}${space(rows.length - to)}</ul>`;
  }
}

if (!customElements.get("waggle-rows")) customElements.define("waggle-rows", WaggleRows);
