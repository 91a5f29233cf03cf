/** Masks as pages show them, by run lengths, against the server's own encoding. */
import { describe, expect, it } from "vitest";
import { labelColour } from "../src/labels/colours";
import { classColours, drawnSize, paintRuns, runLengths } from "../src/masks/view";

/** COCO's text, as labeling/formats/masks.py writes it. */
function packed(counts: number[]): string {
  return counts.map((count, place) => {
    let [value, text] = [place > 2 ? count - counts[place - 2]! : count, ""];
    for (;;) {
      const bits = value & 31;
      value >>= 5;
      const done = value === (bits & 16 ? -1 : 0);
      text += String.fromCharCode((done ? bits : bits | 32) + 48);
      if (done) return text;
    }
  }).join("");
}

describe("run lengths", () => {
  it("are read as they were written", () => {
    // as labeling/formats/masks.py packs them
    for (const counts of [[0, 4], [1, 1, 1, 3, 1, 1, 1], [20, 300, 5, 7, 100_000, 2, 99_999, 40, 1]]) expect(runLengths(packed(counts))).toEqual(counts);
    expect(runLengths("11120N0")).toEqual([1, 1, 1, 3, 1, 1, 1]);
    expect(runLengths("")).toEqual([]);
  });

  it("that are damaged are refused", () => {
    expect(() => runLengths("\u007f")).toThrow("damaged at character 1");
    expect(() => runLengths("o")).toThrow("damaged at character 2");
  });

  it("are painted column by column, at the size of the canvas", () => {
    const picture = { width: 4, height: 2 };
    const values = new Uint8Array(8);
    paintRuns(values, picture, picture, packed([1, 4, 3]), 7); // from the bottom of the first column to the top of the third
    expect([...values]).toEqual([0, 7, 7, 0, 7, 7, 0, 0]);
    const large = { width: 40, height: 20 };
    const small = new Uint8Array(8);
    paintRuns(small, picture, large, packed([200, 400, 200]), 1); // columns 10 to 29
    expect([...small]).toEqual([0, 1, 1, 0, 0, 1, 1, 0]);
  });
});

describe("canvases", () => {
  it("are at most as large as can be seen", () => {
    expect(drawnSize({ width: 640, height: 480 })).toEqual({ width: 640, height: 480 });
    expect(drawnSize({ width: 8192, height: 100 })).toEqual({ width: 1024, height: 13 });
  });

  it("have the same colours for a class in every layer", () => {
    const colours = classColours([{ segments: [{ label: "wasp" }] }, undefined, { segments: [{ label: "bee" }, { label: "bee" }] }]);
    expect([...colours.keys()]).toEqual(["bee", "wasp"]);
    expect(new Set(colours.values()).size).toBe(2);
  });

  it("have the colours that the tools give to the classes of the job", () => {
    const masks = { segments: [{ label: "wasp" }, { label: "ant" }, { label: "bee" }] };
    expect([...classColours([masks], ["fly", "wasp", "bee"])]).toEqual([["wasp", labelColour(1)], ["bee", labelColour(2)], ["ant", labelColour(3)]]);
  });
});
