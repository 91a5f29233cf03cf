"""Divides the images of a training into those to learn from and those to measure on, where no validation is given.

Images that look alike stay on one side, else the measure would reward remembering them. The division is kept in the
job folder, so that a run that is resumed has the same. It must not know models.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from labeling.formats.images import ImageError
from learning.contract import BadInput, JobFolder, write_atomically
from learning.selection import near_duplicates
from learning.vision.data import ImageSet
from learning.vision.manifests import Item

SMALL, SMALL_SHARE, LARGE_SHARE = 5000, 0.2, 0.1
"""As Ground Truth does: a fifth of fewer than 5,000 images, else a tenth."""

Log = Callable[[str], None]


def divide(
    folder: JobFolder, images: ImageSet, *, share: float, seed: int, looked_at: bool, log: Log
) -> tuple[list[Item], list[Item]]:
    """(train, validation) items of a set; `share` of the images, -1 for the usual, go into the second.

    `looked_at`: whether the pictures are at hand to be compared; else only those with the same address count as alike.
    Raises BadInput when the images do not suffice for both sides.
    """
    usual = share < 0
    share = share if not usual else SMALL_SHARE if len(images) < SMALL else LARGE_SHARE
    if folder.split.exists():
        kept = json.loads(folder.split.read_text())
        chosen = set(kept["validation"])
        log(f"validation: {len(chosen)} images, as this run divided them when it began")
    else:
        groups = _alike(images) if looked_at else _same_address(images.items)
        chosen, said = _choose(images.items, groups, share, seed)
        write_atomically(folder.split, json.dumps({"share": share, "seed": seed, "validation": sorted(chosen)}))
        how = "look alike" if looked_at else "have the same address (streamed images are not compared)"
        log(
            f"no validation channel: {len(chosen)} of {len(images)} images ({share:g}, seed {seed}) are set aside for "
            f"it; {said} that {how} stay on one side; kept in {folder.split.name}"
        )
    sides: tuple[list[Item], list[Item]] = ([], [])
    for item in images.items:
        sides[item.index in chosen].append(item)
    if not all(sides) and usual:
        log(f"no validation channel, and {len(images)} images do not suffice to set some aside for it")
        return images.items, []
    if not all(sides):
        raise BadInput(
            f"train channel: {len(images)} images do not suffice to set {share:g} of them aside for validation; give a "
            "validation channel, or validation_share 0 for none"
        )
    return sides


def _choose(items: Sequence[Item], groups: NDArray[np.int64], share: float, seed: int) -> tuple[set[int], str]:
    """Whole groups in random order until the share is reached; what is larger than the rest of it stays behind."""
    wanted = max(1, round(share * len(items)))
    size = Counter(groups.tolist())
    if len(size) > 1 and min(size.values()) > wanted:
        wanted = min(size.values())
    alone = len(size) == 1 or max(size.values()) > (1 - share) * len(items)
    if alone:
        # All of them look alike, as microscope images may: then there is nothing that a division could keep together.
        groups, size = np.arange(len(items)), Counter(range(len(items)))
    taken: set[int] = set()
    left = wanted
    for number in np.random.default_rng([seed, len(items)]).permutation(len(size)).tolist():
        if size[number] <= left:
            taken.add(number)
            left -= size[number]
    several = [count for count in size.values() if count > 1]
    said = f"{sum(several)} images in {len(several)} groups" if not alone else "almost all look alike: no images"
    return {item.index for item, number in zip(items, groups.tolist(), strict=True) if number in taken}, said


def _alike(images: ImageSet) -> NDArray[np.int64]:
    """The group of each image; one that cannot be decoded is alone."""

    def look(place: int) -> int | None:
        try:
            return near_duplicates.picture_hash(images.picture(place).pixels)
        except ImageError:
            return None

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        hashes = list(pool.map(look, range(len(images))))
    seen = [place for place, found in enumerate(hashes) if found is not None]
    groups = near_duplicates.group(np.array([hashes[place] for place in seen], dtype=np.uint64))
    found = np.full(len(hashes), -1, dtype=np.int64)
    found[seen] = groups
    found[found < 0] = np.arange((found < 0).sum()) + (groups.max(initial=-1) + 1)
    return found


def _same_address(items: Sequence[Item]) -> NDArray[np.int64]:
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(item.source_ref, len(numbers)) for item in items], dtype=np.int64)
