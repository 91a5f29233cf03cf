"""A trained detector in service: images in, boxes in their own displayed pixels out. No torch.

It must not know requests, jobs or manifests.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labeling.formats.images import ImageError, Limits
from learning.contract import ModelConfig, PredictedBox
from learning.serving.images import Frame, Picture, load_picture
from learning.serving.opening import frame_of, open_model
from learning.serving.session import Heads, Session
from learning.serving.suppression import select_boxes


@dataclass(frozen=True)
class Detection:
    """What was found in one image; with an `error` there is no size and there are no boxes."""

    image_size: dict[str, int] | None
    boxes: list[PredictedBox]
    embedding: list[float]
    error: str | None = None


@dataclass(frozen=True)
class Choice:
    """Which of the raw boxes are kept."""

    score_threshold: float
    nms_threshold: float
    max_detections: int = 100


class Detector:
    """A model folder (config.json and model.onnx) ready to detect."""

    def __init__(
        self,
        folder: Path,
        *,
        backend: str = "auto",
        num_threads: int = 0,
        precision: str = "float32",
        choice: Choice | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Raises BadInput when the folder holds no model we know, BackendUnavailable when no runtime loads it."""
        self.session: Session
        self.session, self.config = open_model(folder, backend=backend, num_threads=num_threads, precision=precision)
        stored = self.config.thresholds
        self.choice = choice or Choice(score_threshold=stored["score"], nms_threshold=stored["nms"])
        self._limits = limits or Limits()

    def detect(self, images: Sequence[str | Path | bytes]) -> list[Detection]:
        """Detections in the order of the images; an unreadable image becomes a Detection with its error."""
        return detect_pictures(self.read(images), self.session.run, self.config, self.choice)

    def read(self, images: Sequence[str | Path | bytes]) -> list[Picture | ImageError]:
        """The images as the model reads them, or why one cannot be read. May be called in several threads."""
        return read_pictures(images, size=frame_of(self.config), limits=self._limits)


def read_pictures(
    images: Sequence[str | Path | bytes], *, size: int | Frame, limits: Limits, pool: ThreadPoolExecutor | None = None
) -> list[Picture | ImageError]:
    """Decode each image, or say why not; with a pool several at a time (Pillow decodes outside the GIL).

    `size`: that of the model, see opening.frame_of.
    """

    def read(image: str | Path | bytes) -> Picture | ImageError:
        try:
            return load_picture(image, size=size, limits=limits)
        except ImageError as error:
            return error

    return list(pool.map(read, images) if pool else map(read, images))


def detect_pictures(
    pictures: Sequence[Picture | ImageError],
    run: Callable[[NDArray[np.uint8]], Heads],
    config: ModelConfig,
    choice: Choice,
) -> list[Detection]:
    """One batch through `run` (see Session.run) and suppression, in the order of the pictures."""
    readable = [picture for picture in pictures if isinstance(picture, Picture)]
    rows = iter(zip(*run(np.stack([picture.pixels for picture in readable])), strict=True) if readable else ())
    detections = []
    for picture in pictures:
        if isinstance(picture, ImageError):
            detections.append(Detection(None, [], [], str(picture)))
            continue
        boxes, scores, embedding = next(rows)
        found = to_original(boxes, scores, picture=picture, config=config, choice=choice)
        detections.append(Detection(picture.image_size, found, embedding.astype(np.float64).round(5).tolist()))
    return detections


def to_original(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    *,
    picture: Picture,
    config: ModelConfig,
    choice: Choice,
) -> list[PredictedBox]:
    """Raw heads of one image (boxes [A, 4] in input pixels, scores [A, C]) -> boxes in its displayed pixels."""
    found, score, label = select_boxes(
        boxes,
        scores,
        score_threshold=choice.score_threshold,
        nms_threshold=1.0 if config.suppressed else choice.nms_threshold,
        max_detections=choice.max_detections,
    )
    height, width = picture.pixels.shape[:2]
    left, top, shown_width, shown_height = picture.content or (0, 0, width, height)
    scale = np.array([picture.width, picture.height] * 2, dtype=np.float64) / ([shown_width, shown_height] * 2)
    corners = np.clip((found - [left, top] * 2) * scale, 0, [picture.width, picture.height] * 2).round(2)
    rows = np.hstack(
        [corners[:, :2], (corners[:, 2:] - corners[:, :2]).round(2), score[:, None].astype(float).round(6)]
    )
    ids = config.class_ids
    return [PredictedBox(ids[k], *row) for k, row in zip(label.tolist(), rows.tolist(), strict=True)]
