"""The consensus of drawn shapes: several workers' polygons, polylines or key points on one image in, one set out.

The plain rules that all kinds of shapes share; polygons.py, polylines.py and keypoints.py bind them to theirs. A pure
function of the answers; their order changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Generic

from labeling.consolidation.answers import WorkerAnswer
from labeling.consolidation.intervals import interval
from labeling.consolidation.shapes import fit
from labeling.consolidation.shapes.answers import ConsolidatedShapes, ImageShapes, Likeness, Size
from labeling.consolidation.shapes.inference import Candidate, candidates
from labeling.consolidation.stopping import Decision, Stopping, decide
from labeling.consolidation.workers.models import WorkerModels
from labeling.consolidation.workers.skills import SkillRow, rows_of_skills
from labeling.formats import label_attributes
from labeling.formats.shapes import Shape


class ShapeConsolidator(Generic[Shape]):
    """The rules for one kind of shape. `algorithm` is the version that labels are stored with."""

    def __init__(self, algorithm: str, likeness: Likeness[Shape]) -> None:
        self.algorithm = algorithm
        self.likeness = likeness

    def consolidate(
        self,
        answers: Sequence[WorkerAnswer[tuple[Shape, ...]]],
        *,
        labels: Sequence[str],
        image_size: Size,
        workers: WorkerModels | None = None,
    ) -> ConsolidatedShapes[Shape]:
        """The shapes that are there, and why; each one's confidence says how much of it is agreed on.

        Of workers nobody knows those are there that at least half of them drew. Raises ValueError for labels that
        repeat and for an image size that is not positive.
        """
        here = self.likeness.latest(answers)
        found = candidates(here, likeness=self.likeness, labels=labels, image_size=image_size, workers=workers)
        kept = [(number, one) for number, one in enumerate(found) if one.kept]
        shapes = tuple(
            replace(one.shape, confidence=_rounded(one.confidence), attributes=())
            for _, one in kept
            if one.shape is not None
        )
        names = [one.worker for one in here]
        explanation: dict[str, Any] = {
            "algorithm": self.algorithm,
            "workers": [{"worker": name} for name in names],
            "clusters": [_cluster(one, names) for one in found],
        }
        mean = _rounded(sum(one.confidence for _, one in kept) / len(kept)) if kept else None
        low, high = (None, None) if mean is None else interval(mean, len(here))
        difficulty = _difficulty(found) if len(here) > 1 else None
        explanation |= {"confidence_low": low, "confidence_high": high, "difficulty": difficulty}
        places = tuple(number for number, _ in kept)
        return ConsolidatedShapes(shapes, places, mean, explanation, self.algorithm, low, high, difficulty)

    def fit_workers(self, objects: Iterable[ImageShapes[Shape]], *, labels: Sequence[str]) -> WorkerModels:
        """See fit.fit_workers."""
        return fit.fit_workers(objects, likeness=self.likeness, labels=labels)

    def should_ask_more(
        self,
        answers: Sequence[WorkerAnswer[tuple[Shape, ...]]],
        *,
        labels: Sequence[str],
        image_size: Size,
        rule: Stopping,
        workers: WorkerModels | None = None,
    ) -> Decision:
        """Whether one more person should see the image; the loss is the mean chance, over all things that anybody drew,
        that it is judged wrong."""
        here = self.likeness.latest(answers)
        found = candidates(here, likeness=self.likeness, labels=labels, image_size=image_size, workers=workers)
        # An image on which nobody drew anything has one thing to be wrong about: that there is nothing.
        shares = [one.agreed if one.kept else one.drawn for one in found] or [0.5 / (len(here) + 1)]
        kept = [one.kept for one in found] or [False]
        loss = sum(1 - share if keep else share for share, keep in zip(shares, kept, strict=True)) / len(shares)
        after = sum(_loss_after(share, len(here)) for share in shares) / len(shares)
        return decide(rule, answers=len(here), loss=loss, gain=max(loss - after, 0.0))

    def skill_rows(self, models: WorkerModels) -> list[SkillRow]:
        """Each worker's counts over all labels and by label, to be added to those of other jobs."""
        return rows_of_skills(models.skills)


def _loss_after(share: float, answers: int) -> float:
    """The expected loss about one thing once one more worker has said that it is there, or that it is not."""
    total = answers + 1
    yes, no = (share * total + 1) / (total + 1), share * total / (total + 1)
    return share * min(yes, 1 - yes) + (1 - share) * min(no, 1 - no)


def _difficulty(found: Sequence[Candidate[Any]]) -> float:
    """1 less the mean likeness of what each worker drew, or did not draw, with what was kept; 0 where all agree."""
    agreed = [
        sum(member.likeness for member in one.members if member.shape.label == one.label) / one.answered
        if one.kept
        else 1 - len(one.members) / one.answered
        for one in found
    ]
    return _rounded(1 - sum(agreed) / len(agreed)) if agreed else 0.0


def _cluster(one: Candidate[Any], here: Sequence[str]) -> dict[str, Any]:
    drawn_by = {member.worker for member in one.members}
    reason = f"drawn by {len(drawn_by)} of {len(here)}"
    if one.label is None:
        reason += "; no label of this job"
    elif not one.kept:
        reason += ", fewer than half" if one.chance is None else f", there with a chance of {one.chance:.2f}"
    confidence = _rounded(one.confidence if one.label is not None else 0.0)
    low, high = interval(confidence, one.answered)
    return {
        "kept": one.kept,
        "reason": reason,
        "label": one.label,
        "confidence": confidence,
        "confidence_low": low,
        "confidence_high": high,
        "members": [
            {
                "worker": member.worker,
                "label": member.shape.label,
                "likeness": _rounded(member.likeness),
                "outvoted": not one.kept or member.shape.label != one.label,
                **label_attributes.written(member.shape.attributes),
            }
            for member in one.members
        ],
        "not_drawn_by": [name for name in here if name not in drawn_by],
    }


def _rounded(value: float) -> float:
    return round(float(value), 4) + 0.0
