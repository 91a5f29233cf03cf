"""Overlap of boxes given as x1 y1 x2 y2, for many images at once. It must not know what the boxes mean."""

import math

import torch
from torch import Tensor


def area(boxes: Tensor) -> Tensor:
    """[..., 4] -> [...]; 0 for boxes with negative sides."""
    return (boxes[..., 2] - boxes[..., 0]).clamp(min=0) * (boxes[..., 3] - boxes[..., 1]).clamp(min=0)


def pairwise_iou(first: Tensor, second: Tensor) -> Tensor:
    """[N, M, 4] and [N, A, 4] (or [1, A, 4]) -> IoU [N, M, A]; 0 for two empty boxes."""
    # One side at a time: a last dimension of 2 is slow to reduce, and twice the memory.
    one, other = first[:, :, None], second[:, None]
    across = torch.minimum(one[..., 2], other[..., 2]) - torch.maximum(one[..., 0], other[..., 0])
    down = torch.minimum(one[..., 3], other[..., 3]) - torch.maximum(one[..., 1], other[..., 1])
    inter = across.clamp_(min=0).mul_(down.clamp_(min=0))
    return inter / (area(one) + area(other) - inter).clamp_(min=1e-6)


def complete_iou(found: Tensor, target: Tensor) -> Tensor:
    """CIoU of matching rows [..., 4] (arXiv:1911.08287, equations 6 to 11)."""
    low, high = torch.maximum(found[..., :2], target[..., :2]), torch.minimum(found[..., 2:], target[..., 2:])
    sides = (high - low).clamp(min=0)
    inter = sides[..., 0] * sides[..., 1]
    iou = inter / (area(found) + area(target) - inter).clamp(min=1e-6)
    span = torch.maximum(found[..., 2:], target[..., 2:]) - torch.minimum(found[..., :2], target[..., :2])
    apart = ((found[..., :2] + found[..., 2:] - target[..., :2] - target[..., 2:]) ** 2).sum(-1) / 4
    angle = _slope(target) - _slope(found)
    shape = 4 / math.pi**2 * angle**2
    with torch.no_grad():
        share = shape / (1 - iou + shape).clamp(min=1e-6)
    return iou - apart / (span**2).sum(-1).clamp(min=1e-6) - share * shape


def _slope(boxes: Tensor) -> Tensor:
    return torch.atan((boxes[..., 2] - boxes[..., 0]) / (boxes[..., 3] - boxes[..., 1]).clamp(min=1e-3))
