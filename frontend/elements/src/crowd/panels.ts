/** The panels beside the canvas of the box tool as templates: the labels and the list of boxes. Pure functions of what they
 *  show; what happens at a click is a callback. Every label is shown as text. */
import { html, nothing } from "lit";
import { guard } from "lit/directives/guard.js";
import { repeat } from "lit/directives/repeat.js";
import type { Box } from "../boxes/geometry";
import { icon } from "../kit/icons";
import { type Search, search, spot } from "./label-parts";

export function palette(view: Search & { current: number }) {
  const { labels } = view;
  const { field, shown } = search(view);
  return html`<section class="labels">
    <h2 class="quiet" id="labels-title">Label</h2>
    ${field}
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
      // a row is rendered again only if its own box changed, which keeps a list of a thousand boxes fast
      guard([box, at, box.id === view.selected, view.colour(box.label)], () => row(box, at, view))}</li>`)}
    </ul>
  </section>`;
}
