/** What `alert()` says in the page of a template, whose sandbox has no windows of its own: shown in the page, one after the other.
 *  Unlike a browser's, the script goes on meanwhile. `confirm()` and `prompt()` cannot wait, and answer as if they were cancelled. */

const STYLE = "max-inline-size: min(30rem, calc(100vw - 3rem)); padding: 1.25rem; border: 1px solid #8a8578; border-radius: 12px; font: 1rem/1.45 system-ui, sans-serif; color: #1d1a12; background: #fff;";
const waiting: string[] = [];
let shown: HTMLDialogElement | null = null;

function next(): void {
  const text = waiting.shift();
  if (text === undefined) return;
  const dialog = document.createElement("dialog");
  const words = Object.assign(document.createElement("p"), { textContent: text, id: "waggle-alert" });
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: "OK" });
  words.style.cssText = "margin: 0 0 1rem; white-space: pre-wrap; overflow-wrap: anywhere;";
  button.style.cssText = "min-block-size: 2.5rem; min-inline-size: 5rem; font: inherit;";
  dialog.style.cssText = STYLE;
  dialog.setAttribute("role", "alertdialog");
  dialog.setAttribute("aria-labelledby", words.id);
  button.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    dialog.remove();
    shown = null;
    next();
  });
  dialog.append(words, button);
  shown = dialog;
  document.documentElement.append(dialog);
  dialog.showModal();
}

/** Stands in for window.alert. */
export function showAlert(text: unknown = ""): void {
  waiting.push(String(text));
  if (!shown) next();
}
