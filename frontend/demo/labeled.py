"""The truth about data objects of any task type, from an augmented manifest, and what simulated people say about them.

An object is found by its content; people err as the simulation of the type says.
"""

import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from frontend.demo.truth import digest
from labeling.formats import images, manifest, texts
from labeling.formats.masks import MAX_PNG_BYTES
from labeling.services.intake import decoding
from labeling.simulation.base import MIXED, SimulatedObject, Simulation
from labeling.task_types.base import TEXT, TaskType
from marketplace import storage
from marketplace.errors import DomainError

CROWD = 1
"""Random numbers of the crowd's people, apart from those of their answers."""


@dataclass
class LabeledTruth:
    """The true labels of a manifest under one attribute, for a job of type `kind`."""

    kind: TaskType[Any, Any]
    by_digest: dict[str, Any] = field(default_factory=dict)
    by_line: dict[int, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, *, kind: TaskType[Any, Any], attribute: str) -> "LabeledTruth":
        """The labels of the manifest at `path`. Raises ValueError naming the line, or what cannot be read."""
        if kind.simulation is None:
            raise ValueError(f"nobody can say how people err at {kind.title!r}")
        truth = cls(kind)
        try:
            with path.open("rb") as stream:
                for line in manifest.parse(stream, label_attribute_name=attribute):
                    if isinstance(line, manifest.BadLine):
                        raise ValueError(str(line))
                    if line.labeled:
                        truth._add(line, attribute)
        except (OSError, DomainError, images.ImageError, texts.TextError) as error:
            raise ValueError(f"{path}: {error}") from None
        if not truth.by_line:
            raise ValueError(f"{path}: no line has a label under {attribute!r}")
        return truth

    def _add(self, line: manifest.Line, attribute: str) -> None:
        attributes = dict(line.attributes)
        if self.kind.label_is_file and isinstance(uri := attributes[attribute], str):
            attributes[attribute] = storage.read(uri, limit=MAX_PNG_BYTES)
        label = self.kind.certain(self.kind.read_manifest(attributes, attribute).answer)
        self.by_line[line.index] = label
        self.by_digest[digest(self._shown(line))] = label

    def _shown(self, line: manifest.Line) -> bytes:
        """The object as workers get it: upright, or as plain text."""
        content = line.source.encode() if line.source is not None else storage.read(line.source_ref or "")
        return texts.read(content).encode() if self.kind.medium == TEXT else decoding.upright(content, patient=True)

    def answer(
        self,
        *,
        number: int,
        spammer: bool,
        seed: int,
        content: bytes,
        labels: list[str],
        size: tuple[int, int],
        initial_value: Any = None,
    ) -> tuple[dict[str, Any], float] | None:
        """What simulated worker `number` says about the object, and in how many seconds; None for an unknown object.

        It depends on the seed, the worker and the object only, not on who came first. `initial_value`: what the answer
        starts from, where people adjust an earlier label.
        """
        label = self.by_digest.get(digest(content))
        simulation: Simulation[Any, Any, Any] | None = self.kind.simulation
        if label is None or simulation is None:
            return None
        rates = simulation.presets[MIXED]
        (worker,) = simulation.workers(rates, np.random.default_rng([seed, number, CROWD]), [spammer])
        rng = np.random.default_rng([seed, number, zlib.crc32(content)])
        seats = np.zeros((1, 1), np.int64)
        ((said,),) = simulation.answers(rates, rng, [worker], [SimulatedObject(label, size)], seats, labels)
        if not spammer:
            begun = {"initial_value": initial_value, "truth": label}
            said = self.kind.simulated(said, labels=labels, size=size, **begun)
        seconds = 1 + 2 * simulation.things(rates) * float(rng.lognormal(0, 0.3))
        return self.kind.write_answer(said, size=size), seconds

    def quality(self, labeled: dict[int, dict[str, Any]]) -> dict[str, Any]:
        """How right stored labels, by the line of their object, are on average: 1 for all of it and nothing else."""
        scores = [
            self.kind.score_against_truth(self.kind.read_value(value), self.by_line[index])
            for index, value in labeled.items()
            if index in self.by_line
        ]
        return {"objects": len(scores), "score": round(sum(scores) / len(scores), 4) if scores else 0.0}
