"""Opening a model folder, whoever trained it: the session that answers with heads, and the pixels it wants.

It must not know where the folder came from.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from learning.contract import FOREIGN, BadInput, ModelConfig
from learning.serving.foreign import Input, Output, read_input, read_output
from learning.serving.heads import read_heads
from learning.serving.images import Frame
from learning.serving.session import Heads, Runtime, Session, open_session


def open_model(
    folder: Path, *, backend: str = "auto", num_threads: int = 0, precision: str = "float32"
) -> tuple[Session, ModelConfig]:
    """The model of a folder (config.json, model.onnx) in the runtime asked for; see session.open_session.

    Raises BadInput when the folder holds no model we know, BackendUnavailable when no runtime loads it.
    """
    config = ModelConfig.read(folder)
    runtime = open_session(folder / "model.onnx", backend=backend, num_threads=num_threads, precision=precision)
    if config.architecture != FOREIGN:
        return runtime, config
    return ForeignSession(runtime, read_input(config.input), read_output(config.output), config.class_ids), config


def frame_of(config: ModelConfig) -> Frame:
    """The size to which pictures are brought for this model, for load_picture and read_pictures."""
    if config.architecture != FOREIGN:
        return Frame(config.image_size, config.image_size)
    wanted = read_input(config.input)
    return Frame(wanted.width, wanted.height, wanted.pad if wanted.resize == "letterbox" else None)


class ForeignSession:
    """A foreign detector behind the interface of our own; it has no embedding."""

    def __init__(self, runtime: Runtime, frame: Input, output: Output, classes: list[int]) -> None:
        self.name = runtime.name
        self._runtime, self._frame, self._output, self._classes = runtime, frame, output, classes

    def run(self, images: NDArray[np.uint8]) -> Heads:
        """See Session.run; boxes are in pixels of the input, of which width and height may differ."""
        size = self._frame.batch or len(images)
        parts = [self._some(images[at : at + size], size) for at in range(0, len(images), size)]
        if len({boxes.shape[1] for boxes, _ in parts}) > 1:
            # A network that finds a number of its own in each image: filled up with boxes of score 0.
            most = max(boxes.shape[1] for boxes, _ in parts)
            parts = [(_filled(boxes, most), _filled(scores, most)) for boxes, scores in parts]
        boxes, scores = (np.concatenate(part) for part in zip(*parts, strict=True))
        return boxes, scores, np.zeros((len(images), 0), np.float32)

    def _some(self, images: NDArray[np.uint8], size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        count = len(images)
        if count < size:
            images = np.concatenate([images, np.zeros((size - count, *images.shape[1:]), np.uint8)])
        names = self._output.names
        values = self._runtime.call(pixels_for(images, self._frame), list(names.values()))
        outputs = dict(zip(names, values, strict=True))
        found = read_heads(outputs, frame=self._frame, output=self._output, classes=self._classes, images=size)
        return found[0][:count], found[1][:count]


def pixels_for(images: NDArray[np.uint8], frame: Input) -> NDArray[np.generic]:
    """uint8 [N, H, W, 3] in RGB -> what the network reads. Raises BadInput for images of another size."""
    if images.shape[1:] != (frame.height, frame.width, 3):
        raise BadInput(f"images of {list(images.shape[1:])} given, [{frame.height}, {frame.width}, 3] expected")
    if frame.color == "BGR":
        images = images[..., ::-1]
    values: NDArray[np.generic] = images
    if frame.dtype != "uint8":
        mean, std = np.array(frame.mean, np.float32), np.array(frame.std, np.float32)
        # One multiplication and one addition a pixel: half the time of the formula as it is written.
        values = images * (np.float32(frame.scale) / std) - mean / std
    if frame.layout == "NCHW":
        values = np.moveaxis(values, 3, 1)
    return np.ascontiguousarray(values, dtype=frame.dtype)


def _filled(values: NDArray[np.float32], boxes: int) -> NDArray[np.float32]:
    return np.pad(values, ((0, 0), (0, boxes - values.shape[1]), (0, 0)))
