"""The hyperparameters of the training and prediction programs: names, limits, defaults, AWS's names.

On the wire every value is text; here they become dataclasses. Must not know torch, Django, or what uses them.
"""

import dataclasses
import difflib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labeling.formats.images import Limits
from learning.contract import ARCHITECTURES, LEAST_IMAGE_SIZE, BadInput

IMAGE_LIMITS = Limits()
AUTO, BUILTIN = "auto", "builtin"  # presets
EARLIER = "earlier"  # weights: those of the model in the channel `model`, random ones without it
AUGMENTATIONS = (
    "auto",
    "none",
    "light",
    "standard",
    "strong",
    "any_way_up",
    "close_up",
)  # vision/augment.py's, and auto


def _number(
    default: Any, low: float, high: float = math.inf, *, above: bool = False, below: bool = False, or_zero: bool = False
) -> Any:
    """A number from low to high; `above` and `below` leave the ends out. or_zero: 0 may be given for "not given"."""
    limits = {"low": low, "high": high, "above": above, "below": below, "or_zero": or_zero}
    return field(default=default, metadata=limits)


def _choice(default: str, *choices: str) -> Any:
    return field(default=default, metadata={"choices": choices})


@dataclass(frozen=True)
class TrainHyperparameters:
    """What `learning.vision.train` understands; where 0 makes no sense it means "the recipe's own value".

    docs/training.md says what each one does, and a test that it does so.
    """

    label_attribute_name: str = ""
    preset: str = _choice(AUTO, AUTO, BUILTIN)
    architecture: str = _choice("compact", *ARCHITECTURES)
    # {"0": "dog", "5": "bone"}; empty: what the manifests say
    class_map: dict[str, str] = field(default_factory=dict)
    num_classes: int = _number(0, 1)  # checked against the class map; alone it means ids 0 .. n-1
    num_training_samples: int = _number(0, 1)  # compared with the data
    image_size: int = _number(0, LEAST_IMAGE_SIZE, 2048, or_zero=True)
    epochs: int = _number(0, 1, 100_000)  # 0: thirty, and more of a small set
    max_seconds: float = _number(0.0, 0)  # 0: no limit; the schedule ends inside it
    batch_size: int = _number(0, 1, 4096, or_zero=True)
    learning_rate: float = _number(0.0, 0, 1, above=True)
    optimizer: str = _choice("adamw", "adamw", "sgd", "adam", "rmsprop", "adadelta")
    momentum: float = _number(0.9, 0, 1)  # of sgd
    weight_decay: float = _number(-1.0, 0, 1, below=True)  # of adamw, sgd and rmsprop; -1: the recipe's own value
    # "8,12": epochs at which the rate is multiplied by the factor; empty: the recipe's curve
    lr_scheduler_step: str = ""
    lr_scheduler_factor: float = _number(0.1, 0, 1, above=True, below=True)
    augmentation: str = _choice("auto", *AUGMENTATIONS)
    # auto | none | earlier | a folder or file to start from (which no requester may name)
    weights: str = "auto"
    weights_dir: str = ""  # a folder with torchvision's own .pth files, from the operator's settings alone
    freeze_layer_pattern: str = ""  # regular expression over the names of parameters, ours or AWS's
    early_stopping: bool = False
    early_stopping_min_epochs: int = _number(10, 1)
    early_stopping_patience: int = _number(5, 1)  # epochs
    early_stopping_tolerance: float = _number(0.0, 0, 1)  # relative
    eval_every: int = _number(0, 0)  # epochs between evaluations; 0: chosen so that they cost at most a tenth
    checkpoint_seconds: float = _number(20.0, 0)  # a kill -9 loses at most this much work
    overlap_threshold: float = _number(0.5, 0, 1, above=True)
    nms_threshold: float = _number(0.45, 0, 1, above=True)
    precision: str = _choice("auto", "auto", "float32", "bfloat16")
    # how steps run on a GPU: as CUDA graphs (auto), also compiled by torch.compile, or one operation after another
    acceleration: str = _choice("auto", "auto", "eager", "graph", "compile")
    channels_last: str = _choice("auto", "auto", "true", "false")
    num_workers: int = _number(0, 0, 64)
    num_threads: int = _number(0, 0, 1024)
    num_processes: int = _number(0, 0, 64)  # that train together on a machine; 0: one a GPU
    num_nodes: int = _number(1, 1, 64)  # machines of a cluster that train together, where the operator allows so many
    max_processes: int = _number(0, 0)  # the most of them, from the operator's settings alone; 0: no limit
    device: str = _choice("auto", "auto", "cpu", "cuda")
    cache_bytes: int = _number(1 << 30, 0)  # of decoded pictures, in memory
    stream_cache_bytes: int = _number(4 << 30, 0)  # of streamed images as they were read, on the disk
    validation_share: float = _number(-1.0, -1, 0.5)  # without a validation channel; -1: a fifth, 0.1 of 5,000 or more
    image_max_bytes: int = _number(IMAGE_LIMITS.max_bytes, 1)  # as all limits of images from the settings alone
    image_max_pixels: int = _number(IMAGE_LIMITS.max_pixels, 1)
    seed: int = _number(0, 0, 2**31)
    label_width: int = _number(350, 1)  # no effect: labels of any length are read
    kv_store: str = _choice("", "dist_sync", "dist_async")  # no effect: several GPUs are always kept in step


@dataclass(frozen=True)
class PredictHyperparameters:
    """What `learning.serving.predict` and `learning.vision.predict` understand."""

    score_threshold: float = _number(0.02, 0, 1)
    nms_threshold: float = _number(0.0, 0, 1, above=True)  # 0.0: the model's own
    max_detections: int = _number(100, 1, 10_000)
    batch_size: int = _number(0, 0, 4096)
    backend: str = _choice("auto", "auto", "torch", "openvino", "onnxruntime")
    precision: str = _choice("auto", "auto", "float32", "bfloat16")  # auto: float32, as the thresholds were set
    embedding: bool = True
    mirrored: bool = False  # of detectors: also what is found in the mirror image, which shows how steady it is
    processes: int = _number(0, 0, 64)  # 0: as many as there are cores and images for
    num_threads: int = _number(0, 0, 1024)
    image_max_bytes: int = _number(IMAGE_LIMITS.max_bytes, 1)
    image_max_pixels: int = _number(IMAGE_LIMITS.max_pixels, 1)


# What only the operator's settings say.
OPERATORS = ("weights_dir", "max_processes", "image_max_bytes", "image_max_pixels")
# The values of `weights` that a requester may give.
WEIGHTS = ("auto", "none")
# AWS's object-detection names (and a few obvious ones) for the same thing.
ALIASES = {"mini_batch_size": "batch_size", "image_shape": "image_size", "time_budget": "max_seconds"}
# AWS's, turned into `architecture` and `weights` by parse_train.
BASE_NETWORK, PRETRAINED = "base_network", "use_pretrained_model"
BASE_NETWORKS = {"vgg-16": "ssd300_vgg16", "resnet-50": "ssd300_resnet50"}
# What the built-in algorithm takes for a hyperparameter that is not given, where ours is another.
BUILTIN_DEFAULTS = {
    "architecture": "ssd300_vgg16", "epochs": "30", "image_size": "300", "batch_size": "32", "optimizer": "sgd",
    "learning_rate": "0.001", "weight_decay": "0.0005", "eval_every": "1",
}  # fmt: skip


def parse_train(raw: Mapping[str, str]) -> TrainHyperparameters:
    """Hyperparameters from their wire form; raises BadInput naming the wrong one and what is allowed.

    With the preset `builtin`, which is also that of a set that names its network by AWS's `base_network` and no preset,
    what is not given is as in AWS's built-in algorithm.
    """
    values, names = _own_names(raw)
    base = values.pop(BASE_NETWORK, None)
    if base is not None:
        if base not in BASE_NETWORKS:
            allowed = ", ".join(BASE_NETWORKS)
            raise BadInput(f"hyperparameter 'base_network' is {base!r}; allowed: {allowed}")
        if "architecture" not in values:
            values.setdefault("preset", BUILTIN)
        _set(values, "architecture", BASE_NETWORKS[base], because=f"'base_network' {base!r}")
    pretrained = values.pop(PRETRAINED, None)
    if pretrained is not None:
        # As in the built-in algorithm, a model in the channel `model` is started from all the same.
        without = values["weights"] if values.get("weights") == "none" else EARLIER
        wanted = "auto" if _parse_value(PRETRAINED, pretrained, bool, {}) else without
        _set(values, "weights", wanted, because=f"'use_pretrained_model' {pretrained!r}")
    if values.get("preset") == BUILTIN:
        left_out = {name: value for name, value in BUILTIN_DEFAULTS.items() if name not in values}
        if values.get("optimizer") == "adadelta":
            left_out.pop("learning_rate", None)  # MXNet's takes none: it finds its own
        values |= left_out
    found = _parse(TrainHyperparameters, values, names)
    if not found.label_attribute_name:
        raise BadInput("hyperparameter 'label_attribute_name' (the manifest key of the boxes) is missing")
    scheduled_epochs(found)
    freezes(found)
    return found


def scheduled_epochs(asked: TrainHyperparameters) -> list[int]:
    """The epochs of lr_scheduler_step in order; raises BadInput when it is no list of epochs."""
    text = asked.lr_scheduler_step
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    if not all(part.isascii() and part.isdigit() and 1 <= int(part) <= 100_000 for part in parts):
        raise BadInput(f"hyperparameter 'lr_scheduler_step' is {text!r}; expected epochs from 1 on such as '8,12'")
    return sorted(int(part) for part in parts)


def freezes(asked: TrainHyperparameters) -> re.Pattern[str] | None:
    """freeze_layer_pattern, None when it is empty; raises BadInput when it is no regular expression."""
    try:
        return re.compile(asked.freeze_layer_pattern) if asked.freeze_layer_pattern else None
    except re.error as error:
        raise BadInput(f"hyperparameter 'freeze_layer_pattern' is {asked.freeze_layer_pattern!r}: {error}") from error


def parse_predict(raw: Mapping[str, str]) -> PredictHyperparameters:
    """As parse_train; names that belong to training are accepted, so that one set can serve both programs."""
    known = {spec.name for spec in dataclasses.fields(TrainHyperparameters)} | {BASE_NETWORK, PRETRAINED}
    own = {spec.name for spec in dataclasses.fields(PredictHyperparameters)}
    values, names = _own_names(raw)
    return _parse(PredictHyperparameters, {k: v for k, v in values.items() if k in own or k not in known}, names)


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


def allowed(limits: Mapping[str, Any]) -> str:
    """What a field's metadata allows, in words; "" when it says nothing."""
    if "choices" in limits:
        return ", ".join(limits["choices"])
    if "low" not in limits:
        return ""
    low, high = f"{limits['low']:.10g}", f"{limits['high']:.10g}"
    if limits["high"] == math.inf:
        return f"{low} or more"
    if limits["above"] or limits["below"]:
        from_low = f"more than {low}" if limits["above"] else f"at least {low}"
        return f"{from_low}, {'less than' if limits['below'] else 'at most'} {high}"
    return f"{low} to {high}"


def _own_names(raw: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The values by our names, and the name that was given for each. Raises BadInput for one given twice."""
    values: dict[str, str] = {}
    names: dict[str, str] = {}
    for name, text in raw.items():
        own = ALIASES.get(name, name)
        if own in values and values[own] != text:
            raise BadInput(f"hyperparameters {names[own]!r} and {name!r} are the same thing, but not the same value")
        values[own], names[own] = text, name
    return values, names


def _set(values: dict[str, str], name: str, value: str, *, because: str) -> None:
    if values.setdefault(name, value) != value:
        raise BadInput(f"hyperparameter {name!r} is {values[name]!r}, but {because} means {value!r}: give only one")


def _parse(kind: type[Any], values: Mapping[str, str], names: Mapping[str, str]) -> Any:
    """`names` are those under which the values were given, for messages."""
    specs = {spec.name: spec for spec in dataclasses.fields(kind)}
    parsed = {}
    for name, text in values.items():
        if name.startswith(("sagemaker_", "_")):
            continue
        if name not in specs:
            close = difflib.get_close_matches(name, [*specs, *ALIASES, BASE_NETWORK, PRETRAINED], n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise BadInput(f"hyperparameter {name!r} is not known{hint}")
        given = names.get(name, name)
        limits = dict(specs[name].metadata)
        if given != name:
            limits["or_zero"] = False  # AWS's names have AWS's meaning
        parsed[name] = _parse_value(given, text, specs[name].type, limits)
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
        expected = _EXPECTED.get(kind, 'an object such as {"0": "dog"}')
        raise BadInput(f"hyperparameter {name!r} is {text!r}; expected {expected}") from error
    if "choices" in limits and value not in limits["choices"]:
        raise BadInput(f"hyperparameter {name!r} is {text!r}; allowed: {allowed(limits)}")
    if "low" in limits and not _inside(value, limits):
        raise BadInput(f"hyperparameter {name!r} is {text}; allowed: {allowed(limits)}")
    return value


_EXPECTED = {bool: "true or false", int: "a whole number", float: "a number"}


def _inside(value: float, limits: Mapping[str, Any]) -> bool:
    if value == 0 and limits["or_zero"]:
        return True
    low_enough = value < limits["high"] if limits["below"] else value <= limits["high"]
    high_enough = value > limits["low"] if limits["above"] else value >= limits["low"]
    return math.isfinite(value) and low_enough and high_enough


# For the hyperparameters of other families of learners (family_hyperparameters.py).
number, choice, parse = _number, _choice, _parse
