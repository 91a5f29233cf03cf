"""The files of an image classifier or a segmenter: model.safetensors, and model.onnx, which reads uint8 pixels.

The exported graph is compared with torch before it is accepted. It must not know jobs or training.
"""

import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from learning.contract import ModelConfig, write_atomically
from learning.serving.classifying import OUTPUTS
from learning.vision.export import OPSET, TOLERANCE, ExportDiffers
from learning.vision.image_networks import ImageNetwork


class _Pixels(nn.Module):
    """uint8 [N, S, S, 3], as image libraries hold pixels, in front of a network's scores."""

    def __init__(self, network: ImageNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.network.scores(images.permute(0, 3, 1, 2).float())


def write_model(network: ImageNetwork, folder: Path, config: ModelConfig) -> dict[str, float]:
    """All three files; returns the largest difference of each output between torch and ONNX Runtime.

    Raises ExportDiffers when they do not agree.
    """
    # In eval mode itself: the exporter puts all modules back into the mode of the one that it is given.
    model = _Pixels(network.cpu()).eval()
    beside = folder / ".model.onnx.tmp"
    size = network.image_size
    try:
        with warnings.catch_warnings(), torch.no_grad():
            # The tracer warns about every shape it turns into a constant; the comparison below is the real check.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                model,
                (torch.zeros(2, size, size, 3, dtype=torch.uint8),),
                str(beside),
                input_names=["images"],
                output_names=list(OUTPUTS),
                dynamic_axes={name: {0: "n"} for name in ("images", *OUTPUTS)},
                opset_version=OPSET,
                dynamo=False,
            )
        differences = _compare(model, beside, size)
        beside.replace(folder / "model.onnx")
    finally:
        beside.unlink(missing_ok=True)
    weights = folder / ".model.safetensors.tmp"
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, weights)
    write_atomically(folder / "model.safetensors", weights.read_bytes())
    weights.unlink()
    config.write(folder)
    return differences


def _compare(model: nn.Module, exported: Path, size: int) -> dict[str, float]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(exported), options, providers=["CPUExecutionProvider"])
    differences = dict.fromkeys(OUTPUTS, 0.0)
    rng = np.random.default_rng(0)
    for count in (1, 3):
        coarse = rng.integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
        images = coarse.repeat(-(-size // 8), axis=1).repeat(-(-size // 8), axis=2)[:, :size, :size]
        images = np.ascontiguousarray(images)
        with torch.no_grad():
            expected = [part.numpy() for part in model(torch.from_numpy(images))]
        for name, wanted, got in zip(OUTPUTS, expected, session.run(list(OUTPUTS), {"images": images}), strict=True):
            unit = max(1.0, float(np.abs(wanted).max())) if name == "embedding" else 1.0
            differences[name] = max(differences[name], float(np.abs(wanted - got).max()) / unit)
    worst = {name: value for name, value in differences.items() if not value <= TOLERANCE[name]}
    if worst:
        raise ExportDiffers(f"the exported graph differs from the model: {worst}")
    return {name: round(value, 8) for name, value in differences.items()}
