/** Converts between the editor's boxes and Ground Truth's JSON: initial values, answers, and drafts for the journal. Pure. */
import { ATTRIBUTES_KEY, type Values, parseValues, plainValues } from "../labels/attributes";
import type { Rect, Size } from "../picture/plane";
import type { Answer } from "../shapes/history";
import { type Box, fitted } from "./geometry";

export interface AnswerBox extends Rect { label: string; [ATTRIBUTES_KEY]?: Values }
export interface Draft { boxes: AnswerBox[]; nothing: boolean }
export interface BoundingBoxAnswer {
  boundingBoxes: AnswerBox[];
  inputImageProperties: Size;
  initialValueModified?: boolean;
}

export const plain = ({ height, label, left, top, width, attributes }: Box): AnswerBox => ({ height, label, left, top, width, ...plainValues(attributes) });

export const toDraft = (answer: Answer<Box>): Draft => ({ boxes: answer.shapes.map(plain), nothing: answer.nothing });

/** The element's value. `initial` holds the boxes of the initial value, null if there was none. */
export function toAnswer(answer: Answer<Box>, size: Size, initial: readonly AnswerBox[] | null): BoundingBoxAnswer {
  const boundingBoxes = answer.shapes.map(plain);
  const value: BoundingBoxAnswer = { boundingBoxes, inputImageProperties: { height: size.height, width: size.width } };
  if (initial) value.initialValueModified = JSON.stringify(boundingBoxes) !== JSON.stringify(initial);
  return value;
}

/** Boxes from an initial value or a draft: a list, or {boxes}, or {boundingBoxes}. Throws an Error on anything else. */
export function parseBoxes(raw: unknown, size: Size): Omit<Box, "id">[] {
  if (raw === null || raw === undefined || raw === "") return [];
  const holder = raw as { boxes?: unknown; boundingBoxes?: unknown };
  const list = Array.isArray(raw) ? raw : (holder.boxes ?? holder.boundingBoxes);
  if (!Array.isArray(list)) throw new Error("The initial value is not a list of boxes.");
  return list.map((entry: Record<string, unknown>, at) => {
    const numbers = ["left", "top", "width", "height"].map((key) => Number(entry?.[key]));
    if (!numbers.every(Number.isFinite)) throw new Error(`Box ${at + 1} of the initial value lacks left, top, width or height.`);
    const [left, top, width, height] = numbers as [number, number, number, number];
    return fitted({ left, top, width, height, label: String(entry["label"] ?? ""), attributes: parseValues(entry[ATTRIBUTES_KEY]) }, size);
  });
}
