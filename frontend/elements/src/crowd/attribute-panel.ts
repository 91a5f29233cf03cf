/** The attributes of the selected shape as a small form, as a template. Their texts are only ever text. */
import { html, nothing } from "lit";
import { live } from "lit/directives/live.js";
import { type Attribute, type Values, valueOf } from "../labels/attributes";
import { msg, str } from "../locale";

export interface AttributeView {
  /** What the attributes are of: "box 2, bee". */
  title: string;
  attributes: readonly Attribute[];
  values: Values;
  /** Values that were given beforehand. */
  given: Values;
  disabled: boolean;
  onChange: (name: string, value: string | number | undefined) => void;
  /** A value that is typed is none, for the reason given in words. */
  onRefuse: (words: string) => void;
}

export function attributePanel(view: AttributeView) {
  if (view.attributes.length === 0) return nothing;
  return html`<section class="attributes" aria-label=${msg(str`Attributes of ${view.title}`)}><h2>${msg(str`Attributes of ${view.title}`)}</h2>
    ${view.attributes.map((attribute, at) => field(view, attribute, `attribute-${at}`))}</section>`;
}

function field(view: AttributeView, attribute: Attribute, id: string) {
  const { name, description, type, choices, minimum, maximum, required, editable } = attribute;
  const value = String(view.values[name] ?? "");
  const off = view.disabled || (!editable && view.given[name] !== undefined);
  const change = (event: Event) => {
    const input = event.target as HTMLInputElement | HTMLSelectElement;
    const found = valueOf(attribute, input.value);
    const refused = found === undefined && (input.value !== "" || (input instanceof HTMLInputElement && input.validity.badInput));
    if (!refused) return view.onChange(name, found);
    view.onRefuse(`“${name}” is a number${range}.`);
    input.value = value;
  };
  const range = type === "number" && (minimum !== null || maximum !== null) ? ` (${minimum ?? "…"} to ${maximum ?? "…"})` : "";
  return html`<label for=${id}>${name}${range}${required ? html` <span aria-hidden="true">*</span>` : nothing}</label>
    ${choices
      ? html`<select id=${id} ?required=${required} ?disabled=${off} .value=${live(value)} aria-describedby=${description ? `${id}-why` : nothing} @change=${change}>
          <option value="" ?selected=${value === ""}>${msg("choose…")}</option>${choices.map((choice) => html`<option value=${choice} ?selected=${choice === value}>${choice}</option>`)}</select>`
      : html`<input id=${id} type=${type === "number" ? "number" : "text"} step="any" min=${minimum ?? nothing} max=${maximum ?? nothing} ?required=${required}
          ?disabled=${off} .value=${live(value)} autocomplete="off" aria-describedby=${description ? `${id}-why` : nothing} @change=${change} />`}
    ${description ? html`<small id="${id}-why">${description}</small>` : nothing}`;
}
