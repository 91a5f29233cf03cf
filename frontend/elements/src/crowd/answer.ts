/**
 * What the named fields of a <crowd-form> give as an answer, in Ground Truth's form: one key for each name.
 *
 * - crowd elements and <object-value-input>: their `_submittableValue`, or their `value`; undefined means no key.
 * - checkboxes and radio buttons, ours and the browser's: `{"<value>": true or false}`, of those with the same name one object.
 * - other inputs of the browser: their text; a list of texts for a select with several choices.
 *
 * Disabled fields are left out, as forms do. Nothing here knows a certain element.
 */

/** Fields of the browser that have no answer. */
const SILENT = new Set(["submit", "reset", "button", "image", "file"]);

export type Native = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;
type Valued = HTMLElement & { name?: string; value?: unknown; _submittableValue?: unknown; disabled?: boolean };
type Plain = Record<string, unknown>;

export const isNative = (field: Element): field is Native =>
  field instanceof HTMLInputElement || field instanceof HTMLSelectElement || field instanceof HTMLTextAreaElement;

export const isPlain = (value: unknown): value is Plain => typeof value === "object" && value !== null && !Array.isArray(value);

const nameOf = (field: Valued): string => (typeof field.name === "string" && field.name) || field.getAttribute("name") || "";

function counts(field: Element): boolean {
  if (isNative(field)) return field.name !== "" && !SILENT.has(field.type) && !field.matches(":disabled");
  const ours = field.localName.startsWith("crowd-") || field.localName === "object-value-input";
  const disabled = field.hasAttribute("disabled") || (field as Valued).disabled === true;
  return ours && nameOf(field as Valued) !== "" && !disabled && ("_submittableValue" in field || "value" in field);
}

/** The fields below `root` that have a part in the answer, in the order of the page. Shadow roots are not looked into. */
export function fieldsOf(root: ParentNode): HTMLElement[] {
  return [...root.querySelectorAll<HTMLElement>("*")].filter(counts);
}

function valueOf(field: HTMLElement): unknown {
  if (!isNative(field)) {
    const valued = field as Valued;
    return "_submittableValue" in valued ? valued._submittableValue : valued.value;
  }
  if (field instanceof HTMLInputElement && (field.type === "checkbox" || field.type === "radio")) return Object.fromEntries([[field.value, field.checked]]);
  if (field instanceof HTMLSelectElement && field.multiple) return [...field.selectedOptions].map((option) => option.value);
  return field.value;
}

/** Whether fields of one name make one object together. */
const joins = (field: HTMLElement): boolean =>
  isNative(field) ? field.type === "checkbox" || field.type === "radio" : (field as { joins?: boolean }).joins === true;

/** The answer of all fields below `roots`, and of some outside of them; the members of the value of one of those that has no name are
 *  members of the answer. Of fields with the same name the last one counts, unless they join. */
export function answerOf(roots: readonly ParentNode[], outside: readonly HTMLElement[] = []): Plain {
  // entries, because a field may have any name, also one like "__proto__"
  const answer = new Map<string, unknown>();
  for (const field of [...roots.flatMap(fieldsOf), ...outside.filter((one) => !(one as Valued).disabled)]) {
    const [name, value] = [nameOf(field as Valued), valueOf(field)];
    if (value === undefined) continue;
    if (name === "") {
      for (const [key, member] of Object.entries(isPlain(value) ? value : {})) answer.set(key, member);
      continue;
    }
    const before = answer.get(name);
    const both = joins(field) && isPlain(before) && isPlain(value);
    answer.set(name, both ? Object.fromEntries([...Object.entries(before), ...Object.entries(value)]) : value);
  }
  return Object.fromEntries(answer);
}

/** Mechanical Turk's `answer-format="flatten-objects"`: objects in objects become keys with dots; lists stay lists. */
export function flatten(answer: Plain, before = ""): Plain {
  return Object.fromEntries(Object.entries(answer).flatMap(([name, value]): [string, unknown][] => {
    const key = before + name;
    return isPlain(value) ? Object.entries(flatten(value, `${key}.`)) : [[key, value]];
  }));
}

/** What a worker knows the field by: its own words for it, its <label>, or its name. */
export function titleOf(field: HTMLElement & { fieldName?: string; labels?: unknown }): string {
  const label = isNative(field) ? field.labels?.[0]?.textContent?.trim() : undefined;
  return field.fieldName || field.getAttribute("aria-label") || label || nameOf(field as Valued);
}
