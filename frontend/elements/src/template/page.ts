/** Runs first in the sandboxed page of a worker template: what the page lacks without an origin, and the way of the answer to the
 *  page around it. Knows no element. */
import { ROOT_SIZE } from "../../build/sizes";
import { keymap, parseAll } from "../crowd/keymap";
import type { Line, Plain } from "../crowd/keys";
import { COUNTED } from "../shell/activity";
import { actionOf, typing } from "../shell/page-keys";
import { keepDrafts } from "./draft";
import { showAlert } from "./alerts";
import type { FromTemplate, ToTemplate } from "./messages";
import { pageStorage } from "./storage";
import { msg } from "../locale";

const EMPTY_SCRIPT = "data:text/javascript,";
/** Ground Truth's script of elements, wherever it is loaded from: this file stands in for it. */
const BUNDLE = /\/(crowd-html-elements(-v\d+)?|gen-ai-components)(\.min)?\.js([?#].*)?$/i;
const MOVES_APART_MS = 500;

const tell = (message: FromTemplate) => { if (window.parent !== window) window.parent.postMessage(message, "*"); };

function giveStorage(): void {
  for (const name of ["localStorage", "sessionStorage"] as const) {
    Object.defineProperty(window, name, { value: pageStorage(), configurable: true });
  }
}

/** Scripts that a template adds later under the old address load nothing, and say that they are loaded. */
function standInForLateScripts(): void {
  const src = Object.getOwnPropertyDescriptor(HTMLScriptElement.prototype, "src")!;
  Object.defineProperty(HTMLScriptElement.prototype, "src", {
    ...src,
    set(this: HTMLScriptElement, address: string) { src.set!.call(this, BUNDLE.test(String(address)) ? EMPTY_SCRIPT : address); },
  });
  const setAttribute = HTMLScriptElement.prototype.setAttribute;
  HTMLScriptElement.prototype.setAttribute = function (name: string, value: string) {
    setAttribute.call(this, name, name.toLowerCase() === "src" && BUNDLE.test(String(value)) ? EMPTY_SCRIPT : value);
  };
}

/** The element whose `submit()` hands over the answer. */
const form = () => document.querySelector<HTMLElement & { submit?: () => unknown }>("crowd-form, crowd-entity-annotation");

/** The elements that have keys of their own. */
type Keyed = HTMLElement & { hotkeys: readonly Line[]; refuses?: (action: Plain, key: string) => string };
const keyed = (): Keyed[] => [...document.querySelectorAll<HTMLElement>("*")].filter((one): one is Keyed => one.localName.startsWith("crowd-") && "hotkeys" in one);

/** The list of keys; with its command where the worker can choose another key for it. */
const hotkeys = (): Line[] => keyed().flatMap((one) => one.hotkeys.map(({ keys, does, action }) => ({ keys, does, ...(action && one.refuses && { action, element: one.localName }) })));

/** The keys that the worker has chosen: the page around this one has written them into the frame's name. */
function takeChosenKeys(): void {
  try {
    const given = JSON.parse(window.name || "null") as { waggle?: unknown; keys?: unknown } | null;
    if (given?.waggle === "keys") keymap.adopt(parseAll(given.keys));
  } catch (error) {
    console.warn("the chosen keys cannot be read; the usual ones are used", error);
  }
}

/** Where keys work at once, unless the template has put the focus somewhere itself. */
function takeFocus(): void {
  if (document.activeElement === null || document.activeElement === document.body) keyed()[0]?.focus();
}

/** Keys of the page around this one, and only those, are passed on; fields keep theirs, and so does a template that wants one. */
function passKeysOn(): void {
  const press = (action: "submit" | "skip" | "help") => tell({ waggle: "key", action, hotkeys: hotkeys() });
  window.addEventListener("keydown", (event) => {
    const action = actionOf(event);
    if (!action || !event.isTrusted || event.defaultPrevented || typing(event.composedPath()[0])) return;
    event.preventDefault();
    press(action);
  });
  document.addEventListener("crowd-help", (event) => {
    if (!atWork) return;
    event.preventDefault(); // the page around this one shows the keys
    press("help");
  });
}

function handOverAnswers(): void {
  document.addEventListener("crowd-submit", (event) => {
    event.preventDefault();
    try {
      tell({ waggle: "answer", answer: JSON.parse(JSON.stringify((event as CustomEvent).detail)) as Record<string, unknown> });
    } catch (error) {
      console.error("the answer is no JSON", error);
      tell({ waggle: "refused" });
    }
  });
  window.addEventListener("message", (event: MessageEvent<ToTemplate | undefined>) => {
    if (event.source !== window.parent || window.parent === window) return;
    if (event.data?.waggle === "submit" && form()?.submit?.() === false) tell({ waggle: "refused" });
    if (event.data?.waggle === "disabled") {
      atWork = true;
      document.documentElement.inert = event.data.disabled;
    }
    if (event.data?.waggle === "focus") takeFocus();
    if (event.data?.waggle === "keys") {
      keymap.adopt(parseAll(event.data.keys));
      tell({ waggle: "hotkeys", hotkeys: hotkeys() });
    }
    if (event.data?.waggle === "ask-key") {
      const { id, element, action, key } = event.data;
      const asked = keyed().find((one) => one.localName === element);
      tell({ waggle: "key-answer", id, refused: asked?.refuses ? asked.refuses(action, key) : msg("This page has no such tool.") });
    }
    if (event.data?.waggle === "restore") restore?.(event.data.draft);
  });
}

/** Writes back what was filled in before; there once the forms are. */
let restore: ((draft: string) => void) | null = null;
/** Whether the page around this one is a worker's, which has a list of keys; in a preview the elements show their own. */
let atWork = false;

/** The page around this one counts the time that the worker is at work, and sees nothing of what happens here. */
function tellOfInput(): void {
  let moved = 0;
  for (const type of COUNTED) {
    window.addEventListener(type, (event) => {
      if (type === "pointermove") {
        if (event.timeStamp - moved < MOVES_APART_MS) return;
        moved = event.timeStamp;
      }
      tell({ waggle: "input", type, trusted: event.isTrusted });
    }, { capture: true, passive: true });
  }
}

/** The elements keep the browser's size of text, whatever size the template gives the root; see build/sizes.ts. */
function keepSizes(): void {
  const root = document.documentElement;
  root.style.setProperty(ROOT_SIZE, getComputedStyle(root).fontSize);
}

window.alert = showAlert;
keepSizes();
giveStorage();
takeChosenKeys();
standInForLateScripts();
handOverAnswers();
tellOfInput();
passKeysOn();
document.addEventListener("DOMContentLoaded", () => {
  restore = keepDrafts((draft) => tell({ waggle: "draft", draft }));
  tell({ waggle: "ready" });
});
