/** A label category configuration as rows of a form, and back. */
import { describe, expect, it } from "vitest";
import { emptyRow, labelsOf, readDocument, rowsOf, withRows } from "../src/labels/config-document";

const DOCUMENT = {
  "document-version": "2018-11-28",
  instructions: { shortInstruction: "Look closely." },
  labels: [
    { label: "bee", shortDisplayName: "b", categoryAttributes: [{ name: "caste", type: "string", description: "which", enum: ["worker", "queen"], isRequired: true }] },
    { label: "wasp" },
  ],
  categoryGlobalAttributes: [{ name: "age", type: "number", minimum: 0, maximum: 40 }],
};

describe("a configuration as rows", () => {
  it("comes back equal, with what rows do not show", () => {
    const rows = rowsOf(DOCUMENT);
    expect(rows.map(({ label, name, kind }) => [label, name, kind])).toEqual([["", "age", "number"], ["bee", "caste", "choice"]]);
    expect(rows[1]).toMatchObject({ choices: "worker, queen", required: true, rest: { description: "which" } });
    expect(JSON.parse(withRows(DOCUMENT, rows))).toEqual(DOCUMENT);
    const legs = { labels: [{ label: "bee", categoryAttributes: [{ name: "legs", type: "number", enum: ["4", "6"] }] }] };
    expect(JSON.parse(withRows(legs, rowsOf(legs))).labels).toEqual(legs.labels);
  });

  it("begins with nothing and ends with nothing", () => {
    expect(readDocument("  ")).toEqual({});
    expect(withRows({}, [])).toBe("");
    const made = withRows({}, [{ ...emptyRow(), label: "bee", name: " caste ", choices: "worker, queen,, worker" }]);
    expect(JSON.parse(made)).toEqual({
      "document-version": "2018-11-28", labels: [{ label: "bee", categoryAttributes: [{ name: "caste", type: "string", enum: ["worker", "queen"] }] }],
    });
    expect(labelsOf(JSON.parse(made) as Record<string, unknown>)).toEqual(["bee"]);
    expect(withRows({ "document-version": "2018-11-28" }, [])).toBe("");
  });

  it("forgets what another kind had", () => {
    const [age, caste] = rowsOf(DOCUMENT);
    const changed = JSON.parse(withRows(DOCUMENT, [{ ...age!, kind: "text" }, { ...caste!, kind: "number", minimum: "1" }])) as typeof DOCUMENT;
    expect(changed.categoryGlobalAttributes).toEqual([{ name: "age", type: "string" }]);
    expect(changed.labels[0]!.categoryAttributes).toEqual([{ name: "caste", type: "number", description: "which", minimum: 1, isRequired: true }]);
  });

  it("says what is no document", () => {
    expect(() => readDocument("[1]")).toThrow("a JSON object is expected");
    expect(() => readDocument("{")).toThrow();
  });
});
