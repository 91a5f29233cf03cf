"""The training targets and losses of the compact detector: which cells are assigned to which true box.

Task-aligned assignment and losses as in arXiv:2108.07755, arXiv:2006.04388 and arXiv:1911.08287. No step of it waits
for the device, and the number of its operations depends on neither the batch nor the objects in it. It must not know
the model, only its outputs.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from learning.vision import distributed
from learning.vision.boxes import complete_iou, pairwise_iou
from learning.vision.targets import parts

TOP_CELLS = 10  # Cells that are assigned to a box.
# Alignment is score^0.5 * IoU^6.
CLASS_GAIN, BOX_GAIN, DISTRIBUTION_GAIN = 1.0, 7.5, 1.5


def losses(
    logits: Tensor,
    sides: Tensor,
    boxes: Tensor,
    centres: Tensor,
    strides: Tensor,
    targets: Tensor,
    membership: Tensor | None = None,
) -> dict[str, Tensor]:
    """logits [N, A, C], sides [N, A, 4, bins], boxes [N, A, 4] px, centres [A, 2] px, strides [A] px, targets
    [N, M, 5] (see targets).

    membership [kinds, C]: the outputs that are on for each class of the truth when they are several, the first
    of them on for all; without it class c turns on output c alone.
    """
    true_boxes, labels, exists = parts(targets)
    true_classes = (labels - 1).clamp(min=0)
    if membership is None:
        outputs = torch.arange(logits.shape[-1], device=logits.device)
        wanted = (true_classes[..., None] == outputs).to(logits.dtype)  # [N, M, C]
        judge = true_classes
    else:
        wanted, judge = membership[true_classes], torch.zeros_like(true_classes)
    scores = logits.detach().sigmoid().gather(2, judge[:, None].expand(-1, logits.shape[1], -1)).transpose(1, 2)
    strength, matched = assign(scores, boxes.detach(), centres, strides, true_boxes, exists)
    soft = strength[..., None] * wanted.gather(1, matched[..., None].expand(-1, -1, logits.shape[-1]))
    # Divided by the strength in the whole batch, of all processes.
    share = distributed.processes() / distributed.summed(strength.sum()).clamp(min=1.0)
    classification = F.binary_cross_entropy_with_logits(logits, soft, reduction="sum")
    # No more cells can be assigned than these, so that their number need not be asked of the device.
    weight, cell = strength.topk(min(strength.shape[1], TOP_CELLS * exists.shape[1]), 1)
    target = _rows(true_boxes, matched.gather(1, cell))
    box_loss = weight * (1 - complete_iou(_rows(boxes, cell), target))
    centre = centres[cell]
    reach = torch.cat([centre - target[..., :2], target[..., 2:] - centre], -1) / strides[cell][..., None]
    distribution = weight * _distribution_loss(_rows(sides, cell), reach)
    return {
        "classification": CLASS_GAIN * classification * share,
        "bbox_regression": BOX_GAIN * box_loss.sum() * share,
        "distribution": DISTRIBUTION_GAIN * distribution.sum() * share,
    }


def assign(
    scores: Tensor, boxes: Tensor, centres: Tensor, strides: Tensor, true_boxes: Tensor, exists: Tensor
) -> tuple[Tensor, Tensor]:
    """The target score of each cell [N, A] (0: assigned to no box) and the index of its true box [N, A].

    scores [N, M, A]: each cell's score for the class of each true box. A cell may be assigned to a box that contains
    its centre; the TOP_CELLS best aligned ones are, each to the box it fits best.
    """
    iou = pairwise_iou(true_boxes, boxes)  # [N, M, A]
    may = exists[..., None] & _contains(true_boxes, centres, strides)
    square = iou * iou
    alignment = scores.sqrt() * (square * square * square) * may
    top = (alignment + may * 1e-9).topk(min(TOP_CELLS, alignment.shape[-1]), -1).indices
    taken = torch.zeros_like(may).scatter_(2, top, True) & may
    # A cell that several boxes want is assigned to the one it fits best.
    best, matched = iou.masked_fill(~taken, -1.0).max(1)
    objects = torch.arange(taken.shape[1], device=taken.device)
    mine = taken & (objects[:, None] == matched[:, None])
    alignment, iou = alignment * mine, iou * mine
    # The target of a box's best cell is its IoU; the others' are in proportion (arXiv:2108.07755, section 3.2).
    strength = alignment / alignment.amax(-1, keepdim=True).clamp(min=1e-12) * iou.amax(-1, keepdim=True)
    return strength.amax(1) * (best >= 0), matched


def _contains(true_boxes: Tensor, centres: Tensor, strides: Tensor) -> Tensor:
    """Whether each box [N, M, 4] contains each centre [A, 2]: [N, M, A].

    A box thinner than a cell might contain no centre: every box is taken to reach at least half a stride.
    """
    middle = (true_boxes[..., :2] + true_boxes[..., 2:]) / 2
    half = (true_boxes[..., 2:] - true_boxes[..., :2]) / 2
    least = 0.5 * strides + 1e-3
    across, down = (
        (centres[:, side] - middle[..., side, None]).abs() < torch.maximum(half[..., side, None], least)
        for side in (0, 1)
    )
    return across & down


def _rows(values: Tensor, places: Tensor) -> Tensor:
    """values [N, A, ...] at places [N, K] -> [N, K, ...]."""
    extra = values.shape[2:]
    return values.gather(1, places.view(*places.shape, *[1] * len(extra)).expand(*places.shape, *extra))


def _distribution_loss(sides: Tensor, reach: Tensor) -> Tensor:
    """Cross-entropy to the two bins beside the true distance (arXiv:2006.04388, equation 6): [..., 4, bins] -> [...]"""
    last = sides.shape[-1] - 1
    reach = reach.clamp(0, last - 0.01)
    low = reach.long()
    share = reach - low
    log = sides.log_softmax(-1)
    at_low, at_high = (log.gather(-1, (low + step)[..., None])[..., 0] for step in (0, 1))
    return -(at_low * (1 - share) + at_high * share).mean(-1)
