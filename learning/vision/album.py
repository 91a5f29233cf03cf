"""Keeps a few validation pictures with what the model finds on them, for whoever follows the training.

It must not know networks or the training loop; learning/samples.py says what the files are.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from learning.contract import JobFolder, PredictedBox, write_atomically
from learning.program import log
from learning.samples import (
    FOLDER,
    IMAGE_SIDE,
    INDEX,
    MOST_BOXES,
    MOST_IMAGES,
    Evaluation,
    SampleBox,
    SampleImage,
    Samples,
    surest,
)
from learning.serving.images import Picture
from learning.vision.evaluate import Truth

QUALITY = 80


class Album:
    """The samples of one evaluation over `length` pictures: `look` is called for each of them, `keep` at its end."""

    def __init__(self, folder: JobFolder, *, class_map: Mapping[str, str], length: int) -> None:
        self._folder, self._class_map = folder.output / FOLDER, class_map
        # Spread over the set: pictures that follow each other are often of one scene.
        self._places = {round(place) for place in np.linspace(0, max(0, length - 1), MOST_IMAGES)}
        self._pictures: list[Picture] = []
        self._images: list[SampleImage] = []
        self._found: list[list[SampleBox]] = []

    def look(self, place: int, picture: Picture, truth: Truth, boxes: Sequence[PredictedBox]) -> None:
        """Keep this picture if it is one of the samples."""
        if place not in self._places:
            return
        known = [
            SampleBox(self._name(key), *(round(float(side), 1) for side in (left, top, right - left, bottom - top)))
            for key, (left, top, right, bottom) in zip(truth.class_ids, truth.boxes, strict=True)
        ]
        file = f"{len(self._images)}.jpg"
        self._pictures.append(picture)
        self._images.append(SampleImage(file, picture.width, picture.height, known[:MOST_BOXES]))
        self._found.append(surest([self._box(box) for box in boxes]))

    def keep(self, *, step: int, epoch: int) -> None:
        """Add the evaluation to the index."""
        self._folder.mkdir(parents=True, exist_ok=True)
        index, samples = self._folder / INDEX, Samples()
        if index.exists():
            try:
                samples = Samples.from_json(index.read_bytes())
            except ValueError as error:
                log(f"the samples of earlier evaluations are left out: {error}")
        if samples.images != self._images:
            samples = Samples(images=self._images)
            for image, picture in zip(self._images, self._pictures, strict=True):
                _write_picture(self._folder / image.file, picture)
        samples.add(Evaluation(step, epoch, self._found))
        write_atomically(index, samples.to_json())

    def _name(self, class_id: int) -> str:
        return self._class_map[str(class_id)]

    def _box(self, box: PredictedBox) -> SampleBox:
        left, top, width, height = (round(side, 1) for side in (box.left, box.top, box.width, box.height))
        return SampleBox(self._name(box.class_id), left, top, width, height, round(box.score, 4))


def _write_picture(path: Path, picture: Picture) -> None:
    scale = IMAGE_SIDE / max(picture.width, picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    beside = path.with_suffix(".tmp")
    Image.fromarray(picture.pixels).resize(size).save(beside, "JPEG", quality=QUALITY)
    beside.replace(path)
