/** What every portal page does in the browser: htmx with the CSRF header and without eval, toasts, the navigation drawer,
 *  tables that sort, confirmations. Works by delegation, so fragments that htmx swaps in work without further set-up. */
import htmx from "htmx.org";
import { csrfToken } from "./csrf";
import { msg, readersLocale, str } from "../locale";

type Kind = "info" | "ok" | "warn" | "bad" | "success" | "warning" | "error";

/** Shows a message for a while; errors stay until closed. Text only: never markup. */
export function toast(text: string, kind: Kind = "info"): void {
  let holder = document.querySelector<HTMLElement>(".toasts");
  if (!holder) {
    holder = document.createElement("div");
    holder.className = "toasts";
    holder.setAttribute("role", "status");
    document.body.append(holder);
  }
  const item = document.createElement("div");
  item.className = `toast toast-${kind}`;
  const words = document.createElement("span");
  words.textContent = text;
  const close = document.createElement("button");
  close.className = "toast-close";
  close.type = "button";
  close.textContent = "×";
  close.setAttribute("aria-label", "Close message");
  item.append(words, close);
  holder.append(item);
  if (kind !== "bad" && kind !== "error") window.setTimeout(() => item.remove(), 8_000);
}

function setUpHtmx(): void {
  Object.assign(htmx.config, {
    includeIndicatorStyles: false, // they would be an inline <style>, which our CSP refuses
    allowEval: false,
    allowScriptTags: false,
    selfRequestsOnly: true,
    historyCacheSize: 0, // pages with money and keys do not belong in localStorage
  });
  document.addEventListener("htmx:configRequest", (event) => {
    const { detail } = event as CustomEvent<{ verb: string; headers: Record<string, string> }>;
    if (detail.verb !== "get") detail.headers["X-CSRFToken"] = csrfToken();
  });
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr } = (event as CustomEvent<{ xhr: XMLHttpRequest }>).detail;
    if (xhr.status === 401) location.reload();
    else toast(msg(str`That did not work (${xhr.status} ${xhr.statusText}). Try again in a moment.`), "bad");
  });
  document.addEventListener("htmx:sendError", () => toast(msg("The server cannot be reached. Check your connection."), "bad"));
  // HX-Trigger: {"toast": {"text": "...", "kind": "ok"}}
  document.addEventListener("toast", (event) => {
    const detail = (event as CustomEvent<{ text?: string; value?: string; kind?: Kind }>).detail;
    toast(detail.text ?? detail.value ?? "", detail.kind);
  });
}

function openNav(open: boolean): void {
  document.querySelector(".app")?.classList.toggle("nav-open", open);
  document.querySelector("[data-nav-toggle]")?.setAttribute("aria-expanded", String(open));
  if (open) document.querySelector<HTMLElement>(".app-nav .nav-link")?.focus();
}

const cellValue = (row: HTMLTableRowElement, column: number): string => {
  const cell = row.cells[column];
  return cell?.dataset["value"] ?? cell?.textContent?.trim() ?? "";
};

/** Sorts the body of a table[data-sortable] by one column, numbers as numbers, and says so in aria-sort. */
function sortTable(head: HTMLTableCellElement): void {
  const table = head.closest("table")!;
  const body = table.tBodies[0];
  if (!body) return;
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const order = new Intl.Collator(readersLocale(), { numeric: true });
  const number = /^-?\d+(\.\d+)?$/;
  const rows = [...body.rows].sort((a, b) => {
    const [x, y] = [cellValue(a, head.cellIndex), cellValue(b, head.cellIndex)];
    const sign = number.test(x) && number.test(y) ? Number(x) - Number(y) : order.compare(x, y);
    return down ? -sign : sign;
  });
  body.append(...rows);
}

function onClick(event: MouseEvent): void {
  const target = event.target as Element;
  if (target.closest(".toast-close")) target.closest(".toast")?.remove();
  const opener = target.closest<HTMLElement>("[data-open]");
  if (opener) (document.getElementById(opener.dataset["open"]!) as HTMLDialogElement | null)?.showModal();
  if (target.closest("[data-close]")) target.closest("dialog")?.close();
  if (target.closest("[data-nav-toggle]")) openNav(!document.querySelector(".app.nav-open"));
  else if (!target.closest(".app-nav") && document.querySelector(".app.nav-open")) openNav(false);
  const head = target.closest<HTMLTableCellElement>("table[data-sortable] thead th");
  if (head && target.closest(".sort")) sortTable(head);
  const copy = target.closest<HTMLElement>("[data-copy]");
  if (copy) {
    navigator.clipboard.writeText(copy.dataset["copy"]!).then(
      () => toast(msg("Copied"), "ok"),
      () => toast(msg("The browser did not allow copying. Select the text and copy it by hand."), "warn"),
    );
  }
}

/** Replaces a picture in a list that cannot be loaded by a message. */
function replaceLost(picture: Element): void {
  if (!(picture instanceof HTMLImageElement) || !picture.closest(".gallery-item, .thumbs")) return;
  const words = document.createElement("p");
  words.className = "lost";
  words.textContent = msg(str`${picture.alt || msg("The picture")}: cannot be shown`);
  picture.replaceWith(words);
}

/** Sets up the page; called once. */
export function startPage(): void {
  setUpHtmx();
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.querySelector(".app.nav-open")) openNav(false);
  });
  // <form data-confirm="Stop this job?"> asks before it is sent
  document.addEventListener("submit", (event) => {
    const question = (event.target as HTMLElement).dataset["confirm"];
    if (question && !window.confirm(question)) event.preventDefault();
  });
  // error events do not bubble, hence the capture phase; pictures may have failed before this script ran
  document.addEventListener("error", (event) => replaceLost(event.target as Element), true);
  for (const picture of document.images) if (picture.complete && picture.naturalWidth === 0 && picture.loading !== "lazy") replaceLost(picture);
  // messages in the page itself disappear after a while as other messages do; errors stay
  for (const said of document.querySelectorAll(".toast:not(.toast-bad)")) window.setTimeout(() => said.remove(), 8_000);
  // on a phone the tabs scroll sideways: make the open one visible
  const tab = document.querySelector(".tabs [aria-current]");
  if (tab) tab.parentElement!.scrollLeft = (tab as HTMLElement).offsetLeft - tab.parentElement!.offsetLeft - 24;
  // a plain <select data-submit> sends its form when changed
  document.addEventListener("change", (event) => {
    const field = event.target as HTMLSelectElement;
    if (field.matches("[data-submit]")) field.form?.requestSubmit();
  });
}
