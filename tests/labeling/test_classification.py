"""Image classification with a single label: consensus, dynamic redundancy, skills, labels by others."""

import json

import pytest

from labeling.formats.shapes import Vote
from labeling.models import Answer, DataObject, Label, LabelingJob, Task
from labeling.queries import people
from labeling.services.jobs import advancing, creation
from labeling.services.output import rows
from labeling.services.results import adjudication, consolidating, labels
from labeling.services.results.labels import ExternalLabel
from marketplace.errors import Invalid
from marketplace.models import Worker
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db
DYNAMIC = {"kind": "dynamic", "start": 2, "target_confidence": 0.8}


def a_class_job(**changes) -> tuple[LabelingJob, list[Worker]]:
    """A job that asks whether an image shows a bee, a wasp or a fly."""
    return stories.a_funded_job(task_type="ImageMultiClass", labels=["bee", "wasp", "fly"], **changes)


def choice(label: str) -> dict:
    return {"crowd-image-classifier": {"label": label}}


def answered(job: LabelingJob, workers: list[Worker], chosen: list[str]) -> None:
    """Let each worker answer every task with their own answer, always the same."""
    advancing.advance_job(job.pk)
    for worker, label in zip(workers, chosen, strict=True):
        stories.work(worker, job, choice(label))
    advancing.advance_job(job.pk)
    job.refresh_from_db()


def test_the_majority_becomes_the_label_with_its_reasons():
    job, workers = a_class_job(objects=1)
    answered(job, workers, ["bee", "wasp", "bee"])
    row = DataObject.objects.select_related("label").get(job=job)
    assert (row.state, row.label.revision, row.label.source) == ("HumanLabeled", 1, "human")
    assert row.label.value == {"choice": "bee", "confidence": row.label.confidence}
    assert 0.5 < row.label.confidence < 1
    outvoted = [vote["worker"] for vote in row.label.explanation["votes"] if vote["outvoted"]]
    assert outvoted == [workers[1].public_id]
    assert consolidating.recompute(job=job) == 0
    assert Label.objects.count() == 1


def test_a_third_worker_is_asked_when_two_disagree():
    job, workers = a_class_job(objects=1, redundancy=DYNAMIC)
    answered(job, workers[:2], ["bee", "wasp"])
    task = Task.objects.get()
    assert (task.state, task.seats_total, task.seats_free) == ("Open", 3, 1)
    answered(job, workers[2:], ["wasp"])
    assert job.status == "Completed"
    assert Label.objects.get().value["choice"] == "wasp"


def test_two_workers_who_agree_are_enough():
    job, workers = a_class_job(objects=1, redundancy=DYNAMIC)
    answered(job, workers[:2], ["fly", "fly"])
    assert job.status == "Completed" and Task.objects.get().answers_count == 2


def test_workers_who_agree_with_the_others_get_a_higher_skill():
    job, workers = a_class_job(objects=24)
    answered(job, workers, ["bee", "bee", "wasp"])
    skills = {row["worker"]: row for row in people.worker_skills(job)}
    careful, careless = (skills[workers[place].public_id] for place in (0, 2))
    assert careful["answers"] == 24 and careful["accuracy"] > 0.9 > careless["accuracy"]
    assert careful["weakest"] is None and "recall" not in careful


def test_the_requesters_choice_becomes_the_label_and_is_kept():
    job, workers = a_class_job(objects=1)
    answered(job, workers, ["bee", "bee", "bee"])
    row = DataObject.objects.get(job=job)
    label = adjudication.adjudicate(data_object=row, content=choice("wasp"), by="user:1")
    assert label.value == {"choice": "wasp", "confidence": 1.0} and label.confidence == 1.0
    assert consolidating.recompute(job=job) == 0
    row.refresh_from_db()
    assert row.label_id == label.pk
    with pytest.raises(Invalid, match="not one of the labels") as refused:
        adjudication.adjudicate(data_object=row, content=choice("cow"), by="user:1")
    assert refused.value.field == "answer.crowd-image-classifier.label"


def test_an_object_whose_answers_cannot_be_read_fails_with_the_reason():
    job, workers = a_class_job(objects=1)
    advancing.advance_job(job.pk)
    for worker in workers:
        stories.work(worker, job, choice("bee"))
    Answer.objects.update(content=choice("hornet"))
    advancing.advance_job(job.pk)
    row = DataObject.objects.get(job=job)
    assert (row.state, row.failure_reason, row.label) == ("Failed", "none of the answers could be read", None)
    failed = json.loads(rows.manifest_line(next(rows.stream(job)), job))
    attribute = job.label_attribute_name
    assert attribute not in failed
    assert failed[f"{attribute}-metadata"]["failure-reason"] == "ClientError: none of the answers could be read"


def test_a_label_by_a_model_is_recorded_and_written_as_such():
    job, _ = a_class_job(objects=2)
    first, second = DataObject.objects.filter(job=job).order_by("index")
    label = ExternalLabel(first.pk, Vote(("fly",), (0.875,)), 0.875)
    assert labels.record_labels(job=job, rows=[label], model_name="m1", algorithm="test", by="test") == 1
    with pytest.raises(Invalid, match="are not labels of the job"):
        labels.record_labels(job=job, rows=[ExternalLabel(second.pk, Vote(("cow",)))], algorithm="test", by="test")
    line = json.loads(rows.manifest_line(next(rows.stream(job)), job))
    metadata = line[f"{job.label_attribute_name}-metadata"]
    assert line[job.label_attribute_name] == 2 and metadata["class-name"] == "fly"
    assert (metadata["confidence"], metadata["human-annotated"], metadata["model-name"]) == (0.875, "no", "m1")


def test_a_label_of_an_earlier_job_comes_along_and_can_be_corrected():
    """Such a label does not say how large its image is: it is inspected when the requester decides it."""
    account = stories.an_account()
    (uri,) = builders.tiny_images(1, account=account, size=(48, 32))
    about = {"class-name": "wasp", "confidence": 0.93, "type": "groundtruth/image-classification",
             "job-name": "labeling-job/earlier", "human-annotated": "yes",
             "creation-date": "2026-01-01T00:00:00.000000"}  # fmt: skip
    line = {"source-ref": uri, "insect": 0, "insect-metadata": about}
    foreign = line | {"insect-metadata": about | {"class-name": "cow"}}
    design = stories.a_design(
        account,
        builders.a_team(account=account, workers=stories.a_crowd(1)),
        task_type="ImageMultiClass",
        labels=["bee", "wasp"],
        input_manifest_uri=builders.a_manifest(account, [line, foreign]),
        label_attribute_name="insect",
    )
    job = creation.create_job(**design)
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    row = DataObject.objects.select_related("label").get(job=job)
    assert (job.status, job.bad_lines, row.state) == ("Completed", 1, "HumanLabeled")
    assert row.label.value == {"choice": "wasp", "confidence": 0.93} and row.width is None
    label = adjudication.adjudicate(data_object=row, content=choice("bee"), by="user:1")
    row.refresh_from_db()
    assert (row.width, row.height) == (48, 32) and label.value["choice"] == "bee" and label.revision == 2
