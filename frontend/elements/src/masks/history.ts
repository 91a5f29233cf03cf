/** The steps of painting a mask, with undo and redo. Pure. A step holds the tiles that it changed as runs; the oldest steps are
 *  forgotten when all of them together would take too much memory. */
import type { TileChange } from "./mask";

/** What a mask's values stand for: value k is entry k - 1. */
export interface Entry { readonly label: string; readonly color: string }
export interface Marks { readonly entries: readonly Entry[]; readonly nothing: boolean }
export interface MaskStep { tiles: readonly TileChange[]; before: Marks; after: Marks }

/** How many characters of runs are kept, one byte each. */
export const BUDGET = 64_000_000;

const weight = (step: MaskStep): number => step.tiles.reduce((sum, { before, after }) => sum + before.length + after.length, 200);

export class MaskHistory {
  private done: MaskStep[] = [];
  private undone: MaskStep[] = [];
  private held = 0;

  constructor(private readonly budget = BUDGET) {}

  get canUndo(): boolean { return this.done.length > 0; }
  get canRedo(): boolean { return this.undone.length > 0; }

  push(step: MaskStep): void {
    for (const gone of this.undone) this.held -= weight(gone);
    this.undone = [];
    this.done.push(step);
    this.held += weight(step);
    while (this.held > this.budget && this.done.length > 1) this.held -= weight(this.done.shift()!);
  }

  undo(): MaskStep | null {
    const step = this.done.pop() ?? null;
    if (step) this.undone.push(step);
    return step;
  }

  redo(): MaskStep | null {
    const step = this.undone.pop() ?? null;
    if (step) this.done.push(step);
    return step;
  }
}
