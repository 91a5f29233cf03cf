"""Tiny ONNX detectors that nobody trained: they show the same boxes in every picture, as sure as it is red."""

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from learning.contract import MODEL, JobFolder
from learning.serving.foreign import read_config
from learning.serving.trial import try_model
from marketplace import storage

SIDE = 64
BOXES = np.array([[16, 8, 48, 40], [17, 9, 49, 41], [0, 0, 20, 20]], np.float32)
"""As x1 y1 x2 y2 in pixels of the input; the second is nearly the first."""
SCORES = np.array([0.8, 0.6, 0.4], np.float32)
LABELS = np.array([3, 3, 1])
"""The network's own numbers of the classes."""
CLASSES = 5
CLASS_MAP = {"1": "bee", "3": "wasp"}


def _centred(boxes: np.ndarray) -> np.ndarray:
    return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], 1)


def _one_hot(rows: np.ndarray) -> np.ndarray:
    return np.eye(CLASSES, dtype=np.float32)[LABELS] * rows[:, None]


def _logits(chances: np.ndarray) -> np.ndarray:
    return np.log(np.clip(chances, 1e-6, 1 - 1e-6) / (1 - np.clip(chances, 1e-6, 1 - 1e-6)))


def parts(kind: str) -> dict[str, tuple[np.ndarray, bool]]:
    """Name of an output -> (its values for one image, whether they are multiplied with how red the image is)."""
    normalized = BOXES / SIDE
    if kind == "boxes":
        return {"boxes": (BOXES, False), "scores": (SCORES, True), "labels": (LABELS.astype(np.float32), False)}
    if kind == "yolo5":
        # Objectness times the chance of the class.
        rows = np.concatenate([_centred(BOXES), np.ones((3, 1)), _one_hot(SCORES)], 1)
        return {"output0": (rows.astype(np.float32), True)}
    if kind == "yolo8":
        return {"output0": (np.concatenate([_centred(BOXES), _one_hot(SCORES)], 1).T.astype(np.float32), True)}
    if kind == "ssd":
        return {
            "detection_boxes": (normalized[:, [1, 0, 3, 2]], False),
            "detection_scores": (SCORES, True),
            "detection_classes": (LABELS.astype(np.float32), False),
            "num_detections": (np.array(3, np.float32), False),
        }
    # A softmax over the classes and "nothing"; multiplied with 0 it would say that all are equally likely.
    chances = np.concatenate([_one_hot(SCORES) + 1e-6, 1 - SCORES[:, None]], 1)
    return {"logits": (np.log(chances).astype(np.float32), False), "pred_boxes": (_centred(normalized), False)}


def a_network(path: Path, kind: str = "boxes", *, batch: int | str = "n", layout: str = "NCHW", **more: Any) -> None:
    """Write a network that reads float32 pixels from 0 to 1 and answers in the format `kind`."""
    shape = [batch, 3, SIDE, SIDE] if layout == "NCHW" else [batch, SIDE, SIDE, 3]
    channel, axes = (1, [2, 3]) if layout == "NCHW" else (3, [1, 2])
    nodes = [
        helper.make_node("Slice", ["images", "zero", "one", "channel"], ["reds"]),
        helper.make_node("ReduceMean", ["reds"], ["kept"], axes=sorted([*axes, channel]), keepdims=1),
        helper.make_node("Reshape", ["kept", "column"], ["red"]),
    ]
    constants = {
        "zero": np.array([0]),
        "one": np.array([1]),
        "channel": np.array([channel]),
        "column": np.array([-1]),
        "none": np.array(0, np.float32),
    }
    outputs = []
    for name, (values, red) in parts(kind).items():
        constants |= {
            f"{name}_of_one": values[None].astype(np.float32),
            f"{name}_axes": np.array([-1, *[1] * values.ndim]),
        }
        nodes.append(helper.make_node("Reshape", ["red", f"{name}_axes"], [f"{name}_red"]))
        if red:
            factor = f"{name}_red"
            if kind.startswith("yolo"):
                # Only the scores, not the boxes: 1 + (red - 1) * (row is a score).
                scores = np.zeros_like(values[None], dtype=np.float32)
                rows = np.swapaxes(scores, 1, 2) if kind == "yolo8" else scores
                rows[..., 5 if kind == "yolo5" else 4 :] = 1
                constants |= {f"{name}_scores": scores, f"{name}_others": 1 - scores}
                nodes += [
                    helper.make_node("Mul", [factor, f"{name}_scores"], [f"{name}_share"]),
                    helper.make_node("Add", [f"{name}_share", f"{name}_others"], [f"{name}_factor"]),
                ]
                factor = f"{name}_factor"
            nodes.append(helper.make_node("Mul", [f"{name}_of_one", factor], [name]))
        else:
            nodes += [
                helper.make_node("Mul", [f"{name}_red", "none"], [f"{name}_zero"]),
                helper.make_node("Add", [f"{name}_of_one", f"{name}_zero"], [name]),
            ]
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, *values.shape]))
    save(path, nodes, outputs, constants, shape, **more)


def save(
    path: Path,
    nodes: list[Any],
    outputs: list[Any],
    constants: dict[str, np.ndarray],
    shape: list[Any],
    **more: Any,
) -> None:
    """Write a model of these parts; `more` goes to make_model."""
    graph = helper.make_graph(
        nodes,
        "detector",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
        outputs,
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    imports = [helper.make_opsetid("", 17), *more.pop("domains", [])]
    onnx.save(helper.make_model(graph, opset_imports=imports, ir_version=8, **more), str(path))


def described(kind: str = "boxes", **changes: Any) -> dict[str, Any]:
    """What its config.json says; `input_<name>` and `output_<name>` change single members."""
    found: dict[str, Any] = {
        "input": {"width": SIDE, "height": SIDE, "scale": 1 / 255},
        "output": {"format": kind},
        "class_map": dict(CLASS_MAP),
        "thresholds": {"score": 0.05, "nms": 0.45},
    }
    if kind == "boxes":
        found["output"]["suppressed"] = False
    for name, value in changes.items():
        part, _, member = name.rpartition("_")
        found[part][member] = value
    return found


def an_import(root: Path, kind: str = "boxes", *, description: Any = None, **network: Any) -> JobFolder:
    """A folder ready for learning.serving.importing."""
    folder = JobFolder(root)
    folder.prepare(hyperparameters={}, channels={MODEL: {}})
    a_network(folder.channel(MODEL) / "model.onnx", kind, **network)
    (folder.channel(MODEL) / "description.json").write_text(json.dumps(description or described(kind)))
    return folder


def stored(base: str, kind: str = "boxes", *, description: Any = None, **network: Any) -> dict[str, str]:
    """A network and its description in the store, as create_import takes them."""
    with tempfile.TemporaryDirectory() as scratch:
        a_network(Path(scratch) / "model.onnx", kind, **network)
        content = (Path(scratch) / "model.onnx").read_bytes()
    uris = {"onnx_uri": storage.join(base, "model.onnx"), "config_uri": storage.join(base, "config.json")}
    storage.write(uris["onnx_uri"], content)
    storage.write(uris["config_uri"], json.dumps(description or described(kind)).encode())
    return uris


def taken_in(folder: Path, kind: str = "boxes", *, description: Any = None, **network: Any) -> Path:
    """A model folder as importing makes it, without its child processes."""
    folder.mkdir(exist_ok=True)
    a_network(folder / "model.onnx", kind, **network)
    config = read_config(description or described(kind))
    config.write(folder)
    found = try_model(folder)
    replace(config, input=found["input"], output=found["output"]).write(folder)
    return folder
