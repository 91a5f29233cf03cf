/** One worker's session on one job: claims tasks, keeps the work in the journal, submits each answer until the server has
 *  acknowledged it. Knows the API, the journal and time; nothing of what a task looks like. The page listens and shows. */
import { ActivityCounter } from "./activity";
import type { Upcoming } from "../crowd/element";
import { type Api, ApiError, type Assignment, type Claimed, backoff } from "./api";
import { Stopwatch, microsOf } from "./clock";
import { type Journal, newKey } from "./journal";
import { msg } from "../locale";

export interface Config {
  queue_id: number; worker_id: number | null; api_base: string; sign_in_url: string; exit_url: string; preview: boolean;
  assignment: Assignment | null;
  /** The keys that the worker has chosen, by element; null where nobody keeps them. */
  keys?: Record<string, Record<string, string>> | null;
  /** A panel's participant: how much of their study session is done. They are paid elsewhere, so no pay is shown. */
  study?: { done: number; wanted: number } | null;
}

const LOCK_WAIT_MS = 3000;
const LOCK_RETRY_MS = 100;

export type Stage = "loading" | "working" | "sending" | "over" | "none" | "failed";
export interface Failure { kind: "offline" | "session"; message: string; retryAt: number }

/** The reason of somebody whose study session is over: its page has their way out. */
export const SESSION_OVER = "session-over";
/** Why there is no task, in words for the worker. */
const REASONS: Record<string, string> = {
  "none-left": msg("You have done every task of this job that is open to you. Thank you!"),
  "not-eligible": msg("This job is not open to you at the moment."),
  "job-closed": msg("This job has ended."),
  "job-not-started": msg("This job has not started yet. Come back in a few minutes."),
  [SESSION_OVER]: msg("Your session of this study is over."),
  "task-limit": msg("You hold as many tasks of this job as one worker may. Submit or return one of them first."),
};
/** The reason of a repeated submit whose next task was claimed when it was sent first, and has ended meanwhile. */
const CLAIMED_BEFORE = "claimed-before";

export class Session {
  stage: Stage = "loading";
  task: Assignment | null = null;
  /** The element's snapshot of the work on the task, null before the first change. */
  draft: unknown = null;
  failure: Failure | null = null;
  /** What went wrong or why there is nothing to do, in words. */
  message = "";
  /** The reason why there is no task, in the API's word. */
  reason = "";
  earnedMicros = 0;
  /** Pay of answers handed in here that waits for a review. */
  heldMicros = 0;
  handedIn = 0;
  watch = new Stopwatch(0);
  /** What the worker does while the task is shown. */
  activity = new ActivityCounter();
  deadlineSeconds = 0;
  /** performance.now() at the moment when the server told the time left. */
  learntAt = 0;
  /** The key of the next claim. It stays the same until the server has answered, so that a lost answer costs no second seat. */
  private claimKey = newKey();
  private failures = 0;
  private timer = 0;
  private releaseLock: (() => void) | null = null;

  constructor(
    readonly config: Config, private readonly api: Api, private readonly journal: Journal<Assignment> | null,
    private readonly listener: () => void, private readonly prefetch: (next: Upcoming) => void,
  ) {}

  /** Starts with an answer that an earlier page could not send, else with the task it left unfinished, else with another task
   *  that this worker holds, else with a new one. */
  async start(): Promise<void> {
    if (this.config.preview) return this.show(this.config.assignment!, null, 0);
    const unsent = this.journal?.unsent[0];
    if (unsent) {
      this.show(unsent.task, unsent.draft, unsent.seconds, "sending");
      return this.send();
    }
    if (await this.resume()) return;
    if (this.config.assignment) return this.begin(this.config.assignment);
    await this.attempt(async () => { if (!(await this.takeUp())) await this.next(); }, () => this.start());
  }

  /** Takes up a task that this worker holds and this device does not know: the answer to its claim was lost, or it was claimed
   *  on another device. One that the journal knows was tried before, and is open in another tab. */
  private async takeUp(): Promise<boolean> {
    const { results } = await this.api.held(this.config.queue_id);
    for (const task of results) {
      if (this.journal?.get(task.id) || !(await this.hold(task.id, 0))) continue;
      await this.open(task);
      return true;
    }
    return false;
  }

  /** Resumes a task that an earlier page had open, if it is still this worker's and not open in another tab. */
  private async resume(): Promise<boolean> {
    for (const entry of this.journal?.unfinished(this.config.queue_id) ?? []) {
      if (!(await this.hold(entry.id))) continue;
      try {
        const { status, seconds_left: left } = await this.api.timeLeft(entry.id);
        if (status !== "Leased" && status !== "Accepted") {
          await this.journal!.forget(entry.id);
          continue;
        }
        this.show({ ...entry.task, seconds_left: left }, entry.draft, entry.seconds);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.kind === "refused") {
          await this.journal!.forget(entry.id);
          continue;
        }
        this.show(entry.task, entry.draft, entry.seconds);
        this.retryLater(error, () => this.resumeQuietly());
      }
      return true;
    }
    return false;
  }

  /** The task is on the page already; this asks the server again whether it is still this worker's. */
  private async resumeQuietly(): Promise<void> {
    await this.checkTime();
  }

  /** Claims the next task. */
  async next(): Promise<void> {
    this.stage = "loading";
    this.listener();
    await this.attempt(async () => this.take(await this.claim()), () => this.next());
  }

  private async claim(): Promise<Claimed> {
    try {
      const claimed = await this.api.claim(this.config.queue_id, this.claimKey);
      this.claimKey = newKey();
      return claimed;
    } catch (error) {
      if (!(error instanceof ApiError) || error.kind !== "gone") throw error;
      // the lease of the task that was claimed with this key ended before its answer arrived
      this.claimKey = newKey();
      return this.claim();
    }
  }

  private async take(claimed: Claimed): Promise<void> {
    if (claimed.next) this.prefetch(claimed.next);
    if (claimed.assignment) return this.begin(claimed.assignment);
    this.task = null;
    this.stage = "none";
    this.reason = claimed.reason ?? "";
    this.message = REASONS[this.reason] ?? msg("There is no task for you now.");
    this.listener();
  }

  private async begin(task: Assignment): Promise<void> {
    await this.hold(task.id);
    await this.open(task);
  }

  /** Shows a task that this tab holds, with the work on it that is in the journal. */
  private async open(task: Assignment): Promise<void> {
    const entry = await this.journal?.begin(task);
    if (entry?.phase === "sending") {
      this.show(task, entry.draft, entry.seconds, "sending");
      return this.send();
    }
    this.show(task, entry?.draft ?? null, entry?.seconds ?? 0);
  }

  private show(task: Assignment, draft: unknown, seconds: number, stage: Stage = "working"): void {
    this.task = task;
    this.draft = draft;
    this.watch = new Stopwatch(seconds);
    this.activity = new ActivityCounter(this.journal?.get(task.id)?.activity);
    this.deadlineSeconds = task.seconds_left;
    this.learntAt = performance.now();
    this.message = "";
    this.stage = stage;
    this.listener();
  }

  /** Locks a task for this tab until the tab is closed, so that no two tabs work on one entry of the journal. */
  private async hold(id: number, waitMs = LOCK_WAIT_MS): Promise<boolean> {
    this.releaseLock?.();
    this.releaseLock = null;
    if (!navigator.locks) return true; // they exist only on https and localhost
    // a page that is being reloaded releases its lock a little late, a tab that stays open does not: try for a while
    for (const until = performance.now() + waitMs; ; ) {
      if (await this.lock(id)) return true;
      if (performance.now() > until) return false;
      await new Promise((resolve) => window.setTimeout(resolve, LOCK_RETRY_MS));
    }
  }

  /** Takes the lock if it is free. Has no time limit, since a browser that answers late does not mean that the lock is taken. */
  private lock(id: number): Promise<boolean> {
    return new Promise((resolve) => {
      navigator.locks.request(`waggle-assignment-${id}`, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock ? new Promise<void>((release) => (this.releaseLock = release)) : undefined;
      }).catch(() => resolve(false));
    });
  }

  /** Stores the element's snapshot on the device, after every change. */
  async save(draft: unknown): Promise<void> {
    this.draft = draft;
    if (this.task && this.journal) await this.journal.save(this.task.id, { draft, ...this.worked });
  }

  private get worked() {
    return { seconds: this.watch.seconds, activity: this.activity.summary };
  }

  /** Submits the answer. It is in the journal first, so that neither a crash nor a lost connection loses it. */
  async submit(answer: unknown): Promise<void> {
    if (!this.task || this.stage !== "working" || this.config.preview) return;
    await this.journal?.save(this.task.id, { answer, phase: "sending", ...this.worked });
    this.stage = "sending";
    this.message = "";
    this.listener();
    await this.send();
  }

  private async send(): Promise<void> {
    const entry = this.journal?.get(this.task!.id);
    if (!entry) return;
    try {
      const done = await this.api.submit(entry.id, entry.answer, Math.round(entry.seconds * 10) / 10, entry.key, entry.activity);
      this.recover();
      await this.journal!.forget(entry.id);
      this.earnedMicros += microsOf(done.paid);
      this.heldMicros += microsOf(done.held ?? "0");
      this.handedIn += 1;
      await this.attempt(() => this.afterwards(done), () => this.start());
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      await this.notSent(error, entry.id);
    }
  }

  private async afterwards(done: Awaited<ReturnType<Api["submit"]>>): Promise<void> {
    const unsent = this.journal!.unsent[0];
    if (unsent) return this.start();
    if (done.next_assignment === undefined || done.reason === CLAIMED_BEFORE) return this.next();
    await this.take({ assignment: done.next_assignment, reason: done.reason, next: done.next });
  }

  private async notSent(error: ApiError, id: number): Promise<void> {
    if (error.temporary || error.kind === "session") return this.retryLater(error, () => this.send());
    this.recover();
    if (error.kind === "answered") {
      await this.journal!.forget(id);
      return this.next();
    }
    this.message = [error.message, ...error.fields.map(({ field, reason }) => `${field}: ${reason}`)].join(" ");
    if (error.kind === "invalid") {
      await this.journal!.save(id, { phase: "working", answer: null });
      this.stage = "working";
    } else this.stage = "over"; // the journal keeps it until the worker goes on
    this.listener();
  }

  /** Leaves a task that is no longer this worker's. */
  async goOn(): Promise<void> {
    if (this.task) await this.journal?.forget(this.task.id);
    this.task = null;
    await this.start();
  }

  async giveBack(): Promise<void> {
    const task = this.task!;
    await this.attempt(async () => { await this.api.giveBack(task.id); await this.goOn(); }, () => this.giveBack());
  }

  async decline(reason: string): Promise<void> {
    const task = this.task!;
    await this.attempt(async () => { await this.api.decline(task.id, reason); await this.goOn(); }, () => this.decline(reason));
  }

  /** Asks the server how much time is left. This also detects early that the worker is signed out. */
  async checkTime(): Promise<void> {
    if (!this.task || this.stage !== "working" || this.config.preview) return;
    const id = this.task.id;
    await this.attempt(async () => {
      const { seconds_left: left } = await this.api.timeLeft(id);
      if (this.task?.id !== id) return;
      this.deadlineSeconds = left;
      this.learntAt = performance.now();
      this.listener();
    }, () => this.checkTime());
  }

  // ---- failures

  /** Runs a step. After a temporary failure it is tried again, any other failure is shown. */
  private async attempt(step: () => Promise<void>, again: () => Promise<void>): Promise<void> {
    const waiting = this.again;
    try {
      await step();
      if (this.again === waiting) this.recover(); // else a step within this one failed and waits to be tried again
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.temporary || error.kind === "session") return this.retryLater(error, again);
      this.message = error.message;
      this.stage = this.stage === "working" && this.task ? "over" : "failed";
      this.listener();
    }
  }

  private again: (() => Promise<void>) | null = null;

  private retryLater(error: ApiError, again: () => Promise<void>): void {
    this.failures += 1;
    this.again = again;
    const wait = backoff(this.failures);
    clearTimeout(this.timer);
    const kind = error.kind === "session" ? "session" : "offline";
    this.failure = { kind, message: error.message, retryAt: performance.now() + wait * 1000 };
    this.timer = window.setTimeout(() => this.retryNow(), wait * 1000);
    this.listener();
  }

  /** Tries again at once: the network is back, or the worker has signed in in another tab. */
  retryNow(): void {
    clearTimeout(this.timer);
    const again = this.again;
    this.again = null;
    if (again) void again();
  }

  private recover(): void {
    clearTimeout(this.timer);
    this.failures = 0;
    this.again = null;
    this.failure = null;
  }
}
