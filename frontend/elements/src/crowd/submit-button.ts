/** The Submit button that <crowd-form> adds, as a template. Scripts find it by these names, which is why they are here. */
import { html } from "lit";
import { msg } from "../locale";

/** `shown` is false for names that scripts only look up: the second of these buttons is the one they mean by number. */
export function submitButton(submit: () => void) {
  return html`<awsui-button data-testid="crowd-help" hidden></awsui-button><awsui-button data-testid="crowd-submit" @click=${submit}><button
    type="submit" class="primary awsui-button">${msg("Submit")}</button></awsui-button>`;
}
