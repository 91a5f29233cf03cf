/**
 * <crowd-text-ranking>: rank several responses to a text in one or more dimensions.
 *
 * Attributes: name, text, responses (JSON: texts), ordinal-ranking-dimensions (JSON: objects with `name` and `allowTie`), header,
 * instructions (a text), crowd-form-element-id (the form that the element belongs to without standing in it), disabled.
 * Children: <short-instructions>, <full-instructions header>.
 * `value`: {ordinalRankingDimensions: [{name, allowTie, responseRankings}]}, for each response in the order given its rank, 1 the
 * best. Where ties are not allowed, a response that takes the rank of another one gives it its own.
 */
import { html, nothing } from "lit";
import { property } from "lit/decorators.js";
import { type Dimension, type Ranks, type RankingAnswer, fit, noRanks, ranked, rankingAnswer, readDimensions, readResponses, unranked } from "../answers/ranking";
import { parseLenient } from "../labels/labels";
import { crowdPart } from "./registry";
import { type Lack, StepsElement } from "./steps-element";
import { msg, str } from "../locale";

const read = (raw: unknown, name: string): unknown => (typeof raw === "string" ? parseLenient(raw, name) : raw);
const idOf = (dimension: number, response: number) => `rank-${dimension}-${response}`;

@crowdPart("crowd-text-ranking")
export class CrowdTextRanking extends StepsElement<Ranks, string> {
  @property() text = "";
  @property() responses: unknown = null;
  @property({ attribute: "ordinal-ranking-dimensions" }) dimensions: unknown = null;
  @property() instructions = "";
  @property({ attribute: "crowd-form-element-id", reflect: true }) formId = "";

  protected override readonly labelsProperty = "dimensions";
  protected override readonly subject = "text";
  protected override readonly ownKeys = [{ keys: "1, 2, 3 …", does: msg("give the response that has the focus this rank, and go on") }, { keys: "← →", does: msg("another rank") }];
  private asked: Dimension[] = [];
  private given: string[] = [];

  get value(): RankingAnswer | null { return this.steps ? rankingAnswer(this.asked, this.steps.now) : null; }

  protected override get watched(): readonly string[] { return [...super.watched, "responses"]; }
  protected override get hasTarget(): boolean { return true; }
  protected override loadTarget(): Promise<string> { return Promise.resolve(this.text); }

  protected override readLabels(): void {
    this.asked = readDimensions(read(this.dimensions, "ordinal-ranking-dimensions"));
  }

  protected override first(): Ranks {
    this.given = readResponses(read(this.responses, "responses"));
    return noRanks(this.asked.length, this.given.length);
  }

  protected override fits(state: Ranks): boolean { return fit(state, this.asked.length, this.given.length); }

  protected override lacks(state: Ranks): Lack | null {
    const missing = unranked(state);
    if (!missing) return null;
    const { dimension, response } = missing;
    return { says: msg(str`Rank response ${response + 1} by ${this.asked[dimension]!.name}.`), id: `${idOf(dimension, response)}-1` };
  }

  private rank(dimension: number, response: number, rank: number): void {
    if (this.steps) this.go(ranked(this.steps.now, dimension, response, rank, this.asked[dimension]!.allowTie));
  }

  protected override keydown(event: KeyboardEvent): void {
    const origin = event.composedPath()[0] as HTMLElement;
    const rank = Number(event.key);
    const row = origin.closest<HTMLElement>("[data-row]");
    if (!row || event.ctrlKey || event.metaKey || event.altKey || !(rank >= 1 && rank <= this.given.length)) return super.keydown(event);
    event.preventDefault();
    this.rank(Number(row.dataset["dimension"]), Number(row.dataset["row"]), rank);
    const rows = [...this.renderRoot.querySelectorAll<HTMLElement>("[data-row]")];
    const next = rows[rows.indexOf(row) + 1] ?? row;
    void this.updateComplete.then(() => (next.querySelector<HTMLElement>("input:checked") ?? next.querySelector("input"))?.focus());
  }

  // ---- what is seen

  protected override target() {
    return html`<div class="paper" role="region" aria-label=${msg("Text and responses")} tabindex="0">
      ${this.instructions ? html`<p class="instructions">${this.instructions}</p>` : nothing}
      ${this.text ? html`<h2>${msg("Text")}</h2><p class="words">${this.text}</p>` : nothing}
      ${this.given.map((one, at) => html`<h2>${msg(str`Response ${at + 1}`)}</h2><p class="words">${one}</p>`)}</div>`;
  }

  protected override sheet(state: Ranks) {
    return this.asked.map(({ name, allowTie }, dimension) => html`<section aria-label=${name}>
      <h2>${name}<span>${msg(str`1 is the best${allowTie ? ", ties are fine" : ""}`)}</span></h2>
      ${this.given.map((_, response) => this.row(dimension, response, state[dimension]![response]!))}</section>`);
  }

  private row(dimension: number, response: number, chosen: number | null) {
    const name = idOf(dimension, response);
    return html`<div class="row" role="radiogroup" aria-label=${msg(str`Response ${response + 1}, ${this.asked[dimension]!.name}`)} data-dimension=${dimension} data-row=${response}>
      <span aria-hidden="true">${msg(str`Response ${response + 1}`)}</span>
      ${this.given.map((_, at) => html`<label class="rank"><input type="radio" id="${name}-${at + 1}" name=${name} value=${at + 1} .checked=${chosen === at + 1}
        ?disabled=${this.disabled} @change=${() => this.rank(dimension, response, at + 1)} /><span>${at + 1}</span></label>`)}</div>`;
  }
}
