"""The names that layers have in AWS's networks (MXNet's symbol files), for freeze_layer_pattern.

It must not know models: it turns names into names.
"""

import re
from collections.abc import Sequence

# Place in torchvision's VGG-16 (up to its fourth pooling, and from there) -> the layer.
_VGG_FEATURES = {
    0: "1_1",
    2: "1_2",
    5: "2_1",
    7: "2_2",
    10: "3_1",
    12: "3_2",
    14: "3_3",
    17: "4_1",
    19: "4_2",
    21: "4_3",
}
_VGG_EXTRA = {1: "5_1", 3: "5_2", 5: "5_3"}
_VGG_FULL = {"7.1": "fc6", "7.3": "fc7"}
_RESNET_PARTS = {"conv1": "conv1", "conv2": "conv2", "conv3": "conv3", "bn1": "bn1", "bn2": "bn2", "bn3": "bn3",
                 "downsample.0": "sc", "downsample.1": "sc_bn"}  # fmt: skip


def names_of_aws(architecture: str, names: Sequence[str]) -> dict[str, str]:
    """Parameter name -> name in AWS's network ("conv1_1_weight", "stage2_unit1_conv1_weight"), of the base network."""
    rename = {"ssd300_vgg16": _vgg, "ssd300_resnet50": _resnet}.get(architecture)
    if rename is None:
        return {}
    found = {name: rename(name.removeprefix("backbone.")) for name in names if name.startswith("backbone.")}
    return {name: theirs for name, theirs in found.items() if theirs}


def _vgg(name: str) -> str:
    place, _, kind = name.rpartition(".")
    if place.startswith("features."):
        layer = _VGG_FEATURES.get(int(place.removeprefix("features.")))
        return f"conv{layer}_{kind}" if layer else ""
    inside = place.removeprefix("extra.0.")
    if inside in _VGG_FULL:
        return f"{_VGG_FULL[inside]}_{kind}"
    layer = _VGG_EXTRA.get(int(inside)) if place.startswith("extra.0.") and inside.isdigit() else None
    return f"conv{layer}_{kind}" if layer else ""


def _resnet(name: str) -> str:
    """MXNet counts stages and units from one; its first convolution and norm are conv0 and bn0."""
    if match := re.fullmatch(r"features\.(conv|bn)1\.(\w+)", name):
        return f"{match[1]}0_{_kind(match[1], match[2])}"
    match = re.fullmatch(r"features\.layer(\d)\.(\d+)\.(.+)\.(\w+)", name)
    if match is None:
        return ""
    part = _RESNET_PARTS[match[3]]
    return f"stage{match[1]}_unit{int(match[2]) + 1}_{part}_{_kind(part, match[4])}"


def _kind(part: str, kind: str) -> str:
    return {"weight": "gamma", "bias": "beta"}[kind] if "bn" in part else kind
