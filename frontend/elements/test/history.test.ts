/** Unlimited undo and redo: going all the way back and forth gives every earlier answer. */
import { describe, expect, it } from "vitest";
import type { Box } from "../src/boxes/geometry";
import { History } from "../src/shapes/history";

const box = (id: number, left = id): Box => ({ id, left, top: 0, width: 10, height: 10, label: "bee" });

/** A small repeatable generator (mulberry32). */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

it("walks back and forth through a thousand random edits", () => {
  const next = random(7);
  const history = new History<Box>();
  const states = [JSON.stringify(history.answer)];
  let id = 1;
  while (states.length < 1000) {
    const boxes = history.answer.shapes;
    const at = boxes[Math.floor(next() * boxes.length)];
    const dice = next();
    if (dice < 0.4 || !at) history.add(box(id++));
    else if (dice < 0.75) history.replace({ ...at, left: Math.floor(next() * 1000) });
    else if (dice < 0.97) history.remove(at.id);
    else history.clear();
    const now = JSON.stringify(history.answer);
    if (now === states.at(-1)) history.undo(); // a step that changed nothing has no state of its own
    else states.push(now);
  }
  for (let k = states.length - 1; k > 0; k--) {
    expect(JSON.stringify(history.answer)).toBe(states[k]);
    history.undo();
  }
  expect(history.answer.shapes).toEqual([]);
  while (history.canRedo) history.redo();
  expect(JSON.stringify(history.answer)).toBe(states.at(-1));
});

describe("joining", () => {
  it("makes one step of nudges of one box, until something else happens", () => {
    const history = new History<Box>();
    history.add(box(1));
    history.add(box(2));
    for (const left of [2, 3, 4]) history.replace(box(1, left), "nudge:1");
    history.replace(box(2, 50), "nudge:2");
    history.undo();
    expect(history.find(2)?.left).toBe(2);
    expect(history.find(1)?.left).toBe(4);
    history.undo();
    expect(history.find(1)?.left).toBe(1);
    history.redo();
    expect(history.find(1)?.left).toBe(4);
  });

  it("begins a new step after seal()", () => {
    const history = new History<Box>({ shapes: [box(1)], nothing: false });
    history.replace(box(1, 5), "nudge:1");
    history.seal();
    history.replace(box(1, 6), "nudge:1");
    history.undo();
    expect(history.find(1)?.left).toBe(5);
  });
});

it("forgets what was undone once something new is done", () => {
  const history = new History<Box>();
  history.add(box(1));
  history.undo();
  history.add(box(2));
  expect(history.canRedo).toBe(false);
  expect(history.answer.shapes.map((one) => one.id)).toEqual([2]);
});

it("brings a deleted box back to its place in the list", () => {
  const history = new History<Box>({ shapes: [box(1), box(2), box(3)], nothing: false });
  history.remove(2);
  history.undo();
  expect(history.answer.shapes.map((one) => one.id)).toEqual([1, 2, 3]);
});

it("drops 'nothing to label' with the first box, and undo brings it back", () => {
  const history = new History<Box>();
  history.setNothing(true);
  history.add(box(1));
  expect(history.answer.nothing).toBe(false);
  history.undo();
  expect(history.answer).toEqual({ shapes: [], nothing: true });
});
