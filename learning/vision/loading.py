"""Training batches: augmented, collated, and on their way to the device while the batch before is learned from.

They depend only on the seed, the epoch and the item, so a resumed run sees what an uninterrupted one would have seen.
It must not know models, optimizers or jobs.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from labeling.formats.images import ImageError
from learning.vision import distributed
from learning.vision.augment import Transform
from learning.vision.data import ImageSet, steps_per_epoch
from learning.vision.reading_order import announced
from learning.vision.targets import from_arrays

Batch = tuple[Tensor, Tensor]  # uint8 [N, 3, S, S] (channels last) and targets [N, M, 5] (see targets)
Example = tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.int64]]  # pixels, boxes, labels
LEAST_SIDE = 1.0  # input pixels; a thinner box covers no pixel and cannot be learned


class Examples(Dataset[Example | None]):
    """What the loader's workers read: (epoch, place) -> augmented example, None when the image is unreadable."""

    def __init__(self, images: ImageSet, augment: Transform, seed: int) -> None:
        self._images, self._augment, self._seed = images, augment, seed

    def __getitem__(self, key: tuple[int, int]) -> Example | None:
        epoch, place = key
        try:
            pixels, boxes, labels = self._images.example(place)
        except ImageError:
            return None
        rng = np.random.default_rng([self._seed, epoch, place])
        pixels, boxes, labels = self._augment(pixels, boxes, labels, rng)
        boxes = np.clip(boxes, 0, self._images.image_size)
        whole = (boxes[:, 2:] - boxes[:, :2] >= LEAST_SIDE).all(axis=1)
        return pixels, boxes[whole], labels[whole]


class Order(Sampler[list[tuple[int, int]]]):
    """Endless batches from a given step on, each epoch in an order of its own; of each this process's share."""

    def __init__(self, length: int, batch_size: int, seed: int, first_step: int) -> None:
        self._length, self._batch_size, self._seed, self._first = length, batch_size, seed, first_step

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        steps = steps_per_epoch(self._length, self._batch_size)
        share = self._batch_size // distributed.processes()
        epoch, skip = divmod(self._first, steps)
        while True:
            order = np.random.default_rng([self._seed, epoch]).permutation(self._length)
            # Fewer images than a batch holds are repeated, so that batch norms never see a single one.
            order = np.resize(order, max(self._batch_size, self._length))
            for start in range(skip, steps):
                begin = start * self._batch_size + distributed.rank() * share
                yield [(epoch, int(place)) for place in order[begin : begin + share]]
            epoch, skip = epoch + 1, 0


def batches(
    images: ImageSet,
    *,
    augment: Transform,
    batch_size: int,
    seed: int,
    first_step: int,
    num_workers: int,
    device: torch.device | None = None,
) -> Iterator[Batch]:
    """Endless training batches on the device. Unreadable images are left out.

    With no readable image in a whole epoch, raises ImageError; of several processes also when one has no readable
    image in its share of a batch, since all have to make the same steps.
    """
    device = device or torch.device("cpu")
    loader = DataLoader(
        Examples(images, augment, seed),
        batch_sampler=announced(Order(len(images), batch_size, seed, first_step), images, batch_size),
        collate_fn=_collate,
        num_workers=num_workers,
        persistent_workers=num_workers > 0,
        pin_memory=device.type == "cuda",
        prefetch_factor=4 if num_workers else None,
    )
    found = _readable(loader, limit=steps_per_epoch(len(images), batch_size))
    return _sent_ahead(found, device) if device.type == "cuda" else found


def _readable(loader: DataLoader[Example | None], *, limit: int) -> Iterator[Batch]:
    empty = 0
    for batch in loader:
        empty = empty + 1 if batch is None else 0
        if empty > (0 if distributed.processes() > 1 else limit):
            raise ImageError("not one image of the train channel can be read")
        if batch is not None:
            yield batch


def _collate(examples: Sequence[Example | None]) -> Batch | None:
    found = [example for example in examples if example is not None]
    if not found:
        return None
    pixels = torch.from_numpy(np.stack([pixels for pixels, _, _ in found]))
    return pixels.permute(0, 3, 1, 2), from_arrays([(boxes, labels) for _, boxes, labels in found])


def _sent_ahead(source: Iterator[Batch], device: torch.device) -> Iterator[Batch]:
    """Copies each batch to the card on a stream of its own, while the card still learns from the one before."""
    stream = torch.cuda.Stream(device)
    for batch in source:
        with torch.cuda.stream(stream):
            images, targets = (tensor.to(device, non_blocking=True) for tensor in batch)
        current = torch.cuda.current_stream(device)
        current.wait_stream(stream)
        for tensor in (images, targets):
            tensor.record_stream(current)  # else the allocator might give it away while it is still read
        yield images, targets
