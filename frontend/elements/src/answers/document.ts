/** The keys and values of a document as Textract's blocks (names in camel case, as Amazon A2I gives them), what a reviewer says of
 *  them, and the blocks of the answer. Pure: knows nothing of the screen. */
import type { Rect } from "../picture/plane";
import { msg, str } from "../locale";

/** A block; members that are not named here are kept as they are. */
export interface Block {
  id: string; blockType: string; text?: string; entityTypes?: string[];
  relationships?: { type: string; ids: string[] }[];
  geometry?: { boundingBox?: Partial<Rect> };
  [more: string]: unknown;
}

/** A key with its value. `block` and `values` are ids of blocks; null and []: an important key that was not found. */
export interface Field { key: string; text: string; block: string | null; values: string[]; places: Rect[] }

/** What the reviewer says of a field: its text; that the value is blank; that it is no key and value, or that the key is not there. */
export interface Said { text: string; blank: boolean; none: boolean }

export interface ImportantKey { name: string; aliases: string[] }

const isKey = (block: Block) => block.blockType === "KEY_VALUE_SET" && (block.entityTypes ?? []).includes("KEY");
const related = (block: Block | undefined, type: string): string[] => (block?.relationships ?? []).filter((one) => one.type === type).flatMap((one) => one.ids ?? []);
const bare = (key: string) => key.trim().replace(/\s*:$/, "").toLowerCase();

/** Blocks from the attribute: a list, or an object with `blocks`. Throws an Error on anything else. */
export function readBlocks(raw: unknown): Block[] {
  if (raw === null || raw === undefined || raw === "") return [];
  const list = Array.isArray(raw) ? raw : (raw as { blocks?: unknown }).blocks;
  if (!Array.isArray(list)) throw new Error('The attribute "initial-value" is no list of blocks.');
  const wrong = list.findIndex((one: Block | null) => typeof one?.id !== "string" || typeof one.blockType !== "string");
  if (wrong >= 0) throw new Error(`Block ${wrong + 1} of the attribute "initial-value" lacks its id or its blockType.`);
  return list as Block[];
}

/** Important keys from the attribute. "*", which stands for every key, is none. Throws an Error on anything but a list. */
export function readKeys(raw: unknown): ImportantKey[] {
  if (raw === null || raw === undefined || raw === "") return [];
  if (!Array.isArray(raw)) throw new Error('The attribute "keys" is not a list.');
  return raw.flatMap((one: unknown) => {
    const { importantFormKey: name, importantFormKeyAliases: aliases } = (typeof one === "object" && one !== null ? one : { importantFormKey: one }) as Record<string, unknown>;
    if (typeof name !== "string" || !name || name === "*") return [];
    return [{ name, aliases: Array.isArray(aliases) ? aliases.map(String) : [] }];
  });
}

/** The fields of a document in the order of its blocks, and after them the important keys that it does not have. */
export function fieldsOf(blocks: readonly Block[], keys: readonly ImportantKey[]): Field[] {
  const byId = new Map(blocks.map((block) => [block.id, block]));
  const textOf = (block: Block | undefined): string => {
    if (block?.text !== undefined) return block.text;
    return related(block, "CHILD").map((id) => byId.get(id)?.text ?? "").filter(Boolean).join(" ");
  };
  const place = (block: Block | undefined): Rect[] => {
    const { left, top, width, height } = block?.geometry?.boundingBox ?? {};
    return [left, top, width, height].every((one) => typeof one === "number") ? [{ left: left!, top: top!, width: width!, height: height! }] : [];
  };
  const found = blocks.filter(isKey).map((block): Field => {
    const values = related(block, "VALUE");
    return {
      key: textOf(block), text: values.map((id) => textOf(byId.get(id))).filter(Boolean).join(" "),
      block: block.id, values, places: [...place(block), ...values.flatMap((id) => place(byId.get(id)))],
    };
  });
  const known = new Set(found.map(({ key }) => bare(key)));
  const missing = keys.filter(({ name, aliases }) => ![name, ...aliases].some((one) => known.has(bare(one))));
  return [...found, ...missing.map(({ name }): Field => ({ key: name, text: "", block: null, values: [], places: [] }))];
}

/** What is said before the reviewer says anything: every field is as it was read. */
export const asRead = (fields: readonly Field[]): Said[] => fields.map(({ text }) => ({ text, blank: false, none: false }));

/** What is missing, and of which field; null when nothing is. */
export function lack(fields: readonly Field[], said: readonly Said[]): { says: string; at: number } | null {
  const at = said.findIndex(({ text, blank, none }) => !blank && !none && !text.trim());
  if (at < 0) return null;
  const { key, block } = fields[at]!;
  return { says: msg(str`Write the value of “${key}”, or say that it is blank${block === null ? " or that the key is not there" : ""}.`), at };
}

const line = (id: string, text: string): Block => ({ blockType: "LINE", id, text });
const pair = (kind: string, id: string, text: string, relationships: Block["relationships"]): Block =>
  ({ blockType: "KEY_VALUE_SET", id, relationships, entityTypes: [kind], text });

/** The value of a field in other words: its words are those of a new line. */
function rewritten(block: Block, text: string): Block[] {
  const others = (block.relationships ?? []).filter(({ type }) => type !== "CHILD");
  const id = `${block.id}/text`;
  return [{ ...block, relationships: text ? [...others, { type: "CHILD", ids: [id] }] : others, text }, ...(text ? [line(id, text)] : [])];
}

/** Blocks for an important key that the reviewer found. */
function added(key: string, text: string): Block[] {
  const [id, value] = [`key/${key}`, `value/${key}`];
  const words = (of: string) => [{ type: "CHILD", ids: [`${of}/text`] }];
  return [
    pair("KEY", id, key, [{ type: "VALUE", ids: [value] }, ...words(id)]), line(`${id}/text`, key),
    pair("VALUE", value, text, text ? words(value) : []), ...(text ? [line(`${value}/text`, text)] : []),
  ];
}

/** The blocks of the answer: those that nothing was said of are as they were; keys and values that are none are left out. */
export function answerBlocks(blocks: readonly Block[], fields: readonly Field[], said: readonly Said[]): Block[] {
  const gone = new Set<string>();
  const other = new Map<string, string>();
  const more: Block[] = [];
  for (const [at, { key, text, block, values }] of fields.entries()) {
    const { none, blank, text: typed } = said[at]!;
    const now = blank ? "" : typed.trim();
    if (none) for (const id of [...(block === null ? [] : [block]), ...values]) gone.add(id);
    else if (block === null) more.push(...added(key, now));
    else if (now !== text) for (const [place, id] of values.entries()) other.set(id, place === 0 ? now : "");
  }
  const kept = blocks.filter(({ id }) => !gone.has(id));
  return [...kept.flatMap((block) => (other.has(block.id) ? rewritten(block, other.get(block.id)!) : [block])), ...more];
}
