"""The hyperparameters of the training and prediction programs: names, limits, defaults, AWS's names.

On the wire every value is text; here they become dataclasses. Must not know torch, Django, or what uses them.
"""

import dataclasses
import difflib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labeling.formats.images import Limits
from learning.contract import ARCHITECTURES, BadInput

IMAGE_LIMITS = Limits()


def _number(default: Any, low: float, high: float = math.inf) -> Any:
    return field(default=default, metadata={"low": low, "high": high})


def _choice(default: str, *choices: str) -> Any:
    return field(default=default, metadata={"choices": choices})


@dataclass(frozen=True)
class TrainHyperparameters:
    """What `learning.vision.train` understands; where 0 makes no sense it means "the recipe's own value"."""

    label_attribute_name: str = ""
    architecture: str = _choice("compact", *ARCHITECTURES)
    # {"0": "dog", "5": "bone"}; empty: what the manifests say
    class_map: dict[str, str] = field(default_factory=dict)
    num_classes: int = _number(0, 0)  # checked against the class map; alone it means ids 0 .. n-1
    image_size: int = _number(0, 0, 2048)
    epochs: int = _number(0, 1, 100_000)  # 0: thirty, and more of a small set
    max_seconds: float = _number(0.0, 0)  # 0: no limit; the schedule ends inside it
    batch_size: int = _number(0, 0, 4096)
    learning_rate: float = _number(0.0, 0, 1)
    optimizer: str = _choice("adamw", "adamw", "sgd", "adam", "rmsprop", "adadelta")
    momentum: float = _number(0.9, 0, 1)
    weight_decay: float = _number(-1.0, -1, 1)  # -1: the recipe's own value
    # "8,12": epochs at which the rate is multiplied by the factor; empty: the recipe's curve
    lr_scheduler_step: str = ""
    lr_scheduler_factor: float = _number(0.1, 0, 1)
    augmentation: str = "auto"
    weights: str = "auto"  # auto | none | a folder or file to start from (which no requester may name)
    weights_dir: str = ""  # a folder with torchvision's own .pth files, from the operator's settings alone
    freeze_layer_pattern: str = ""  # regular expression over parameter names
    early_stopping: bool = False
    early_stopping_min_epochs: int = _number(10, 1)
    early_stopping_patience: int = _number(5, 1)
    early_stopping_tolerance: float = _number(0.0, 0, 1)
    eval_every: int = _number(0, 0)  # epochs between evaluations; 0: chosen so that they cost at most a tenth
    checkpoint_seconds: float = _number(20.0, 0)  # a kill -9 loses at most this much work
    overlap_threshold: float = _number(0.5, 0, 1)
    nms_threshold: float = _number(0.45, 0, 1)
    precision: str = _choice("auto", "auto", "float32", "bfloat16")
    channels_last: str = _choice("auto", "auto", "true", "false")
    num_workers: int = _number(0, 0, 64)
    num_threads: int = _number(0, 0, 1024)
    device: str = _choice("auto", "auto", "cpu", "cuda")
    cache_bytes: int = _number(1 << 30, 0)
    image_max_bytes: int = _number(IMAGE_LIMITS.max_bytes, 1)  # as all limits of images from the settings alone
    image_max_pixels: int = _number(IMAGE_LIMITS.max_pixels, 1)
    seed: int = _number(0, 0, 2**31)


@dataclass(frozen=True)
class PredictHyperparameters:
    """What `learning.vision.predict` understands."""

    score_threshold: float = _number(0.02, 0, 1)
    nms_threshold: float = _number(0.45, 0, 1)
    max_detections: int = _number(100, 1, 10_000)
    batch_size: int = _number(0, 0, 4096)
    backend: str = _choice("auto", "auto", "torch", "openvino", "onnxruntime")
    precision: str = _choice("auto", "auto", "float32", "bfloat16")  # auto: float32, as the thresholds were set
    embedding: bool = True
    num_threads: int = _number(0, 0, 1024)
    image_max_bytes: int = _number(IMAGE_LIMITS.max_bytes, 1)
    image_max_pixels: int = _number(IMAGE_LIMITS.max_pixels, 1)


# What only the operator's settings say.
OPERATORS = ("weights_dir", "image_max_bytes", "image_max_pixels")
# The values of `weights` that a requester may give.
WEIGHTS = ("auto", "none")
# AWS's object-detection names (and a few obvious ones) for the same thing.
ALIASES = {"mini_batch_size": "batch_size", "image_shape": "image_size", "time_budget": "max_seconds"}
# Names AWS accepts that have no meaning here: padding of RecordIO labels, parameter servers, epoch size.
IGNORED = {"label_width", "kv_store", "num_training_samples"}
_OTHER_TRAINING_NAMES = {"base_network", "use_pretrained_model"}  # AWS's, turned into ours by parse_train
_BASE_NETWORKS = {"vgg-16": "ssd300_vgg16"}


def parse_train(raw: Mapping[str, str]) -> TrainHyperparameters:
    """Hyperparameters from their wire form; raises BadInput naming the wrong one and what is allowed."""
    values = {ALIASES.get(name, name): value for name, value in raw.items()}
    base = values.pop("base_network", None)
    if base is not None and "architecture" not in values:
        if base not in _BASE_NETWORKS:
            available = ", ".join(_BASE_NETWORKS)
            raise BadInput(f"hyperparameter 'base_network' is {base!r}; available: {available}")
        values["architecture"] = _BASE_NETWORKS[base]
    pretrained = values.pop("use_pretrained_model", None)
    if pretrained is not None and "weights" not in values:
        values["weights"] = "auto" if _parse_value("use_pretrained_model", pretrained, bool, {}) else "none"
    found = _parse(TrainHyperparameters, values)
    if not found.label_attribute_name:
        raise BadInput("hyperparameter 'label_attribute_name' (the manifest key of the boxes) is missing")
    return found


def parse_predict(raw: Mapping[str, str]) -> PredictHyperparameters:
    """As parse_train; names that belong to training are accepted, so that one set can serve both programs."""
    known = {spec.name for spec in dataclasses.fields(TrainHyperparameters)} | _OTHER_TRAINING_NAMES
    own = {spec.name for spec in dataclasses.fields(PredictHyperparameters)}
    values = {ALIASES.get(name, name): value for name, value in raw.items()}
    return _parse(PredictHyperparameters, {k: v for k, v in values.items() if k in own or k not in known})


def refuse_operators(raw: Mapping[str, str]) -> None:
    """Raises BadInput for a hyperparameter that only the operator sets, or that names a file of this machine.

    For what a requester gives: the program would read that file whoever owns it, or decode an image of any size.
    """
    for name in OPERATORS:
        if name in raw:
            raise BadInput(f"hyperparameter {name!r} cannot be set here; the operator's settings say it")
    weights = raw.get("weights", WEIGHTS[0])
    if weights not in WEIGHTS:
        raise BadInput(
            f"hyperparameter 'weights' is {weights!r}; allowed: {', '.join(WEIGHTS)} (to start from a model of yours, "
            "give the channel 'model')"
        )


def _parse(kind: type[Any], values: Mapping[str, str]) -> Any:
    specs = {spec.name: spec for spec in dataclasses.fields(kind)}
    parsed = {}
    for name, text in values.items():
        if name in IGNORED or name.startswith(("sagemaker_", "_")):
            continue
        if name not in specs:
            close = difflib.get_close_matches(name, list(specs) + list(ALIASES), n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise BadInput(f"hyperparameter {name!r} is not known{hint}")
        parsed[name] = _parse_value(name, text, specs[name].type, specs[name].metadata)
    return kind(**parsed)


def _parse_value(name: str, text: str, kind: Any, limits: Mapping[str, Any]) -> Any:
    try:
        if kind is bool:
            value: Any = {"true": True, "1": True, "false": False, "0": False}[text.strip().lower()]
        elif kind in (int, float):
            value = kind(text)
        elif kind is str:
            value = text
        else:
            value = {str(int(key)): str(label) for key, label in json.loads(text).items()}
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        expected = kind.__name__ if kind in (bool, int, float) else 'an object such as {"0": "dog"}'
        raise BadInput(f"hyperparameter {name!r} is {text!r}; expected {expected}") from error
    if "choices" in limits and value not in limits["choices"]:
        raise BadInput(f"hyperparameter {name!r} is {text!r}; allowed: {', '.join(limits['choices'])}")
    if "low" in limits and not limits["low"] <= value <= limits["high"]:
        raise BadInput(f"hyperparameter {name!r} is {text}; allowed: {limits['low']} to {limits['high']}")
    return value


# For the hyperparameters of other families of learners (family_hyperparameters.py).
number, choice, parse = _number, _choice, _parse
