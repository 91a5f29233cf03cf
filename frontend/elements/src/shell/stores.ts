/** Where the journal lives: IndexedDB, or localStorage where a browser refuses that (some private windows). */
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

  async put(entry: Entry): Promise<void> { await done(this.table("readwrite").put(entry)); }
  async remove(id: number): Promise<void> { await done(this.table("readwrite").delete(id)); }
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

/** The best store this browser offers. */
export async function openStore(): Promise<Store> {
  try {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE, { keyPath: "id" });
    return new IndexedStore(await done(request));
  } catch (error) {
    console.warn("IndexedDB is not available; the journal is kept in localStorage", error);
    return new LocalStore(localStorage);
  }
}
