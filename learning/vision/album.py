"""Keeps a few validation pictures with what a model finds on them, for whoever follows the training.

It must not know networks or the training loop; learning/samples.py says what the files are.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from labeling.formats import segments
from learning.class_scores import CUT_OFF
from learning.contract import JobFolder, PredictedBox, write_atomically
from learning.program import log
from learning.samples import (
    BOXES,
    CLASSES,
    FOLDER,
    IMAGE_SIDE,
    INDEX,
    MASKS,
    MOST_BOXES,
    MOST_IMAGES,
    Evaluation,
    SampleBox,
    SampleClass,
    SampleImage,
    SampleMask,
    Samples,
    Shape,
    surest,
)
from learning.serving.images import Picture
from learning.vision.evaluate import Truth

QUALITY = 80


class Pages:
    """The samples of one evaluation: a picture is added at each of `places`, in their order; then `keep` is called.

    `kind`: see learning/samples.py.
    """

    def __init__(self, folder: JobFolder, *, kind: str, length: int) -> None:
        self._folder, self._kind = folder.output / FOLDER, kind
        # Spread over the set: pictures that follow each other are often of one scene.
        self.places = {round(place) for place in np.linspace(0, max(0, length - 1), MOST_IMAGES)}
        self._pictures: list[Picture] = []
        self._images: list[SampleImage] = []
        self._found: list[Sequence[Shape]] = []

    def add(self, picture: Picture, size: tuple[int, int], truth: Sequence[Shape], found: Sequence[Shape]) -> None:
        """One more picture; `size` is (width, height) as in SampleImage."""
        self._images.append(SampleImage(f"{len(self._images)}.jpg", *size, truth))
        self._pictures.append(picture)
        self._found.append(found)

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
            samples = Samples(images=self._images, kind=self._kind)
            for image, picture in zip(self._images, self._pictures, strict=True):
                _write_picture(self._folder / image.file, picture)
        samples.add(Evaluation(step, epoch, self._found))
        write_atomically(index, samples.to_json())


class Album(Pages):
    """The samples of one evaluation of a detector: `look` is called for each picture of `length`."""

    def __init__(self, folder: JobFolder, *, class_map: Mapping[str, str], length: int) -> None:
        super().__init__(folder, kind=BOXES, length=length)
        self._class_map = class_map

    def look(self, place: int, picture: Picture, truth: Truth, boxes: Sequence[PredictedBox]) -> None:
        """Keep this picture if it is one of the samples."""
        if place not in self.places:
            return
        known = [
            SampleBox(self._name(key), *(round(float(side), 1) for side in (left, top, right - left, bottom - top)))
            for key, (left, top, right, bottom) in zip(truth.class_ids, truth.boxes, strict=True)
        ]
        found = surest([self._box(box) for box in boxes])
        self.add(picture, (picture.width, picture.height), known[:MOST_BOXES], found)

    def _name(self, class_id: int) -> str:
        return self._class_map[str(class_id)]

    def _box(self, box: PredictedBox) -> SampleBox:
        left, top, width, height = (round(side, 1) for side in (box.left, box.top, box.width, box.height))
        return SampleBox(self._name(box.class_id), left, top, width, height, round(box.score, 4))


class ImageAlbum(Pages):
    """The samples of an evaluation of a classifier or a segmenter with classes of these names."""

    def __init__(self, folder: JobFolder, *, names: Sequence[str], masks: bool, length: int) -> None:
        super().__init__(folder, kind=MASKS if masks else CLASSES, length=length)
        self._names = list(names)

    def classified(self, picture: Picture, truth: Sequence[str], chances: NDArray[Any], *, several: bool) -> None:
        """A picture with these classes, and the chance of each class; of `several` those from CUT_OFF on are found."""
        places = np.flatnonzero(chances >= CUT_OFF) if several else [int(np.argmax(chances))]
        found = [SampleClass(self._names[place], round(float(chances[place]), 4)) for place in places]
        size = (picture.width, picture.height)
        self.add(picture, size, [SampleClass(name) for name in truth][:MOST_BOXES], found[:MOST_BOXES])

    def painted(self, picture: Picture, truth: NDArray[np.int64], found: NDArray[np.int64]) -> None:
        """A picture with the class of each pixel (S, S), counted from 1, of which 0 is the background."""
        size = _shown(picture)
        self.add(picture, size, self._masks(truth, size), self._masks(found, size))

    def _masks(self, values: NDArray[np.int64], size: tuple[int, int]) -> list[SampleMask]:
        small = Image.fromarray(values.astype(np.uint8)).resize(size, Image.Resampling.NEAREST)
        labels = dict(enumerate(self._names, start=1))
        return [SampleMask(one.label, one.counts) for one in segments.from_pixels(np.asarray(small), labels).segments][
            :MOST_BOXES
        ]


def _shown(picture: Picture) -> tuple[int, int]:
    """(width, height) of the file of a sample."""
    scale = IMAGE_SIDE / max(picture.width, picture.height)
    return max(1, round(picture.width * scale)), max(1, round(picture.height * scale))


def _write_picture(path: Path, picture: Picture) -> None:
    beside = path.with_suffix(".tmp")
    Image.fromarray(picture.pixels).resize(_shown(picture)).save(beside, "JPEG", quality=QUALITY)
    beside.replace(path)
