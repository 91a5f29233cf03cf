/** Which crowd elements there are, by their tag. An element enters itself here when its file is imported. Knows no element. */
import type { CrowdElement } from "./element";

/** A server that does not name a tag yet means this element. */
const DEFAULT_TAG = "crowd-bounding-box";

const tags = new Set<string>();

/** A class decorator: defines the custom element and enters it in the registry. */
export function crowdElement(tag: string) {
  return (element: new () => CrowdElement): void => {
    customElements.define(tag, element);
    tags.add(tag);
  };
}

/** The tag to show a task with. Throws an Error if this page has no such element. */
export function tagOf(element: { tag?: string }): string {
  const tag = element.tag ?? DEFAULT_TAG;
  if (!tags.has(tag)) throw new Error(`the task asks for the element <${tag}>, this page knows ${[...tags].map((one) => `<${one}>`).join(", ") || "none"}`);
  return tag;
}
