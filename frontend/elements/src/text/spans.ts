/** Stretches of a text by their offsets, which count Unicode code points as Ground Truth does. Pure. */

export interface Stretch<S> { text: string; start: number; end: number; spans: S[] }

/** The text cut at every end of a span: its pieces in order, each with the spans that hold it. Spans reach no further than the text. */
export function stretches<S extends { start: number; end: number }>(text: string, spans: readonly S[]): Stretch<S>[] {
  const points = [...text];
  const cuts = new Set([0, points.length]);
  for (const { start, end } of spans) for (const place of [start, end]) if (place > 0 && place < points.length) cuts.add(place);
  const places = [...cuts].sort((a, b) => a - b);
  return places.slice(0, -1).map((start, at) => {
    const end = places[at + 1]!;
    return { text: points.slice(start, end).join(""), start, end, spans: spans.filter((span) => span.start < end && span.end > start) };
  });
}
