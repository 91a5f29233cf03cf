"""The losses of both detectors written image by image, as plainly as they can be: what the fast ones must equal."""

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.models.detection._utils import BoxCoder, SSDMatcher
from torchvision.ops import box_iou

from learning.vision import compact_loss
from learning.vision.boxes import complete_iou
from learning.vision.targets import Target


def ssd(logits: Tensor, codes: Tensor, anchors: Tensor, targets: list[Target]) -> dict[str, Tensor]:
    """With torchvision's own matcher and coder; at least six negatives an image."""
    labels = torch.zeros(logits.shape[:2], dtype=torch.int64)
    box_loss = codes.sum() * 0
    for row, target in enumerate(targets):
        if not len(target["boxes"]):
            continue
        matched = SSDMatcher(0.5)(box_iou(target["boxes"], anchors))
        positive = torch.where(matched >= 0)[0]
        labels[row, positive] = target["labels"][matched[positive]]
        wanted = BoxCoder(weights=(10.0, 10.0, 5.0, 5.0)).encode_single(
            target["boxes"][matched[positive]], anchors[positive]
        )
        box_loss = box_loss + F.smooth_l1_loss(codes[row, positive], wanted, reduction="sum")
    each = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view_as(labels)
    positive = labels > 0
    quota = (3 * positive.sum(1, keepdim=True)).clamp(min=6)
    negative = each.detach().masked_fill(positive, -torch.inf)
    mined = (negative.argsort(1, descending=True).argsort(1) < quota) & ~positive
    count = positive.sum().clamp(min=len(targets))
    return {"classification": each[positive | mined].sum() / count, "boxes": box_loss / count}


def compact(
    logits: Tensor, sides: Tensor, boxes: Tensor, centres: Tensor, strides: Tensor, targets: list[Target]
) -> dict[str, Tensor]:
    """arXiv:2108.07755's assignment box by box, and the losses of the assigned cells only."""
    soft, total = torch.zeros_like(logits), torch.zeros(())
    box_terms, side_terms = [logits.sum() * 0], [logits.sum() * 0]
    for row, target in enumerate(targets):
        if not len(target["boxes"]):
            continue
        strength, matched = _assigned(logits[row], boxes[row].detach(), centres, strides, target)
        total = total + strength.sum()
        for cell in torch.where(strength > 0)[0].tolist():
            box, label = target["boxes"][matched[cell]], target["labels"][matched[cell]]
            soft[row, cell, label - 1] = strength[cell]
            box_terms.append(strength[cell] * (1 - complete_iou(boxes[row, cell], box)))
            reach = torch.cat([centres[cell] - box[:2], box[2:] - centres[cell]]) / strides[cell]
            reach = reach.clamp(0, sides.shape[-1] - 1.01)
            for side in range(4):
                low = int(reach[side])
                log, share = sides[row, cell, side].log_softmax(-1), reach[side] - low
                side_terms.append(-strength[cell] * (log[low] * (1 - share) + log[low + 1] * share) / 4)
    total = total.clamp(min=1.0)
    return {
        "classification": F.binary_cross_entropy_with_logits(logits, soft, reduction="sum") / total,
        "bbox_regression": 7.5 * torch.stack(box_terms).sum() / total,
        "distribution": 1.5 * torch.stack(side_terms).sum() / total,
    }


def _assigned(logits: Tensor, boxes: Tensor, centres: Tensor, strides: Tensor, target: Target) -> tuple[Tensor, Tensor]:
    iou = box_iou(target["boxes"], boxes)
    wanted: list[list[int]] = [[] for _ in centres]  # the boxes that want each cell
    alignment = torch.zeros_like(iou)
    for index, (box, label) in enumerate(zip(target["boxes"], target["labels"], strict=True)):
        middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
        near = (centres - middle).abs() < torch.maximum(half, 0.5 * strides[:, None] + 1e-3)
        inside = near.all(1)
        alignment[index] = logits[:, label - 1].detach().sigmoid().sqrt() * iou[index] ** 6
        ranked = (alignment[index] + 1e-9).masked_fill(~inside, -1.0).topk(compact_loss.TOP_CELLS).indices
        for cell in ranked[inside[ranked]].tolist():
            wanted[cell].append(index)
    matched, mine = torch.zeros(len(centres), dtype=torch.int64), torch.zeros_like(iou, dtype=torch.bool)
    for cell, indices in enumerate(wanted):
        if indices:
            best = max(indices, key=lambda index: float(iou[index, cell]))
            matched[cell], mine[best, cell] = best, True
    alignment, iou = alignment * mine, iou * mine
    strength = alignment / alignment.amax(1, keepdim=True).clamp(min=1e-12) * iou.amax(1, keepdim=True)
    return strength.amax(0), matched
