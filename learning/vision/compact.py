"""Our small single-shot detector for machines without a GPU, with the interface of torchvision's detectors.

An EfficientNet-Lite0 trunk (ImageNet weights fit it), a feature pyramid at strides 8, 16 and 32, and one head
shared by its levels that predicts, at each cell, class scores and a distribution over the four distances to the
box's sides. It must not know files, schedules or where weights come from; the loss is in compact_loss.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import batched_nms

from learning.vision import compact_loss
from learning.vision.depthwise import depthwise_conv2d
from learning.vision.targets import Target, padded

STRIDES = (8, 16, 32)
BINS = 16  # a side lies at most BINS strides from the cell's centre: 512 px at stride 32
WIDTH = 96
EMBEDDING_SIZE = 320
PRIOR = 0.01  # score of every class before anything is learned (RetinaNet, arXiv:1708.02002, section 4.1)
# repeats, kernel, stride, expansion, channels out (arXiv:1905.11946 table 1 without squeeze and excitation)
TRUNK = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
TAPS = {4: 40, 10: 112, 15: 320}  # block index -> channels of the feature map handed to the pyramid


class Conv(nn.Module):
    """Convolution, batch norm and activation; `fold` turns the norm into the convolution's own bias."""

    def __init__(self, inp: int, out: int, kernel: int, *, stride: int = 1, groups: int = 1,
                 act: nn.Module | None = None, norm: bool = True) -> None:  # fmt: skip
        super().__init__()
        self.conv = nn.Conv2d(inp, out, kernel, stride, kernel // 2, groups=groups, bias=not norm)
        self.norm: nn.BatchNorm2d | None = nn.BatchNorm2d(out, eps=1e-3, momentum=0.03) if norm else None
        self.act = act
        self.depthwise = groups > 1

    def forward(self, x: Tensor) -> Tensor:
        if self.depthwise:
            x = depthwise_conv2d(x, self.conv.weight, self.conv.bias, self.conv.stride[0])
        else:
            x = self.conv(x)
        if self.norm is not None:
            x = self.norm(x)
        return x if self.act is None else self.act(x)

    @torch.no_grad()
    def fold(self) -> None:
        if self.norm is None:
            return
        mean, variance = self.norm.get_buffer("running_mean"), self.norm.get_buffer("running_var")
        scale = self.norm.weight / torch.sqrt(variance + self.norm.eps)
        weight, bias = self.conv.weight * scale[:, None, None, None], self.norm.bias - mean * scale
        self.conv.weight, self.conv.bias, self.norm = nn.Parameter(weight), nn.Parameter(bias), None


class Block(nn.Module):
    """Inverted bottleneck: widen, filter each channel, narrow; added to its input where shapes allow."""

    def __init__(self, inp: int, out: int, kernel: int, stride: int, expansion: int, *, norm: bool) -> None:
        super().__init__()
        wide = inp * expansion
        layers = [Conv(inp, wide, 1, act=nn.ReLU6(inplace=True), norm=norm)] if expansion > 1 else []
        layers.append(Conv(wide, wide, kernel, stride=stride, groups=wide, act=nn.ReLU6(inplace=True), norm=norm))
        layers.append(Conv(wide, out, 1, norm=norm))
        self.layers = nn.Sequential(*layers)
        self.skip = stride == 1 and inp == out

    def forward(self, x: Tensor) -> Tensor:
        y = self.layers(x)
        return x + y if self.skip else y


class Trunk(nn.Module):
    """EfficientNet-Lite0 without its classifier; images 0..1 in, three feature maps out."""

    def __init__(self, *, norm: bool) -> None:
        super().__init__()
        self.stem = Conv(3, 32, 3, stride=2, act=nn.ReLU6(inplace=True), norm=norm)
        blocks, inp = [], 32
        for repeats, kernel, stride, expansion, out in TRUNK:
            for index in range(repeats):
                blocks.append(Block(inp, out, kernel, stride if index == 0 else 1, expansion, norm=norm))
                inp = out
        self.blocks = nn.ModuleList(blocks)
        self.frozen_blocks = 0

    def freeze(self, blocks: int) -> None:
        """Stop learning in the stem and the first `blocks` blocks; their forward pass keeps nothing."""
        self.frozen_blocks = blocks
        for module in (self.stem, *self.blocks[:blocks]):
            module.requires_grad_(False)

    def forward(self, images: Tensor) -> list[Tensor]:
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.frozen_blocks == 0):
            x = self.stem((images - 0.5) * 2)  # within 1 % of ImageNet's mean and deviation for Lite models
            features = []
            for index, block in enumerate(self.blocks[: self.frozen_blocks]):
                x = block(x)
                if index in TAPS:
                    features.append(x)
        for index, block in enumerate(self.blocks[self.frozen_blocks :], self.frozen_blocks):
            x = block(x)
            if index in TAPS:
                features.append(x)
        return features


class Pyramid(nn.Module):
    """Coarse features are added to fine ones, then fine ones to coarse ones (arXiv:1803.01534), at WIDTH channels."""

    def __init__(self) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(Conv(channels, WIDTH, 1, act=nn.SiLU()) for channels in TAPS.values())
        self.down = nn.ModuleList(_separable() for _ in STRIDES[1:])
        self.up = nn.ModuleList(_separable() for _ in STRIDES[1:])
        self.shrink = nn.ModuleList(Conv(WIDTH, WIDTH, 5, stride=2, groups=WIDTH, act=nn.SiLU()) for _ in STRIDES[1:])

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        levels = [layer(x) for layer, x in zip(self.lateral, features, strict=True)]
        for fine in range(len(levels) - 2, -1, -1):
            height, width = levels[fine].shape[-2:]  # odd where the size of the input is no multiple of 32
            coarse = F.interpolate(levels[fine + 1], scale_factor=2.0, mode="nearest")[..., :height, :width]
            levels[fine] = self.down[fine](levels[fine] + coarse)
        for fine in range(len(levels) - 1):
            shrunk = self.shrink[fine](levels[fine])
            levels[fine + 1] = self.up[fine](levels[fine + 1] + shrunk)
        return levels


def _separable() -> nn.Sequential:
    return nn.Sequential(Conv(WIDTH, WIDTH, 5, groups=WIDTH, act=nn.SiLU()), Conv(WIDTH, WIDTH, 1, act=nn.SiLU()))


class Head(nn.Module):
    """Two towers shared by the levels: class logits, and a distribution over BINS + 1 offsets for each side."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.class_tower = nn.Sequential(*(Conv(WIDTH, WIDTH, 3, act=nn.SiLU()) for _ in range(2)))
        self.box_tower = nn.Sequential(*(Conv(WIDTH, WIDTH, 3, act=nn.SiLU()) for _ in range(2)))
        self.classes = nn.Conv2d(WIDTH, classes, 1)
        self.sides = nn.Conv2d(WIDTH, 4 * (BINS + 1), 1)
        nn.init.normal_(self.classes.weight, std=0.01)
        nn.init.constant_(self.classes.bias, -math.log((1 - PRIOR) / PRIOR))  # type: ignore[arg-type]

    def forward(self, levels: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """-> class logits [N, A, C] and side logits [N, A, 4, BINS + 1], float32, levels one after another."""
        logits = [self.classes(self.class_tower(x)).float().flatten(2).transpose(1, 2) for x in levels]
        sides = [self.sides(self.box_tower(x)).float().flatten(2).transpose(1, 2) for x in levels]
        joined = torch.cat(sides, 1)
        return torch.cat(logits, 1), joined.unflatten(2, (4, BINS + 1))


class CompactDetector(nn.Module):
    """`model(images, targets)` as in torchvision: losses while training, detections otherwise.

    images: CHW float tensors 0..1 of any size, or one [N, 3, S, S] batch; targets: {"boxes": [n, 4] xyxy in the
    image's pixels, "labels": [n] from 1}, or [N, M, 5] (see targets) in the pixels of the batch.
    Losses: {"classification", "bbox_regression", "distribution"}, to be summed.
    Detections: {"boxes" in the image's pixels, "labels" from 1, "scores" 0..1 best first}.
    """

    centres: Tensor
    strides: Tensor

    def __init__(self, num_classes: int, image_size: int, *, norm: bool = False) -> None:
        super().__init__()
        if num_classes < 2:
            raise ValueError(f"num_classes counts the background and must be at least 2, got {num_classes}")
        if image_size < 2 * STRIDES[-1]:
            raise ValueError(f"image_size must be at least {2 * STRIDES[-1]}, got {image_size}")
        self.num_classes, self.image_size = num_classes, image_size
        self.score_threshold, self.nms_threshold, self.detections_per_image = 0.02, 0.5, 100
        self.membership: Tensor | None = None  # see compact_loss.losses; only pretraining sets it
        self.trunk, self.pyramid, self.head = Trunk(norm=norm), Pyramid(), Head(num_classes - 1)
        centres, strides = cells(image_size)
        self.register_buffer("centres", centres, persistent=False)
        self.register_buffer("strides", strides, persistent=False)

    def forward(self, images: Sequence[Tensor] | Tensor, targets: Tensor | Sequence[Target] | None = None) -> Any:
        batch, scales = self._batch(images)
        if not self.training:
            boxes, scores, _ = self.forward_export(batch)
            return [self._detections(*found) for found in zip(boxes, scores, scales, strict=True)]
        if targets is None:
            raise ValueError("targets are needed while training")
        logits, sides, _ = self._outputs(batch)
        if not isinstance(targets, Tensor):
            targets = padded([_scaled(target, scale) for target, scale in zip(targets, scales, strict=True)])
        boxes = self._boxes(sides)
        return compact_loss.losses(logits, sides, boxes, self.centres, self.strides, targets, self.membership)

    def forward_export(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """[N, 3, S, S] 0..1 -> boxes [N, A, 4] xyxy in px of S x S, scores [N, A, C], embedding [N, 320].

        Before non-maximum suppression; scores are independent (sigmoid) and already tell how well a box fits.
        """
        logits, sides, embedding = self._outputs(images)
        boxes = self._boxes(sides).clamp(0, self.image_size)
        return boxes, logits.sigmoid(), embedding

    def _outputs(self, batch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features = self.trunk(batch.contiguous(memory_format=torch.channels_last))
        logits, sides = self.head(self.pyramid(features))
        return logits, sides, features[-1].float().mean((2, 3))

    def _boxes(self, sides: Tensor) -> Tensor:
        """The expected offset of each side (arXiv:2006.04388, equation 3), in strides, from the cell's centre."""
        bins = torch.arange(BINS + 1, dtype=sides.dtype, device=sides.device)
        distance = (sides.softmax(-1) * bins).sum(-1) * self.strides[:, None]
        return torch.cat([self.centres - distance[..., :2], self.centres + distance[..., 2:]], -1)

    def _batch(self, images: Sequence[Tensor] | Tensor) -> tuple[Tensor, list[Tensor]]:
        """Images stretched to S x S, and for each the factors (x, y, x, y) from its pixels to those."""
        side, batch, scales = self.image_size, [], []
        if isinstance(images, Tensor) and images.shape[-2:] == (side, side):
            return images, [images.new_ones(4)] * len(images)
        for image in images:
            height, width = image.shape[-2:]
            if (height, width) != (side, side):
                image = F.interpolate(image[None], (side, side), mode="bilinear", antialias=True)[0]
            batch.append(image)
            scales.append(image.new_tensor([side / width, side / height] * 2))
        return torch.stack(batch), scales

    def _detections(self, boxes: Tensor, scores: Tensor, scale: Tensor) -> dict[str, Tensor]:
        cell, label = torch.nonzero(scores > self.score_threshold, as_tuple=True)
        score = scores[cell, label]
        score, best = score.topk(min(1000, len(score)))
        cell, label = cell[best], label[best]
        kept = batched_nms(boxes[cell], score, label, self.nms_threshold)[: self.detections_per_image]
        return {"boxes": boxes[cell[kept]] / scale, "labels": label[kept] + 1, "scores": score[kept]}


def build(num_classes: int, *, image_size: int = 320, norm: bool = False) -> CompactDetector:
    """A detector for `num_classes` - 1 kinds of things, label 0 being the background as in torchvision.

    norm: give the trunk its batch norms (to learn from random weights); without them it takes folded weights.
    """
    return CompactDetector(num_classes, image_size, norm=norm)


def cells(image_size: int) -> tuple[Tensor, Tensor]:
    """Centres [A, 2] (x, y) in px and strides [A] of all cells, level by level, row by row.

    Each layer of stride 2 rounds up, so the last centres may lie up to half a stride outside the image.
    """
    centres, strides = [], []
    for stride in STRIDES:
        line = (torch.arange(-(-image_size // stride)) + 0.5) * stride
        y, x = torch.meshgrid(line, line, indexing="ij")
        centres.append(torch.stack([x, y], -1).reshape(-1, 2))
        strides.append(torch.full((len(line) ** 2,), float(stride)))
    return torch.cat(centres), torch.cat(strides)


def fold(module: nn.Module) -> None:
    """Turn every batch norm under `module` into the bias and weights of its convolution, in place."""
    for part in module.modules():
        if isinstance(part, Conv):
            part.fold()


def load(model: CompactDetector, state: Mapping[str, Tensor]) -> list[str]:
    """Start from other weights: a detector of the same classes, or of any classes as a beginning for new ones.

    Where the classes differ, every class starts as output 0 of the other model, which in our starting checkpoint
    means "any thing". Returns the names of the tensors that were not copied. Raises ValueError when nothing fits, and
    when the weights hold values that are not finite.
    """
    own = model.state_dict()
    taken = {name: value.float() for name, value in state.items() if name in own}
    for name in ("head.classes.weight", "head.classes.bias"):
        if name in taken and taken[name].shape != own[name].shape:
            taken[name] = taken[name][:1].expand(own[name].shape).clone()
    wrong = [f"{n} {list(v.shape)} for {list(own[n].shape)}" for n, v in taken.items() if v.shape != own[n].shape]
    if wrong or not taken:
        raise ValueError(f"the weights do not fit the compact detector: {'; '.join(wrong[:3]) or 'no name matches'}")
    broken = [name for name, value in taken.items() if not value.isfinite().all()]
    if broken:
        raise ValueError(f"the weights are not finite in {', '.join(broken[:3])}")
    model.load_state_dict(taken, strict=False)
    return sorted(name for name in own.keys() - taken.keys() if not name.endswith("num_batches_tracked"))


def _scaled(target: Target, scale: Tensor) -> Target:
    return {"boxes": target["boxes"].float() * scale, "labels": target["labels"]}
