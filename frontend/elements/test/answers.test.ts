/** Rankings, questions about a text and the fields of a document, without a screen. */
import { describe, expect, it } from "vitest";
import { type Block, answerBlocks, asRead, fieldsOf, lack as fieldLack, readBlocks, readKeys } from "../src/answers/document";
import { fit as questionsFit, lack, placesOf, questionsAnswer, quoteOf } from "../src/answers/questions";
import { fit, noRanks, ranked, rankingAnswer, readDimensions, readResponses, unranked } from "../src/answers/ranking";
import { Steps } from "../src/answers/steps";

describe("steps", () => {
  it("of typing in one place are undone together, and a new step ends what could be redone", () => {
    const steps = new Steps("");
    steps.go("a", "field");
    steps.go("ab", "field");
    steps.go("ab!", null);
    expect([steps.undo(), steps.now, steps.undo(), steps.now, steps.undo()]).toEqual([true, "ab", true, "", false]);
    expect([steps.redo(), steps.now]).toEqual([true, "ab"]);
    steps.go("c", "field");
    expect([steps.redo(), steps.draft]).toEqual([false, { now: "c", past: ["", "ab"], future: [] }]);
  });

  it("of a draft that do not fit are left out", () => {
    const steps = new Steps(1);
    steps.restore({ now: 3, past: [-1, 2], future: [4] }, (one) => one > 0);
    expect(steps.draft).toEqual({ now: 3, past: [2], future: [4] });
    steps.restore({ now: -1, past: [], future: [] }, (one) => one > 0);
    expect(steps.now).toBe(3);
  });
});

describe("a ranking", () => {
  it("gives a rank to one response only where ties are not allowed", () => {
    const [none] = [noRanks(2, 3)];
    let ranks = ranked(ranked(none, 0, 0, 1, false), 0, 1, 2, false);
    ranks = ranked(ranks, 0, 2, 1, false);
    expect(ranks[0]).toEqual([null, 2, 1]);
    ranks = ranked(ranks, 0, 1, 1, false);
    expect(ranks[0]).toEqual([null, 1, 2]);
    expect(ranked(ranked(none, 1, 0, 1, true), 1, 1, 1, true)[1]).toEqual([1, 1, null]);
    expect(unranked(ranks)).toEqual({ dimension: 0, response: 0 });
  });

  it("is answered with its dimensions once every rank is there", () => {
    const dimensions = readDimensions([{ name: "Clarity", allowTie: true }, "Tone"]);
    expect(rankingAnswer(dimensions, [[1, null], [1, 2]])).toBeNull();
    expect(rankingAnswer(dimensions, [[1, 1], [2, 1]])).toEqual({
      ordinalRankingDimensions: [{ name: "Clarity", allowTie: true, responseRankings: [1, 1] }, { name: "Tone", allowTie: false, responseRankings: [2, 1] }],
    });
    expect([fit([[1, null]], 1, 2), fit([[1]], 1, 2), fit([[3, 1]], 1, 2), fit(null, 1, 2)]).toEqual([true, false, false, false]);
  });

  it("says what is wrong with its attributes", () => {
    expect(() => readDimensions([])).toThrow("names no dimension");
    expect(() => readDimensions([{ allowTie: true }])).toThrow("Dimension 1");
    expect(() => readResponses("x")).toThrow('"responses" holds no response');
    expect(() => readResponses(["a", 5])).toThrow("Response 2 is no text");
    expect(readResponses(["a", { text: "b" }])).toEqual(["a", "b"]);
  });
});

describe("questions about a text", () => {
  const text = "😀 Ada\r\nmet Bo. ";
  const pair = { question: " Who met Bo? ", answer: "Ada", tags: ["Who"], quotes: [{ start: 2, end: 5 }] };
  const free = { least: 1, most: null };

  it("quote what a field selects, in code points", () => {
    expect(quoteOf(text, 2, 7)).toEqual({ start: 2, end: 5 });
    expect(quoteOf(text, 7, 11)).toEqual({ start: 7, end: 10 });
    expect(quoteOf(text, 6, 7)).toBeNull();
    expect(placesOf(text, { start: 7, end: 10 })).toEqual([7, 10]);
  });

  it("are answered with what they quote", () => {
    expect(questionsAnswer([pair], text)).toEqual({
      questionAnswerPairs: [{ question: "Who met Bo?", answer: "Ada", questionTags: ["Who"], textReferences: [{ startOffset: 2, endOffset: 5, text: "Ada" }] }],
    });
    expect([questionsFit([pair], 15), questionsFit([pair], 4), questionsFit([{ question: "" }], 4)]).toEqual([true, false, false]);
  });

  it("keep to their limits", () => {
    const limits = { pairs: free, question: { least: 1, most: 3 }, answer: { least: 2, most: null } };
    expect(lack([], limits)?.says).toBe("Write at least 1 question.");
    expect(lack([pair], limits)).toEqual({ says: "Write at least 2 words as answer 1.", at: 0, part: "answer" });
    expect(lack([{ ...pair, question: "a b c d" }], limits)?.says).toBe("Write at most 3 words as question 1.");
    expect(lack([pair, pair], { pairs: { least: 1, most: 1 }, question: free, answer: free })?.says).toBe("Write at most 1 question.");
    expect(lack([pair], { pairs: free, question: free, answer: free })).toBeNull();
  });
});

describe("a document", () => {
  const word = (id: string, text: string): Block => ({ blockType: "WORD", id, text });
  const set = (kind: string, id: string, relationships: Block["relationships"]): Block => ({ blockType: "KEY_VALUE_SET", id, entityTypes: [kind], relationships, confidence: 38.4 });
  const blocks: Block[] = [
    set("KEY", "k", [{ type: "VALUE", ids: ["v"] }, { type: "CHILD", ids: ["w1"] }]),
    { ...set("VALUE", "v", [{ type: "CHILD", ids: ["w2", "w3"] }]), geometry: { boundingBox: { left: 0.1, top: 0.2, width: 0.3, height: 0.4 } } },
    word("w1", "Name:"), word("w2", "Ada"), word("w3", "L."),
  ];
  const keys = readKeys([{ importantFormKey: "Full name", importantFormKeyAliases: ["name"] }, { importantFormKey: "Date" }, { importantFormKey: "*" }]);
  const fields = fieldsOf(blocks, keys);

  it("has fields, and the important keys that are missing", () => {
    expect(fields).toEqual([
      { key: "Name:", text: "Ada L.", block: "k", values: ["v"], places: [{ left: 0.1, top: 0.2, width: 0.3, height: 0.4 }] },
      { key: "Date", text: "", block: null, values: [], places: [] },
    ]);
    expect(fieldLack(fields, asRead(fields))).toEqual({ says: "Write the value of “Date”, or say that it is blank or that the key is not there.", at: 1 });
  });

  it("is answered with the blocks as they were where nothing is corrected", () => {
    const [read] = asRead(fields);
    expect(answerBlocks(blocks, fields, [read!, { text: "", blank: false, none: true }])).toEqual(blocks);
  });

  it("is answered with other words, no words, and without what is no field", () => {
    const date = { text: "May", blank: false, none: false };
    const [, value] = answerBlocks(blocks, fields, [{ text: "Bo", blank: false, none: false }, date]);
    expect(value).toEqual({ ...blocks[1], text: "Bo", relationships: [{ type: "CHILD", ids: ["v/text"] }] });
    const blank = answerBlocks(blocks, fields, [{ text: "Ada L.", blank: true, none: false }, { ...date, none: true }]);
    expect(blank[1]).toEqual({ ...blocks[1], text: "", relationships: [] });
    const gone = answerBlocks(blocks, fields, [{ text: "", blank: false, none: true }, date]);
    expect(gone.map(({ id }) => id)).toEqual(["w1", "w2", "w3", "key/Date", "key/Date/text", "value/Date", "value/Date/text"]);
    expect(gone[3]).toEqual({
      blockType: "KEY_VALUE_SET", id: "key/Date", entityTypes: ["KEY"], text: "Date",
      relationships: [{ type: "VALUE", ids: ["value/Date"] }, { type: "CHILD", ids: ["key/Date/text"] }],
    });
  });

  it("says which block is wrong", () => {
    expect(readBlocks({ blocks })).toEqual(blocks);
    expect(() => readBlocks("x")).toThrow("no list of blocks");
    expect(() => readBlocks([blocks[0], {}])).toThrow("Block 2");
  });
});
