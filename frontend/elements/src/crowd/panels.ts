/** The panels beside the canvas of the drawing tools as templates: the labels and the list of shapes. Pure functions of what they
 *  show; what happens at a click is a callback. Every label is shown as text. */
import { html, nothing } from "lit";
import { guard } from "lit/directives/guard.js";
import { type IconName, icon } from "../kit/icons";
import { inWords } from "../labels/attributes";
import type { Kind, Shape } from "../shapes/shape";
import "./rows";
import { DIGITS, type Search, search, spot } from "./label-parts";
import { msg, str } from "../locale";

export function palette(view: Search & { current: number }) {
  const { labels } = view;
  const { field, shown } = search(view);
  return html`<section class="labels">
    <h2 class="quiet" id="labels-title">${msg("Label")}</h2>
    ${field}
    <div class="palette" role="group" aria-labelledby="labels-title">
      ${guard([labels, view.typed, view.current], () => shown.map((label, place) => {
        const at = labels.indexOf(label);
        const key = view.typed ? (DIGITS[place] ?? null) : label.hotkey;
        return html`<button type="button" class="label" aria-pressed=${at === view.current ? "true" : "false"} title=${label.name}
            aria-keyshortcuts=${label.hotkey?.replace("⇧", "Shift+") ?? nothing} @click=${() => view.onChoose(at)}>
          ${spot(label.color)}<span class="name">${label.name}</span>${key ? html`<kbd aria-hidden="true">${key}</kbd>` : nothing}
        </button>`;
      }))}
      ${shown.length === 0 ? html`<p class="empty">${msg("No label is called that.")}</p>` : nothing}
    </div>
  </section>`;
}

interface List<S extends Shape> {
  kind: Kind<S>; shapes: readonly S[]; selected: number | null; open: boolean; hint: unknown; colour: (label: string) => string;
  hidden: ReadonlySet<number>; locked: ReadonlySet<number>;
  onSelect: (id: number) => void; onRemove: (id: number) => void;
  /** With null for the id: all shapes. */
  onHide: (id: number | null, hidden: boolean) => void; onLock: (id: number | null, locked: boolean) => void;
}

const title = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

const mark = (name: string, on: boolean, glyph: IconName, act: () => void) => html`
  <button type="button" class="gone ${on ? "marked" : ""}" aria-label=${name} title=${name} aria-pressed=${on ? "true" : "false"} @click=${act}>${icon(glyph)}</button>`;

function row<S extends Shape>(shape: S, at: number, view: List<S>) {
  const [hidden, locked] = [view.hidden.has(shape.id), view.locked.has(shape.id)];
  const which = `${view.kind.one} ${at + 1}, ${shape.label}`;
  return html`
  <button type="button" class="go" aria-pressed=${shape.id === view.selected ? "true" : "false"} @click=${() => view.onSelect(shape.id)}>
    ${spot(view.colour(shape.label))}<span>${at + 1}. ${shape.label}</span>
    <small><span class="sr">${view.kind.describe(shape)}${inWords(shape.attributes)}${hidden ? ", hidden" : ""}${locked ? ", locked" : ""}</span><span aria-hidden="true">${view.kind.brief(shape)}</span></small>
  </button>
  ${mark(msg(str`Hide ${which}`), hidden, hidden ? "eye-off" : "eye", () => view.onHide(shape.id, !hidden))}
  ${mark(msg(str`Lock ${which}`), locked, locked ? "lock" : "lock-open", () => view.onLock(shape.id, !locked))}
  <button type="button" class="gone" aria-label=${msg(str`Delete ${which}`)} @click=${() => view.onRemove(shape.id)}>${icon("trash")}</button>`;
}

export function shapeList<S extends Shape>(view: List<S>) {
  const { kind, shapes, hidden, locked } = view;
  const all = (marks: ReadonlySet<number>) => shapes.length > 0 && shapes.every(({ id }) => marks.has(id));
  return html`<section class="boxes ${view.open ? "open" : ""}" id="shape-list" aria-label=${title(kind.many)}>
    <div class="head"><h2>${title(kind.many)} <span>${shapes.length}</span></h2>${shapes.length === 0 ? nothing : html`<div class="every" role="group" aria-label=${msg(str`All ${kind.many}`)}>
      ${mark(msg(str`Hide all ${kind.many}`), all(hidden), all(hidden) ? "eye-off" : "eye", () => view.onHide(null, !all(hidden)))}
      ${mark(msg(str`Lock all ${kind.many}`), all(locked), all(locked) ? "lock" : "lock-open", () => view.onLock(null, !all(locked)))}</div>`}</div>
    ${shapes.length === 0 ? html`<p class="empty">${view.hint}</p>` : nothing}
    <waggle-rows .rows=${shapes.map((shape, at) => ({ key: shape.id, on: shape.id === view.selected, cells: () => row(shape, at, view) }))}></waggle-rows>
  </section>`;
}
