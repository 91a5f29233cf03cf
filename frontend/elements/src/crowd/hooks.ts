/** The names by which templates' scripts reach into the shadow root of a tool. Scripts that count children cannot be served. */

const IDS: Record<string, string> = { ".root": "react-mount-point", ".work": "annotation-area-container" };
const CLASSES: Record<string, string> = { ".bar": "headerContainer", ".side": "label-pane-content" };

/** Gives the parts of a tool these names as well. */
export function nameParts(root: ParentNode): void {
  for (const [part, id] of Object.entries(IDS)) root.querySelector(part)?.setAttribute("id", id);
  for (const [part, name] of Object.entries(CLASSES)) root.querySelector(part)?.classList.add(name);
}
