/** The buttons over and on the canvas of the box tool, as templates. They only call the workbench and the editor. */
import { html, nothing } from "lit";
import type { Editor } from "../boxes/editor";
import { type IconName, icon } from "../kit/icons";
import type { Workbench } from "./workbench";

interface Button { name: string; glyph: IconName; keys?: string; act: () => void; off?: boolean; pressed?: boolean; class?: string }

const button = ({ name, glyph, keys, act, off = false, pressed, class: kind = "" }: Button) => html`
  <button type="button" class="plain ${kind}" aria-label=${name} title=${keys ? `${name} (${keys})` : name} ?disabled=${off}
    aria-pressed=${pressed === undefined ? nothing : pressed ? "true" : "false"} @click=${act}>${icon(glyph)}</button>`;

export function toolbar(view: {
  header: string; bench: Workbench | null; lightOpen: boolean; listOpen: boolean; count: number; instructions: boolean;
  toggleLight: () => void; toggleList: () => void; help: () => void; openInstructions: () => void;
}) {
  const { bench } = view;
  const editor = bench?.editor;
  return html`<div class="bar" role="toolbar" aria-label="Tools">
    ${view.header ? html`<h1 title=${view.header}>${view.header}</h1>` : nothing}
    ${button({ name: "Undo", glyph: "undo", keys: "Ctrl+Z", off: !editor?.history.canUndo, act: () => editor?.undo() })}
    ${button({ name: "Redo", glyph: "redo", keys: "Ctrl+Shift+Z", off: !editor?.history.canRedo, act: () => editor?.redo() })}
    <span class="rule"></span>
    ${button({ name: "Draw boxes", glyph: "square-dashed", keys: "drag", pressed: !bench?.hand, act: () => bench?.setHand(false) })}
    ${button({ name: "Move the picture", glyph: "hand", keys: "V, or hold Space", pressed: bench?.hand ?? false, act: () => bench?.setHand(true) })}
    <span class="rule wide"></span>
    ${button({ name: "Zoom out", glyph: "minus", keys: "−", class: "wide", act: () => bench?.zoom(0.8) })}
    <span class="percent wide" aria-live="off">${Math.round((bench?.view.scale ?? 1) * 100)} %</span>
    ${button({ name: "Zoom in", glyph: "plus", keys: "+", class: "wide", act: () => bench?.zoom(1.25) })}
    ${button({ name: "See the whole picture", glyph: "maximize", keys: "F", act: () => bench?.fitView() })}
    <span class="rule"></span>
    ${button({ name: "Hide the other boxes", glyph: bench?.hideOthers ? "eye-off" : "eye", keys: "H", pressed: bench?.hideOthers ?? false, act: () => bench?.toggleOthers() })}
    ${button({ name: "Brightness and contrast", glyph: "sliders", pressed: view.lightOpen, act: view.toggleLight })}
    <span class="gap"></span>
    ${view.instructions ? button({ name: "Instructions", glyph: "book-open", act: view.openInstructions }) : nothing}
    ${button({ name: "Keys", glyph: "keyboard", keys: "?", class: "tight wide", act: view.help })}
  </div>`;
}

/** What can be done with the chosen box, where a thumb can reach it. */
export function actions(editor: Editor, refocus: () => void) {
  const then = (act: () => void) => () => { act(); refocus(); };
  const several = editor.boxes.length > 1;
  return html`<div class="acts" role="group" aria-label="The chosen box">
    ${several ? button({ name: "Previous box", glyph: "chevron-left", keys: "P", act: then(() => editor.step(-1)) }) : nothing}
    ${button({ name: "Duplicate", glyph: "copy-plus", keys: "D", act: then(() => editor.duplicate()) })}
    ${button({ name: "Delete", glyph: "trash", keys: "Delete", class: "danger", act: then(() => editor.remove()) })}
    ${button({ name: "Let go", glyph: "check", keys: "Escape", act: then(() => editor.select(null)) })}
    ${several ? button({ name: "Next box", glyph: "chevron-right", keys: "N", act: then(() => editor.step(1)) }) : nothing}
  </div>`;
}

export function instructionsDialog(title: string) {
  const close = (event: Event) => (event.target as Element).closest("dialog")?.close();
  return html`<dialog id="instructions" aria-labelledby="instructions-title">
    <header><h2 id="instructions-title">${title || "Instructions"}</h2><button type="button" class="plain" @click=${close}>Close</button></header>
    <slot name="full"></slot>
  </dialog>`;
}
