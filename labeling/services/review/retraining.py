"""What people answered in human loops as lines of an augmented manifest, from which a model learns again.

AWS's object-detection notebook writes such lines by hand, with the attribute `a2i-retraining`; here several people's
boxes are merged as in a labeling job. Bounding boxes only: of other answers nobody knows what they label.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from labeling import task_types
from labeling.consolidation.answers import WorkerAnswer
from labeling.formats.answers import AnswerError
from labeling.formats.augmented import label_line
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import Box, ImageSize
from labeling.formats.worker_responses import SubmittedAnswer
from labeling.models import Dataset, FlowDefinition, HumanLoop
from labeling.services.intake import datasets
from labeling.services.output import submitted
from labeling.task_types.base import AnswersToImage
from marketplace import storage
from marketplace.errors import Invalid
from marketplace.services import boundaries

ATTRIBUTE = "a2i-retraining"
"""The label attribute of the lines, as in AWS's notebook."""

TASK_TYPE = task_types.BOXES
CHUNK = 500
BOXES = "boundingBoxes"
SIZE = "inputImageProperties"


@dataclass(frozen=True)
class Left:
    """A completed loop that gave no line, and why."""

    loop: str
    reason: str


@dataclass(frozen=True)
class Lines:
    """Lines of a manifest, the classes that they use in the order of their numbers, and the loops that gave none."""

    lines: list[bytes]
    labels: list[str]
    left_out: list[Left]


@dataclass(frozen=True)
class _Given:
    """A loop's picture, its size in pixels, and what each person drew."""

    loop: HumanLoop
    uri: str
    size: ImageSize
    elements: list[tuple[str, Mapping[str, Any]]]


def manifest_lines(flow: FlowDefinition, *, labels: Sequence[str] = ()) -> Lines:
    """A line for each Completed loop whose `taskObject` is the address of a picture and whose answers hold boxes.

    `labels`: classes that come first, such as those of the model; others follow in the order of their names.
    """
    given, left_out = [], []
    for loop, answers in _answered(flow):
        found = _read(loop, answers)
        if isinstance(found, Left):
            left_out.append(found)
        else:
            given.append(found)
    used = {box["label"] for one in given for _, element in one.elements for box in element[BOXES]}
    classes = [*labels, *sorted(used - set(labels))]
    lines = []
    for one in given:
        try:
            lines.append(_line(one, classes))
        except (AnswerError, ValueError) as error:
            left_out.append(Left(one.loop.name, str(error)))
    return Lines(lines, classes, left_out)


def _answered(flow: FlowDefinition) -> Iterator[tuple[HumanLoop, list[SubmittedAnswer]]]:
    rows = list(HumanLoop.objects.filter(flow=flow, status="Completed").order_by("pk"))
    for start in range(0, len(rows), CHUNK):
        some = rows[start : start + CHUNK]
        answers = submitted.answers_of(flow.queue, {row.task_id: (0, 0) for row in some if row.task_id is not None})
        for row in some:
            yield row, answers.get(row.task_id or 0, [])


def _read(loop: HumanLoop, answers: Iterable[SubmittedAnswer]) -> _Given | Left:
    uri = orjson.loads(loop.content).get("taskObject")
    if not isinstance(uri, str) or "://" not in uri:
        return Left(loop.name, "its taskObject is no address of a picture")
    elements = []
    for answer in answers:
        element = boxes_element(answer)
        if element is None:
            return Left(loop.name, f"the answer of {answer.worker_id} holds no boxes")
        elements.append((answer.worker_id, element))
    if not elements:
        return Left(loop.name, "nobody has answered it")
    sizes = {(element[SIZE]["width"], element[SIZE]["height"]) for _, element in elements}
    if len(sizes) > 1:
        return Left(loop.name, "the answers are about pictures of different sizes")
    return _Given(loop, uri, ImageSize(*sizes.pop()), elements)


def boxes_element(answer: SubmittedAnswer) -> Mapping[str, Any] | None:
    """What `crowd-bounding-box` gave in an answer, whatever its name is; None in an answer without one."""
    return next((one for one in answer.content.values() if _has_boxes(one)), None)


def _has_boxes(member: Any) -> bool:
    """Whether a member of an answer is what `crowd-bounding-box` gives."""
    if not isinstance(member, Mapping) or not isinstance(member.get(BOXES), list):
        return False
    size = member.get(SIZE)
    if not isinstance(size, Mapping) or not all(isinstance(size.get(side), int) for side in ("width", "height")):
        return False
    return all(isinstance(box, Mapping) and isinstance(box.get("label"), str) for box in member[BOXES])


def _line(given: _Given, classes: Sequence[str]) -> bytes:
    """Raises AnswerError for boxes that nobody could have drawn."""
    about = LabelContext(
        labels=classes,
        image_size=given.size,
        job_name=f"a2i/{given.loop.name}",
        created=given.loop.status_changed_at,
    )
    kind = task_types.get(TASK_TYPE)
    value, metadata = kind.manifest_label([replace(box, attributes=()) for box in _merged(given, classes)], about)
    return label_line(orjson.dumps({"source-ref": given.uri}), ATTRIBUTE, value, metadata)


def _merged(given: _Given, classes: Sequence[str]) -> list[Box]:
    """One person's boxes as they are, several persons' consolidated. Raises AnswerError as `_line` does."""
    kind = task_types.get(TASK_TYPE)
    size = (given.size.width, given.size.height)
    answers = tuple(
        WorkerAnswer(worker, kind.read_answer({kind.element.name: element}, labels=classes, size=size))
        for worker, element in given.elements
    )
    if len(answers) == 1:
        found: list[Box] = kind.certain(answers[0].value)
        return found
    (consensus,) = kind.consolidate_many(
        [AnswersToImage(answers, size)], labels=classes, workers=kind.load_workers(None)
    )
    return [] if consensus.value is None else kind.read_value(consensus.value)


@dataclass(frozen=True)
class Answered:
    """What people drew in a picture of a loop, merged into one label."""

    boxes: list[Box]
    size: ImageSize


def answered(loop: HumanLoop) -> Answered | Left:
    """The label of one Completed loop, or why its answers give none."""
    found = _read(loop, submitted.answers_of(loop.flow.queue, {loop.task_id: (0, 0)}).get(loop.task_id or 0, []))
    if isinstance(found, Left):
        return found
    classes = sorted({box["label"] for _, element in found.elements for box in element[BOXES]})
    try:
        return Answered(_merged(found, classes), found.size)
    except (AnswerError, ValueError) as error:
        return Left(loop.name, str(error))


def make_dataset(*, flow: FlowDefinition, name: str, by: str, labels: Sequence[str] = ()) -> tuple[Dataset, Lines]:
    """A data set of what people answered so far, to train on with the label attribute ATTRIBUTE.

    Raises Invalid when no loop gives a line, and what `datasets.create_dataset` raises.
    """
    found = manifest_lines(flow, labels=labels)
    if not found.lines:
        why = f": {found.left_out[0].loop}: {found.left_out[0].reason}" if found.left_out else ""
        raise Invalid(f"no completed human loop of {flow.name} gives a label{why}", field="flow_definition")
    uri = storage.join(boundaries.base_of(flow.account), "human-review", flow.name, f"{name}.manifest")
    storage.write(uri, b"\n".join(found.lines) + b"\n", content_type="application/jsonlines")
    source = {"kind": "manifest", "uri": uri}
    return datasets.create_dataset(account=flow.account, name=name, source=source, by=by), found
