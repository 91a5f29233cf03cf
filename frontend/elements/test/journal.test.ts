/** The journal on real stores: IndexedDB (fake-indexeddb is a full implementation in memory) and localStorage's interface. */
import "fake-indexeddb/auto";
import { beforeEach, describe, expect, it } from "vitest";
import { type Entry, Journal, type Store, newKey } from "../src/shell/journal";
import { LocalStore, TwoStores, openStore } from "../src/shell/stores";

interface Task { id: number; queue_id: number }
const task = (id: number, queue_id = 7): Task => ({ id, queue_id });

class MemoryStorage implements Storage {
  private readonly map = new Map<string, string>();
  get length() { return this.map.size; }
  clear() { this.map.clear(); }
  getItem(key: string) { return this.map.get(key) ?? null; }
  key(at: number) { return [...this.map.keys()][at] ?? null; }
  removeItem(key: string) { this.map.delete(key); }
  setItem(key: string, value: string) { this.map.set(key, value); }
}

globalThis.localStorage = new MemoryStorage();

const stores: [string, () => Promise<Store>][] = [
  ["IndexedDB", openStore],
  ["localStorage", async () => new LocalStore(new MemoryStorage())],
];

describe.each(stores)("on %s", (_name, make) => {
  let store: Store;
  const open = (worker: number | null = 1) => Journal.open<Task>(store, worker);

  beforeEach(async () => {
    store = await make();
    for (const entry of await store.all()) await store.remove(entry.id);
  });

  it("gives everything back after a reload, with the same key", async () => {
    const before = await open();
    const entry = await before.begin(task(100));
    await before.save(100, { draft: { marks: [1, 2] }, seconds: 4.5 });
    const after = await open();
    expect(after.get(100)).toMatchObject({ key: entry.key, draft: { marks: [1, 2] }, seconds: 4.5, phase: "working" });
    expect((await after.begin(task(100))).key).toBe(entry.key);
  });

  it("keeps a sealed answer until it is forgotten", async () => {
    const journal = await open();
    await journal.begin(task(100));
    await journal.save(100, { phase: "sending", answer: { boundingBox: 1 } });
    expect((await open()).unsent.map((entry) => entry.answer)).toEqual([{ boundingBox: 1 }]);
    expect((await open()).unfinished(7)).toEqual([]);
    await journal.forget(100);
    expect((await open()).unsent).toEqual([]);
  });

  it("reads entries that an earlier version wrote, with the job and another name for the phase", async () => {
    await (await open()).begin(task(100));
    for (const { queueId, ...entry } of await store.all()) await store.put({ ...entry, jobId: queueId, phase: "drawing" } as unknown as Entry);
    expect((await open()).unfinished(7).map((entry) => [entry.id, entry.phase])).toEqual([[100, "working"]]);
  });

  it("leaves other workers' and other jobs' entries alone", async () => {
    await (await open(1)).begin(task(100));
    await (await open(2)).begin(task(200));
    await (await open(1)).begin(task(300, 8));
    expect((await open(2)).unfinished(7).map((entry) => entry.id)).toEqual([200]);
    expect((await open(1)).unfinished(7).map((entry) => entry.id)).toEqual([100]);
    expect(await store.all()).toHaveLength(3);
  });

  it("drops unfinished tasks that no lease can cover, never an unsent answer", async () => {
    const journal = await open();
    for (const id of [1, 2, 3]) await journal.begin(task(id));
    await journal.save(2, { phase: "sending", answer: {} });
    for (const entry of await store.all()) if (entry.id !== 3) await store.put({ ...entry, savedAt: Date.now() - 32 * 86_400_000 });
    const later = await open();
    expect(later.unfinished(7).map((entry) => entry.id)).toEqual([3]);
    expect(later.unsent.map((entry) => entry.id)).toEqual([2]);
  });

  it("gives every assignment a key of its own, and refuses one it does not know", async () => {
    const journal = await open();
    const keys = [(await journal.begin(task(1))).key, (await journal.begin(task(2))).key, newKey()];
    expect(new Set(keys).size).toBe(3);
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    await expect(journal.save(99, { seconds: 1 })).rejects.toThrow("no entry for assignment 99");
  });
});

it("takes the newer entry of two stores, and lives with one of them full", async () => {
  const full = new MemoryStorage();
  const [small, large] = [new LocalStore(full), new LocalStore(new MemoryStorage())];
  const journal = await Journal.open<Task>(new TwoStores(small, large), 1);
  await journal.begin(task(100));
  full.setItem = () => { throw new Error("QuotaExceededError"); };
  await journal.save(100, { draft: { marks: [1] } });
  for (const entry of await large.all()) await large.put({ ...entry, savedAt: entry.savedAt + 1 });
  expect((await Journal.open<Task>(new TwoStores(small, large), 1)).get(100)?.draft).toEqual({ marks: [1] });
  large.put = () => Promise.reject(new Error("gone too"));
  await expect(journal.save(100, { seconds: 2 })).rejects.toThrow();
});
