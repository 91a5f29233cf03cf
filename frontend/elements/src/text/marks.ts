/** Colours the marks of a text. A mark may go over several lines, and the pages' policy forbids style attributes in templates. */

/** Gives every element with `data-colour` within `root` that colour as its background. */
export function paint(root: ParentNode): void {
  for (const mark of root.querySelectorAll<HTMLElement>("mark[data-colour]")) mark.style.backgroundColor = mark.dataset["colour"]!;
}
