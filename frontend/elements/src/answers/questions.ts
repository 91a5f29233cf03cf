/** Questions about a text with their answers, and their form in the answer. Offsets count Unicode code points, the end is exclusive.
 *  Pure: knows nothing of the screen. */
import { msg, str } from "../locale";

export interface Quote { start: number; end: number }
export interface Pair { question: string; answer: string; tags: string[]; quotes: Quote[] }

/** How many pairs, and how many words in each of their texts; null: as many as one likes. */
export interface Limits { pairs: Range; question: Range; answer: Range }
export interface Range { least: number; most: number | null }

export interface QuestionsAnswer {
  questionAnswerPairs: { question: string; answer: string; questionTags: string[]; textReferences: { startOffset: number; endOffset: number; text: string }[] }[];
}

export const noPair = (): Pair => ({ question: "", answer: "", tags: [], quotes: [] });

export const wordsIn = (text: string): number => text.split(/\s+/).filter(Boolean).length;

/** Why a number of things is not right, as the end of a sentence; "" when it is. */
function outOf({ least, most }: Range, count: number, one: string): string {
  const many = (number: number) => `${number} ${one}${number === 1 ? "" : "s"}`;
  if (count < least) return `at least ${many(least)}`;
  return most !== null && count > most ? `at most ${many(most)}` : "";
}

/** What is missing: a sentence, and which text of which pair lacks it. */
export function lack(pairs: readonly Pair[], limits: Limits): { says: string; at: number; part: "question" | "answer" } | null {
  const number = outOf(limits.pairs, pairs.length, "question");
  if (number) return { says: msg(str`Write ${number}.`), at: Math.max(pairs.length - 1, 0), part: "question" };
  for (const [at, pair] of pairs.entries()) {
    for (const part of ["question", "answer"] as const) {
      const words = outOf(limits[part], wordsIn(pair[part]), "word");
      if (words) return { says: msg(str`Write ${words} as ${part} ${at + 1}.`), at, part };
    }
  }
  return null;
}

export function questionsAnswer(pairs: readonly Pair[], text: string): QuestionsAnswer {
  const points = [...text];
  return {
    questionAnswerPairs: pairs.map(({ question, answer, tags, quotes }) => ({
      question: question.trim(), answer: answer.trim(), questionTags: [...tags],
      textReferences: quotes.map(({ start, end }) => ({ startOffset: start, endOffset: end, text: points.slice(start, end).join("") })),
    })),
  };
}

/** The stretch that is selected in a field, whose places count UTF-16 units with each line end as one, without the white space around
 *  it; null where there is nothing else. */
export function quoteOf(text: string, from: number, to: number): Quote | null {
  const [low, high] = [unitOf(text, from), unitOf(text, to)];
  const chosen = text.slice(low, high);
  const start = [...text.slice(0, low + chosen.length - chosen.trimStart().length)].length;
  const end = start + [...chosen.trim()].length;
  return start < end ? { start, end } : null;
}

/** The same stretch as the field counts it. */
export function placesOf(text: string, { start, end }: Quote): [number, number] {
  const before = (point: number) => [...text].slice(0, point).join("").replaceAll("\r\n", "\n").length;
  return [before(start), before(end)];
}

/** The place in the text of a place in a field, where "\r\n" is one unit. */
function unitOf(text: string, place: number): number {
  let unit = 0;
  for (let seen = 0; seen < place && unit < text.length; seen++) unit += text.startsWith("\r\n", unit) ? 2 : 1;
  return unit;
}

/** Whether pairs, of a draft for instance, belong to a text of so many code points. */
export function fit(pairs: unknown, length: number): pairs is Pair[] {
  const quote = (one: Quote) => Number.isInteger(one.start) && Number.isInteger(one.end) && one.start >= 0 && one.start < one.end && one.end <= length;
  return Array.isArray(pairs) && pairs.every((one: Pair) => typeof one?.question === "string" && typeof one.answer === "string"
    && Array.isArray(one.tags) && one.tags.every((tag) => typeof tag === "string") && Array.isArray(one.quotes) && one.quotes.every(quote));
}
