/** The preview of a template: the page that workers would get, in the same sandbox. The draft is posted into a new frame, which takes
 *  the place of the one before once it is loaded, so that nothing flashes. What is submitted in it goes nowhere. */
import { csrfToken } from "../kit/csrf";
import { templateFrame } from "../template/frame";
import { type ToTemplate, fromTemplate } from "../template/messages";
import type { Draft } from "./check";
import { msg } from "../locale";

let made = 0;

export class Preview {
  private shown: HTMLIFrameElement | null = null;
  private coming: HTMLIFrameElement | null = null;

  /** `submitted` is told the answers of the frame that is shown. */
  constructor(private readonly holder: HTMLElement, private readonly address: string, private readonly submitted: (answer: Record<string, unknown>) => void) {
    window.addEventListener("message", (event) => this.hear(event));
  }

  show(draft: Draft): void {
    this.coming?.remove();
    const frame = (this.coming = templateFrame(msg("Preview of the task")));
    frame.name = `template-preview-${(made += 1)}`;
    if (this.shown) frame.classList.add("coming");
    this.holder.append(frame);
    const form = document.createElement("form");
    Object.assign(form, { method: "post", action: this.address, target: frame.name, hidden: true });
    for (const [name, value] of Object.entries({ csrfmiddlewaretoken: csrfToken(), ...draft })) {
      const field = document.createElement("textarea"); // an input would lose line breaks
      Object.assign(field, { name, value });
      form.append(field);
    }
    document.body.append(form);
    frame.addEventListener("load", () => this.swap(frame));
    form.submit();
    form.remove();
  }

  private swap(frame: HTMLIFrameElement): void {
    if (frame !== this.coming) return;
    this.shown?.remove();
    frame.classList.remove("coming");
    this.shown = frame;
    this.coming = null;
  }

  private hear(event: MessageEvent): void {
    if (!event.source || event.source !== this.shown?.contentWindow) return;
    const message = fromTemplate(event.data);
    if (message?.waggle === "answer") this.submitted(message.answer);
    if (message?.waggle === "key" && message.action === "submit") this.shown?.contentWindow?.postMessage({ waggle: "submit" } satisfies ToTemplate, "*");
  }
}
