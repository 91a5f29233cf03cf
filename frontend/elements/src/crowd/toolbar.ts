/** The buttons over and on the canvas of the drawing tools, as templates. They only call the workbench and the editor. */
import { html, nothing } from "lit";
import type { ShapeEditor } from "../shapes/editor";
import type { Shape } from "../shapes/shape";
import type { IconName } from "../kit/icons";
import { iconButton } from "./buttons";
import type { Plain } from "./keys";
import type { Workbench } from "./workbench";
import { msg, str } from "../locale";

export interface Bar {
  header: string; bench: Workbench | null; lightOpen: boolean; instructions: boolean;
  /** The word for several of what is drawn, and the icon of drawing it; where there are several ways to draw, `modes` has their buttons. */
  many: string; glyph: IconName; how: string; modes?: unknown;
  /** The keys of a command, as people write them. */
  key: (action: Plain) => string;
  toggleLight: () => void; help: () => void; openInstructions: () => void;
}

export function toolbar(view: Bar) {
  const { bench } = view;
  const editor = bench?.tool.editor;
  return html`<div class="bar ${view.modes ? "many" : ""}" role="toolbar" aria-label=${msg("Tools")}>
    ${view.header ? html`<h1 title=${view.header}>${view.header}</h1>` : nothing}
    ${iconButton({ name: msg("Undo"), glyph: "undo", keys: "Ctrl+Z", off: !editor?.canUndo, act: () => editor?.undo() })}
    ${iconButton({ name: msg("Redo"), glyph: "redo", keys: "Ctrl+Shift+Z", off: !editor?.canRedo, act: () => editor?.redo() })}
    <span class="rule"></span>
    ${view.modes ?? iconButton({ name: msg(str`Draw ${view.many}`), glyph: view.glyph, keys: view.how, pressed: !bench?.hand, act: () => bench?.setHand(false) })}
    ${iconButton({ name: msg("Move the picture"), glyph: "hand", keys: `${view.key("hand")}, or hold Space`, pressed: bench?.hand ?? false, class: view.modes ? "wide" : "", act: () => bench?.setHand(true) })}
    <span class="rule wide"></span>
    ${iconButton({ name: msg("Zoom out"), glyph: "minus", keys: "−", class: "wide", act: () => bench?.zoom(0.8) })}
    <span class="percent wide" aria-live="off">${Math.round((bench?.view.scale ?? 1) * 100)} %</span>
    ${iconButton({ name: msg("Zoom in"), glyph: "plus", keys: "+", class: "wide", act: () => bench?.zoom(1.25) })}
    ${iconButton({ name: msg("See the whole picture"), glyph: "maximize", keys: view.key("fit"), act: () => bench?.fitView() })}
    <span class="rule"></span>
    ${iconButton({ name: msg(str`Hide the other ${view.many}`), glyph: bench?.hideOthers ? "eye-off" : "eye", keys: view.key("hide"), pressed: bench?.hideOthers ?? false, act: () => bench?.toggleOthers() })}
    ${iconButton({ name: msg("Brightness and contrast"), glyph: "sliders", pressed: view.lightOpen, act: view.toggleLight })}
    <span class="gap"></span>
    ${view.instructions ? iconButton({ name: msg("Instructions"), glyph: "book-open", act: view.openInstructions }) : nothing}
    ${iconButton({ name: msg("Keys"), glyph: "keyboard", keys: "?", class: "tight wide", act: view.help })}
  </div>`;
}

/** The actions on the selected shape, at the bottom of the picture where a thumb reaches them; `more` is in their middle. */
export function actions<S extends Shape>(editor: ShapeEditor<S>, key: (action: Plain) => string, refocus: () => void, more: unknown = nothing) {
  const then = (act: () => void) => () => { act(); refocus(); };
  const several = editor.shapes.length > 1;
  const { one } = editor.kind;
  return html`<div class="acts" role="group" aria-label=${msg(str`The selected ${one}`)}>
    ${several ? iconButton({ name: msg(str`Previous ${one}`), glyph: "chevron-left", keys: key("previous"), act: then(() => editor.step(-1)) }) : nothing}
    ${iconButton({ name: msg("Duplicate"), glyph: "copy-plus", keys: key("duplicate"), act: then(() => editor.duplicate()) })}
    ${more}
    ${iconButton({ name: msg("Delete"), glyph: "trash", keys: key("remove"), class: "danger", act: then(() => editor.erase()) })}
    ${iconButton({ name: msg("Deselect"), glyph: "check", keys: "Escape", act: then(() => editor.select(null)) })}
    ${several ? iconButton({ name: msg(str`Next ${one}`), glyph: "chevron-right", keys: key("next"), act: then(() => editor.step(1)) }) : nothing}
  </div>`;
}
