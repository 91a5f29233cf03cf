/** The pure parts around templates: which messages of a template's page count, keys of the page, samples of the editor. */
import { describe, expect, it } from "vitest";
import { sampleOf, shows } from "../src/editor/check";
import { actionOf } from "../src/shell/page-keys";
import { LONGEST_DRAFT, fromTemplate } from "../src/template/messages";

const press = (key: string, more: Partial<KeyboardEvent> = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, repeat: false, ...more });

describe("messages of a template's page", () => {
  it("are taken in their form and nothing beside it", () => {
    expect(fromTemplate({ waggle: "answer", answer: { a: 1 }, more: 2 })).toEqual({ waggle: "answer", answer: { a: 1 } });
    expect(fromTemplate({ waggle: "draft", draft: "[]", id: 3 })).toEqual({ waggle: "draft", draft: "[]" });
    const hotkeys = [{ keys: "A", does: "b", more: 1 }, { keys: 1, does: "c" }, null, { keys: "x".repeat(201), does: "d" }];
    expect(fromTemplate({ waggle: "key", action: "help", hotkeys })).toEqual({ waggle: "key", action: "help", hotkeys: [{ keys: "A", does: "b" }] });
    expect(fromTemplate({ waggle: "key", action: "submit", hotkeys: "all" })).toEqual({ waggle: "key", action: "submit", hotkeys: [] });
  });

  it("name commands whose keys a worker can choose, and no others", () => {
    const all = [{ keys: "N", does: "next box", action: "next", element: "crowd-bounding-box" }, { keys: "B", does: "brush", action: "brush", element: "crowd-bounding-box" },
      { keys: "N", does: "next", action: "next", element: "crowd-form" }, { keys: "N", does: "next", action: "next" }];
    const plain = all.slice(1).map(({ keys, does }) => ({ keys, does }));
    expect(fromTemplate({ waggle: "hotkeys", hotkeys: all })).toEqual({ waggle: "hotkeys", hotkeys: [all[0], ...plain] });
    expect(fromTemplate({ waggle: "key-answer", id: 1, refused: "x".repeat(300), more: 1 })).toEqual({ waggle: "key-answer", id: 1, refused: "x".repeat(200) });
    for (const data of [{ waggle: "key-answer", id: "1", refused: "" }, { waggle: "key-answer", id: 1 }, { waggle: "keys", keys: {} }]) expect(fromTemplate(data)).toBeNull();
  });

  it("are refused in any other form", () => {
    const refused = [
      null, "ready", [], {}, { waggle: "steal" }, { waggle: "answer" }, { waggle: "answer", answer: [] }, { waggle: "answer", answer: null },
      { waggle: "draft", draft: {} }, { waggle: "draft", draft: "x".repeat(LONGEST_DRAFT + 1) }, { waggle: "key", action: "decline" },
      { waggle: "key", action: "toString" }, { waggle: "key" }, { waggle: "input", type: 1 },
    ];
    for (const data of refused) expect(fromTemplate(data), JSON.stringify(data)?.slice(0, 60)).toBeNull();
  });
});

describe("keys of the page", () => {
  it("are these and no others", () => {
    expect(actionOf(press("Enter", { ctrlKey: true }))).toBe("submit");
    expect(actionOf(press("Enter", { metaKey: true, shiftKey: true }))).toBe("skip");
    expect(actionOf(press("?", { shiftKey: true }))).toBe("help");
    for (const one of [press("Enter"), press("?", { ctrlKey: true }), press("Enter", { ctrlKey: true, repeat: true }), press("Enter", { ctrlKey: true, altKey: true }), press("a")]) {
      expect(actionOf(one)).toBeNull();
    }
  });
});

describe("the editor", () => {
  it("reads samples, and says what is wrong with one", () => {
    expect(sampleOf(" \n")).toBeUndefined();
    expect(sampleOf('{"source": "a"}')).toEqual({ source: "a" });
    expect(() => sampleOf("[1]")).toThrow("The sample is no JSON object.");
    expect(() => sampleOf("{")).toThrow("The sample is no JSON: ");
  });

  it("shows a page in spite of errors that leave one", () => {
    const one = { level: "error", code: "no-name", line: 1, message: "" } as const;
    expect([shows([]), shows([one]), shows([{ ...one, code: "render" }])]).toEqual([true, true, false]);
  });
});
