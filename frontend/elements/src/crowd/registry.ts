/** Which crowd elements there are, by their tag. An element enters itself here when its file is imported. Knows no element. */
import type { CrowdElement } from "./element";

/** A server that does not name a tag yet means this element. */
const DEFAULT_TAG = "crowd-bounding-box";

const tags = new Set<string>();
const parts = new Set<string>();

/** Defines a custom element, unless another copy of this script did: pages load it late and twice. */
function define(tag: string, element: CustomElementConstructor): void {
  if (!customElements.get(tag)) customElements.define(tag, element);
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
