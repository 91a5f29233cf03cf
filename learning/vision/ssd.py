"""The detectors that can be trained, behind one interface: uint8 pixels in, losses or raw heads out.

It must not know jobs, files, optimizers or suppression. Class indices are 1..C in targets (0 is background, as in
torchvision) and 0..C-1 in the scores that come out.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from learning.contract import DEFAULT_IMAGE_SIZE, BadInput
from learning.vision import native_ops

native_ops.install()

from torchvision.models.detection import ssd300_vgg16, ssdlite320_mobilenet_v3_large  # noqa: E402
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator  # noqa: E402
from torchvision.models.detection.image_list import ImageList  # noqa: E402
from torchvision.models.detection.ssd import SSD  # noqa: E402

from learning.vision import compact, ssd_loss  # noqa: E402
from learning.vision.depthwise import quicken  # noqa: E402
from learning.vision.targets import Target, padded  # noqa: E402

Heads = tuple[Tensor, Tensor, Tensor]  # boxes [N, A, 4] in input pixels, scores [N, A, C], embedding [N, D]

MIN_IMAGE_SIZE = {"compact": 64, "ssdlite320_mobilenet_v3_large": 64, "ssd300_vgg16": 300}


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


def build(architecture: str, *, num_classes: int, image_size: int = 0, from_random: bool = False) -> Network:
    """A detector with random weights for num_classes classes (background not counted).

    image_size 0 takes the architecture's own. from_random: it starts from random weights, and needs the batch norms
    that a finished model has folded away. Raises BadInput when the size is too small for the architecture.
    """
    size = image_size or DEFAULT_IMAGE_SIZE[architecture]
    if size < MIN_IMAGE_SIZE[architecture]:
        raise BadInput(f"image_size {size} is too small: {architecture} needs {MIN_IMAGE_SIZE[architecture]}")
    if architecture == "compact":
        return CompactDetector(num_classes, size, norm=from_random)
    return TorchvisionSsd(architecture, num_classes, size)


class CompactDetector(Network):
    """Our small architecture (see compact)."""

    model: compact.CompactDetector

    def __init__(self, num_classes: int, size: int, *, norm: bool) -> None:
        super().__init__()
        try:
            self.model = compact.build(num_classes + 1, image_size=size, norm=norm)
        except ValueError as error:
            raise BadInput(str(error)) from error
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

    def __init__(self, architecture: str, num_classes: int, size: int) -> None:
        super().__init__()
        self.model = _torchvision_model(architecture, num_classes, size)
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


def _torchvision_model(architecture: str, num_classes: int, size: int) -> SSD:
    if architecture == "ssd300_vgg16":
        model = ssd300_vgg16(weights=None, weights_backbone=None, num_classes=num_classes + 1)
        if size != DEFAULT_IMAGE_SIZE[architecture]:
            # The published steps hold for 300 pixels only; without them the boxes follow the feature maps.
            generator = model.anchor_generator
            model.anchor_generator = DefaultBoxGenerator(generator.aspect_ratios, scales=generator.scales)
        return model
    return ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=num_classes + 1)


def decode(codes: Tensor, anchors: Tensor, size: int) -> Tensor:
    """Box codes [N, A, 4] (Faster R-CNN's, weights 10 10 5 5) -> corners in pixels, inside the image."""
    extent = anchors[:, 2:] - anchors[:, :2]
    centre = anchors[:, :2] + 0.5 * extent
    found_centre = centre + codes[..., :2] / 10 * extent
    # exp of more than a 62-fold growth would overflow on an untrained head (torchvision's bbox_xform_clip).
    found_extent = (codes[..., 2:] / 5).clamp(max=4.135166556742356).exp() * extent
    corners = torch.cat([found_centre - 0.5 * found_extent, found_centre + 0.5 * found_extent], dim=-1)
    return corners.clamp(0, size)
