/** What a worker has filled in, in the page of a template: read from its forms, told when it has changed, and written back. */
import { LONGEST_DRAFT } from "./messages";

const TOLD_AFTER_MS = 150;
/** What may have changed something; the elements' own event comes with the drawing tools. */
const CHANGING = ["input", "change", "click", "keyup", "pointerup", "crowd-change"] as const;

type Drafted = HTMLElement & { draft?: unknown };

/** Each form, and what stands outside of every form and submits by itself. */
const forms = (): Drafted[] =>
  [...document.querySelectorAll<Drafted>("crowd-form, crowd-entity-annotation")].filter((one) => !one.parentElement?.closest("crowd-form"));

const current = (): string => JSON.stringify(forms().map((one) => one.draft ?? null));

/** Calls `tell` with what is filled in, shortly after it has changed. Returns a function that writes an earlier one back. */
export function keepDrafts(tell: (draft: string) => void): (draft: string) => void {
  let known = current();
  let timer = 0;
  const look = () => {
    timer = 0;
    const draft = current();
    if (draft === known || draft.length > LONGEST_DRAFT) return;
    known = draft;
    tell(draft);
  };
  let touched = false;
  const later = () => {
    touched = true;
    timer ||= window.setTimeout(look, TOLD_AFTER_MS);
  };
  for (const type of CHANGING) document.addEventListener(type, later, { capture: true, passive: true });
  const write = (draft: string) => {
    try {
      const parts = JSON.parse(draft) as unknown[];
      for (const [at, form] of forms().entries()) if (parts[at] !== null && parts[at] !== undefined) form.draft = parts[at];
    } catch (error) {
      console.error("what was filled in before cannot be shown", error);
    }
    known = current();
  };
  return (draft) => {
    write(draft);
    // fields that the template's own script makes are there by now
    if (document.readyState !== "complete") window.addEventListener("load", () => { if (!touched) write(draft); }, { once: true });
  };
}
