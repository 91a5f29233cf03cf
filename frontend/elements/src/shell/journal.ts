/** The local journal: a worker's unfinished work, kept on the device until the server has the answer. One entry for each
 *  assignment: first `working`, then `sending` with the answer as it was handed in. The key that makes a submit safe to repeat
 *  is made with the entry and never changes. Knows a store to put entries in; nothing of elements, pages or HTTP. */
import type { Activity } from "./activity";

export interface Entry<Task = unknown> {
  id: number;
  workerId: number | null;
  queueId: number;
  task: Task;
  key: string;
  phase: "working" | "sending";
  /** The element's snapshot of the work (CrowdElement.draft in crowd/element.ts), null before the first change. */
  draft: unknown;
  answer: unknown;
  seconds: number;
  /** What the worker did on the page; missing in entries of earlier versions. */
  activity?: Activity;
  savedAt: number;
}

export interface Store {
  put(entry: Entry): Promise<void>;
  remove(id: number): Promise<void>;
  all(): Promise<Entry[]>;
}

/** No task is leased for longer than 30 days: an unfinished one older than this cannot be handed in any more. */
const LONGEST_LEASE_MS = 31 * 86_400_000;

/** Entries of earlier versions of this page may still be on a device: they called the phase `working` by another name, and
 *  knew the job, whose key its queue has. */
function current(stored: Omit<Entry, "phase"> & { phase: string; jobId?: number }): Entry {
  return { ...stored, queueId: stored.queueId ?? stored.jobId, phase: stored.phase === "sending" ? "sending" : "working" };
}

export class Journal<Task extends { id: number; queue_id: number }> {
  private readonly entries = new Map<number, Entry<Task>>();

  private constructor(private readonly store: Store, private readonly workerId: number | null) {}

  /** Reads the entries that an earlier page left. Entries of other workers on the same device stay untouched. */
  static async open<Task extends { id: number; queue_id: number }>(store: Store, workerId: number | null): Promise<Journal<Task>> {
    const journal = new Journal<Task>(store, workerId);
    for (const stored of await store.all()) {
      const entry = current(stored);
      const stale = entry.phase === "working" && Date.now() - entry.savedAt > LONGEST_LEASE_MS;
      if (stale) await store.remove(entry.id);
      else if (entry.workerId === workerId) journal.entries.set(entry.id, entry as Entry<Task>);
    }
    return journal;
  }

  get(id: number): Entry<Task> | undefined {
    return this.entries.get(id);
  }

  /** Answers that were handed in but not acknowledged by the server, oldest first. */
  get unsent(): Entry<Task>[] {
    return this.of("sending");
  }

  /** Tasks of a queue that were being worked on, latest first. */
  unfinished(queueId: number): Entry<Task>[] {
    return this.of("working").filter((entry) => entry.queueId === queueId).reverse();
  }

  private of(phase: Entry["phase"]): Entry<Task>[] {
    return [...this.entries.values()].filter((entry) => entry.phase === phase).sort((a, b) => a.savedAt - b.savedAt);
  }

  /** Makes an entry for a task, or returns the one that exists. */
  async begin(task: Task): Promise<Entry<Task>> {
    const known = this.entries.get(task.id);
    if (known) return known;
    const entry: Entry<Task> = {
      id: task.id, workerId: this.workerId, queueId: task.queue_id, task, key: newKey(), phase: "working", draft: null, answer: null,
      seconds: 0, savedAt: Date.now(),
    };
    this.entries.set(entry.id, entry);
    await this.store.put(entry);
    return entry;
  }

  /** Stores a change of an entry. Resolves when it is on the device. */
  async save(id: number, change: Partial<Pick<Entry<Task>, "draft" | "seconds" | "answer" | "phase" | "activity">>): Promise<void> {
    const entry = this.entries.get(id);
    if (!entry) throw new Error(`the journal has no entry for assignment ${id}`);
    Object.assign(entry, change, { savedAt: Date.now() });
    await this.store.put({ ...entry });
  }

  /** Removes an entry: the server has the answer, or the task is no longer this worker's. */
  async forget(id: number): Promise<void> {
    this.entries.delete(id);
    await this.store.remove(id);
  }
}

/** A random UUID; also where the page is not served over https and crypto.randomUUID is missing. */
export function newKey(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
