"""The training targets and losses of the compact detector: which cells are assigned to which true box.

Task-aligned assignment and losses as in arXiv:2108.07755, arXiv:2006.04388 and arXiv:1911.08287. It must not know the
model, only its outputs.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

TOP_CELLS = 10  # Cells that are assigned to a box.
SCORE_POWER, IOU_POWER = 0.5, 6.0  # alignment = score^0.5 * IoU^6
CLASS_GAIN, BOX_GAIN, DISTRIBUTION_GAIN = 1.0, 7.5, 1.5
Truth = Sequence[tuple[Tensor, Tensor]]  # for each image: boxes [n, 4] xyxy px, classes [n] from 0


def losses(
    logits: Tensor,
    sides: Tensor,
    boxes: Tensor,
    centres: Tensor,
    strides: Tensor,
    truth: Truth,
    membership: Tensor | None = None,
) -> dict[str, Tensor]:
    """logits [N, A, C], sides [N, A, 4, bins], boxes [N, A, 4] px, centres [A, 2] px, strides [A] px.

    membership [kinds, C]: the outputs that are on for each class of the truth when they are several, the first
    of them on for all; without it class c turns on output c alone.
    """
    true_boxes, true_classes, exists = _padded(truth, logits)
    if membership is None:
        wanted = F.one_hot(true_classes, logits.shape[-1]).to(logits.dtype)  # [N, M, C]
        judge = true_classes
    else:
        wanted, judge = membership[true_classes], torch.zeros_like(true_classes)
    scores = logits.detach().sigmoid().gather(2, judge[:, None].expand(-1, logits.shape[1], -1)).transpose(1, 2)
    strength, matched = assign(scores, boxes.detach(), centres, strides, true_boxes, exists)
    soft = strength[..., None] * wanted.gather(1, matched[..., None].expand(-1, -1, logits.shape[-1]))
    total = strength.sum().clamp(min=1.0)
    classification = F.binary_cross_entropy_with_logits(logits, soft, reduction="sum") / total
    image, cell = (strength > 0).nonzero(as_tuple=True)
    weight, target = strength[image, cell], true_boxes[image, matched[image, cell]]
    box_loss = (weight * (1 - complete_iou(boxes[image, cell], target))).sum() / total
    reach = torch.cat([centres[cell] - target[:, :2], target[:, 2:] - centres[cell]], -1) / strides[cell, None]
    distribution = (weight * _distribution_loss(sides[image, cell], reach)).sum() / total
    return {
        "classification": CLASS_GAIN * classification,
        "bbox_regression": BOX_GAIN * box_loss,
        "distribution": DISTRIBUTION_GAIN * distribution,
    }


def assign(
    scores: Tensor, boxes: Tensor, centres: Tensor, strides: Tensor, true_boxes: Tensor, exists: Tensor
) -> tuple[Tensor, Tensor]:
    """The target score of each cell [N, A] (0: assigned to no box) and the index of its true box [N, A].

    scores [N, M, A]: each cell's score for the class of each true box. A cell may be assigned to a box that contains
    its centre; the TOP_CELLS best aligned ones are, each to the box it fits best.
    """
    iou = pairwise_iou(true_boxes, boxes)  # [N, M, A]
    middle = (true_boxes[..., :2] + true_boxes[..., 2:]) / 2
    half = (true_boxes[..., 2:] - true_boxes[..., :2]) / 2
    # A box thinner than a cell might contain no centre: every box is taken to reach at least half a stride.
    near = (centres - middle[:, :, None]).abs() < torch.maximum(half[:, :, None], 0.5 * strides[:, None] + 1e-3)
    may = near.all(-1) & exists[..., None]
    alignment = scores.pow(SCORE_POWER) * iou.pow(IOU_POWER) * may
    top = (alignment + may * 1e-9).topk(min(TOP_CELLS, alignment.shape[-1]), -1).indices
    taken = torch.zeros_like(may).scatter_(2, top, True) & may
    best = torch.where(taken, iou, -1.0).max(1)  # A cell that several boxes want is assigned to the one it fits best.
    chosen, matched = best.values >= 0, best.indices
    mine = taken & F.one_hot(matched, taken.shape[1]).transpose(1, 2).bool()
    alignment, iou = alignment * mine, iou * mine
    # The target of a box's best cell is its IoU; the others' are in proportion (arXiv:2108.07755, section 3.2).
    strength = alignment / alignment.amax(-1, keepdim=True).clamp(min=1e-12) * iou.amax(-1, keepdim=True)
    return strength.amax(1) * chosen, matched


def pairwise_iou(first: Tensor, second: Tensor) -> Tensor:
    """[N, M, 4] and [N, A, 4] -> IoU [N, M, A]."""
    low = torch.maximum(first[:, :, None, :2], second[:, None, :, :2])
    high = torch.minimum(first[:, :, None, 2:], second[:, None, :, 2:])
    inter = (high - low).clamp(min=0).prod(-1)
    return inter / (_area(first)[:, :, None] + _area(second)[:, None] - inter).clamp(min=1e-6)


def complete_iou(found: Tensor, target: Tensor) -> Tensor:
    """CIoU of matching rows [n, 4] (arXiv:1911.08287, equations 6 to 11)."""
    low, high = torch.maximum(found[:, :2], target[:, :2]), torch.minimum(found[:, 2:], target[:, 2:])
    inter = (high - low).clamp(min=0).prod(-1)
    iou = inter / (_area(found) + _area(target) - inter).clamp(min=1e-6)
    span = torch.maximum(found[:, 2:], target[:, 2:]) - torch.minimum(found[:, :2], target[:, :2])
    apart = ((found[:, :2] + found[:, 2:] - target[:, :2] - target[:, 2:]) ** 2).sum(-1) / 4
    found_size, target_size = found[:, 2:] - found[:, :2], target[:, 2:] - target[:, :2]
    angle = torch.atan(target_size[:, 0] / target_size[:, 1].clamp(min=1e-3)) - torch.atan(
        found_size[:, 0] / found_size[:, 1].clamp(min=1e-3)
    )
    shape = 4 / math.pi**2 * angle**2
    with torch.no_grad():
        share = shape / (1 - iou + shape).clamp(min=1e-6)
    return iou - apart / (span**2).sum(-1).clamp(min=1e-6) - share * shape


def _distribution_loss(sides: Tensor, reach: Tensor) -> Tensor:
    """Cross-entropy to the two bins beside the true distance (arXiv:2006.04388, equation 6); [n]."""
    last = sides.shape[-1] - 1
    reach = reach.clamp(0, last - 0.01)
    low = reach.long()
    share = reach - low
    log = sides.log_softmax(-1)
    at_low, at_high = (log.gather(-1, (low + step)[..., None])[..., 0] for step in (0, 1))
    return -(at_low * (1 - share) + at_high * share).mean(-1)


def _padded(truth: Truth, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    most = max(1, *(len(boxes) for boxes, _ in truth)) if len(truth) > 1 else max(1, len(truth[0][0]))
    boxes = like.new_zeros(len(truth), most, 4)
    classes = torch.zeros(len(truth), most, dtype=torch.int64, device=like.device)
    exists = torch.zeros(len(truth), most, dtype=torch.bool, device=like.device)
    for row, (found, labels) in enumerate(truth):
        boxes[row, : len(found)], classes[row, : len(found)], exists[row, : len(found)] = found, labels, True
    return boxes, classes, exists


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2] - boxes[..., 0]).clamp(min=0) * (boxes[..., 3] - boxes[..., 1]).clamp(min=0)
