"""Networks that say the class of an image, or of each of its pixels: torchvision's, with the normalisation inside.

It must not know jobs, data or files, but for torchvision's own weights.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from learning.contract import IMAGE_CLASSIFIERS
from learning.vision import native_ops, starting

native_ops.install()

from torchvision import models  # noqa: E402
from torchvision.models import segmentation  # noqa: E402

DEFAULT_SIZE = {"classifier": 224, "segmenter": 320}
MEAN, DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # ImageNet's, of pixels from 0 to 255
# torchvision's mobile networks forget their running statistics so slowly that a short training never reaches them.
NORM_MOMENTUM = 0.1

_CLASSIFIERS: dict[str, tuple[Callable[..., Any], Any]] = {
    "resnet18": (models.resnet18, models.ResNet18_Weights.IMAGENET1K_V1),
    "resnet50": (models.resnet50, models.ResNet50_Weights.IMAGENET1K_V2),
    "mobilenet_v3_small": (models.mobilenet_v3_small, models.MobileNet_V3_Small_Weights.IMAGENET1K_V1),
    "mobilenet_v3_large": (models.mobilenet_v3_large, models.MobileNet_V3_Large_Weights.IMAGENET1K_V2),
}
_SEGMENTERS: dict[str, tuple[Callable[..., Any], Any]] = {
    "lraspp_mobilenet_v3_large": (
        segmentation.lraspp_mobilenet_v3_large,
        segmentation.LRASPP_MobileNet_V3_Large_Weights.COCO_WITH_VOC_LABELS_V1,
    ),
    "deeplabv3_mobilenet_v3_large": (
        segmentation.deeplabv3_mobilenet_v3_large,
        segmentation.DeepLabV3_MobileNet_V3_Large_Weights.COCO_WITH_VOC_LABELS_V1,
    ),
    "deeplabv3_resnet50": (
        segmentation.deeplabv3_resnet50,
        segmentation.DeepLabV3_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1,
    ),
}


class ImageNetwork(nn.Module):
    """uint8-valued pixels [N, 3, S, S] as floats -> log-odds of the classes, and an embedding [N, D].

    Classifiers give log-odds [N, C]; segmenters [N, C + 1, S, S], the background first.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, architecture: str, *, classes: int, several: bool, image_size: int = 0) -> None:
        super().__init__()
        self.segments = architecture not in IMAGE_CLASSIFIERS
        self.several = several
        self.image_size = image_size or DEFAULT_SIZE["segmenter" if self.segments else "classifier"]
        if self.segments:
            make, _ = _SEGMENTERS[architecture]
            self.model = make(weights=None, weights_backbone=None, num_classes=classes + 1)
        else:
            make, _ = _CLASSIFIERS[architecture]
            self.model = make(weights=None)
            self.head = nn.Linear(_headless(self.model), classes)
        for part in self.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.momentum = NORM_MOMENTUM
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        found = (pixels - self.mean) / self.deviation
        if not self.segments:
            embedding = self.model(found)
            return self.head(embedding), embedding
        features = self.model.backbone(found)
        several = "high" in features  # LR-ASPP reads two levels, DeepLab one
        odds = self.model.classifier(features if several else features["out"])
        odds = functional.interpolate(odds, size=found.shape[-2:], mode="bilinear", align_corners=False)
        return odds, features["high" if several else "out"].mean(dim=(2, 3))

    def scores(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Chances in place of log-odds: each by itself for several classes, else they sum to 1."""
        odds, embedding = self(pixels)
        return (odds.sigmoid() if self.several else odds.softmax(dim=1)), embedding

    def loss(self, pixels: Tensor, target: Tensor, *, smoothing: float = 0.0) -> Tensor:
        """The mean cross-entropy; `target` is [N] classes, [N, C] 0 or 1 for several, or [N, S, S] for pixels."""
        odds, _ = self(pixels)
        if self.several:
            return functional.binary_cross_entropy_with_logits(odds, target.float() * (1 - smoothing) + smoothing / 2)
        return functional.cross_entropy(odds, target, label_smoothing=smoothing)


def _headless(model: nn.Module) -> int:
    """Replace a classifier's last layer by nothing; returns the number of its inputs."""
    if hasattr(model, "fc"):
        owner, name = model, "fc"
    else:
        layers: Any = model.classifier
        owner, name = layers, str(len(layers) - 1)
    inputs: int = getattr(owner, name).in_features
    setattr(owner, name, nn.Identity())
    return inputs


def pretrained(architecture: str, weights_dir: str, log: Callable[[str], None]) -> dict[str, Tensor] | None:
    """torchvision's own weights under the names they have in ImageNetwork, None where they are out of reach."""
    _, weights = (_CLASSIFIERS | _SEGMENTERS)[architecture]
    name = weights.url.rsplit("/", 1)[1]
    cache = Path(torch.hub.get_dir()) / "checkpoints"
    for folder in [Path(weights_dir), cache] if weights_dir else [cache]:
        if (folder / name).exists():
            return _named(folder / name)
    try:
        starting._download(weights.url, cache / name)
    except (starting.Unreachable, OSError) as error:
        log(f"torchvision's weights are out of reach ({error}): starting from random weights")
        return None
    return _named(cache / name)


def _named(file: Path) -> dict[str, Tensor]:
    return {f"model.{name}": value for name, value in starting._read_pth(file).items()}


def adopt(network: ImageNetwork, state: dict[str, Tensor], *, found: Sequence[str], wanted: Sequence[str]) -> int:
    """Copy what fits; outputs of classes go by name from `found` (empty: unknown) to `wanted`. Returns how many
    tensors did not fit."""
    taken, left = {}, 0
    first = 1 if network.segments else 0  # of a segmenter the first output is the background
    for name, mine in network.state_dict().items():
        given = state.get(name)
        if given is not None and _of_classes(name, mine, len(wanted) + first) and list(found) != list(wanted):
            rows = mine.clone()
            if found and given.shape[0] == len(found) + first:
                places = {label: place + first for place, label in enumerate(found)}
                for place, label in enumerate(wanted):
                    if label in places:
                        rows[place + first] = given[places[label]]
                rows[:first] = given[:first]
            taken[name] = rows
        elif given is not None and given.shape == mine.shape:
            taken[name] = given.to(mine.dtype)
        else:
            left += 1
    network.load_state_dict(taken, strict=False)
    return left


def _of_classes(name: str, tensor: Tensor, outputs: int) -> bool:
    """Whether a tensor has a row for each output: a classifier's head, or the last layers of a segmenter's."""
    last = ("head.weight", "head.bias", "classifier.low_classifier.", "classifier.high_classifier.", "classifier.4.")
    return any(part in name for part in last) and tensor.dim() > 0 and tensor.shape[0] == outputs
