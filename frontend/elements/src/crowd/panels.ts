/** The parts around the canvas of the box tool as templates: labels, list of boxes, light, keys. Pure functions of what they
 *  show; what is done with it comes in as callbacks. Every label is shown as text. */
import { html, nothing } from "lit";
import { guard } from "lit/directives/guard.js";
import { live } from "lit/directives/live.js";
import { repeat } from "lit/directives/repeat.js";
import type { Box } from "../boxes/geometry";
import { type Label, findLabels } from "../boxes/labels";
import { icon } from "../kit/icons";
import { HELP } from "./keys";

const spot = (color: string) =>
  html`<svg class="spot" viewBox="0 0 12 12" aria-hidden="true"><rect x="0.5" y="0.5" width="11" height="11" rx="2.5" fill=${color}></rect></svg>`;

/** A search field appears when the labels no longer fit at a glance. */
const SEARCH_FROM = 10;

export function palette(view: {
  labels: readonly Label[]; current: number; typed: string; onType: (typed: string) => void; onChoose: (at: number) => void;
}) {
  const { labels, typed } = view;
  const shown = findLabels(labels, typed);
  const keydown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !shown[0]) return;
    event.preventDefault();
    view.onChoose(labels.indexOf(shown[0]));
    view.onType("");
  };
  return html`<section class="labels">
    <h2 class="quiet" id="labels-title">Label</h2>
    ${labels.length > SEARCH_FROM
      ? html`<input class="find" type="search" placeholder="Find one of ${labels.length} labels ( / )" aria-label="Find a label" autocomplete="off"
          .value=${live(typed)} @input=${(event: InputEvent) => view.onType((event.target as HTMLInputElement).value)} @keydown=${keydown} />`
      : nothing}
    <div class="palette" role="group" aria-labelledby="labels-title">
      ${shown.map((label) => {
        const at = labels.indexOf(label);
        return html`<button type="button" class="label" aria-pressed=${at === view.current ? "true" : "false"} title=${label.name}
            aria-keyshortcuts=${label.hotkey?.replace("⇧", "Shift+") ?? nothing} @click=${() => view.onChoose(at)}>
          ${spot(label.color)}<span class="name">${label.name}</span>${label.hotkey ? html`<kbd aria-hidden="true">${label.hotkey}</kbd>` : nothing}
        </button>`;
      })}
      ${shown.length === 0 ? html`<p class="empty">No label is called that.</p>` : nothing}
    </div>
  </section>`;
}

interface List {
  boxes: readonly Box[]; selected: number | null; open: boolean; colour: (label: string) => string;
  onSelect: (id: number) => void; onRemove: (id: number) => void;
}

const row = (box: Box, at: number, view: List) => html`
  <button type="button" class="go" aria-pressed=${box.id === view.selected ? "true" : "false"} @click=${() => view.onSelect(box.id)}>
    ${spot(view.colour(box.label))}<span>${at + 1}. ${box.label}</span>
    <small><span class="sr">at ${box.left}, ${box.top}, size </span>${box.width} × ${box.height}</small>
  </button>
  <button type="button" class="gone" aria-label="Delete box ${at + 1}, ${box.label}" @click=${() => view.onRemove(box.id)}>${icon("trash")}</button>`;

export function boxList(view: List) {
  return html`<section class="boxes ${view.open ? "open" : ""}" id="box-list" aria-label="Boxes">
    <h2>Boxes <span>${view.boxes.length}</span></h2>
    ${view.boxes.length === 0 ? html`<p class="empty">None yet. Drag on the picture, or press <kbd>B</kbd> to draw by keys.</p>` : nothing}
    <ul class="list">${repeat(view.boxes, (box) => box.id, (box, at) => html`<li class=${box.id === view.selected ? "on" : ""}>${
      // a row is only made anew when its own box changed: a thousand rows stay quick
      guard([box, at, box.id === view.selected, view.colour(box.label)], () => row(box, at, view))}</li>`)}
    </ul>
  </section>`;
}

export interface Light { brightness: number; contrast: number; fill: number }
export const PLAIN_LIGHT: Light = { brightness: 1, contrast: 1, fill: 0.08 };

export function lightPanel(light: Light, onChange: (light: Light) => void) {
  const slider = (name: string, key: keyof Light, max: number) => html`
    <label for=${key}>${name}</label>
    <input id=${key} type="range" min="0" max=${max} step="0.02" .value=${live(String(light[key]))}
      @input=${(event: InputEvent) => onChange({ ...light, [key]: Number((event.target as HTMLInputElement).value) })} />`;
  return html`<div class="light" id="light" role="group" aria-label="How the picture is shown">
    ${slider("Brightness", "brightness", 3)} ${slider("Contrast", "contrast", 3)} ${slider("Box filling", "fill", 0.6)}
    <button type="button" @click=${() => onChange(PLAIN_LIGHT)}>As it was</button>
  </div>`;
}

export const keyHelp = () =>
  html`<dl class="keys">${HELP.map(([keys, meaning]) => html`<dt>${keys}</dt><dd>${meaning}</dd>`)}</dl>`;
