"""Images and boxes in the shape a detector reads: decoded once, kept in memory within a limit.

It must not know models, optimizers, jobs or batches (see loading).
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from labeling.formats.images import ImageError, Limits
from learning.serving.images import Picture, load_picture
from learning.vision.evaluate import Truth
from learning.vision.manifests import Item


class Cache:
    """Decoded pictures in memory, up to a number of bytes; what does not fit is decoded again when needed."""

    def __init__(self, max_bytes: int, limits: Limits) -> None:
        self._left = max_bytes
        self._limits = limits
        self._pictures: dict[tuple[str, int], Picture] = {}

    @property
    def full(self) -> bool:
        return self._left <= 0

    def get(self, path: str, size: int) -> Picture:
        """The picture stretched to size x size; raises ImageError."""
        known = self._pictures.get((path, size))
        if known is not None:
            return known
        picture = load_picture(path, size=size, limits=self._limits)
        if self._left >= picture.pixels.nbytes:
            self._left -= picture.pixels.nbytes
            self._pictures[path, size] = picture
        else:
            self._left = 0
        return picture

    def soon(self, paths: Iterable[str]) -> None:
        """Files are not read ahead."""


class Pictures(Protocol):
    """Where an image set has its pictures from: Cache for files, streaming.StreamedCache for addresses."""

    @property
    def full(self) -> bool:
        """Whether nothing more is to be decoded before the training starts."""

    def get(self, path: str, size: int) -> Picture:
        """The picture stretched to size x size; raises ImageError."""

    def soon(self, paths: Iterable[str]) -> None:
        """What will be asked for."""


@dataclass(frozen=True)
class Unreadable:
    """An image that was left out, and why."""

    number: int
    reason: str


class ImageSet:
    """The readable images of a channel at the detector's size."""

    def __init__(
        self, items: Sequence[Item], *, class_map: Mapping[str, str], image_size: int, cache: Pictures
    ) -> None:
        self.items = list(items)
        self.image_size = image_size
        self._cache = cache
        self._index = {int(key): place + 1 for place, key in enumerate(class_map)}

    def __len__(self) -> int:
        return len(self.items)

    def preload(self, *, stop: Callable[[], bool]) -> list[Unreadable]:
        """Decode what the cache holds, several at a time, and leave out what cannot be read; returns those.

        Images beyond the cache are first opened when they are needed. Ends early when `stop` says so.
        """
        readable: list[Item] = []
        refused: list[Unreadable] = []

        def look(item: Item) -> str | None:
            if self._cache.full or stop():
                return None
            try:
                self._cache.get(str(item.path), self.image_size)
            except ImageError as error:
                return str(error)
            return None

        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            for item, reason in zip(self.items, pool.map(look, self.items), strict=True):
                if reason is None:
                    readable.append(item)
                else:
                    refused.append(Unreadable(item.number, reason))
        self.items = readable
        return refused

    def soon(self, places: Iterable[int]) -> None:
        """Say which pictures will be asked for, so that streamed ones are read ahead."""
        self._cache.soon(str(self.items[place].path) for place in places)

    def picture(self, place: int) -> Picture:
        return self._cache.get(str(self.items[place].path), self.image_size)

    def truth(self, place: int) -> Truth:
        """The labels in displayed pixels, cut at the image's edge."""
        item, picture = self.items[place], self.picture(place)
        boxes = np.clip(item.boxes, 0, [picture.width, picture.height] * 2)
        whole: NDArray[np.bool_] = np.all(boxes[:, 2:] > boxes[:, :2], axis=1)
        return Truth(boxes[whole].astype(np.float32), [k for k, ok in zip(item.class_ids, whole, strict=True) if ok])

    def example(self, place: int) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.int64]]:
        """Pixels [S, S, 3], boxes [n, 4] in them, class indices [n] from 1."""
        item, picture = self.items[place], self.picture(place)
        scale = np.array([self.image_size / picture.width, self.image_size / picture.height] * 2)
        boxes = np.clip(item.boxes * scale, 0, self.image_size).astype(np.float32)
        labels = np.array([self._index[key] for key in item.class_ids], dtype=np.int64)
        return picture.pixels, boxes, labels


def steps_per_epoch(length: int, batch_size: int) -> int:
    """Whole batches an epoch; the images that do not fill a batch are left out of this epoch."""
    return max(1, length // batch_size)
