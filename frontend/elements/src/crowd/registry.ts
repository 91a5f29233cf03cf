/** Which crowd elements there are, by their tag. An element enters itself here when its file is imported. Knows no element. */
import type { CrowdElement } from "./element";

/** A server that does not name a tag yet means this element. */
const DEFAULT_TAG = "crowd-bounding-box";

const tags = new Set<string>();
const parts = new Set<string>();

/**
 * Handlers in attributes of a template (`onclick="update(this)"`) look a name up in the element before the page: of ours they see the
 * attributes, as properties, and what every element of HTML has, but none of our own methods, which may be called like theirs.
 */
function hideFromHandlers(element: CustomElementConstructor & { elementProperties?: Map<PropertyKey, { attribute?: unknown }> }): void {
  const shown = new Set([...(element.elementProperties ?? [])].filter(([, { attribute }]) => attribute !== false).map(([name]) => name));
  const usual = HTMLElement.prototype as HTMLElement & { [Symbol.unscopables]: Record<PropertyKey, boolean> };
  const hidden = new Proxy({}, {
    get: (_, name) => (typeof name === "symbol" || shown.has(name) ? undefined : name in usual ? usual[Symbol.unscopables][name] : true),
  });
  Object.defineProperty(element.prototype as object, Symbol.unscopables, { value: hidden, configurable: true });
}

/** Defines a custom element, unless another copy of this script did: pages load it late and twice. */
function define(tag: string, element: CustomElementConstructor): void {
  if (customElements.get(tag)) return;
  customElements.define(tag, element);
  hideFromHandlers(element);
}

/** A class decorator: defines the custom element and enters it in the registry. */
export function crowdElement(tag: string) {
  return (element: new () => CrowdElement): void => {
    define(tag, element);
    tags.add(tag);
  };
}

/** A class decorator for what a template is made of besides: controls, containers, the form. The shell cannot show a task with one. */
export function crowdPart(tag: string) {
  return (element: CustomElementConstructor): void => {
    define(tag, element);
    parts.add(tag);
  };
}

/** Every tag of this page's registry, in alphabetical order. */
export function allTags(): string[] {
  return [...tags, ...parts].sort();
}

/** The tag to show a task with. Throws an Error if this page has no such element. */
export function tagOf(element: { tag?: string }): string {
  const tag = element.tag ?? DEFAULT_TAG;
  if (!tags.has(tag)) throw new Error(`the task asks for the element <${tag}>, this page knows ${[...tags].map((one) => `<${one}>`).join(", ") || "none"}`);
  return tag;
}
