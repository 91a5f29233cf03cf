"""How far people agree with the prediction that they were shown, and with each other. Bounding boxes only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from labeling import task_types
from labeling.formats.answers import AnswerError
from labeling.formats.shapes import Box
from labeling.models import FlowDefinition, HumanLoop
from labeling.services.output import submitted
from labeling.services.review.retraining import BOXES, SIZE, TASK_TYPE, boxes_element


@dataclass(frozen=True)
class Compared:
    """The prediction of a loop and what people drew, by worker; a size of zeros where nobody has drawn boxes.

    `model` is the mean IoU of the prediction's boxes and a person's, a box without a partner of its label counting 0,
    over the persons; `people` the same over the pairs of persons. None where there is nothing to compare.
    """

    predicted: tuple[Box, ...]
    drawn: tuple[tuple[str, tuple[Box, ...]], ...]
    size: tuple[int, int]
    model: float | None
    people: float | None


def of_loop(flow: FlowDefinition, loop: HumanLoop) -> Compared:
    """The prediction and the answers of one loop."""
    answers = submitted.answers_of(flow.queue, {loop.task_id: (0, 0)} if loop.task_id is not None else {})
    return compared(loop, answers.get(loop.task_id or 0, []))


def compared(loop: HumanLoop, answers: Sequence[submitted.SubmittedAnswer]) -> Compared:
    """What a loop's prediction and its answers have in common."""
    found = [(answer.worker_id, element) for answer in answers if (element := boxes_element(answer)) is not None]
    size = (found[0][1][SIZE]["width"], found[0][1][SIZE]["height"]) if found else (0, 0)
    drawn = tuple((worker, boxes) for worker, element in found if (boxes := _read(element[BOXES], size)) is not None)
    given = orjson.loads(loop.content).get("initialValue")
    predicted = _read(_listed(given), size) if found else None
    kind = task_types.get(TASK_TYPE)
    with_model = [] if predicted is None else [kind.agreement(list(predicted), list(boxes)) for _, boxes in drawn]
    pairs = [
        kind.agreement(list(one), list(other)) for place, (_, one) in enumerate(drawn) for _, other in drawn[:place]
    ]
    return Compared(predicted or (), drawn, size, _mean(with_model), _mean(pairs))


def _listed(given: Any) -> Any:
    """The list in `initialValue`, which templates take as JSON text or as a list."""
    if not isinstance(given, str):
        return given
    try:
        return orjson.loads(given)
    except orjson.JSONDecodeError:
        return None


def _read(rows: Any, size: tuple[int, int]) -> tuple[Box, ...] | None:
    """The boxes of an answer or a prediction; None for what holds none."""
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        return None
    kind = task_types.get(TASK_TYPE)
    element = {BOXES: rows, SIZE: {"width": size[0], "height": size[1]}}
    labels = sorted({str(row.get("label")) for row in rows})
    try:
        return tuple(kind.read_answer({kind.element.name: element}, labels=labels, size=size))
    except AnswerError:
        return None


def _mean(values: Sequence[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return sum(found) / len(found) if found else None
