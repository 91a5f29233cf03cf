/** The small icon buttons of the tools' bars, as templates. */
import { html, nothing } from "lit";
import { type IconName, icon } from "../kit/icons";

export interface IconButton { name: string; glyph: IconName; keys?: string; act: () => void; off?: boolean; pressed?: boolean; class?: string }

export const iconButton = ({ name, glyph, keys, act, off = false, pressed, class: kind = "" }: IconButton) => html`
  <button type="button" class="plain ${kind}" aria-label=${name} title=${keys ? `${name} (${keys})` : name} ?disabled=${off}
    aria-pressed=${pressed === undefined ? nothing : pressed ? "true" : "false"} @click=${act}>${icon(glyph)}</button>`;
