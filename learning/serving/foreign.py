"""What the config.json of a foreign ONNX detector says of its input and output, checked and as dataclasses.

It must not know images or runtimes: frames.py makes the pixels, heads.py reads the outputs.
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from learning.contract import FOREIGN, BadInput, ModelConfig

MOST_SIDE = 4096
MOST_CLASSES = 10_000
NAME_LENGTH = 200
LAYOUTS = ("NCHW", "NHWC")
DTYPES = ("float32", "float16", "uint8")
RESIZES = ("stretch", "letterbox")
COLORS = ("RGB", "BGR")
FORMATS = ("boxes", "yolo5", "yolo8", "ssd", "detr")
"""boxes: boxes, scores, labels; yolo5: [1, A, 5 + C]; yolo8: [1, 4 + C, A]; ssd: TensorFlow's four; detr: logits."""
CORNERS = ("xyxy", "yxyx", "xywh", "cxcywh")
UNITS = ("pixels", "normalized")
ACTIVATIONS = ("none", "sigmoid", "softmax")
PARTS: dict[str, tuple[str, ...]] = {
    "boxes": ("boxes", "scores", "labels"),
    "yolo5": ("predictions",),
    "yolo8": ("predictions",),
    "ssd": ("boxes", "scores", "labels", "count"),
    "detr": ("logits", "boxes"),
}
"""The outputs of each format; `boxes` may do without labels, and `ssd` without the count."""
OPTIONAL = {("boxes", "labels"), ("ssd", "count")}
_NAMES = {
    "boxes": {"boxes": "boxes", "scores": "scores", "labels": "labels"},
    "yolo5": {"predictions": "output0"},
    "yolo8": {"predictions": "output0"},
    "ssd": {
        "boxes": "detection_boxes",
        "scores": "detection_scores",
        "labels": "detection_classes",
        "count": "num_detections",
    },
    "detr": {"logits": "logits", "boxes": "pred_boxes"},
}


@dataclass(frozen=True)
class Input:
    """The pixels a network reads: value = (pixel * scale - mean) / std, in its own layout and type.

    `letterbox` keeps the picture's proportions and fills the rest with `pad` (0 to 255). `batch` is the number of
    images the network takes at once, 0 for any.
    """

    width: int
    height: int
    name: str = ""  # "": the network's only input
    layout: str = "NCHW"
    dtype: str = "float32"
    color: str = "RGB"
    resize: str = "stretch"
    pad: int = 114
    scale: float = 1.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    batch: int = 0


@dataclass(frozen=True)
class Output:
    """What a network's outputs mean; `names` has the name of each part (see PARTS).

    `corners`: how the four numbers of a box stand; `units`: pixels of the input or 0 to 1; `activation`: what makes
    chances of its scores; with `suppressed` overlapping boxes were removed already.
    """

    format: str
    names: Mapping[str, str] = field(default_factory=dict)
    corners: str = "xyxy"
    units: str = "pixels"
    activation: str = "none"
    suppressed: bool = False


_FORMAT_DEFAULTS: dict[str, dict[str, Any]] = {
    "boxes": {"suppressed": True},
    "yolo5": {"corners": "cxcywh"},
    "yolo8": {"corners": "cxcywh"},
    "ssd": {"corners": "yxyx", "units": "normalized", "suppressed": True},
    "detr": {"corners": "cxcywh", "units": "normalized", "activation": "softmax", "suppressed": True},
}


def read_input(given: Any) -> Input:
    """The "input" of a config.json. Raises BadInput naming what is wrong."""
    body = _object(given, "input", dataclasses.fields(Input))
    for name in ("width", "height"):
        if name not in body:
            raise BadInput(f"config.json: input.{name} (pixels) is missing")
    values: dict[str, Any] = {name: _whole(body, name, 16, MOST_SIDE) for name in ("width", "height")}
    for name, low, high in (("pad", 0, 255), ("batch", 0, 256)):
        if name in body:
            values[name] = _whole(body, name, low, high)
    choices = {"layout": LAYOUTS, "dtype": DTYPES, "color": COLORS, "resize": RESIZES}
    values |= {name: _choice(body[name], f"input.{name}", known) for name, known in choices.items() if name in body}
    if "name" in body:
        values["name"] = _name(body["name"], "input.name", empty=True)
    if "scale" in body:
        values["scale"] = _number(body["scale"], "input.scale")
    for name in ("mean", "std"):
        if name in body:
            values[name] = _three(body[name], f"input.{name}")
    if not all(values.get("std", (1.0,))):
        raise BadInput("config.json: input.std must not be 0")
    found = Input(**values)
    if found.dtype == "uint8" and (found.scale, found.mean, found.std) != (1.0, (0.0,) * 3, (1.0,) * 3):
        raise BadInput("config.json: input.scale, mean and std change nothing of a network that reads uint8")
    return found


def read_output(given: Any) -> Output:
    """The "output" of a config.json, with the defaults of its format. Raises BadInput naming what is wrong."""
    body = _object(given, "output", dataclasses.fields(Output))
    if "format" not in body:
        raise BadInput(f"config.json: output.format is missing; available: {', '.join(FORMATS)}")
    kind = _choice(body["format"], "output.format", FORMATS)
    values: dict[str, Any] = {"format": kind, **_FORMAT_DEFAULTS[kind]}
    choices = {"corners": CORNERS, "units": UNITS, "activation": ACTIVATIONS}
    values |= {name: _choice(body[name], f"output.{name}", known) for name, known in choices.items() if name in body}
    if "suppressed" in body:
        if not isinstance(body["suppressed"], bool):
            raise BadInput(f"config.json: output.suppressed is {body['suppressed']!r}; true or false expected")
        values["suppressed"] = body["suppressed"]
    names = body.get("names", {})
    if not isinstance(names, dict) or (unknown := sorted(set(names) - set(PARTS[kind]))):
        said = f"has {', '.join(unknown)}" if isinstance(names, dict) else f"is {type(names).__name__}"
        raise BadInput(f"config.json: output.names {said}; format {kind!r} has {', '.join(PARTS[kind])}")
    named = {part: _name(name, f"output.names.{part}", empty=(kind, part) in OPTIONAL) for part, name in names.items()}
    # An empty name says that the network has no such output.
    values["names"] = {part: name for part, name in (_NAMES[kind] | named).items() if name}
    return Output(**values)


def read_class_map(given: Any) -> dict[str, str]:
    """The "class_map": the network's own class number (text) -> name, in order. Raises BadInput as read_input does."""
    if not isinstance(given, dict) or not 1 <= len(given) <= MOST_CLASSES:
        raise BadInput('config.json: class_map must be an object such as {"0": "dog"}, with at least one class')
    found: dict[int, str] = {}
    for key, name in given.items():
        if not (key.isascii() and key.isdigit() and len(key) <= 6):
            raise BadInput(f"config.json: class_map: {key[:40]!r} is not a class number of the network")
        found[int(key)] = _name(name, f"class_map.{key}")
    if len(set(found.values())) != len(given):
        raise BadInput("config.json: class_map: each class has a number and a name of its own")
    return {str(number): found[number] for number in sorted(found)}


def read_config(given: Any) -> ModelConfig:
    """The whole description that comes with a foreign detector: input, output, class_map, and thresholds if wanted.

    Raises BadInput naming what is wrong.
    """
    if not isinstance(given, dict):
        raise BadInput(f"config.json: expected an object, found {type(given).__name__}")
    allowed = {"input", "output", "class_map", "thresholds", "metrics", "description"}
    # What a config.json of ours has besides is taken when it says what an import is, so that an export comes back.
    ours = {"architecture", "format", "image_size", "preprocessing", "hyperparameters"}
    if unknown := sorted(given.keys() - allowed - ours):
        raise BadInput(f"config.json: {unknown[0][:60]!r} is not known; there are {', '.join(sorted(allowed))}")
    for name in ("input", "output", "class_map"):
        if name not in given:
            raise BadInput(f"config.json: {name} is missing")
    frame, output = read_input(given["input"]), read_output(given["output"])
    thresholds = {"score": 0.02, "nms": 0.45}
    for name, value in _plain(given.get("thresholds", {}), "thresholds").items():
        if name not in thresholds or not 0 <= value <= 1:
            raise BadInput(f"config.json: thresholds.{name[:40]} is {value}; score and nms are known, from 0 to 1")
        thresholds[name] = value
    return ModelConfig(
        architecture=FOREIGN,
        class_map=read_class_map(given["class_map"]),
        image_size=max(frame.width, frame.height),
        preprocessing={},
        thresholds=thresholds,
        hyperparameters={},
        metrics=_plain(given.get("metrics", {}), "metrics"),
        input=dataclasses.asdict(frame),
        output=dataclasses.asdict(output),
    )


def _plain(given: Any, where: str) -> dict[str, float]:
    if not isinstance(given, dict) or len(given) > MOST_CLASSES:
        raise BadInput(f"config.json: {where} must be an object of numbers")
    return {_name(key, where): _number(value, f"{where}.{key[:40]}") for key, value in given.items()}


def _object(given: Any, where: str, specs: tuple[Any, ...]) -> dict[str, Any]:
    known = [spec.name for spec in specs]
    if not isinstance(given, dict):
        raise BadInput(f"config.json: {where} must be an object, found {type(given).__name__}")
    if unknown := sorted(given.keys() - set(known)):
        raise BadInput(f"config.json: {where}.{unknown[0][:60]} is not known; there are {', '.join(known)}")
    return given


def _whole(body: Mapping[str, Any], name: str, low: int, high: int) -> int:
    value = body[name]
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise BadInput(f"config.json: input.{name} is {str(value)[:40]}; a whole number from {low} to {high} expected")
    return value


def _choice(value: Any, where: str, known: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in known:
        raise BadInput(f"config.json: {where} is {str(value)[:60]!r}; available: {', '.join(known)}")
    return value


def _number(value: Any, where: str) -> float:
    # Kept far from where float32 ends, so that no pixel becomes infinite.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or abs(value) > 1e9:
        raise BadInput(f"config.json: {where} is {str(value)[:40]}; a number expected")
    return float(value)


def _three(value: Any, where: str) -> tuple[float, float, float]:
    values = value if isinstance(value, (list, tuple)) else [value] * 3
    if len(values) != 3:
        raise BadInput(f"config.json: {where} has {len(values)} numbers; one, or one a colour, expected")
    first, second, third = (_number(one, where) for one in values)
    return first, second, third


def _name(value: Any, where: str, *, empty: bool = False) -> str:
    if not isinstance(value, str) or not (value or empty) or len(value) > NAME_LENGTH or not value.isprintable():
        raise BadInput(f"config.json: {where} must be a name of at most {NAME_LENGTH} characters")
    return value
