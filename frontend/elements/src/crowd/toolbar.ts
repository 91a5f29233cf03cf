/** The buttons over and on the canvas of the box tool, as templates. They only call the workbench and the editor. */
import { html, nothing } from "lit";
import type { Editor } from "../boxes/editor";
import { iconButton } from "./buttons";
import type { Workbench } from "./workbench";

export function toolbar(view: {
  header: string; bench: Workbench | null; lightOpen: boolean; instructions: boolean;
  toggleLight: () => void; help: () => void; openInstructions: () => void;
}) {
  const { bench } = view;
  const editor = bench?.editor;
  return html`<div class="bar" role="toolbar" aria-label="Tools">
    ${view.header ? html`<h1 title=${view.header}>${view.header}</h1>` : nothing}
    ${iconButton({ name: "Undo", glyph: "undo", keys: "Ctrl+Z", off: !editor?.history.canUndo, act: () => editor?.undo() })}
    ${iconButton({ name: "Redo", glyph: "redo", keys: "Ctrl+Shift+Z", off: !editor?.history.canRedo, act: () => editor?.redo() })}
    <span class="rule"></span>
    ${iconButton({ name: "Draw boxes", glyph: "square-dashed", keys: "drag", pressed: !bench?.hand, act: () => bench?.setHand(false) })}
    ${iconButton({ name: "Move the picture", glyph: "hand", keys: "V, or hold Space", pressed: bench?.hand ?? false, act: () => bench?.setHand(true) })}
    <span class="rule wide"></span>
    ${iconButton({ name: "Zoom out", glyph: "minus", keys: "−", class: "wide", act: () => bench?.zoom(0.8) })}
    <span class="percent wide" aria-live="off">${Math.round((bench?.view.scale ?? 1) * 100)} %</span>
    ${iconButton({ name: "Zoom in", glyph: "plus", keys: "+", class: "wide", act: () => bench?.zoom(1.25) })}
    ${iconButton({ name: "See the whole picture", glyph: "maximize", keys: "F", act: () => bench?.fitView() })}
    <span class="rule"></span>
    ${iconButton({ name: "Hide the other boxes", glyph: bench?.hideOthers ? "eye-off" : "eye", keys: "H", pressed: bench?.hideOthers ?? false, act: () => bench?.toggleOthers() })}
    ${iconButton({ name: "Brightness and contrast", glyph: "sliders", pressed: view.lightOpen, act: view.toggleLight })}
    <span class="gap"></span>
    ${view.instructions ? iconButton({ name: "Instructions", glyph: "book-open", act: view.openInstructions }) : nothing}
    ${iconButton({ name: "Keys", glyph: "keyboard", keys: "?", class: "tight wide", act: view.help })}
  </div>`;
}

/** The actions on the selected box, at the bottom of the picture where a thumb reaches them. */
export function actions(editor: Editor, refocus: () => void) {
  const then = (act: () => void) => () => { act(); refocus(); };
  const several = editor.boxes.length > 1;
  return html`<div class="acts" role="group" aria-label="The selected box">
    ${several ? iconButton({ name: "Previous box", glyph: "chevron-left", keys: "P", act: then(() => editor.step(-1)) }) : nothing}
    ${iconButton({ name: "Duplicate", glyph: "copy-plus", keys: "D", act: then(() => editor.duplicate()) })}
    ${iconButton({ name: "Delete", glyph: "trash", keys: "Delete", class: "danger", act: then(() => editor.remove()) })}
    ${iconButton({ name: "Deselect", glyph: "check", keys: "Escape", act: then(() => editor.select(null)) })}
    ${several ? iconButton({ name: "Next box", glyph: "chevron-right", keys: "N", act: then(() => editor.step(1)) }) : nothing}
  </div>`;
}
