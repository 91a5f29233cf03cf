/** What the lists of labels have in common, as templates: the colour spot and the search field. Label texts are only ever text. */
import { html, nothing } from "lit";
import { live } from "lit/directives/live.js";
import { type Label, findLabels } from "../labels/labels";
import { msg, str } from "../locale";

/** A search field appears when the labels no longer fit at a glance. */
const SEARCH_FROM = 10;

export const spot = (color: string) =>
  html`<svg class="spot" viewBox="0 0 12 12" aria-hidden="true"><rect x="0.5" y="0.5" width="11" height="11" rx="2.5" fill=${color}></rect></svg>`;

export interface Search { labels: readonly Label[]; typed: string; onType: (typed: string) => void; onChoose: (at: number) => void }

/** The keys of the first labels that are found. */
export const DIGITS = "1234567890";

/** The search field, and the labels that match what is typed in it. Enter chooses the first of them; a digit that no label goes on
 *  with, or a digit with Alt, the one at its place. */
export function search(view: Search): { field: unknown; shown: Label[] } {
  const { labels, typed } = view;
  const shown = findLabels(labels, typed);
  if (labels.length <= SEARCH_FROM) return { field: nothing, shown };
  const keydown = (event: KeyboardEvent) => {
    const digit = typed && !event.ctrlKey && !event.metaKey ? DIGITS.indexOf(/^Digit(\d)$/.exec(event.code)?.[1] ?? event.key) : -1;
    const place = event.key === "Enter" ? 0 : event.key.length === 1 && (event.altKey || findLabels(labels, typed + event.key).length === 0) ? digit : -1;
    const label = shown[place];
    if (!label) return;
    event.preventDefault();
    view.onChoose(labels.indexOf(label));
    view.onType("");
  };
  const field = html`<input class="find" type="search" placeholder=${msg(str`Find one of ${labels.length} labels`)} aria-label=${msg("Find a label")} autocomplete="off"
    .value=${live(typed)} @input=${(event: InputEvent) => view.onType((event.target as HTMLInputElement).value)} @keydown=${keydown} />`;
  return { field, shown };
}
