"""The true boxes of a batch as one tensor, so that they reach the device in one copy and the losses need no loop.

It must not know images, networks or losses.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

Target = dict[str, Tensor]  # boxes float32 [n, 4] as x1 y1 x2 y2 in input pixels, labels int64 [n] from 1
COLUMNS = 5  # x1 y1 x2 y2 label; label 0: this row holds no object
WIDTH_STEP = 8  # rows are padded to a multiple of this, so that few widths occur


def padded(targets: Sequence[Target] | Tensor) -> Tensor:
    """The targets of N images as float32 [N, M, 5], M being the same for all; a tensor is taken as such already."""
    if isinstance(targets, Tensor):
        return targets
    device = targets[0]["boxes"].device
    rows = torch.zeros(len(targets), width(max(len(target["labels"]) for target in targets)), COLUMNS, device=device)
    for place, target in enumerate(targets):
        rows[place, : len(target["labels"]), :4] = target["boxes"]
        rows[place, : len(target["labels"]), 4] = target["labels"].to(rows.dtype)
    return rows


def from_arrays(found: Sequence[tuple[np.ndarray, np.ndarray]]) -> Tensor:
    """As `padded`, from boxes [n, 4] and labels [n] of each image."""
    rows = np.zeros((len(found), width(max(len(labels) for _, labels in found)), COLUMNS), np.float32)
    for place, (boxes, labels) in enumerate(found):
        rows[place, : len(labels), :4], rows[place, : len(labels), 4] = boxes, labels
    return torch.from_numpy(rows)


def width(most: int) -> int:
    """M for images of which none has more than `most` objects."""
    return max(1, -(-most // WIDTH_STEP)) * WIDTH_STEP


def parts(rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Boxes float32 [N, M, 4], labels int64 [N, M] (0 where there is no object), and where there is one [N, M]."""
    labels = rows[..., 4].long()
    return rows[..., :4], labels, labels > 0
