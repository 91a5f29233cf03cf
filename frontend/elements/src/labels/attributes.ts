/** The attributes of a label in Ground Truth's label category configuration: what a worker says of each shape besides its label.
 *  Pure. Their texts are hostile: only ever shown as text. */

export interface Attribute {
  readonly name: string;
  readonly description: string;
  readonly type: "string" | "number";
  /** The values to choose from; null: any text or number. */
  readonly choices: readonly string[] | null;
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly required: boolean;
  /** Whether a value that was given beforehand can be changed. */
  readonly editable: boolean;
}

/** What a shape's attributes are, by their names. */
export type Values = Readonly<Record<string, string | number>>;

/** The key of these values in answers and initial values. */
export const ATTRIBUTES_KEY = "label-category-attributes";

const numberOr = (value: unknown): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);

/** Reads a list of attributes. Throws an Error that says which one is wrong. */
export function parseAttributes(raw: unknown, of: string): Attribute[] {
  if (raw === undefined || raw === null) return [];
  if (!Array.isArray(raw)) throw new Error(`The attributes of ${of} are not a list.`);
  const names = new Set<string>();
  return raw.map((entry: Record<string, unknown> | null, at) => {
    const { name, type = "string", description, enum: choices, minimum, maximum, isRequired, editsAllowed } = entry ?? {};
    if (typeof name !== "string" || !name) throw new Error(`Attribute ${at + 1} of ${of} has no name.`);
    if (names.has(name)) throw new Error(`The attribute "${name}" of ${of} is there twice.`);
    names.add(name);
    if (type !== "string" && type !== "number") throw new Error(`The attribute "${name}" of ${of} has the type "${String(type)}"; it is "string" or "number".`);
    if (choices !== undefined && !Array.isArray(choices)) throw new Error(`The attribute "${name}" of ${of} has an enum that is not a list.`);
    return {
      name, type, description: typeof description === "string" ? description : "", choices: choices ? choices.map(String) : null,
      minimum: numberOr(minimum), maximum: numberOr(maximum), required: isRequired === true, editable: editsAllowed !== "none",
    };
  });
}

/** The value of an attribute that was typed or chosen; undefined if it is none. */
export function valueOf({ type, choices, minimum, maximum }: Attribute, typed: string): string | number | undefined {
  if (typed === "" || (choices && !choices.includes(typed))) return undefined;
  if (type === "string") return typed;
  const value = Number(typed);
  return Number.isFinite(value) && value >= (minimum ?? -Infinity) && value <= (maximum ?? Infinity) ? value : undefined;
}

/** Those of the values that a label knows. */
export function known(attributes: readonly Attribute[], values: Values = {}): Values {
  return Object.fromEntries(attributes.flatMap((attribute) => {
    const value = values[attribute.name];
    return value !== undefined && valueOf(attribute, String(value)) !== undefined ? [[attribute.name, value]] : [];
  }));
}

/** The first attribute that has to have a value and has none. */
export const missing = (attributes: readonly Attribute[], values: Values = {}): Attribute | undefined =>
  attributes.find(({ name, required }) => required && values[name] === undefined);

/** Values from an initial value, a draft or a copy: texts and numbers. */
export function parseValues(raw: unknown): Values | undefined {
  if (typeof raw !== "object" || raw === null) return undefined;
  const entries = Object.entries(raw).filter((entry): entry is [string, string | number] => typeof entry[1] === "string" || typeof entry[1] === "number");
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

/** Values as they stand in an answer: always in the same order, and nothing if there are none. */
export function plainValues(values: Values | undefined): Record<string, Values> {
  const entries = Object.entries(values ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length > 0 ? { [ATTRIBUTES_KEY]: Object.fromEntries(entries) } : {};
}

/** Values in words: ", occluded: yes, age: 3". */
export const inWords = (values: Values | undefined): string => Object.entries(values ?? {}).map(([name, value]) => `, ${name}: ${value}`).join("");
