/**
 * <waggle-task-shell>: the worker's page. Reads `<script type="application/json" id="task-config">`, shows one task after the
 * other in its crowd element, and hands the answers in. With `preview` it shows the one task given, exactly as a worker sees it.
 *
 * It knows an element only by the interface in crowd/element.ts and chooses it by the task's `element.tag`. What is stored,
 * sent and tried again is decided in session.ts; the shell only shows it.
 */
import { LitElement, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { keyed } from "lit/directives/keyed.js";
import { html as elementHtml, unsafeStatic } from "lit/static-html.js";
import type { CrowdElement, Upcoming } from "../crowd/element";
import "../crowd/key-list";
import { tagOf } from "../crowd/registry";
import type { CrowdForm } from "../crowd/crowd-form";
import { keyStyles, tokens } from "../crowd/styles";
import { formatMicros } from "../kit/format";
import { icon, iconStyles } from "../kit/icons";
import { prefetchPicture } from "../picture/load";
import { prefetchText } from "../text/load";
import { COUNTED } from "./activity";
import { Api, type Assignment, type Example } from "./api";
import { clockText, microsOf, spoken } from "./clock";
import { Journal } from "./journal";
import { OwnKeys } from "./own-keys";
import { PAGE_KEYS, type PageAction, actionOf, typing } from "./page-keys";
import { type Config, SESSION_OVER, Session } from "./session";
import { openStore } from "./stores";
import { shellStyles } from "./styles";
import { msg, str } from "../locale";

/** Why a task is declined, as the requester reads it, and as the worker does. */
const declineReasons = (text: boolean): readonly (readonly [string, string])[] => [
  text ? ["The text does not show or is broken", msg("The text does not show or is broken")] : ["The picture does not show or is broken", msg("The picture does not show or is broken")],
  ["The instructions are unclear", msg("The instructions are unclear")],
  text ? ["The text is disturbing or not allowed", msg("The text is disturbing or not allowed")] : ["The picture is disturbing or not allowed", msg("The picture is disturbing or not allowed")],
  ["I cannot do this well", msg("I cannot do this well")],
];
const DEFAULTS: Config = { queue_id: 0, worker_id: null, api_base: "/api/v1", sign_in_url: "/", exit_url: "/", preview: false, assignment: null, study: null };
const HEARTBEAT_SECONDS = 60;
/** Below this many CSS pixels an element has no room for instructions beside the task (46rem, see crowd/styles.ts). */
const NARROW = 736;

/** Whether an element shows one task after the other, instead of being made anew for each. */
const stays = (tag: string): boolean => "upcoming" in (customElements.get(tag)?.prototype ?? {});

/** What is asked of whoever begins with a label that a model proposes. */
const CHECK = html`<div class="banner check" role="note"><span><strong>${msg("Check and correct.")}</strong> ${msg("A model has marked this picture: keep what is right, correct what is off, delete what is wrong and add what is missing.")}</span></div>`;

/** What stands below the price: when it is paid, where that is not at once. */
function reviewed(task: Assignment): string {
  const days = task.review_days;
  if (days === undefined || days === null) return task.checks ? msg("to check") : msg("this task");
  if (days === 0) return msg("after review");
  return days === 1 ? msg("after review, within 1 day") : msg(str`after review, within ${days} days`);
}

@customElement("waggle-task-shell")
export class TaskShell extends LitElement {
  static override styles = [tokens, iconStyles, keyStyles, shellStyles];

  /** The config as an object, where the page does not give it in a script. */
  @property({ attribute: false }) config: Partial<Config> | null = null;
  @state() private session: Session | null = null;
  @state() private problem = "";
  @state() private left = 0;
  @state() private paid = "";
  @state() private held = "";
  private heldBefore = 0;
  @query(".element") private element?: CrowdElement;
  @query("#decline") private declineDialog?: HTMLDialogElement;
  @query("#help") private helpDialog?: HTMLDialogElement;
  @query("#say") private live?: HTMLElement;
  private timer = 0;
  private ticks = 0;
  private shownTask: number | null = null;
  private upcoming: Upcoming | null = null;
  private earnedBefore = 0;
  private ownKeys: OwnKeys | null = null;
  private readonly onOnline = () => this.session?.retryNow();
  private readonly onVisible = () => {
    if (document.visibilityState === "visible" && this.session?.failure?.kind === "session") this.session.retryNow();
  };

  private readonly onInput = (event: Event) => this.session?.activity.note(event, performance.now());
  private readonly onKey = (event: KeyboardEvent) => this.keydown(event);

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("keydown", this.onKey);
    for (const type of COUNTED) window.addEventListener(type, this.onInput, { capture: true, passive: true });
    window.addEventListener("online", this.onOnline);
    document.addEventListener("visibilitychange", this.onVisible);
    this.timer = window.setInterval(() => this.tick(), 1000);
    void this.begin();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("keydown", this.onKey);
    for (const type of COUNTED) window.removeEventListener(type, this.onInput, { capture: true });
    window.removeEventListener("online", this.onOnline);
    document.removeEventListener("visibilitychange", this.onVisible);
    window.clearInterval(this.timer);
    this.ownKeys?.stop();
  }

  private async begin(): Promise<void> {
    try {
      const text = document.getElementById("task-config")?.textContent;
      const config: Config = { ...DEFAULTS, ...(this.config ?? (JSON.parse(text ?? "{}") as Partial<Config>)) };
      if (config.preview && !config.assignment) throw new Error("There is no task to preview.");
      const journal = config.preview ? null : await Journal.open<Assignment>(await openStore(), config.worker_id);
      const api = new Api(config.api_base);
      if (config.keys && config.worker_id !== null && !config.preview) this.ownKeys = new OwnKeys(api, config.worker_id, config.keys);
      this.session = new Session(config, api, journal, () => this.onSession(), (next) => this.prefetch(next));
      this.session.earnedMicros = this.earnedBefore = Number(sessionStorage.getItem("waggle-earned") ?? 0);
      await this.session.start();
    } catch (error) {
      this.problem = msg(str`This page cannot start: ${(error as Error).message}`);
    }
  }

  /** Fetches what the next task shows; an element that shows the page of a template loads that itself. */
  private prefetch(next: Upcoming): void {
    this.upcoming = next;
    this.requestUpdate();
    if (next.frame_url) return;
    prefetchPicture(next.image_url);
    prefetchText(next.text_url);
  }

  private onSession(): void {
    const session = this.session!;
    if (session.earnedMicros > this.earnedBefore) {
      this.paid = formatMicros(session.earnedMicros - this.earnedBefore);
      this.earnedBefore = session.earnedMicros;
      sessionStorage.setItem("waggle-earned", String(session.earnedMicros));
      this.say(msg(str`Handed in. ${this.paid} earned.`));
      window.setTimeout(() => (this.paid = ""), 4000);
    }
    if (session.heldMicros > this.heldBefore) {
      this.held = formatMicros(session.heldMicros - this.heldBefore);
      this.heldBefore = session.heldMicros;
      this.say(msg(str`Handed in. ${this.held} are paid after a review.`));
      window.setTimeout(() => (this.held = ""), 4000);
    }
    if (session.config.study && session.stage === "none" && session.reason === SESSION_OVER) window.location.assign(session.config.exit_url);
    this.left = this.secondsLeft();
    this.requestUpdate();
  }

  private secondsLeft(): number {
    const session = this.session;
    return session ? session.deadlineSeconds - (performance.now() - session.learntAt) / 1000 : 0;
  }

  private tick(): void {
    const session = this.session;
    if (!session?.task || session.config.preview) return;
    const shown = document.visibilityState === "visible" && session.stage === "working";
    const at = performance.now(), inFront = shown && document.hasFocus();
    session.watch.tick(at, inFront && session.activity.recent(at));
    session.activity.tick(at, inFront);
    if (session.stage !== "working") return;
    const now = this.secondsLeft();
    const words = spoken(this.left, now);
    this.left = now;
    if (words) this.say(words);
    if (++this.ticks % HEARTBEAT_SECONDS === 0) void session.checkTime();
  }

  private say(words: string): void {
    if (this.live) this.live.textContent = words;
  }

  override updated(): void {
    const task = this.session?.task;
    const element = this.element;
    if (!task || !element || this.shownTask === task.id) return;
    this.shownTask = task.id;
    for (const [name, value] of Object.entries(task.element.attributes ?? {})) element.setAttribute(name, value);
    if (this.session!.draft !== null) element.draft = this.session!.draft;
    // a Lit element has rendered what it focuses one microtask later
    void Promise.resolve((element as Partial<LitElement>).updateComplete).then(() => {
      element.focus();
      this.introduce(task, element);
    });
  }

  /** Keys pressed outside the element do the same as within it: help, undo, redo. Those of the page work within it, too. */
  private keydown(event: KeyboardEvent): void {
    const element = this.element;
    const path = event.composedPath();
    if (!element || event.defaultPrevented || typing(path[0])) return;
    const action = actionOf(event);
    const within = path.includes(element);
    if (within && (!action || action === "help")) return;
    const letter = event.key.toLowerCase();
    const undoing = (event.ctrlKey || event.metaKey) && !event.altKey && this.session?.stage === "working";
    if (action) this.act(action);
    else if (undoing && (letter === "y" || (letter === "z" && event.shiftKey))) element.redo();
    else if (undoing && letter === "z") element.undo();
    else return;
    event.preventDefault();
  }

  /** What a key of the page does. `asked`: a page that might press keys by itself returns no task without a question. */
  private act(action: PageAction, asked = false): void {
    if (action === "help") return this.openHelp();
    if (this.session?.stage !== "working" || this.session.config.preview) return;
    if (action === "submit") this.renderRoot.querySelector<CrowdForm>("crowd-form")?.requestSubmit();
    else this.giveBack(asked);
  }

  private openHelp(event?: Event): void {
    event?.preventDefault(); // tells the element that its keys are shown
    this.helpDialog?.showModal();
    this.refreshKeys(); // the keys of a template come with the question
    this.requestUpdate();
  }

  private refreshKeys(): void {
    this.renderRoot.querySelector<LitElement>("waggle-key-list")?.requestUpdate();
  }

  /** On a phone there is no room for instructions beside the task: they open by themselves, once for each job. */
  private introduce(task: Assignment, element: CrowdElement): void {
    const { short, full } = task.instructions ?? {};
    const key = `waggle-introduced-${task.queue_id}`;
    const known = !this.session!.config.preview && localStorage.getItem(key);
    if (this.clientWidth >= NARROW || !(short || full) || known) return;
    if (!this.session!.config.preview) localStorage.setItem(key, "1");
    element.openInstructions();
  }

  private async submit(event: CustomEvent<Record<string, unknown>>): Promise<void> {
    event.preventDefault(); // tells the form that the answer is taken
    const element = this.session?.task?.element;
    await this.session?.submit(element?.whole ? event.detail[element.name] : event.detail);
  }

  private giveBack(asked = false): void {
    if ((asked || this.element?.empty === false) && !window.confirm(msg("Return this task? Your work on it will be lost."))) return;
    void this.session?.giveBack();
  }

  private decline(event: SubmitEvent): void {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const reason = [form.get("reason"), form.get("more")].map((part) => String(part ?? "").trim()).filter(Boolean).join(": ");
    this.declineDialog?.close();
    void this.session?.decline(reason.slice(0, 200));
  }

  // ---- what is seen

  override render() {
    return html`${this.page()}<div class="sr" id="say" role="status" aria-live="polite"></div>`;
  }

  private page() {
    const session = this.session;
    if (this.problem) return this.whole(msg("Something is wrong"), this.problem);
    if (!session || (session.stage === "loading" && !session.failure)) return html`<div class="whole" role="status"><div class="spin"></div><p>${msg("Getting your next task…")}</p></div>`;
    if (session.stage === "none") return this.whole(msg("No task for you now"), session.message, html`<button type="button" @click=${() => void session.next()}>${msg("Look again")}</button>`);
    if (session.stage === "failed") return this.whole(msg("That did not work"), session.message, html`<button type="button" @click=${() => void session.start()}>${msg("Try again")}</button>`);
    if (!session.task) return html`${this.banners(session)}<div class="whole"><p>${msg("Waiting for the connection…")}</p></div>`;
    try {
      return this.taskPage(session, session.task, tagOf(session.task.element));
    } catch (error) {
      return this.whole(msg("This task cannot be shown"), (error as Error).message);
    }
  }

  private whole(title: string, words: string, more: unknown = nothing) {
    const config = this.session?.config;
    const earned = config?.study ? 0 : (this.session?.earnedMicros ?? 0);
    return html`<div class="whole"><h1>${title}</h1><p role="alert">${words}</p>
      ${earned > 0 ? html`<p>${msg("Earned in this session:")} <strong>${formatMicros(earned)}</strong></p>` : nothing}
      <div class="row">${more}<a class="link primary" href=${config?.exit_url ?? "/"}>${config?.study ? msg("Back to the study") : msg("Back to the list of jobs")}</a></div></div>`;
  }

  private taskPage(session: Session, task: Assignment, tag: string) {
    const { preview, exit_url: exit, study } = session.config;
    const off = preview || session.stage !== "working";
    const sending = session.stage === "sending";
    return html`
      <crowd-form @crowd-submit=${this.submit}>
        <header class="top">
          <a class="exit" href=${exit} aria-label=${study ? msg("Back to the study") : msg("Back to the list of jobs")}>${icon("chevron-left")}<span>${study ? msg("Study") : msg("Jobs")}</span></a>
          <h1 title=${task.title}>${task.title}</h1>
          <div class="figure ${this.left < 60 && !preview ? "late" : ""}"><b role="timer" aria-label=${msg("Time left")}>${clockText(preview ? task.seconds_left : this.left)}</b>${msg("time left")}</div>
          ${study
            ? html`<div class="figure"><b>${Math.min(study.wanted, study.done + session.handedIn + 1)} ${msg("of")} ${study.wanted}</b>${msg("tasks")}</div>`
            : task.paid_by_employer
              ? html`<div class="figure"><b>${msg("Paid")}</b>${msg("by your employer")}</div>`
              : html`<div class="figure"><b>${formatMicros(microsOf(task.price))}</b>${reviewed(task)}</div>
                  <div class="figure"><b>${formatMicros(session.earnedMicros)}</b>${msg("earned now")}</div>`}
        </header>
        <div class="actions">
          <button type="button" class="plain" ?disabled=${off} @click=${() => this.declineDialog?.showModal()}>${msg("Decline")}</button>
          <button type="button" ?disabled=${off} @click=${() => this.giveBack()}>${msg("Return")}</button>
          <button type="button" class="primary" form-action="submit" ?hidden=${task.element.whole === true} ?disabled=${off} aria-describedby=${preview ? "preview-why" : nothing}>${sending ? msg("Sending…") : msg("Submit")}</button>
        </div>
        <div class="banners">${this.banners(session)}${task.checks ? CHECK : nothing}</div>
        ${this.paid ? html`<div class="paid">${msg(str`Handed in: ${this.paid} earned. Here is the next task.`)}</div>` : nothing}
        ${this.held ? html`<div class="paid">${msg(str`Handed in: ${this.held} are paid after a review. Here is the next task.`)}</div>` : nothing}
        ${keyed(stays(tag) ? tag : task.id, this.crowdElement(session, task, tag))}
      </crowd-form>
      ${this.declineForm()} ${this.help()}`;
  }

  /** The tag is one that the registry knows, so it is safe to write it into the template. */
  private crowdElement(session: Session, task: Assignment, tag: string) {
    const name = unsafeStatic(tag);
    return elementHtml`<${name} class="element" name=${task.element.name} .upcoming=${this.upcoming} .task=${task} ?disabled=${session.stage !== "working"}
        @crowd-change=${(event: Event) => void session.save((event.target as CrowdElement).draft)}
        @crowd-input-within=${(event: CustomEvent<{ type: string; isTrusted: boolean }>) => session.activity.note(event.detail, performance.now())}
        @crowd-key-within=${(event: CustomEvent<PageAction>) => this.act(event.detail, true)}
        @crowd-hotkeys=${this.refreshKeys}
        @crowd-help=${this.openHelp}>${this.regions(task)}</${name}>`;
  }

  private help() {
    // whoever has read the list goes on with the task; the browser leaves the focus nowhere if the page of a template had it
    return html`<dialog id="help" aria-labelledby="help-title" @close=${() => this.element?.focus()}>
      <header><h2 id="help-title">${msg("Keys")}</h2><button type="button" class="plain" @click=${() => this.helpDialog?.close()}>${msg("Close")}</button></header>
      <waggle-key-list .owner=${this.element ?? null} .more=${PAGE_KEYS}></waggle-key-list></dialog>`;
  }

  private regions(task: Assignment) {
    const { short, full, good_examples: good = [], bad_examples: bad = [] } = task.instructions ?? {};
    const gallery = (examples: Example[], kind: string) => html`<div class="examples">${examples.map((one) => html`
      <figure class=${kind}><img src=${one.image_url} alt=${one.caption || (kind === "good" ? msg("good example") : msg("bad example"))} loading="lazy" />${one.caption ? html`<figcaption>${one.caption}</figcaption>` : nothing}</figure>`)}</div>`;
    const { comment } = task.element;
    return html`
      ${comment ? html`<worker-comment header=${comment} link-text=${comment}></worker-comment>` : nothing}
      ${short ? html`<short-instructions><waggle-safe-html .content=${short}></waggle-safe-html></short-instructions>` : nothing}
      ${full || short || good.length + bad.length > 0 ? html`<full-instructions header=${task.title}>
        ${full || short ? html`<waggle-safe-html .content=${full || short}></waggle-safe-html>` : nothing}
        ${good.length > 0 ? html`<h3>${msg("✓ Good")}</h3>${gallery(good, "good")}` : nothing}
        ${bad.length > 0 ? html`<h3>${msg("✕ Not like this")}</h3>${gallery(bad, "bad")}` : nothing}
      </full-instructions>` : nothing}`;
  }

  private banners(session: Session) {
    const { failure, stage, config, message } = session;
    if (config.preview) return html`<div class="banner" id="preview-why">${msg("Preview: this is what a worker sees. Try it; nothing is sent, so submitting is switched off.")}</div>`;
    if (failure?.kind === "session") {
      return html`<div class="banner bad" role="alert">${msg("You have been signed out. Your work is safe on this device.")}
        <a href=${config.sign_in_url}>${msg("Sign in again")}</a><button type="button" @click=${() => session.retryNow()}>${msg("I have signed in")}</button></div>`;
    }
    if (failure) {
      return html`<div class="banner" role="alert">${stage === "sending" ? msg("Your answer is kept on this device and will be sent as soon as the connection is back.") : msg("No connection. Go on working: everything is kept on this device.")}
        <button type="button" @click=${() => session.retryNow()}>${msg("Try now")}</button></div>`;
    }
    if (stage === "over") {
      return html`<div class="banner bad" role="alert">${message} <button type="button" @click=${() => void session.goOn()}>${msg("Next task")}</button></div>`;
    }
    if (message) return html`<div class="banner bad" role="alert">${message}</div>`;
    if (this.left <= 0 && stage === "working") return html`<div class="banner" role="alert">${msg("Time is up. Submit now: it counts as long as nobody else was given this task.")}</div>`;
    if (session.task?.rejected_because) {
      return html`<div class="banner">${msg(str`Your answer was rejected: “${session.task.rejected_because}” Improve it and submit it again.`)}</div>`;
    }
    return nothing;
  }

  private declineForm() {
    return html`<dialog id="decline" aria-labelledby="decline-title"><form @submit=${this.decline}>
      <header><h2 id="decline-title">${msg("Decline this task?")}</h2></header>
      <fieldset><legend class="sr">${msg("Why")}</legend>${declineReasons(Boolean(this.session?.task?.text_url)).map(([reason, shown], at) => html`<label><input type="radio" name="reason" value=${reason} ?checked=${at === 0} />${shown}</label>`)}
        <label class="sr" for="more">${msg("More")}</label><textarea id="more" name="more" maxlength="120" placeholder=${msg("More, if you like")}></textarea></fieldset>
      <div class="ends"><button type="button" @click=${() => this.declineDialog?.close()}>${msg("Cancel")}</button><button class="primary">${msg("Decline the task")}</button></div>
    </form></dialog>`;
  }
}
