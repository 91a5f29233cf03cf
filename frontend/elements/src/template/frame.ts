/** The sandboxed frame in which a worker template is shown, for workers and in previews alike. */

/** As the server's own header says it (frontend/template_frames.py). */
const SANDBOX = "allow-scripts allow-forms allow-popups";

/** A frame for a template's page, still empty. */
export function templateFrame(title: string): HTMLIFrameElement {
  const frame = document.createElement("iframe");
  frame.title = title;
  frame.setAttribute("sandbox", SANDBOX);
  frame.referrerPolicy = "no-referrer";
  frame.allow = "";
  return frame;
}
