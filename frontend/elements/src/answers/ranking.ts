/** Ranks of responses in several dimensions, and their form in the answer. Pure: knows nothing of the screen. */

export interface Dimension { readonly name: string; readonly allowTie: boolean }

/** For each dimension the rank of each response, 1 the best; null: not ranked yet. */
export type Ranks = (number | null)[][];

export interface RankingAnswer { ordinalRankingDimensions: (Dimension & { responseRankings: number[] })[] }

/** Dimensions from the attribute: objects with `name` and perhaps `allowTie`, or names. Throws an Error on anything else. */
export function readDimensions(raw: unknown): Dimension[] {
  if (!Array.isArray(raw) || raw.length === 0) throw new Error('The attribute "ordinal-ranking-dimensions" names no dimension.');
  return raw.map((one: unknown, at) => {
    const { name, allowTie } = (typeof one === "object" && one !== null ? one : { name: one }) as { name?: unknown; allowTie?: unknown };
    if (typeof name !== "string" || !name) throw new Error(`Dimension ${at + 1} of "ordinal-ranking-dimensions" has no name.`);
    return { name, allowTie: allowTie === true || allowTie === "true" };
  });
}

/** Responses from the attribute: texts, or objects with `text`. Throws an Error on anything else. */
export function readResponses(raw: unknown): string[] {
  if (!Array.isArray(raw) || raw.length === 0) throw new Error('The attribute "responses" holds no response.');
  return raw.map((one: unknown, at) => {
    const text = typeof one === "object" && one !== null ? (one as { text?: unknown }).text : one;
    if (typeof text !== "string") throw new Error(`Response ${at + 1} is no text.`);
    return text;
  });
}

export const noRanks = (dimensions: number, responses: number): Ranks => Array.from({ length: dimensions }, () => Array<null>(responses).fill(null));

/** Gives a response a rank. Where ties are not allowed, the response that had the rank gets the one that this response had. */
export function ranked(ranks: Ranks, dimension: number, response: number, rank: number, allowTie: boolean): Ranks {
  return ranks.map((row, at) => {
    if (at !== dimension) return row;
    const before = row[response] ?? null;
    return row.map((one, place) => (place === response ? rank : one === rank && !allowTie ? before : one));
  });
}

/** The first place that has no rank, or null. */
export function unranked(ranks: Ranks): { dimension: number; response: number } | null {
  for (const [dimension, row] of ranks.entries()) {
    const response = row.indexOf(null);
    if (response >= 0) return { dimension, response };
  }
  return null;
}

/** The answer, or null as long as a rank is missing. */
export function rankingAnswer(dimensions: readonly Dimension[], ranks: Ranks): RankingAnswer | null {
  if (unranked(ranks)) return null;
  return { ordinalRankingDimensions: dimensions.map((one, at) => ({ ...one, responseRankings: ranks[at]!.map((rank) => rank!) })) };
}

/** Whether ranks, of a draft for instance, belong to so many dimensions and responses. */
export function fit(ranks: unknown, dimensions: number, responses: number): ranks is Ranks {
  const rank = (one: unknown) => one === null || (typeof one === "number" && Number.isInteger(one) && one >= 1 && one <= responses);
  return Array.isArray(ranks) && ranks.length === dimensions && ranks.every((row) => Array.isArray(row) && row.length === responses && row.every(rank));
}
