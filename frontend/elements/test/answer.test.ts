// @vitest-environment happy-dom
/** The answer of a form, and the icons that templates name: what needs no screen. */
import { expect, it } from "vitest";
import { answerOf, flatten } from "../src/crowd/answer";
import { NAMES, glyphOf } from "../src/crowd/iron-icons";

/** A field as a crowd element is one: named, with an answer, perhaps one that joins others of its name. */
function field(name: string, answer: unknown, more: object = {}): HTMLElement {
  return Object.assign(document.createElement("crowd-any"), { name, _submittableValue: answer, ...more });
}

function given(...fields: HTMLElement[]): Record<string, unknown> {
  const form = document.createElement("form");
  form.append(...fields);
  return answerOf([form]);
}

it("has a key for each name, in the order of the page, and none for fields without an answer", () => {
  const answer = given(field("b", 1), field("a", null), field("empty", undefined), field("", 3), field("off", 4, { disabled: true }));
  expect(JSON.stringify(answer)).toBe('{"b":1,"a":null}');
});

it("makes one object of fields that join, and takes the last of those that do not", () => {
  expect(given(field("x", { a: true }, { joins: true }), field("x", { b: false }, { joins: true }))).toEqual({ x: { a: true, b: false } });
  expect(given(field("x", { a: true }), field("x", { b: false }))).toEqual({ x: { b: false } });
});

it("keeps names and values that mean something to JavaScript as they are", () => {
  const answer = given(field("__proto__", "p"), field("x", JSON.parse('{"__proto__": true}'), { joins: true }), field("x", { a: 1 }, { joins: true }));
  expect(JSON.stringify(answer)).toBe('{"__proto__":"p","x":{"__proto__":true,"a":1}}');
  expect(Object.getPrototypeOf(answer)).toBe(Object.prototype);
});

it("flattens objects in objects, and nothing else", () => {
  expect(flatten({ a: { b: { c: 1 }, d: [{ e: 2 }] }, f: null, g: {} })).toEqual({ "a.b.c": 1, "a.d": [{ e: 2 }], f: null });
});

it("has a drawing for every name of an icon, and a dot for others", () => {
  const dot = glyphOf("no-such-icon");
  expect(Object.keys(NAMES).filter((name) => glyphOf(name) === dot)).toEqual([]);
  expect(glyphOf("av:play-arrow")).toBe(glyphOf("play"));
  expect(glyphOf("search")).toContain("<svg");
});
