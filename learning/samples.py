"""Sample predictions of a training beside the truth: what the program leaves in output/samples after an evaluation.

Written by the program and read by the portal, which does not trust it. Must not know torch, Django, or either side.
"""

import dataclasses
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labeling.formats import segments
from labeling.formats.shapes import Segment, Segmentation

BOXES, CLASSES, MASKS = KINDS = ("boxes", "classes", "masks")  # what a model finds
FOLDER = "samples"  # in output/
INDEX = "samples.json"
IMAGE = re.compile(r"[0-9]{1,2}\.jpg")
MOST_IMAGES = 8
MOST_EVALUATIONS = 20  # older ones are dropped
MOST_BOXES = 50  # of one image, the surest ones
MOST_BYTES = 4 << 20  # of the index
IMAGE_SIDE = 320  # pixels of the longer side of a sample's picture
LEAST_SCORE = 0.2


@dataclass(frozen=True)
class SampleBox:
    """A box in displayed pixels of the original image; `score` is None for the truth."""

    label: str
    left: float
    top: float
    width: float
    height: float
    score: float | None = None


@dataclass(frozen=True)
class SampleClass:
    """A class of the whole picture; `score` is None for the truth."""

    label: str
    score: float | None = None


@dataclass(frozen=True)
class SampleMask:
    """The pixels of a class, as COCO's run lengths in a picture of the image's width and height."""

    label: str
    counts: str


Shape = SampleBox | SampleClass | SampleMask


@dataclass(frozen=True)
class SampleImage:
    """One picture: its file beside the index, and what people say is on it.

    Width and height are those of the original in pixels; with masks those of the masks, which are as small as the file.
    """

    file: str
    width: int
    height: int
    truth: Sequence[Shape]


@dataclass(frozen=True)
class Evaluation:
    """What the model found after `step` steps: for each image, in their order, its boxes, classes or masks."""

    step: int
    epoch: int
    found: Sequence[Sequence[Shape]]


@dataclass
class Samples:
    """The index: the images, the newest evaluations in the order of their steps, and which of KINDS is found."""

    images: list[SampleImage] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)
    kind: str = BOXES

    def add(self, evaluation: Evaluation) -> None:
        """Append an evaluation; one of the same step or a later one, from before a resume, gives way to it."""
        kept = [one for one in self.evaluations if one.step < evaluation.step]
        self.evaluations = [*kept, evaluation][-MOST_EVALUATIONS:]

    def to_json(self) -> str:
        """As it is stored."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Samples":
        """Raises ValueError naming what does not fit."""
        if len(text) > MOST_BYTES:
            raise ValueError(f"{INDEX}: {len(text):,} bytes, at most {MOST_BYTES:,} expected")
        try:
            body = json.loads(text)
        except RecursionError:
            raise ValueError(f"{INDEX}: nested too deeply") from None
        if not isinstance(body, dict):
            raise ValueError(f"{INDEX}: expected an object, found {type(body).__name__}")
        # Earlier versions knew boxes only.
        kind = body.get("kind", BOXES)
        if kind not in KINDS:
            raise ValueError(f"{INDEX}: kind: one of {', '.join(KINDS)} expected, found {str(kind)[:40]!r}")
        images = [_image(one, f"images[{place}]", kind) for place, one in _rows(body, "images", MOST_IMAGES)]
        evaluations = []
        for place, one in _rows(body, "evaluations", MOST_EVALUATIONS):
            where = f"evaluations[{place}]"
            lists = _rows(one, "found", MOST_IMAGES)
            if len(lists) != len(images):
                raise ValueError(f"{where}.found: {len(lists)} lists of {kind} for {len(images)} images")
            found = [
                _shapes(shapes, f"{where}.found[{at}]", kind, (images[at].width, images[at].height), scored=True)
                for at, shapes in lists
            ]
            evaluations.append(Evaluation(_whole(one, "step", where), _whole(one, "epoch", where), found))
        return cls(images, evaluations, kind)


def surest(boxes: Sequence[SampleBox]) -> list[SampleBox]:
    """The boxes worth showing, the surest first: those of at least LEAST_SCORE, MOST_BOXES at most."""
    shown = [box for box in boxes if box.score is None or box.score >= LEAST_SCORE]
    return sorted(shown, key=lambda box: -(box.score or 0.0))[:MOST_BOXES]


def _rows(body: Any, name: str, most: int) -> list[tuple[int, Any]]:
    rows = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(rows, list) or len(rows) > most:
        raise ValueError(f"{name}: a list of at most {most} expected")
    return list(enumerate(rows))


def _image(body: Any, where: str, kind: str) -> SampleImage:
    if not isinstance(body, Mapping) or not IMAGE.fullmatch(str(body.get("file"))):
        raise ValueError(f"{where}.file: a name such as 0.jpg expected")
    width, height = _whole(body, "width", where), _whole(body, "height", where)
    truth = _shapes(body.get("truth"), f"{where}.truth", kind, (width, height), scored=False)
    return SampleImage(body["file"], width, height, truth)


def _shapes(body: Any, where: str, kind: str, size: tuple[int, int], *, scored: bool) -> list[Shape]:
    if not isinstance(body, list) or len(body) > MOST_BOXES:
        raise ValueError(f"{where}: a list of at most {MOST_BOXES} {kind} expected")
    found: list[Shape] = []
    for place, one in enumerate(body):
        here = f"{where}[{place}]"
        if not isinstance(one, Mapping) or not isinstance(one.get("label"), str):
            raise ValueError(f"{here}.label: a text expected")
        if kind == MASKS:
            found.append(_mask(one, here, size))
            continue
        score = _number(one, "score", here) if scored else None
        if kind == CLASSES:
            found.append(SampleClass(one["label"], score))
            continue
        left, top, width, height = (_number(one, name, here) for name in ("left", "top", "width", "height"))
        found.append(SampleBox(one["label"], left, top, width, height, score))
    return found


def _mask(body: Mapping[str, Any], where: str, size: tuple[int, int]) -> SampleMask:
    counts = body.get("counts")
    try:
        if not isinstance(counts, str):
            raise ValueError("a text expected")
        segments.check(Segmentation(size, (Segment(body["label"], counts),)))
    except ValueError as error:
        raise ValueError(f"{where}.counts: {error}") from None
    return SampleMask(body["label"], counts)


def _whole(body: Any, name: str, where: str) -> int:
    value = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise ValueError(f"{where}.{name}: a whole number expected, found {str(value)[:40]!r}")
    return value


def _number(body: Mapping[str, Any], name: str, where: str) -> float:
    value = body.get(name)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(f"{where}.{name}: a number expected, found {str(value)[:40]!r}")
    return float(value)
