/** The two stores of the journal, of which one is enough. localStorage is written before the call returns, so that a page that is
 *  closed the next moment loses nothing (the browser aborts an open IndexedDB transaction with its page). IndexedDB still has
 *  space when localStorage is full. */
import type { Entry, Store } from "./journal";

const NAME = "waggle-journal";
const TABLE = "entries";

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB failed"));
  });

class IndexedStore implements Store {
  constructor(private readonly database: IDBDatabase) {}

  private table(mode: IDBTransactionMode): IDBObjectStore {
    return this.database.transaction(TABLE, mode).objectStore(TABLE);
  }

  async put(entry: Entry): Promise<void> {
    const table = this.table("readwrite");
    const request = table.put(entry);
    table.transaction.commit(); // otherwise it commits after a callback, which a page that is being closed never runs
    await done(request);
  }

  async remove(id: number): Promise<void> {
    const table = this.table("readwrite");
    const request = table.delete(id);
    table.transaction.commit();
    await done(request);
  }

  async all(): Promise<Entry[]> { return done(this.table("readonly").getAll() as IDBRequest<Entry[]>); }
}

export class LocalStore implements Store {
  constructor(private readonly storage: Storage) {}

  async put(entry: Entry): Promise<void> { this.storage.setItem(`${NAME}:${entry.id}`, JSON.stringify(entry)); }
  async remove(id: number): Promise<void> { this.storage.removeItem(`${NAME}:${id}`); }

  async all(): Promise<Entry[]> {
    const keys = Array.from({ length: this.storage.length }, (_, at) => this.storage.key(at) ?? "").filter((key) => key.startsWith(`${NAME}:`));
    return keys.map((key) => JSON.parse(this.storage.getItem(key) ?? "null") as Entry);
  }
}

export class TwoStores implements Store {
  constructor(private readonly first: Store, private readonly second: Store) {}

  /** Resolves when one of the stores has done it, so that nobody waits for the slower one. Fails only if both fail. */
  private async both(act: (store: Store) => Promise<void>): Promise<void> {
    const acts = [act(this.first), act(this.second)];
    for (const one of acts) one.catch((reason: unknown) => console.warn("one of the journal's two stores refused", reason));
    try {
      await Promise.any(acts);
    } catch (error) {
      throw (error as AggregateError).errors[0];
    }
  }

  put(entry: Entry): Promise<void> { return this.both((store) => store.put(entry)); }
  remove(id: number): Promise<void> { return this.both((store) => store.remove(id)); }

  /** Where the stores differ, the newer entry counts. */
  async all(): Promise<Entry[]> {
    const newest = new Map<number, Entry>();
    for (const entry of [...(await this.first.all()), ...(await this.second.all())]) {
      const known = newest.get(entry.id);
      if (!known || entry.savedAt > known.savedAt) newest.set(entry.id, entry);
    }
    return [...newest.values()];
  }
}

/** The best store this browser offers. */
export async function openStore(): Promise<Store> {
  try {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE, { keyPath: "id" });
    return new TwoStores(new LocalStore(localStorage), new IndexedStore(await done(request)));
  } catch (error) {
    console.warn("IndexedDB is not available; the journal is kept in localStorage", error);
    return new LocalStore(localStorage);
  }
}
