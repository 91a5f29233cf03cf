"""What is known of each worker who paints masks: how much of what is there they paint, and how much of it is right.

Counts are of classes (or of instances) an image, not of pixels: the pixels of one object are not independent evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labeling.consolidation.workers.skills import SkillRow

QUALITY = 0.75
"""F1 of a crowd of which no answer has been seen."""

CROWD_STRENGTH = 10.0
"""Things of the prior that are added to the crowd's counts."""

WORKER_STRENGTH = 4.0
"""Things of the crowd that are added to a worker's counts."""


@dataclass(slots=True)
class Painted:
    """Sums over the things of one class: `found` of the `chances` that were there, and `right` of the `drawn`."""

    found: float = 0.0
    chances: float = 0.0
    right: float = 0.0
    drawn: float = 0.0

    def add(self, other: Painted) -> None:
        """Add the sums of another."""
        self.found += other.found
        self.chances += other.chances
        self.right += other.right
        self.drawn += other.drawn


@dataclass(slots=True)
class MaskWorkers:
    """`workers` has the sums by class of each worker, `images` how many images each answered."""

    workers: dict[str, dict[str, Painted]] = field(default_factory=dict)
    images: dict[str, float] = field(default_factory=dict)

    def add(self, worker: str, by_class: Mapping[str, Painted]) -> None:
        """Add what one answer showed."""
        mine = self.workers.setdefault(worker, {})
        for label, one in by_class.items():
            mine.setdefault(label, Painted()).add(one)
        self.images[worker] = self.images.get(worker, 0.0) + 1

    def quality(self, worker: str | None = None) -> float:
        """F1, shrunk: of the crowd, or of one worker."""
        crowd = self._crowd()
        everybody = _f1(crowd, QUALITY, CROWD_STRENGTH)
        return everybody if worker is None else _f1(self._of(worker), everybody, WORKER_STRENGTH)

    def recall(self, worker: str | None = None, label: str | None = None) -> float:
        """Share of what is there that is painted, shrunk; of one class towards that of all."""
        crowd = self._crowd()
        share = _share(crowd.found, crowd.chances, QUALITY, CROWD_STRENGTH)
        if worker is not None:
            mine = self._of(worker)
            share = _share(mine.found, mine.chances, share, WORKER_STRENGTH)
        if worker is not None and label is not None:
            one = self.workers.get(worker, {}).get(label, Painted())
            share = _share(one.found, one.chances, share, WORKER_STRENGTH)
        return share

    def precision(self, worker: str | None = None) -> float:
        """Share of what is painted that is right, shrunk."""
        crowd = self._crowd()
        share = _share(crowd.right, crowd.drawn, QUALITY, CROWD_STRENGTH)
        if worker is None:
            return share
        mine = self._of(worker)
        return _share(mine.right, mine.drawn, share, WORKER_STRENGTH)

    def weights(self, workers: Iterable[str]) -> list[float]:
        """How much each worker's answer counts in a vote: their quality, the crowd's for a worker nobody knows."""
        return [round(self.quality(worker), 6) for worker in workers]

    def _of(self, worker: str) -> Painted:
        return _total(self.workers.get(worker, {}).values())

    def _crowd(self) -> Painted:
        return _total(one for by_class in self.workers.values() for one in by_class.values())

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, sorted, rounded to 6 digits."""
        return {
            "version": 1,
            "workers": {
                worker: {
                    "images": round(self.images.get(worker, 0.0), 6),
                    "classes": {label: _numbers(one) for label, one in sorted(self.workers[worker].items())},
                }
                for worker in sorted(self.workers)
            },
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> MaskWorkers:
        """Read `to_json`'s output; raises ValueError for another version."""
        if data.get("version") != 1:
            raise ValueError(f"mask workers: found version {data.get('version')!r}, expected 1")
        return cls(
            {
                worker: {label: Painted(*map(float, numbers)) for label, numbers in known["classes"].items()}
                for worker, known in data["workers"].items()
            },
            {worker: float(known["images"]) for worker, known in data["workers"].items()},
        )


def rows_of_masks(models: MaskWorkers, labels: Sequence[str]) -> list[SkillRow]:
    """Each worker's counts over all classes, then for each of `labels`; workers sorted."""
    rows = []
    for worker in sorted(models.workers):
        images = models.images.get(worker, 0.0)
        by_class = models.workers[worker]
        for label, one in [("", _total(by_class.values())), *((label, by_class.get(label)) for label in labels)]:
            if one is not None:
                rows.append(SkillRow(worker, label, images, one.found, one.chances, one.drawn - one.right, one.drawn))
    return rows


def _total(sums: Iterable[Painted]) -> Painted:
    total = Painted()
    for one in sums:
        total.add(one)
    return total


def _f1(sums: Painted, believed: float, strength: float) -> float:
    return _share(sums.found + sums.right, sums.chances + sums.drawn, believed, strength)


def _share(part: float, whole: float, believed: float, strength: float) -> float:
    return (part + strength * believed) / (whole + strength)


def _numbers(one: Painted) -> list[float]:
    return [round(number, 6) + 0.0 for number in (one.found, one.chances, one.right, one.drawn)]
