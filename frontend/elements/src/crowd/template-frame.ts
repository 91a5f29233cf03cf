/** <crowd-template>: the sandboxed page of a worker template in the task shell. The page has no origin: it reads no cookie and no
 *  other task, and all it can do is to send messages, of which this element takes the answer. The answer is whole: it is the JSON of
 *  the template's own form. */
import { LitElement, css, html } from "lit";
import { property, query } from "lit/decorators.js";
import { fromTemplate } from "../template/messages";
import type { ToTemplate } from "../template/messages";
import { type CrowdElement, type Hotkey, type TaskInput, emit } from "./element";
import { crowdElement } from "./registry";
import { tokens } from "./styles";

@crowdElement("crowd-template")
export class TemplateFrame extends LitElement implements CrowdElement {
  static override styles = [tokens, css`
    :host { display: flex; flex-direction: column; min-height: 0; flex: 1; }
    iframe { flex: 1; width: 100%; min-height: 24rem; border: 0; background: #fff; color-scheme: light; }
    p { margin: 0; padding: 0.75rem 1rem; }
    details { padding: 0.5rem 1rem; }
  `];

  @property() name = "template";
  @property({ type: Boolean }) disabled = false;
  @property({ attribute: false }) task: TaskInput | null = null;
  @query("iframe") private frame?: HTMLIFrameElement;
  private answer: Record<string, unknown> | null = null;

  readonly hotkeys: readonly Hotkey[] = [];
  readonly canUndo = false;
  readonly canRedo = false;
  /** What is filled in stays in the template's page. */
  draft: unknown = null;

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("message", this.onMessage);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("message", this.onMessage);
  }

  /** The page has no origin to check; what counts is that the message comes from this frame and from no other. */
  private readonly onMessage = (event: MessageEvent) => {
    const message = event.source && event.source === this.frame?.contentWindow ? fromTemplate(event.data) : null;
    if (message?.waggle === "ready") {
      this.say({ waggle: "disabled", disabled: this.disabled });
      emit(this, "ready");
    }
    if (message?.waggle === "answer" && !this.disabled) {
      this.answer = message.answer;
      emit(this, "request-submit");
      window.setTimeout(() => (this.answer = null));
    }
    if (message?.waggle === "input") {
      this.dispatchEvent(new CustomEvent("crowd-input-within", { bubbles: true, composed: true, detail: { type: message.type, isTrusted: message.trusted } }));
    }
  };

  private say(message: ToTemplate): void {
    this.frame?.contentWindow?.postMessage(message, "*");
  }

  get value(): unknown { return this.answer; }
  get validationMessage(): string { return this.answer ? "" : "The form has not been submitted."; }
  get empty(): boolean { return true; }

  /** Asks the template's form for the answer, which then arrives as a message and submits. */
  reportValidity(): boolean {
    if (this.answer) return true;
    this.say({ waggle: "submit" });
    return false;
  }

  undo(): void { /* the template's own */ }
  redo(): void { /* the template's own */ }
  override focus(): void { this.frame?.focus(); }
  openInstructions(): void { this.querySelector("full-instructions, short-instructions")?.scrollIntoView(); }

  override updated(changed: Map<string, unknown>): void {
    if (changed.has("disabled")) this.say({ waggle: "disabled", disabled: this.disabled });
  }

  override render() {
    const address = this.task?.frame_url;
    if (!address) return html`<p>The template is shown once the job has been created.</p>`;
    return html`<iframe title="Task" src=${address} sandbox="allow-scripts allow-forms allow-popups" referrerpolicy="no-referrer" allow=""></iframe>`;
  }
}
