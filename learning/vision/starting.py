"""Where a detector's first weights come from: an earlier model, torchvision's, our own checkpoint, or random numbers.

It must not know jobs or data. Nothing here unpickles foreign files: torchvision's .pth files are read with
weights_only=True, everything else is safetensors.
"""

import hashlib
import os
import pickle
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from learning.contract import BadInput, ModelConfig
from learning.hyperparameters import EARLIER
from learning.vision import native_ops

native_ops.install()

from torchvision.models import MobileNet_V3_Large_Weights, ResNet50_Weights, VGG16_Weights  # noqa: E402
from torchvision.models.detection import (  # noqa: E402
    SSD300_VGG16_Weights,
    SSDLite320_MobileNet_V3_Large_Weights,
)

from learning.vision import compact  # noqa: E402

OUR_CHECKPOINT = Path(__file__).parent / "weights" / "waggle-start.safetensors"
CONNECT_SECONDS = 8.0
READ_SECONDS = 30.0
# Detectors trained on COCO first; a backbone trained on ImageNet where only that lies in the folder, or there is no
# other.
_COCO = {
    "ssd300_vgg16": SSD300_VGG16_Weights.COCO_V1,
    "ssdlite320_mobilenet_v3_large": SSDLite320_MobileNet_V3_Large_Weights.COCO_V1,
}
_IMAGENET = {
    "ssd300_vgg16": VGG16_Weights.IMAGENET1K_FEATURES,
    "ssdlite320_mobilenet_v3_large": MobileNet_V3_Large_Weights.IMAGENET1K_V1,
    "ssd300_resnet50": ResNet50_Weights.IMAGENET1K_V1,
}
BACKGROUND = "__background__"
Log = Callable[[str], None]


class Unreachable(RuntimeError):
    """Weights could not be fetched; the message says why."""


@dataclass(frozen=True)
class Start:
    """Weights to begin with, the names of their class outputs (empty: unknown), and where they are from."""

    state: dict[str, Tensor]
    classes: list[str]
    origin: str


def find(architecture: str, *, weights: str, weights_dir: str, earlier: Path | None, log: Log) -> Start | None:
    """The weights to start from; None: at random.

    `weights` is auto, none, EARLIER, or a path to a safetensors file or a model folder; `earlier` is a model folder
    handed to the job, which goes before auto; EARLIER takes nothing else. Raises BadInput when what was asked for by
    name is missing or does not fit.
    """
    if weights == "none":
        return None
    if weights not in ("auto", EARLIER):
        return _from_path(Path(weights), architecture)
    if earlier is not None and (earlier / "config.json").exists():
        return _from_path(earlier, architecture)
    if weights == EARLIER:
        return None
    if architecture in _IMAGENET:
        return _torchvision(architecture, weights_dir, log)
    if OUR_CHECKPOINT.exists():
        return Start(load_file(OUR_CHECKPOINT), [], f"{OUR_CHECKPOINT.name} (our starting checkpoint)")
    log(f"{OUR_CHECKPOINT.name} is not there: starting from random weights")
    return None


def adopt(model: nn.Module, start: Start, *, classes: Sequence[str]) -> list[str]:
    """Copy what fits into the model; class outputs are copied by name, those of new classes stay as they are.

    `classes` names the model's class outputs in order (torchvision's begin with BACKGROUND). Returns the names of
    tensors that were not copied. Raises BadInput when nothing fits or a value is not finite.
    """
    if isinstance(model, compact.CompactDetector) and not start.classes:
        try:
            return compact.load(model, start.state)
        except ValueError as error:
            raise BadInput(f"{start.origin}: {error}") from error
    taken, left = {}, []
    for name, mine in model.state_dict().items():
        given = start.state.get(name)
        if given is None:
            left.append(name)
            continue
        if not given.isfinite().all():
            raise BadInput(f"{start.origin}: the weights are not finite in {name}")
        if _is_class_output(name) and start.classes and start.classes != list(classes):
            taken[name] = _by_class(mine, given.to(mine.dtype), start.classes, classes)
        elif given.shape == mine.shape:
            taken[name] = given.to(mine.dtype)
        else:
            left.append(name)
    if all(_is_class_output(name) for name in taken):
        raise BadInput(f"{start.origin}: the weights fit nothing in this architecture")
    model.load_state_dict(taken, strict=False)
    return left


def output_names(architecture: str, class_names: Sequence[str]) -> list[str]:
    """The names of a detector's class outputs: torchvision's detectors have one for the background, ours does not."""
    return list(class_names) if architecture == "compact" else [BACKGROUND, *class_names]


def _is_class_output(name: str) -> bool:
    """Whether a parameter has one row for each class (and default box)."""
    torchvision_ssd = r"head\.classification_head\.module_list\.\d+(\.1)?\.(weight|bias)"
    return re.fullmatch(torchvision_ssd, name) is not None or name.startswith("head.classes.")


def _by_class(mine: Tensor, given: Tensor, found: Sequence[str], wanted: Sequence[str]) -> Tensor:
    """Rows are [default boxes x classes]; each wanted class gets the rows of the class of the same name."""
    boxes = mine.shape[0] // len(wanted)
    rows = mine.clone().view(boxes, len(wanted), *mine.shape[1:])
    source = given.view(boxes, len(found), *given.shape[1:])
    places = {name.casefold(): place for place, name in enumerate(found)}
    for place, name in enumerate(wanted):
        if name.casefold() in places:
            rows[:, place] = source[:, places[name.casefold()]]
    return rows.view_as(mine)


def _from_path(path: Path, architecture: str) -> Start:
    classes: list[str] = []
    file = path
    if path.is_dir():
        config = ModelConfig.read(path)
        if config.architecture != architecture:
            raise BadInput(f"the model to start from is a {config.architecture}, not a {architecture}")
        classes = output_names(architecture, list(config.class_map.values()))
        file = path / "model.safetensors"
    try:
        state = load_file(file)
    except (OSError, SafetensorError) as error:
        raise BadInput(f"the weights to start from cannot be read ({file.name}): {error}") from error
    return Start({name.removeprefix("model."): value for name, value in state.items()}, classes, file.name)


def _torchvision(architecture: str, weights_dir: str, log: Log) -> Start | None:
    coco, imagenet = _COCO.get(architecture), _IMAGENET[architecture]
    names = [_file_name(weights.url) for weights in (coco, imagenet) if weights is not None]
    cache = Path(torch.hub.get_dir()) / "checkpoints"
    for folder in [Path(weights_dir), cache] if weights_dir else [cache]:
        if coco is not None and (folder / names[0]).exists():
            return _read_coco(folder / names[0], coco.meta["categories"])
        if (folder / names[-1]).exists():
            return _read_backbone(folder / names[-1], architecture)
    if weights_dir:
        log(f"weights_dir holds none of {', '.join(names)}")
    try:
        _download((coco or imagenet).url, cache / names[0])
    except (Unreachable, OSError) as error:
        log(f"torchvision's weights are out of reach ({error}): starting from random weights")
        return None
    if coco is None:
        return _read_backbone(cache / names[0], architecture)
    return _read_coco(cache / names[0], coco.meta["categories"])


def _file_name(url: str) -> str:
    return url.rsplit("/", 1)[1]


def _read_pth(file: Path) -> dict[str, Tensor]:
    try:
        return torch.load(file, weights_only=True, map_location="cpu")
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise BadInput(f"the weights to start from cannot be read ({file.name}): {error}") from error


def _read_coco(file: Path, categories: Sequence[str]) -> Start:
    return Start(_read_pth(file), [BACKGROUND, *categories[1:]], f"{file.name} (torchvision, COCO)")


def _read_backbone(file: Path, architecture: str) -> Start:
    """A classifier's features under the names they have inside the detector."""
    state = _read_pth(file)
    renamed = {_BACKBONE_NAMES[architecture](name): value for name, value in state.items()}
    renamed.pop("", None)
    return Start(renamed, [], f"{file.name} (torchvision, ImageNet)")


def _vgg_name(name: str) -> str:
    """SSD cuts VGG-16 before its fourth pooling, layer 23."""
    if not name.startswith("features."):
        return ""
    _, layer, rest = name.split(".", 2)
    inside = f"features.{layer}" if int(layer) < 23 else f"extra.0.{int(layer) - 23}"
    return f"backbone.{inside}.{rest}"


def _mobilenet_name(name: str) -> str:
    """SSDLite cuts MobileNetV3 inside block 13, after its expansion."""
    if not name.startswith("features."):
        return ""
    _, block, rest = name.split(".", 2)
    if int(block) < 13:
        return f"backbone.features.0.{block}.{rest}"
    if int(block) > 13:
        return f"backbone.features.1.{int(block) - 13}.{rest}"
    _, part, deep = rest.split(".", 2)
    return f"backbone.features.0.13.{deep}" if part == "0" else f"backbone.features.1.0.{int(part) - 1}.{deep}"


def _resnet_name(name: str) -> str:
    """Our SSD ends after the fourth stage, torchvision's layer3."""
    return f"backbone.features.{name}" if re.match(r"(conv1|bn1|layer[123])\.", name) else ""


# Name in a classifier -> name in the detector, "" for what it has not.
_BACKBONE_NAMES = {
    "ssd300_vgg16": _vgg_name,
    "ssdlite320_mobilenet_v3_large": _mobilenet_name,
    "ssd300_resnet50": _resnet_name,
}


def _download(url: str, target: Path) -> None:
    """Fetch with limits on every wait; torchvision's file names carry the head of their SHA-256."""
    opened: list[object] = []

    def reach() -> None:
        try:
            opened.append(urllib.request.urlopen(url, timeout=READ_SECONDS))  # noqa: S310 - torchvision's own URL
        except (OSError, urllib.error.URLError) as error:
            opened.append(error)

    # Looking a name up may block for minutes without a network and has no timeout of its own: hence the thread.
    thread = threading.Thread(target=reach, daemon=True)
    thread.start()
    thread.join(CONNECT_SECONDS)
    if not opened:
        raise Unreachable(f"no answer within {CONNECT_SECONDS:g} seconds")
    if isinstance(opened[0], Exception):
        raise Unreachable(str(opened[0]))
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    digest = hashlib.sha256()
    with opened[0] as answer, beside.open("wb") as stream:  # type: ignore[attr-defined]
        while block := answer.read(1 << 20):
            digest.update(block)
            stream.write(block)
    expected = target.stem.rsplit("-", 1)[1]
    if not digest.hexdigest().startswith(expected):
        beside.unlink()
        raise Unreachable(f"{target.name} arrived damaged")
    beside.replace(target)
