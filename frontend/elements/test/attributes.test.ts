/** Attributes of labels, by Ground Truth's label category configuration. */
import { expect, test } from "vitest";
import { toAnswer } from "../src/boxes/answer";
import { BoxEditor } from "../src/boxes/editor";
import { known, missing, parseAttributes, valueOf } from "../src/labels/attributes";
import { parseLabels } from "../src/labels/labels";

const CONFIG = {
  "document-version": "2020-03-01",
  labels: [
    { label: "bee", categoryAttributes: [{ name: "caste", type: "string", enum: ["worker", "queen"], isRequired: true }] },
    { label: "flower", categoryAttributes: [{ name: "petals", type: "number", minimum: 3, maximum: 20 }] },
  ],
  categoryGlobalAttributes: [{ name: "occluded", type: "string", enum: ["true", "false"], editsAllowed: "none" }],
};

test("a configuration gives each label its own attributes and those of all", () => {
  const labels = parseLabels(CONFIG);
  expect(labels.map(({ attributes }) => attributes?.map(({ name }) => name))).toEqual([["occluded", "caste"], ["occluded", "petals"]]);
  expect(labels[0]!.attributes![0]).toMatchObject({ type: "string", choices: ["true", "false"], required: false, editable: false });
  expect(parseLabels(["bee"])[0]).not.toHaveProperty("attributes");
});

test("a wrong configuration is refused with the name of what is wrong", () => {
  expect(() => parseAttributes({}, "x")).toThrow("The attributes of x are not a list.");
  expect(() => parseAttributes([{}], "x")).toThrow("Attribute 1 of x has no name.");
  expect(() => parseAttributes([{ name: "a", type: "date" }], "x")).toThrow('"a" of x has the type "date"');
  expect(() => parseAttributes([{ name: "a" }, { name: "a" }], "x")).toThrow('"a" of x is there twice');
  expect(() => parseLabels([{ label: "bee", categoryAttributes: [{ name: "a", enum: "b" }] }])).toThrow('"a" of the label "bee" has an enum that is not a list');
});

test("values are of the attribute's type, list and range, or none", () => {
  const [text, number] = parseAttributes([{ name: "t", enum: ["a"] }, { name: "n", type: "number", minimum: 3 }], "x");
  expect([valueOf(text!, "a"), valueOf(text!, "b"), valueOf(number!, "3.5"), valueOf(number!, "2"), valueOf(number!, "many"), valueOf(number!, "")])
    .toEqual(["a", undefined, 3.5, undefined, undefined, undefined]);
});

test("a box takes its attributes into the answer, and loses those that another label does not know", () => {
  const editor = new BoxEditor({ width: 640, height: 480 }, parseLabels(CONFIG), { changed: () => undefined, shown: () => undefined, say: () => undefined });
  editor.load([{ label: "bee", left: 1, top: 2, width: 30, height: 40, "label-category-attributes": { occluded: "true", odd: { a: 1 } } }]);
  editor.step(1);
  expect(missing(editor.attributesOf(editor.shape!), editor.shape!.attributes)?.name).toBe("caste");
  editor.setAttribute("caste", "queen");
  const box = { height: 40, label: "bee", left: 1, top: 2, width: 30, "label-category-attributes": { caste: "queen", occluded: "true" } };
  expect(toAnswer(editor.answer, editor.size, null).boundingBoxes).toEqual([box]);
  expect(JSON.stringify(editor.draft.boxes)).toBe(JSON.stringify([box]));
  editor.setLabel(1);
  expect(editor.shape!.attributes).toEqual({ occluded: "true" });
  editor.undo();
  expect(editor.shape!.attributes).toEqual({ caste: "queen", occluded: "true" });
  editor.setAttribute("caste", undefined);
  editor.setAttribute("occluded", undefined);
  expect(toAnswer(editor.answer, editor.size, null).boundingBoxes[0]).not.toHaveProperty("label-category-attributes");
  expect(known(editor.attributesOf(editor.shape!), { caste: "drone" })).toEqual({});
});
