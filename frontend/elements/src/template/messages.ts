/** What the page of a template and the page around it say to each other. Both sides check what they get: a template's author may
 *  send anything. Pure. */

/** From the template's page: the answer as its form gives it; that it can be submitted; what the worker did, for the time worked. */
export type FromTemplate =
  | { waggle: "ready" }
  | { waggle: "answer"; answer: Record<string, unknown> }
  | { waggle: "refused" }
  | { waggle: "input"; type: string; trusted: boolean };

/** To the template's page: the worker pressed Submit; the task cannot be changed any more. */
export type ToTemplate = { waggle: "submit" } | { waggle: "disabled"; disabled: boolean };

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** The message if it is one that a template's page may send, else null. */
export function fromTemplate(data: unknown): FromTemplate | null {
  if (!isObject(data)) return null;
  if (data.waggle === "ready" || data.waggle === "refused") return { waggle: data.waggle };
  if (data.waggle === "answer" && isObject(data.answer)) return { waggle: "answer", answer: data.answer };
  if (data.waggle === "input" && typeof data.type === "string") return { waggle: "input", type: data.type, trusted: data.trusted === true };
  return null;
}
