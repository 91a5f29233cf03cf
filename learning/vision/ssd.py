"""The detectors that can be trained, behind one interface: uint8 pixels in, losses or raw heads out.

It must not know jobs, files, optimizers or suppression. Class indices are 1..C in targets (0 is background, as in
torchvision) and 0..C-1 in the scores that come out.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from learning.contract import DEFAULT_IMAGE_SIZE, LEAST_IMAGE_SIZE, BadInput
from learning.vision import native_ops

native_ops.install()

from torchvision.models.detection.image_list import ImageList  # noqa: E402
from torchvision.models.detection.ssd import SSD  # noqa: E402

from learning.vision import compact, ssd_loss, ssd_networks  # noqa: E402
from learning.vision.depthwise import quicken  # noqa: E402
from learning.vision.targets import Target, padded  # noqa: E402

Heads = tuple[Tensor, Tensor, Tensor]  # boxes [N, A, 4] in input pixels, scores [N, A, C], embedding [N, D]


class Network(nn.Module):
    """The interface of all detectors; `model` is what weights are loaded into."""

    model: nn.Module
    image_size: int

    def losses(self, images: Tensor, targets: Tensor | Sequence[Target]) -> dict[str, Tensor]:
        """uint8 [N, 3, S, S] and their targets, [N, M, 5] (see targets) or one an image -> loss terms, to be summed."""
        raise NotImplementedError

    def heads(self, images: Tensor) -> Heads:
        """uint8 [N, 3, S, S] -> decoded boxes, probabilities without background, pooled features."""
        raise NotImplementedError

    def finish(self) -> None:
        """Turn, in place, into the form that is saved, exported and used."""


def build(
    architecture: str, *, num_classes: int, image_size: int = 0, from_random: bool = False, config_format: int = 2
) -> Network:
    """A detector with random weights for num_classes classes (background not counted).

    image_size 0 takes the architecture's own; any other from 64 on will do. from_random: it starts from random weights,
    and needs the batch norms that a finished model has folded away. config_format: of the model whose weights it will
    get. Raises BadInput when the size is too small.
    """
    size = image_size or DEFAULT_IMAGE_SIZE[architecture]
    if size < LEAST_IMAGE_SIZE:
        raise BadInput(f"image_size {size} is too small: {architecture} needs {LEAST_IMAGE_SIZE}")
    if architecture == "compact":
        return CompactDetector(num_classes, size, norm=from_random)
    if config_format == 1:
        return TorchvisionSsd(ssd_networks.of_format_1(architecture, num_classes + 1, size), size)
    return TorchvisionSsd(ssd_networks.BUILDERS[architecture](num_classes + 1, size), size)


class CompactDetector(Network):
    """Our small architecture (see compact)."""

    model: compact.CompactDetector

    def __init__(self, num_classes: int, size: int, *, norm: bool) -> None:
        super().__init__()
        self.model = compact.build(num_classes + 1, image_size=size, norm=norm)
        self.image_size = size

    def losses(self, images: Tensor, targets: Tensor | Sequence[Target]) -> dict[str, Tensor]:
        return self.model(images.float() / 255, targets)

    def heads(self, images: Tensor) -> Heads:
        return self.model.forward_export(images.float() / 255)

    def finish(self) -> None:
        compact.fold(self.model.trunk)


class TorchvisionSsd(Network):
    """torchvision's SSD with fixed default boxes, float32 losses and raw heads."""

    model: SSD
    mean: Tensor
    std: Tensor
    anchors: Tensor

    def __init__(self, model: SSD, size: int) -> None:
        super().__init__()
        self.model = model
        quicken(self.model)
        self.image_size = size
        self.register_buffer("mean", torch.tensor(self.model.transform.image_mean).view(1, 3, 1, 1), False)
        self.register_buffer("std", torch.tensor(self.model.transform.image_std).view(1, 3, 1, 1), False)
        with torch.no_grad():
            self.model.eval()
            features = list(self.model.backbone(torch.zeros(1, 3, size, size)).values())
            images = ImageList(torch.zeros(1, 3, size, size), [(size, size)])
            anchors = self.model.anchor_generator(images, features)[0]
        self.register_buffer("anchors", anchors, False)
        self.train()

    def raw(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """uint8 [N, 3, S, S] -> logits [N, A, C + 1], box codes [N, A, 4], embedding [N, D]; all float32."""
        normal = (images.float() / 255 - self.mean) / self.std
        features = list(self.model.backbone(normal).values())
        found = self.model.head(features)
        embedding = features[1].float().mean(dim=(2, 3))
        return found["cls_logits"].float(), found["bbox_regression"].float(), embedding

    def losses(self, images: Tensor, targets: Tensor | Sequence[Target]) -> dict[str, Tensor]:
        logits, codes, _ = self.raw(images)
        with torch.autocast(images.device.type, enabled=False):
            return ssd_loss.losses(logits, codes, self.anchors, padded(targets))

    def heads(self, images: Tensor) -> Heads:
        logits, codes, embedding = self.raw(images)
        return decode(codes, self.anchors, self.image_size), logits.softmax(-1)[..., 1:], embedding


def decode(codes: Tensor, anchors: Tensor, size: int) -> Tensor:
    """Box codes [N, A, 4] (Faster R-CNN's, weights 10 10 5 5) -> corners in pixels, inside the image."""
    extent = anchors[:, 2:] - anchors[:, :2]
    centre = anchors[:, :2] + 0.5 * extent
    found_centre = centre + codes[..., :2] / 10 * extent
    # exp of more than a 62-fold growth would overflow on an untrained head (torchvision's bbox_xform_clip).
    found_extent = (codes[..., 2:] / 5).clamp(max=4.135166556742356).exp() * extent
    corners = torch.cat([found_centre - 0.5 * found_extent, found_centre + 0.5 * found_extent], dim=-1)
    return corners.clamp(0, size)
