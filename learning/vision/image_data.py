"""Images with classes or masks in the shape that a network reads: decoded once, kept within a limit, batched.

It must not know models or jobs. The batches depend only on the seed, the epoch and the item, so that a resumed run sees
what an uninterrupted one would have seen.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from labeling.formats import segments
from labeling.formats.images import ImageError, Limits
from learning.class_manifests import Item, Unreadable
from learning.class_scores import targets
from learning.serving.images import Picture, load_picture
from learning.vision.augment import PRESETS, train_transform
from learning.vision.data import steps_per_epoch

READERS = 4
CACHE_BYTES = 1 << 30
Pixels = NDArray[np.uint8]
Example = tuple[Pixels, NDArray[np.int64]]
# A part of this share of the image, at least, is shown of a picture with masks.
LEAST_PART = 0.6


class LabeledImages:
    """The readable images of a channel at the network's size, each with its target.

    A target is a class (), classes (C,) of 0 and 1, or, for masks, pixels (S, S): 0 is the background, and the class at
    place k is k + 1.
    """

    def __init__(
        self, items: Sequence[Item], *, names: Sequence[str], several: bool, masks: bool, size: int, limits: Limits
    ) -> None:
        self.items, self.size, self.masks = list(items), size, masks
        self._names, self._several, self._limits = list(names), several, limits
        self._left, self._kept = CACHE_BYTES, dict[int, Example]()

    def __len__(self) -> int:
        return len(self.items)

    def preload(self, *, stop: Callable[[], bool]) -> list[tuple[int, str]]:
        """Read all images, and leave out those that cannot be: their line numbers and why."""
        refused: list[tuple[int, str]] = []

        def look(item: Item) -> str:
            try:
                if not stop():
                    self.example(item)
            except (ImageError, Unreadable) as error:
                return str(error)
            return ""

        with ThreadPoolExecutor(READERS) as pool:
            reasons = list(pool.map(look, self.items))
        for item, reason in zip(self.items, reasons, strict=True):
            if reason:
                refused.append((item.number, reason))
        self.items = [item for item, reason in zip(self.items, reasons, strict=True) if not reason]
        return refused

    def example(self, item: Item) -> Example:
        """Pixels [S, S, 3] and the target. Raises ImageError or Unreadable."""
        if item.index not in self._kept:
            made = (self.picture(item).pixels, self._target(item))
            if self._left < made[0].nbytes + made[1].nbytes:
                return made
            self._left -= made[0].nbytes + made[1].nbytes
            self._kept[item.index] = made
        return self._kept[item.index]

    def picture(self, item: Item) -> Picture:
        """Its pixels [S, S, 3] with the size of the original. Raises ImageError."""
        assert item.path is not None  # images are never in the line itself
        return load_picture(item.path, size=self.size, limits=self._limits)

    def truth(self) -> NDArray[np.bool_]:
        """(n, C) which class each image has."""
        return targets([item.classes for item in self.items], self._names)

    def _target(self, item: Item) -> NDArray[np.int64]:
        if self.masks:
            assert item.mask is not None  # every labeled line has one
            found = item.mask.read()
            numbers = [self._names.index(one.label) + 1 for one in found.segments]
            whole = Image.fromarray(segments.layout(found, numbers))
            return np.asarray(whole.resize((self.size, self.size), Image.Resampling.NEAREST), dtype=np.int64)
        row = targets([item.classes], self._names)[0]
        return row.astype(np.int64) if self._several else np.asarray(row.argmax(), dtype=np.int64)


def batches(
    images: LabeledImages, *, preset: str, batch_size: int, seed: int, first_step: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless training batches from a step on: pixels [N, 3, S, S] as floats, and targets."""
    per_epoch, step = steps_per_epoch(len(images), batch_size), first_step
    with ThreadPoolExecutor(READERS) as pool:
        while True:
            epoch, place = divmod(step, per_epoch)
            order = np.random.default_rng([seed, epoch]).permutation(len(images))
            # Fewer images than a batch holds are repeated, so that batch norms never see a single one.
            order = np.resize(order, max(batch_size, len(images)))
            chosen = order[place * batch_size : (place + 1) * batch_size].tolist()
            keys = [(number, np.random.default_rng([seed, epoch, k, number])) for k, number in enumerate(chosen)]
            examples = pool.map(lambda key: _augmented(images.example(images.items[key[0]]), preset, key[1]), keys)
            yield _stacked(list(examples))
            step += 1


def whole(images: LabeledImages, *, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """All images once, in their order and unchanged."""
    for start in range(0, len(images), batch_size):
        yield _stacked([images.example(item) for item in images.items[start : start + batch_size]])


def _stacked(examples: list[Example]) -> tuple[Tensor, Tensor]:
    pixels = torch.from_numpy(np.stack([pixels for pixels, _ in examples]))
    return pixels.permute(0, 3, 1, 2).float(), torch.from_numpy(np.stack([target for _, target in examples]))


def _augmented(example: Example, preset: str, rng: np.random.Generator) -> Example:
    pixels, target = example
    if preset == "none":
        return example
    if target.ndim < 2:
        nothing = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)
        return train_transform(preset)(pixels, *nothing, rng)[0], target
    return _of_masks(pixels, target, preset, rng)


def _of_masks(pixels: Pixels, target: NDArray[np.int64], preset: str, rng: np.random.Generator) -> Example:
    """Mirrored, and a part of it enlarged, the mask like the picture; then only the light of the preset."""
    side = pixels.shape[0]
    if rng.random() < PRESETS[preset].mirror:
        pixels, target = pixels[:, ::-1], target[:, ::-1]
    if rng.random() < PRESETS[preset].zoom_chance:
        extent = side * float(rng.uniform(LEAST_PART, 1.0))
        left, top = (float(rng.uniform(0, side - extent)) for _ in range(2))
        box = (left, top, left + extent, top + extent)
        picture = Image.fromarray(np.ascontiguousarray(pixels))
        mask = Image.fromarray(np.ascontiguousarray(target).astype(np.uint8))
        pixels = np.asarray(picture.resize((side, side), Image.Resampling.BILINEAR, box=box))
        target = np.asarray(mask.resize((side, side), Image.Resampling.NEAREST, box=box), dtype=np.int64)
    light = float(np.exp(rng.normal(0, PRESETS[preset].light)))
    lit = np.clip((pixels.astype(np.float32) - 128) * light + 128, 0, 255).astype(np.uint8)
    return lit, np.ascontiguousarray(target)
