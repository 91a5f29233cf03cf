/** Tells the page when its crowd elements can be used: `all-crowd-elements-ready` on the document, once. */
import type { LitElement } from "lit";
import { allTags } from "./registry";

const DONE = Symbol.for("waggle-all-crowd-elements-ready");

/** Fires the event when every crowd element of the page has been shown for the first time. A second copy of the script stays silent. */
export function announceReady(): void {
  const page = document as Document & { [DONE]?: boolean };
  if (page[DONE]) return;
  page[DONE] = true;
  const ready = async () => {
    const shown = [...document.querySelectorAll<LitElement>(allTags().join(","))].map((element) => element.updateComplete);
    await Promise.allSettled(shown);
    document.dispatchEvent(new CustomEvent("all-crowd-elements-ready"));
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => void ready());
  else void ready();
}
