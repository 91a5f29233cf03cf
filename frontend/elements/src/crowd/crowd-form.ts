/**
 * <crowd-form>: turns the fields in it into the answer of a task (answer.ts) and hands it over as the event `crowd-submit`.
 *
 * What templates written for Ground Truth and Mechanical Turk rely on:
 * - the children stand in a <form> in the page itself, which is also `.form`;
 * - `submit` is fired before the answer is read, so that listeners can write fields or cancel; `submit()` fires it too;
 * - `_serializeForm()`, `_submitHelperForm` (may be replaced), `reset()`, `#answers-box` in the shadow root;
 * - a Submit button is added when the template has none, in a shadow root, as `awsui-button[data-testid="crowd-submit"]`;
 * - <short-instructions> and <full-instructions header> that are children of the form and of no tool are shown above it.
 *
 * A tool outside of the form that names it (`crowd-form-element-id`) belongs to it as well; without a name of its own, its answer is
 * that of the form.
 *
 * Whoever takes the answer calls `preventDefault()` on `crowd-submit`; where nobody does, it is shown on the page. An element may
 * ask for a submit with `crowd-request-submit`.
 */
import { LitElement, css, html, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import { answerOf, fieldsOf, flatten, isNative, titleOf } from "./answer";
import { instructionsDialog } from "./dialogs";
import type { CrowdElement } from "./element";
import { crowdPart } from "./registry";
import { submitButton } from "./submit-button";
import { tokens } from "./styles";
import { msg } from "../locale";

/** What the form asks of a field before it hands over the answer; each is optional. */
type Checked = HTMLElement & Partial<Pick<CrowdElement, "reportValidity" | "validationMessage">> & { fieldName?: string; validate?: () => unknown };
type Tool = HTMLElement & { submits?: boolean; innerForm?: HTMLFormElement | null };
type Draft = [tag: string, name: string, draft: unknown][];

/** Ground Truth does not look for an input; one that is hidden leaves nothing to press. */
const SUBMIT = '[form-action="submit"], button[type="submit"], input[type="submit"]:not([hidden], [style*="display:none"], [style*="display: none"])';
const REGIONS: Record<string, string> = { "short-instructions": "short", "full-instructions": "full" };

@crowdPart("crowd-form")
export class CrowdForm extends LitElement {
  static override styles = [tokens, css`
    :host { display: block; }
    .end { display: flex; justify-content: flex-end; padding: 0.75rem; }
    #form-refusal:not(:empty) { margin: 0.75rem; padding: 0.5rem 0.75rem; border-radius: 6px; background: var(--_bad-soft); color: var(--_bad); font-weight: 550; }
    .brief { margin-block-end: 0.75rem; padding: 0.5rem 0.75rem; border: 1px solid var(--_line); border-radius: 6px; background: var(--_surface-2); }
    ::slotted(short-instructions), ::slotted(full-instructions) { display: block; overflow-wrap: anywhere; }
    #answers-box { margin: 0.75rem; padding: 0.75rem; border: 1px solid var(--_line); border-radius: 6px; background: var(--_surface-2); overflow-x: auto; font-size: 0.8125rem; }
  `];

  /** "flatten-objects": keys with dots instead of objects. */
  @property({ attribute: "answer-format" }) answerFormat = "";
  @state() private bare = false;
  @state() private refusal = "";
  @state() private shownAnswer = "";
  @query("#answers-box") private box?: HTMLElement;
  @query("#instructions") private instructions!: HTMLDialogElement;

  /** The form in the page in which the children stand. */
  readonly form = document.createElement("form");
  /** An element outside of the form whose own children belong to it as well; see serve(). */
  private host: HTMLElement | null = null;
  private submitting = false;
  private readonly grown = new MutationObserver(() => this.takeIn());

  override connectedCallback(): void {
    super.connectedCallback();
    this.form.noValidate = true; // the form checks its fields itself, with those that the browser does not know
    this.form.submit = () => void this.submit();
    this.takeIn();
    this.grown.observe(this, { childList: true, subtree: true, attributeFilter: ["form-action", "type"] });
    this.addEventListener("submit", this.onNative, true);
    this.addEventListener("reset", this.onReset);
    this.addEventListener("crowd-request-submit", this.onRequest);
    this.addEventListener("click", this.onClick);
    this.ownerDocument.addEventListener("click", this.onOutside);
    this.ownerDocument.addEventListener("crowd-request-submit", this.onLinked);
    this.ownerDocument.addEventListener("DOMContentLoaded", this.lookForButtons);
    void this.updateComplete.then(this.lookForButtons); // elements whose files come after this one are defined by then
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.grown.disconnect();
    this.removeEventListener("submit", this.onNative, true);
    this.removeEventListener("reset", this.onReset);
    this.removeEventListener("crowd-request-submit", this.onRequest);
    this.removeEventListener("click", this.onClick);
    this.ownerDocument.removeEventListener("click", this.onOutside);
    this.ownerDocument.removeEventListener("crowd-request-submit", this.onLinked);
    this.ownerDocument.removeEventListener("DOMContentLoaded", this.lookForButtons);
  }

  /** For a tool with a form of its own in its shadow root: fields and buttons that are children of the tool belong to that form. */
  serve(host: HTMLElement): void {
    if (this.host === host) return;
    this.host = host;
    this.grown.observe(host, { childList: true, subtree: true });
    host.addEventListener("click", this.onClick);
    this.lookForButtons();
  }

  /** Everything whose fields are this form's. */
  private get roots(): ParentNode[] {
    const inner = [...this.form.querySelectorAll<Tool>("*")].flatMap(({ innerForm }) => innerForm ?? []);
    return [this.form, ...this.regions, ...(this.host ? [this.host] : []), ...inner];
  }

  /** Instructions that belong to no tool. */
  private get regions(): HTMLElement[] {
    return ([...this.children] as HTMLElement[]).filter(({ localName }) => localName in REGIONS);
  }

  /** Moves children into the form, also those that a script or the parser adds later. */
  private takeIn(): void {
    const regions = this.regions;
    for (const region of regions) region.slot = REGIONS[region.localName]!;
    if (regions.length > 0) this.requestUpdate();
    const strays = [...this.childNodes].filter((node) => node !== this.form && !regions.includes(node as HTMLElement));
    if (this.form.parentNode !== this) this.append(this.form);
    if (strays.length > 0) this.form.append(...strays);
    this.lookForButtons();
  }

  /** The page's own submit button, in this form or outside of every form, makes ours superfluous, even if it is hidden. */
  private readonly lookForButtons = () => {
    const around = (this.getRootNode() as ParentNode).querySelectorAll?.('[form-action="submit"]') ?? [];
    this.bare = ![this.form, this.host].some((root) => root?.querySelector(SUBMIT)) && ![...around].some((button) => !button.closest("crowd-form"));
    const tools = [...this.form.querySelectorAll<Tool>("*"), ...this.linked].filter((one) => "submits" in one);
    for (const [at, tool] of tools.entries()) tool.submits = this.bare && at === tools.length - 1;
    this.bare &&= tools.length === 0;
  };

  /** The tools outside of this form that name it. */
  private get linked(): (Tool & Checked)[] {
    if (!this.id) return [];
    return [...this.ownerDocument.querySelectorAll<Tool & Checked>(`[crowd-form-element-id="${CSS.escape(this.id)}"]`)].filter((one) => !this.contains(one));
  }

  // ---- what starts a submit

  private readonly onClick = (event: MouseEvent) => {
    const button = event.composedPath().find((one): one is Element => one instanceof Element && one.hasAttribute("form-action"));
    if (!button || event.defaultPrevented || button.hasAttribute("disabled")) return;
    if (button instanceof HTMLButtonElement && button.type === "submit" && button.form) return; // the browser submits the form
    if (button.getAttribute("form-action") === "submit") this.requestSubmit();
    else if (button.getAttribute("form-action") === "reset") this.reset();
  };

  /** A button outside of every form means the first form of the page. */
  private readonly onOutside = (event: MouseEvent) => {
    const inside = event.composedPath().some((one) => (one as Partial<Element>).localName === "crowd-form");
    if (!inside && this === this.ownerDocument.querySelector("crowd-form")) this.onClick(event);
  };

  /** The browser's own submit, by a native button or by Enter, becomes ours: nothing is ever sent to a URL. */
  private readonly onNative = (event: Event) => {
    if (!event.isTrusted) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.requestSubmit(event.target as HTMLElement);
  };

  /** An element may submit only while the worker could press the button. */
  private readonly onRequest = () => {
    if (!this.querySelector('[form-action="submit"][disabled]')) this.requestSubmit();
  };

  private readonly onLinked = (event: Event) => {
    if (this.linked.includes(event.target as Tool & Checked)) this.onRequest();
  };

  private readonly onReset = (event: Event) => {
    if (event.target !== this.form) return;
    this.refusal = "";
    for (const field of this.form.querySelectorAll<HTMLElement & { formReset?: () => void }>("*")) field.formReset?.();
  };

  /** Back to what the fields were at first. */
  reset(): void {
    this.form.reset();
  }

  // ---- the answer

  /** The answer as Ground Truth stores it: one key for each named field. */
  get answer(): Record<string, unknown> {
    this.takeIn();
    const answer = answerOf(this.roots, this.linked);
    return this.answerFormat === "flatten-objects" ? flatten(answer) : answer;
  }

  /** The answer as the fields that a portal would be sent. */
  _serializeForm(): { taskAnswers: string } {
    return { taskAnswers: JSON.stringify([this.answer]) };
  }

  /** Everything filled in so far, as JSON data: to go on from after a reload. */
  get draft(): Draft {
    return this.roots.flatMap(fieldsOf).map((field) => {
      const name = field.getAttribute("name") ?? "";
      if (!isNative(field)) return [field.localName, name, (field as { draft?: unknown }).draft ?? null];
      const ticked = field instanceof HTMLInputElement && ["checkbox", "radio"].includes(field.type);
      return [field.localName, name, ticked ? field.checked : field.value];
    });
  }

  set draft(draft: Draft) {
    for (const [at, field] of this.roots.flatMap(fieldsOf).entries()) {
      const [tag, name, was] = draft[at] ?? [];
      if (tag !== field.localName || name !== (field.getAttribute("name") ?? "") || was === null) continue;
      if (!isNative(field)) (field as { draft?: unknown }).draft = was;
      else if (typeof was === "boolean") (field as HTMLInputElement).checked = was;
      else field.value = String(was);
    }
  }

  /** Asks every field whether it may be handed in. Shows the first refusal and moves the focus there. */
  private valid(): boolean {
    this.refusal = "";
    for (const field of [...this.roots.flatMap((root) => [...root.querySelectorAll<Checked>("*")]), ...this.linked]) {
      if (field.matches("[disabled], :disabled")) continue;
      const ours = field.localName.startsWith("crowd-");
      const refused = ours || isNative(field) ? field.reportValidity?.() === false : field.localName === "object-value-input" && field.validate?.() === false;
      if (!refused) continue;
      // the tools show their refusal beside the picture
      if (isNative(field) || field.fieldName !== undefined) this.refusal = `${titleOf(field)}: ${field.validationMessage}`;
      else if (!ours) this.refusal = msg("Something is missing or not right: look for what is marked.");
      return false;
    }
    return true;
  }

  private announce(from: HTMLElement): boolean {
    return from.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  }

  /** What a press on a submit button does. Returns false if a field or a listener refuses. */
  requestSubmit(from: HTMLElement = this.form): boolean {
    return this.once(() => this.valid() && this.announce(from));
  }

  /** Submits for a script. Its listeners run before the fields are checked, because they may fill them. */
  submit(): boolean {
    return this.once(() => this.announce(this.form) && this.valid());
  }

  /** A listener that calls submit() itself must not start over, and a button whose listener calls it is not pressed twice. */
  private once(agreed: () => boolean): boolean {
    if (this.submitting) return false;
    this.submitting = true;
    this.takeIn(); // a script may have added a field just now
    let handed = false;
    try {
      handed = agreed();
    } finally {
      if (!handed) this.submitting = false;
    }
    if (!handed) return false;
    setTimeout(() => (this.submitting = false));
    this._submitHelperForm();
    return true;
  }

  /** Hands the answer over. Scripts replace it to take the answer themselves. */
  _submitHelperForm(): void {
    const answer = this.answer;
    const handed = new CustomEvent("crowd-submit", { detail: answer, bubbles: true, composed: true, cancelable: true });
    if (!this.dispatchEvent(handed)) return;
    this.shownAnswer = JSON.stringify(answer, null, 2);
    void this.updateComplete.then(() => this.box?.scrollIntoView({ block: "nearest" }));
  }

  /** The instructions above the form. */
  private brief() {
    const [short, full] = Object.keys(REGIONS).map((name) => this.regions.find(({ localName }) => localName === name));
    if (!short && !full) return nothing;
    return html`<section class="brief" aria-label=${msg("Instructions")}><slot name="short"></slot>
      ${full ? html`<button type="button" @click=${() => this.instructions.showModal()}>${short ? msg("Full instructions") : msg("Instructions")}</button>` : nothing}</section>
      ${instructionsDialog(full?.getAttribute("header") ?? "")}`;
  }

  override render() {
    return html`${this.brief()}<slot></slot>
      <div id="form-refusal" role="alert">${this.refusal}</div>
      <paper-icon-button hidden></paper-icon-button>
      ${this.bare ? html`<div class="end">${submitButton(() => this.requestSubmit())}</div>` : nothing}
      <pre id="answers-box" role="region" tabindex="0" aria-label=${msg("The answer")} ?hidden=${!this.shownAnswer}>${this.shownAnswer}</pre>`;
  }
}
