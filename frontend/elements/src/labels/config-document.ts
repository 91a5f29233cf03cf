/** A label category configuration as rows of a form, one an attribute, and back. What rows do not show is kept. Pure. */

export type Kind = "choice" | "number" | "text";

/** An attribute as the form has it: everything as it was typed. */
export interface Row {
  /** The label it belongs to; "": all labels. */
  label: string;
  name: string;
  kind: Kind;
  /** The choices with commas between them. */
  choices: string;
  minimum: string;
  maximum: string;
  required: boolean;
  /** Members that the form does not show. */
  readonly rest: Readonly<Record<string, unknown>>;
}

type Members = Record<string, unknown>;

const COMMON = "categoryGlobalAttributes";
const OWN = "categoryAttributes";
const VERSION = "2018-11-28";

export const emptyRow = (): Row => ({ label: "", name: "", kind: "choice", choices: "", minimum: "", maximum: "", required: false, rest: {} });

/** The document in a text, {} in an empty one. Throws an Error in words for what is no document. */
export function readDocument(text: string): Members {
  if (text.trim() === "") return {};
  const found: unknown = JSON.parse(text);
  if (typeof found !== "object" || found === null || Array.isArray(found)) throw new Error("a JSON object is expected");
  return found as Members;
}

const listOf = (value: unknown): Members[] =>
  Array.isArray(value) ? value.filter((one): one is Members => typeof one === "object" && one !== null) : [];

/** The names of the labels that a document has. */
export const labelsOf = (document: Members): string[] => listOf(document["labels"]).map((one) => String(one["label"] ?? ""));

/** The attributes of a document, those of all labels first. */
export function rowsOf(document: Members): Row[] {
  const own = listOf(document["labels"]).flatMap((one) => listOf(one[OWN]).map((attribute) => rowOf(String(one["label"] ?? ""), attribute)));
  return [...listOf(document[COMMON]).map((attribute) => rowOf("", attribute)), ...own];
}

function rowOf(label: string, attribute: Members): Row {
  const { name, type, enum: choices, minimum, maximum, isRequired, ...rest } = attribute;
  const kind: Kind = Array.isArray(choices) ? "choice" : type === "number" ? "number" : "text";
  const shown = (value: unknown) => (typeof value === "number" ? String(value) : "");
  return {
    label, name: typeof name === "string" ? name : "", kind, choices: Array.isArray(choices) ? choices.map(String).join(", ") : "",
    minimum: shown(minimum), maximum: shown(maximum), required: isRequired === true,
    rest: kind === "choice" && type === "number" ? { ...rest, type } : rest,
  };
}

function attributeOf({ name, kind, choices, minimum, maximum, required, rest }: Row): Members {
  const bound = (value: string) => (value.trim() === "" || Number.isNaN(Number(value)) ? undefined : Number(value));
  const members: Members = { name: name.trim(), type: kind === "number" ? "number" : "string", ...rest };
  if (kind !== "choice") members["type"] = kind === "number" ? "number" : "string";
  if (kind === "choice") members["enum"] = [...new Set(choices.split(",").map((one) => one.trim()).filter(Boolean))];
  if (kind === "number") Object.assign(members, { minimum: bound(minimum), maximum: bound(maximum) });
  return { ...members, ...(required && { isRequired: true }) };
}

const without = (members: Members, ...names: string[]): Members =>
  Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)));

/** The document with the attributes of the rows; its other members stay. Empty where nothing is left to say. */
export function withRows(document: Members, rows: readonly Row[]): string {
  const others = without(document, COMMON, "labels");
  const attributes = (label: string) => rows.filter((row) => row.label === label).map(attributeOf);
  const before = listOf(document["labels"]);
  const names = [...new Set([...before.map((one) => String(one["label"] ?? "")), ...rows.map((row) => row.label).filter(Boolean)])];
  const labels = names.map((name) => {
    const kept = without(before.find((one) => one["label"] === name) ?? { label: name }, OWN);
    const own = attributes(name);
    return own.length > 0 ? { ...kept, [OWN]: own } : kept;
  });
  if (rows.length === 0 && before.length === 0 && Object.keys(others).every((name) => name === "document-version")) return "";
  const version = "document-version" in others || "documentVersion" in others ? {} : { "document-version": VERSION };
  const common = attributes("");
  return JSON.stringify({ ...version, ...others, labels, ...(common.length > 0 && { [COMMON]: common }) }, null, 2);
}
