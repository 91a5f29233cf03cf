"""A detector's files: model.safetensors, and model.onnx, which reads uint8 pixels and ends before suppression.

It must not know jobs or training. The exported graph is compared with torch before it is accepted.
"""

import os
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from learning.contract import BadInput, ModelConfig
from learning.serving.session import OUTPUTS
from learning.vision.ssd import Network, build

OPSET = 17
# Largest difference allowed between torch and the exported graph: pixels, probability, embedding (relative).
TOLERANCE = {"boxes": 0.1, "scores": 1e-3, "embedding": 1e-3}


class ExportDiffers(RuntimeError):
    """The exported graph does not compute what the model computes."""


class _Pixels(nn.Module):
    """uint8 [N, S, S, 3], as image libraries hold pixels, in front of a detector's heads."""

    def __init__(self, detector: Network) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.detector.heads(images.permute(0, 3, 1, 2).float())


def save_weights(detector: Network, path: Path) -> None:
    """Write the detector's parameters and buffers as safetensors, atomically."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    save_file({k: v.detach().cpu().contiguous() for k, v in detector.state_dict().items()}, beside)
    beside.chmod(0o644)  # safetensors makes files that only their owner can read
    beside.replace(path)


def load_weights(detector: Network, path: Path) -> None:
    """Read what save_weights wrote for the same architecture and classes; raises BadInput when it does not fit."""
    try:
        detector.load_state_dict(load_file(path))
    except FileNotFoundError as error:
        raise BadInput(f"{path.name} is missing in {path.parent}") from error
    except Exception as error:  # noqa: BLE001 - safetensors raises its own kinds, load_state_dict RuntimeError
        raise BadInput(f"{path.name} does not fit the model that config.json describes: {error}") from error


def export_onnx(detector: Network, path: Path, *, image_size: int) -> dict[str, float]:
    """Write model.onnx (input "images" uint8 [N, S, S, 3], outputs OUTPUTS, any N), atomically.

    Returns the largest difference to torch for each output; raises ExportDiffers above TOLERANCE.
    """
    was_training = detector.training
    device = next(detector.parameters()).device
    model = _Pixels(detector).cpu().eval()
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    example = torch.zeros(2, image_size, image_size, 3, dtype=torch.uint8)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            # The tracer warns about every shape it turns into a constant; the comparison below is the real check.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                model,
                (example,),
                str(beside),
                input_names=["images"],
                output_names=list(OUTPUTS),
                dynamic_axes={name: {0: "n"} for name in ("images", *OUTPUTS)},
                opset_version=OPSET,
                dynamo=False,
            )
        differences = compare(model, beside, image_size=image_size)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
        detector.to(device).train(was_training)
    return differences


def compare(model: nn.Module, exported: Path, *, image_size: int) -> dict[str, float]:
    """Largest difference of each output over batches of one and three random images; raises ExportDiffers."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(exported), options, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    differences = dict.fromkeys(OUTPUTS, 0.0)
    for count in (1, 3):
        # Smooth pictures, not noise: what the model is made for, and what keeps activations in their usual range.
        coarse = rng.integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
        images = coarse.repeat(-(-image_size // 8), axis=1).repeat(-(-image_size // 8), axis=2)
        images = np.ascontiguousarray(images[:, :image_size, :image_size])
        with torch.no_grad():
            expected = [part.numpy() for part in model(torch.from_numpy(images))]
        found = session.run(list(OUTPUTS), {"images": images})
        for name, wanted, got in zip(OUTPUTS, expected, found, strict=True):
            unit = max(1.0, float(np.abs(wanted).max())) if name == "embedding" else 1.0
            difference = float(np.abs(wanted - got).max()) / unit
            if not difference <= TOLERANCE[name]:
                raise ExportDiffers(f"model.onnx: {name} differ from torch by {difference} (batch of {count})")
            differences[name] = max(differences[name], difference)
    return differences


def write_model(network: Network, folder: Path, config: ModelConfig) -> dict[str, float]:
    """Write the three files of a model; config.json comes last, so that its presence says the rest is there.

    Returns what export_onnx returns. The network must be finished.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(network, folder / "model.safetensors")
    differences = export_onnx(network, folder / "model.onnx", image_size=config.image_size)
    config.write(folder)
    return differences


def read_model(folder: Path) -> tuple[Network, ModelConfig]:
    """The network of a model folder, in evaluation mode; raises BadInput when it is not one."""
    config = ModelConfig.read(folder)
    network = build(
        config.architecture,
        num_classes=len(config.class_map),
        image_size=config.image_size,
        config_format=config.format,
    )
    load_weights(network, folder / "model.safetensors")
    return network.eval(), config
