/** A Storage that lives as long as the page: a sandboxed page of no origin has none of its own. */
export class PageStorage implements Storage {
  readonly #items = new Map<string, string>();

  get length(): number { return this.#items.size; }
  key(at: number): string | null { return [...this.#items.keys()][at] ?? null; }
  getItem(name: string): string | null { return this.#items.get(String(name)) ?? null; }
  setItem(name: string, value: string): void { this.#items.set(String(name), String(value)); }
  removeItem(name: string): void { this.#items.delete(String(name)); }
  clear(): void { this.#items.clear(); }
  [name: string]: unknown;
}

/** With members as browsers have them: `storage.name = "x"`, `delete storage.name`, `Object.keys(storage)`. */
export function pageStorage(): Storage {
  return new Proxy(new PageStorage(), {
    get(storage, name) {
      if (typeof name === "string" && !(name in storage)) return storage.getItem(name) ?? undefined;
      const found: unknown = Reflect.get(storage, name, storage);
      return typeof found === "function" ? (found.bind(storage) as unknown) : found;
    },
    set(storage, name, value) { storage.setItem(String(name), String(value)); return true; },
    has(storage, name) { return name in PageStorage.prototype || storage.getItem(String(name)) !== null; },
    deleteProperty(storage, name) { storage.removeItem(String(name)); return true; },
    ownKeys(storage) { return Array.from({ length: storage.length }, (_, at) => storage.key(at)!); },
    getOwnPropertyDescriptor(storage, name) {
      const value = storage.getItem(String(name));
      return value === null ? undefined : { value, writable: true, enumerable: true, configurable: true };
    },
  });
}
