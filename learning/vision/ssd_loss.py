"""SSD's multi-box loss (Liu et al. 2016, equations 1 to 3) for a whole batch at once.

No step of it waits for the device, and the number of its operations depends on neither the batch nor the objects in
it. It must not know the network, only its outputs.
"""

import torch
from torch import Tensor
from torch.nn import functional

from learning.vision import distributed
from learning.vision.boxes import pairwise_iou
from learning.vision.targets import parts

# Liu et al. 2016, 2.2: at most three negatives for a positive. Images without objects would teach nothing by that
# rule, so each image gives at least this many.
LEAST_NEGATIVES = 6
NEGATIVES_EACH = 3
LEAST_OVERLAP = 0.5  # IoU from which a default box is matched to an object
CENTRE_WEIGHT, EXTENT_WEIGHT = 10.0, 5.0  # of the codes, as Faster R-CNN's


def losses(logits: Tensor, codes: Tensor, anchors: Tensor, targets: Tensor) -> dict[str, Tensor]:
    """Softmax with mined negatives, and smooth L1 on the codes of matched default boxes.

    logits [N, A, C + 1], codes [N, A, 4], anchors [A, 4] px, targets [N, M, 5] (see targets). Each term is divided by
    the number of matched default boxes in the batch (of all processes), at least one an image.
    """
    boxes, labels, exists = parts(targets)
    matched = match(boxes, exists, anchors)
    positive = matched >= 0
    chosen = matched.clamp(min=0)
    wanted_labels = torch.where(positive, labels.gather(1, chosen), 0)
    wanted = encode(boxes.gather(1, chosen[..., None].expand(-1, -1, 4)), anchors)
    # Where nothing is matched the target is the code itself: a difference of 0 without a branch.
    wanted = torch.where(positive[..., None], wanted, codes.detach())
    box_loss = functional.smooth_l1_loss(codes, wanted, reduction="sum")
    each = functional.cross_entropy(logits.flatten(0, 1), wanted_labels.flatten(), reduction="none")
    each = each.view_as(wanted_labels)
    counted = positive | mine(each.detach(), positive)
    found, images = distributed.summed(torch.stack([positive.sum(), labels.new_full((), len(labels))])).unbind()
    share = distributed.processes() / torch.maximum(found, images)
    return {"classification": torch.where(counted, each, 0.0).sum() * share, "boxes": box_loss * share}


def match(boxes: Tensor, exists: Tensor, anchors: Tensor) -> Tensor:
    """The index of the object that each default box is matched to, -1 for none: int64 [N, A].

    A default box is matched to the object it overlaps most, from LEAST_OVERLAP on; and each object to the default box
    that overlaps it most, whatever the overlap is (of several objects with the same one, to the last).
    """
    overlap = pairwise_iou(boxes, anchors[None]).masked_fill_(~exists[..., None], -1.0)
    best, matched = overlap.max(1)
    matched = matched.masked_fill_(best < LEAST_OVERLAP, -1)
    objects = torch.arange(boxes.shape[1], device=boxes.device).expand(len(boxes), -1).masked_fill(~exists, -1)
    forced = torch.full_like(matched, -1).scatter_reduce_(1, overlap.argmax(-1), objects, "amax")
    return torch.where(forced >= 0, forced, matched)


def mine(each: Tensor, positive: Tensor) -> Tensor:
    """The background boxes with the highest loss, NEGATIVES_EACH for each positive of their image: bool [N, A]."""
    quota = (NEGATIVES_EACH * positive.sum(1, keepdim=True)).clamp(min=LEAST_NEGATIVES)
    order = each.masked_fill(positive, -torch.inf).argsort(1, descending=True)
    first = torch.arange(each.shape[1], device=each.device) < quota
    return torch.zeros_like(positive).scatter_(1, order, first) & ~positive


def encode(boxes: Tensor, anchors: Tensor) -> Tensor:
    """Codes [N, A, 4] of boxes [N, A, 4] by anchors [A, 4], the inverse of ssd.decode."""
    extent, target_extent = anchors[:, 2:] - anchors[:, :2], boxes[..., 2:] - boxes[..., :2]
    apart = (boxes[..., :2] + boxes[..., 2:] - anchors[:, :2] - anchors[:, 2:]) / 2
    grown = (target_extent / extent).clamp(min=1e-6).log()
    return torch.cat([CENTRE_WEIGHT * apart / extent, EXTENT_WEIGHT * grown], -1)
