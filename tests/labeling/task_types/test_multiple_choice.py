"""Several classes for one object: none of them is an answer, and the manifest has all that somebody chose."""

from datetime import UTC, datetime

import pytest

from labeling import task_types
from labeling.consolidation.answers import WorkerAnswer
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import Vote
from labeling.services.jobs.design import label_errors
from labeling.task_types.base import AnswersToImage, TaskType
from labeling.task_types.multiple_choice import MultipleChoice
from tests.labeling.task_types.samples import LABELS, SIZE

TYPES = [one for one in map(task_types.get, task_types.names()) if isinstance(one, MultipleChoice)]


@pytest.fixture(params=TYPES, ids=[one.name for one in TYPES])
def kind(request: pytest.FixtureRequest) -> TaskType:
    return request.param


def consensus(kind: TaskType, *answers: tuple[str, ...]):
    given = tuple(WorkerAnswer(f"w{n}", Vote(labels)) for n, labels in enumerate(answers))
    (found,) = kind.consolidate_many([AnswersToImage(given, SIZE)], labels=LABELS, workers=kind.load_workers(None))
    return found


def line(kind: TaskType, value) -> tuple:
    return kind.manifest_label(
        kind.read_value(value),
        LabelContext(labels=LABELS, job_name="tags", created=datetime(2020, 2, 27, 21, 36, 25, 201, tzinfo=UTC)),
    )


def test_none_of_the_labels_is_said_and_kept_to_the_manifest(kind):
    element = kind.element.name
    sent = {element: {"labels": ["None of the above"]}}
    answer = kind.read_answer(sent, labels=LABELS, size=SIZE)
    assert answer == Vote(()) and kind.write_answer(answer, size=SIZE) == sent
    assert kind.score_against_truth(answer, Vote(())) == 1 and kind.score_against_truth(Vote(("bee",)), Vote(())) == 0

    found = consensus(kind, (), (), ())
    assert found.value == {"choices": []} and found.confidence == 1
    assert kind.summary(found.value) == "None of the above"
    assert kind.initial_value(found.value) == {"labels": ["None of the above"]}
    (finding,) = kind.story(found.value, found.explanation).findings
    assert finding.label == "None of the above" and finding.kept
    value, metadata = line(kind, found.value)
    assert value == [] and metadata["class-map"] == {} and metadata["confidence-map"] == {}
    read = kind.read_manifest({"tags": value, "tags-metadata": metadata}, "tags")
    assert read.answer.labels == ()


def test_the_manifest_has_every_label_that_somebody_chose(kind):
    """Also the one that was outvoted, with its confidence; what the label says are those above one half."""
    found = consensus(kind, ("wasp", "bee"), ("wasp",), ("wasp", "fly"))
    value, metadata = line(kind, found.value)
    assert value == [0, 1, 2]
    assert list(metadata) == ["job-name", "class-map", "human-annotated", "creation-date", "confidence-map", "type"]
    assert metadata["class-map"] == {"0": "bee", "1": "wasp", "2": "fly"}
    assert metadata["creation-date"] == "2020-02-27T21:36:25.000201"
    sure = metadata["confidence-map"]
    assert sure["1"] > 0.9 and 0 < sure["0"] == sure["2"] < 0.5
    assert kind.summary(found.value) == "wasp" and kind.classes(kind.read_value(found.value)) == {"wasp"}
    assert [one["label"] for one in kind.layer(found.value)["choices"]] == ["wasp"]
    read = kind.read_manifest({"tags": value, "tags-metadata": metadata}, "tags")
    assert kind.classes(read.answer) == {"wasp"}


def test_labels_of_one_worker_of_ground_truth_are_read(kind):
    """Its confidences are all 0, because there is nobody to compare the worker with."""
    metadata = {"class-map": {"0": "bee", "2": "fly"}, "confidence-map": {"0": 0, "2": 0.0}}
    read = kind.read_manifest({"tags": [2, 0], "tags-metadata": metadata}, "tags")
    assert read.answer == Vote(("fly", "bee"))
    assert kind.classes(read.answer) == {"bee", "fly"}


def test_no_label_may_be_called_like_none_of_them(kind):
    ((field, reason),) = label_errors(["bee", "None of the above"], kind)
    assert field == "labels[1]" and "offered to workers already" in reason
