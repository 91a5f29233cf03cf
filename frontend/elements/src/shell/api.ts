/** The worker's part of the REST API: claim, submit, return, decline, time left. Knows HTTP and what an error means for a worker;
 *  nothing of the page. `classify` is pure. */
import type { TaskInput, Upcoming } from "../crowd/element";
import { csrfToken } from "../kit/csrf";
import type { Activity } from "./activity";
import { msg, str } from "../locale";

export interface Example { image_url: string; caption?: string }
export interface Instructions { short?: string; full?: string; good_examples?: Example[]; bad_examples?: Example[] }

export interface Assignment extends TaskInput {
  id: number; task_id: number; queue_id: number; lease_expires_at: string; seconds_left: number; accepted_at: string; price: string;
  task_type: string; title: string; instructions?: Instructions;
  /** Answers are paid after a review, within so many days; null or missing: at once. */
  review_days?: number | null;
  /** It begins with a label that a model proposes, to be checked and corrected. */
  checks?: boolean;
  /** Paid by the vendor that employs the worker; the price is 0 then. */
  paid_by_employer?: boolean;
  /** Why the answer to this task was rejected that is to be improved now. */
  rejected_because?: string | null;
  /** The element that shows the task, and the key of its value in the answer; `whole`: its value is the answer; `comment`: what
   *  asks for a comment, empty where none is wanted. */
  element: { tag?: string; name: string; attributes?: Record<string, string>; whole?: boolean; comment?: string };
}

export interface Claimed { assignment: Assignment | null; reason?: string; next?: Upcoming | null }
export interface Submitted {
  status: string; paid: string; held?: string; next_assignment?: Assignment | null; next?: Upcoming | null; reason?: string;
}
export interface Problem { type?: string; title?: string; status?: number; detail?: string; errors?: { field: string; reason: string }[] }

/** offline, busy: try again later; session: sign in again; answered: the server has this answer already; gone: the task went to
 *  somebody else; invalid: the answer has to be changed; refused: anything else. */
export type Kind = "offline" | "busy" | "session" | "answered" | "gone" | "invalid" | "refused";

export class ApiError extends Error {
  constructor(readonly kind: Kind, message: string, readonly fields: { field: string; reason: string }[] = []) {
    super(message);
  }

  get temporary(): boolean { return this.kind === "offline" || this.kind === "busy"; }
}

/** The API's problem types that mean something special for a worker; for any other the HTTP status decides. */
const KINDS: Record<string, Kind> = {
  "not-authenticated": "session", "authentication-failed": "session", "csrf-failed": "session",
  "already-submitted": "answered", "task-gone": "gone",
};

/** What an answer with an error status means. */
export function classify(status: number, problem: Problem): Kind {
  const kind = KINDS[/^urn:waggle:problem:(.+)$/.exec(problem.type ?? "")?.[1] ?? ""];
  if (kind) return kind;
  if (status === 401) return "session";
  if (status === 410) return "gone";
  if (status === 400 || status === 413 || status === 422) return "invalid";
  if (status === 408 || status === 425 || status === 429 || status >= 500) return "busy";
  return "refused";
}

/** Seconds to wait before the try after `failures` failed ones: 1, 2, 4 … 60. */
export const backoff = (failures: number): number => Math.min(60, 2 ** Math.max(0, failures - 1));

async function problemOf(response: Response): Promise<Problem> {
  if (!(response.headers.get("Content-Type") ?? "").includes("json")) return { title: response.statusText };
  try {
    return (await response.json()) as Problem;
  } catch (error) {
    return { title: response.statusText, detail: String(error) };
  }
}

export class Api {
  constructor(private readonly base: string) {}

  /** Safe to repeat with the same key, which then gets the same task. */
  claim(queueId: number, key: string): Promise<Claimed> {
    return this.ask("POST", `/work-queues/${queueId}/claim`, undefined, { "Idempotency-Key": key });
  }

  /** The tasks of a queue that this worker holds, latest first. */
  held(queueId: number): Promise<{ results: Assignment[] }> {
    return this.ask("GET", `/assignments?queue_id=${queueId}`);
  }

  /** Safe to repeat with the same key. Also claims the next task in the same request. */
  submit(id: number, answer: unknown, seconds: number, key: string, activity?: Activity): Promise<Submitted> {
    return this.ask("POST", `/assignments/${id}/submit?claim_next=true`, { answer, seconds, activity }, { "Idempotency-Key": key });
  }

  giveBack(id: number): Promise<unknown> {
    return this.ask("POST", `/assignments/${id}/return`);
  }

  decline(id: number, reason: string): Promise<unknown> {
    return this.ask("POST", `/assignments/${id}/decline`, { reason });
  }

  timeLeft(id: number): Promise<{ status: string; seconds_left: number }> {
    return this.ask("GET", `/assignments/${id}`);
  }

  /** Keeps the worker's keys for an element in place of those before. */
  keepKeys(element: string, keys: Readonly<Record<string, string>>): Promise<unknown> {
    return this.ask("PUT", `/chosen-keys/${element}`, { keys });
  }

  private async ask<T>(method: string, path: string, body?: unknown, extra: Record<string, string> = {}): Promise<T> {
    const headers: Record<string, string> = { Accept: "application/json", ...extra };
    if (method !== "GET") headers["X-CSRFToken"] = csrfToken();
    if (body !== undefined) headers["Content-Type"] = "application/json";
    let response: Response;
    try {
      response = await fetch(`${this.base}${path}`, {
        method, headers, body: body === undefined ? undefined : JSON.stringify(body), credentials: "same-origin", redirect: "manual",
      });
    } catch (error) {
      throw new ApiError("offline", `The server cannot be reached (${(error as Error).message}).`);
    }
    // a redirect is the sign-in page: the session has ended
    if (response.type === "opaqueredirect") throw new ApiError("session", "You have been signed out.");
    if (!response.ok) {
      const problem = await problemOf(response);
      const words = problem.detail ?? problem.title ?? msg(str`The server answered ${response.status}.`);
      throw new ApiError(classify(response.status, problem), words, problem.errors ?? []);
    }
    return (await response.json()) as T;
  }
}
