/** The dialogs that every crowd element has, as templates: the full instructions and the list of keys. */
import { html } from "lit";
import type { Hotkey } from "./element";
import "./key-list";
import { msg } from "../locale";

const close = (event: Event) => (event.target as Element).closest("dialog")?.close();

export function instructionsDialog(title: string) {
  return html`<dialog id="instructions" aria-labelledby="instructions-title">
    <header><h2 id="instructions-title">${title || msg("Instructions")}</h2><button type="button" class="plain" @click=${close}>${msg("Close")}</button></header>
    <slot name="full"></slot>
  </dialog>`;
}

export function keysDialog(owner: { readonly hotkeys: readonly Hotkey[] }) {
  return html`<dialog id="keys" aria-labelledby="keys-title">
    <header><h2 id="keys-title">${msg("Keys")}</h2><button type="button" class="plain" @click=${close}>${msg("Close")}</button></header>
    <waggle-key-list .owner=${owner}></waggle-key-list>
  </dialog>`;
}
