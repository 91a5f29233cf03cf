/** <crowd-template>: the sandboxed page of a worker template in the task shell. The page has no origin: it reads no cookie and no
 *  other task, and all it can do is to send messages, of which this element takes the answer, what is filled in, and the few keys of
 *  the page. The answer is whole: it is the JSON of the template's own form.
 *
 *  The page of the next task is loaded ahead, in a frame that nobody sees and whose messages count for nothing yet; it is in view
 *  the moment the task comes. A frame that moves in the document loads anew, so they stay where they are. */
import { LitElement, css, html } from "lit";
import { property, query } from "lit/decorators.js";
import { templateFrame } from "../template/frame";
import { fromTemplate } from "../template/messages";
import type { FromTemplate, ToTemplate } from "../template/messages";
import { type CrowdElement, type TaskInput, type Upcoming, emit } from "./element";
import { keymap } from "./keymap";
import type { Line, Plain } from "./keys";
import { crowdElement } from "./registry";
import { tokens } from "./styles";
import { msg } from "../locale";

/** A page that was loaded longer ago is loaded anew: the addresses in it end some time. */
const LONGEST_AHEAD_MS = 20 * 60_000;
/** A page may tell of changes as often as it likes; so often they are kept. */
const KEPT_APART_MS = 200;
/** So long a page has to say whether a command can have a key. */
const ANSWER_MS = 3000;
/** So long the browser has to tell that a key was pressed in the frame. */
const PRESS_MS = 200;

interface Held { key: string; frame: HTMLIFrameElement; since: number; ready: boolean }

/** The same for a task and for the hint at it: addresses of pages differ each time, those of pictures do not. */
const keyOf = (one: Upcoming): string => one.image_url ?? one.text_url ?? one.frame_url ?? "";

@crowdElement("crowd-template")
export class TemplateFrame extends LitElement implements CrowdElement {
  static override styles = [tokens, css`
    :host { display: flex; flex-direction: column; min-height: 0; flex: 1; }
    #frames { position: relative; flex: 1; min-height: 24rem; }
    iframe { position: absolute; inset: 0; width: 100%; height: 100%; border: 0; background: #fff; color-scheme: light; }
    iframe.ahead { visibility: hidden; }
    p { margin: 0; padding: 0.75rem 1rem; }
  `];

  @property() name = "template";
  @property({ type: Boolean }) disabled = false;
  @property({ attribute: false }) upcoming: Upcoming | null = null;
  @query("#frames") private holder?: HTMLElement;
  private shownTask: TaskInput | null = null;
  private answer: Record<string, unknown> | null = null;
  private filledIn: string | null = null;
  private shown: Held | null = null;
  private ahead: Held | null = null;
  private timer = 0;

  hotkeys: readonly Line[] = [];
  /** What was asked of the page about keys, by the number of the question. */
  private readonly questions = new Map<number, (refused: string) => void>();
  private asked = 0;
  private pressing = false;
  readonly canUndo = false;
  readonly canRedo = false;

  get task(): TaskInput | null { return this.shownTask; }
  set task(task: TaskInput | null) {
    if (task === this.shownTask) return;
    window.clearTimeout(this.timer);
    this.timer = 0;
    this.shown?.frame.remove();
    Object.assign(this, { shownTask: task, shown: null, answer: null, filledIn: null, hotkeys: [] });
    this.requestUpdate();
  }

  /** What is filled in, as the page of the template says it. */
  get draft(): unknown { return this.filledIn; }
  set draft(draft: unknown) {
    this.filledIn = typeof draft === "string" ? draft : null;
    if (this.shown?.ready) this.restore();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("message", this.onMessage);
    keymap.addEventListener("change", this.onKeys);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("message", this.onMessage);
    keymap.removeEventListener("change", this.onKeys);
    window.clearTimeout(this.timer);
  }

  /** The page has no origin to check; what counts is that the message comes from the frame in view and from no other. */
  private readonly onMessage = (event: MessageEvent) => {
    const held = [this.shown, this.ahead].find((one) => event.source && event.source === one?.frame.contentWindow);
    const message = held ? fromTemplate(event.data) : null;
    if (!held || !message) return;
    if (message.waggle === "ready") held.ready = true;
    if (held === this.shown) this.hear(message);
    else if (message.waggle === "ready") this.say({ waggle: "disabled", disabled: true }, held);
  };

  private hear(message: FromTemplate): void {
    if (message.waggle === "ready") this.begin();
    if (message.waggle === "answer" && !this.disabled) {
      this.answer = message.answer;
      emit(this, "request-submit");
      window.setTimeout(() => (this.answer = null));
    }
    if (message.waggle === "draft" && !this.disabled) this.keep(message.draft);
    if (message.waggle === "key") void this.press(message);
    if (message.waggle === "hotkeys") {
      this.hotkeys = message.hotkeys;
      this.dispatchEvent(new CustomEvent("crowd-hotkeys"));
    }
    if (message.waggle === "key-answer") this.questions.get(message.id)?.(message.refused);
    if (message.waggle === "input") {
      this.dispatchEvent(new CustomEvent("crowd-input-within", { bubbles: true, composed: true, detail: { type: message.type, isTrusted: message.trusted } }));
    }
  }

  /** Does what a key of the page asks for. A page cannot press keys where nobody does: it counts only while somebody works in its
   *  frame. The browser tells us that the worker pressed a key apart from the page's message, and sometimes later. */
  private async press({ action, hotkeys }: Extract<FromTemplate, { waggle: "key" }>): Promise<void> {
    if (this.pressing) return;
    this.pressing = true;
    const { shown } = this;
    for (const end = performance.now() + PRESS_MS; !navigator.userActivation.isActive && performance.now() < end;) {
      await new Promise((next) => window.setTimeout(next, 10));
    }
    this.pressing = false;
    if (this.shown !== shown || !this.focused || !navigator.userActivation.isActive) return;
    this.hotkeys = hotkeys;
    this.dispatchEvent(new CustomEvent("crowd-key-within", { bubbles: true, composed: true, detail: action }));
  }

  private readonly onKeys = (): void => {
    for (const held of [this.shown, this.ahead]) if (held?.ready) this.say({ waggle: "keys", keys: keymap.all }, held);
  };

  /** Asks the page, which knows its labels, whether a command can have a key. Keys are only ever chosen out here, where the worker
   *  pressed one: a page cannot choose any by itself. Returns why not, in words; empty if it does. */
  async rebind(action: Plain, key: string, element = ""): Promise<string> {
    const id = ++this.asked;
    const refused = await new Promise<string>((answer) => {
      this.questions.set(id, answer);
      window.setTimeout(() => answer(msg("The page of this task does not answer.")), ANSWER_MS);
      this.say({ waggle: "ask-key", id, element, action, key });
    });
    this.questions.delete(id);
    if (!refused) keymap.choose(element, { ...keymap.of(element), [action]: key });
    return refused;
  }

  private keep(draft: string): void {
    this.filledIn = draft;
    this.timer ||= window.setTimeout(() => {
      this.timer = 0;
      if (!this.disabled) emit(this, "change"); // else the answer is on its way already
    }, KEPT_APART_MS);
  }

  private say(message: ToTemplate, to = this.shown): void {
    to?.frame.contentWindow?.postMessage(message, "*");
  }

  /** The page of the task is in view and can be worked with. */
  private begin(): void {
    this.say({ waggle: "disabled", disabled: this.disabled });
    this.restore();
    if (this.focused) this.say({ waggle: "focus" });
    emit(this, "ready");
    this.requestUpdate(); // now the next one may load
  }

  private restore(): void {
    if (this.filledIn !== null) this.say({ waggle: "restore", draft: this.filledIn });
  }

  /** Whether keys go to the page of the task. */
  private get focused(): boolean { return this.shown !== null && this.shadowRoot?.activeElement === this.shown.frame && document.hasFocus(); }

  get value(): unknown { return this.answer; }
  get validationMessage(): string { return this.answer ? "" : msg("The form has not been submitted."); }
  get empty(): boolean { return this.filledIn === null; }

  /** Asks the template's form for the answer, which then arrives as a message and submits. */
  reportValidity(): boolean {
    if (this.answer) return true;
    this.say({ waggle: "submit" });
    return false;
  }

  undo(): void { /* the template's own */ }
  redo(): void { /* the template's own */ }
  override focus(): void {
    this.shown?.frame.focus();
    if (this.shown?.ready) this.say({ waggle: "focus" });
  }
  openInstructions(): void { this.querySelector("full-instructions, short-instructions")?.scrollIntoView(); }

  override updated(changed: Map<string, unknown>): void {
    if (this.shownTask?.frame_url && !this.shown) this.showTask(this.shownTask);
    this.loadAhead();
    if (changed.has("disabled")) this.say({ waggle: "disabled", disabled: this.disabled });
  }

  private showTask(task: TaskInput): void {
    const ahead = this.ahead;
    this.ahead = null;
    if (ahead?.key === keyOf(task) && performance.now() - ahead.since < LONGEST_AHEAD_MS) {
      this.shown = ahead;
      ahead.frame.classList.remove("ahead");
      ahead.frame.title = "Task";
      if (ahead.ready) this.begin();
      return;
    }
    ahead?.frame.remove();
    this.shown = this.load(task, "Task");
  }

  /** Loads the page of the next task, once that of this one is there. A hint for the task in view comes a little early. */
  private loadAhead(): void {
    const next = this.upcoming;
    if (!this.shown?.ready || !next?.frame_url || this.ahead?.key === keyOf(next) || this.shown.key === keyOf(next)) return;
    if (this.disabled && this.ahead) return; // an answer is on its way: what was loaded is about to be shown
    this.ahead?.frame.remove();
    this.ahead = this.load(next, msg("Next task"));
    this.ahead.frame.classList.add("ahead");
  }

  private load(what: Upcoming, title: string): Held {
    const frame = templateFrame(title);
    frame.name = JSON.stringify({ waggle: "keys", keys: keymap.all });
    frame.src = what.frame_url!;
    this.holder!.append(frame);
    return { key: keyOf(what), frame, since: performance.now(), ready: false };
  }

  override render() {
    if (!this.shownTask?.frame_url) return html`<p>${msg("The template is shown once the job has been created.")}</p>`;
    return html`<div id="frames"></div>`;
  }
}
