/** What the reader has selected in a text that is shown in pieces, each an element with `data-start`. Knows nothing of labels. */

interface Place { node: Node; offset: number }

/** Offsets, in code points, of the selection within `root`, or null where nothing in it is selected. */
export function selectedOffsets(root: ShadowRoot): { start: number; end: number } | null {
  const range = selectedRange(root);
  if (!range) return null;
  const start = offsetOf({ node: range.startContainer, offset: range.startOffset });
  const end = offsetOf({ node: range.endContainer, offset: range.endOffset });
  return start === null || end === null || start === end ? null : { start: Math.min(start, end), end: Math.max(start, end) };
}

/** Browsers tell of a selection within a shadow root in one of two ways. */
function selectedRange(root: ShadowRoot): StaticRange | Range | null {
  const selection = document.getSelection() as (Selection & { getComposedRanges?: (options: { shadowRoots: ShadowRoot[] }) => StaticRange[] }) | null;
  if (selection?.getComposedRanges) return selection.getComposedRanges({ shadowRoots: [root] })[0] ?? null;
  const inner = (root as ShadowRoot & { getSelection?: () => Selection | null }).getSelection?.() ?? selection;
  return inner && inner.rangeCount > 0 ? inner.getRangeAt(0) : null;
}

function offsetOf({ node, offset }: Place): number | null {
  if (node.nodeType === Node.TEXT_NODE) {
    const piece = node.parentElement?.closest<HTMLElement>("[data-start]");
    return piece ? Number(piece.dataset["start"]) + [...(node.textContent ?? "").slice(0, offset)].length : null;
  }
  // A place between elements: the start of the one after it, else the end of the one before it.
  const pieces = (node as Element).querySelectorAll?.<HTMLElement>("[data-start]") ?? [];
  const after = node.childNodes[offset];
  if (after instanceof HTMLElement && after.dataset["start"]) return Number(after.dataset["start"]);
  const own = (node as HTMLElement).dataset?.["start"];
  if (own) return Number(own) + (offset > 0 ? [...(node.textContent ?? "")].length : 0);
  for (const piece of pieces) if (after && (after.compareDocumentPosition(piece) & Node.DOCUMENT_POSITION_FOLLOWING || after === piece)) return Number(piece.dataset["start"]);
  const last = [...pieces].at(-1);
  return last ? Number(last.dataset["end"]) : null;
}
