/** Brightness and contrast of the picture as a small panel of sliders. Only how the picture is shown, never the picture. */
import { html, nothing } from "lit";
import { live } from "lit/directives/live.js";
import { msg } from "../locale";

export interface Light { brightness: number; contrast: number; fill: number }
export const PLAIN_LIGHT: Light = { brightness: 1, contrast: 1, fill: 0.08 };

/** `fill` (how much colour lies inside an outline) is offered where there is something to fill; `more` are further sliders. */
export function lightPanel(light: Light, onChange: (light: Light) => void, fill?: string, more: unknown = nothing) {
  const slider = (name: string, key: keyof Light, max: number) => html`
    <label for=${key}>${name}</label>
    <input id=${key} type="range" min="0" max=${max} step="0.02" .value=${live(String(light[key]))}
      @input=${(event: InputEvent) => onChange({ ...light, [key]: Number((event.target as HTMLInputElement).value) })} />`;
  return html`<div class="light" id="light" role="group" aria-label=${msg("How the picture is shown")}>
    ${slider(msg("Brightness"), "brightness", 3)} ${slider(msg("Contrast"), "contrast", 3)} ${fill ? slider(fill, "fill", 0.6) : ""} ${more}
    <button type="button" @click=${() => onChange(PLAIN_LIGHT)}>${msg("Reset")}</button>
  </div>`;
}

/** The CSS filter for it; empty when the picture is shown as it is. */
export const filterOf = ({ brightness, contrast }: Pick<Light, "brightness" | "contrast">): string =>
  brightness === 1 && contrast === 1 ? "" : `brightness(${brightness}) contrast(${contrast})`;
