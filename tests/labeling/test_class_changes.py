"""Classes that are renamed and merged after labels exist: labels, golds, reputation, skills, open tasks, output."""

import json

import pytest
from django.db import IntegrityError, connection, transaction

from labeling import hooks, task_types
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import Box, ImageSize, Vote
from labeling.models import Answer, AnswerReview, ClassChange, DataObject, Gold, GoldResult, Label, WorkerSkill
from labeling.queries import people
from labeling.services.golds import keeping
from labeling.services.intake import audited
from labeling.services.jobs import advancing, classes, creation
from labeling.services.output import manifests
from labeling.services.queue import assignments
from labeling.services.results import labels
from labeling.services.results.labels import ExternalLabel
from marketplace import storage
from marketplace.errors import Invalid, WrongState
from marketplace.models import AuditEvent, Evidence, Reputation
from marketplace.services import reputation
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db


def choice(label):
    return {"crowd-image-classifier": {"label": label}}


def a_class_job(**changes):
    return stories.a_funded_job(task_type="ImageMultiClass", labels=["bee", "wasp", "fly"], **changes)


def answer_all(job, workers, chosen):
    """Each worker answers every task with their own class."""
    advancing.advance_job(job.pk)
    for worker, label in zip(workers, chosen, strict=True):
        stories.work(worker, job, choice(label))
    advancing.advance_job(job.pk)
    job.refresh_from_db()


def newest(job):
    """The newest label of each object."""
    return [row.label for row in DataObject.objects.filter(job=job).select_related("label").order_by("index")]


def now(job):
    """The job as anybody reads it now."""
    return type(job).objects.get(pk=job.pk)


def sums(worker):
    return {row.label: row.pieces for row in Reputation.objects.filter(worker=worker, pieces__gt=0)}


def test_a_renamed_class_has_its_new_name_wherever_it_stands():
    job, workers = a_class_job(objects=24)
    answer_all(job, workers, ["bee", "bee", "wasp"])
    before = [(label.value["choice"], label.confidence) for label in newest(job)]
    made = newest(job)[0]
    pieces = sums(workers[0])
    assert before[0][0] == "bee" and pieces.keys() == {"", "bee"}
    change = classes.rename(job=job, label="bee", name="Apis mellifera", by="user:1")
    assert (change.labels, change.settled) == (24, False)
    # At once: the names, the labels with what they are made of, and an event; no answer was touched.
    job = now(job)
    assert job.labels == ["Apis mellifera", "wasp", "fly"]
    assert [(label.value["choice"], label.confidence) for label in newest(job)] == [
        ("Apis mellifera", confidence) for _, confidence in before
    ]
    assert (newest(job)[0].revision, newest(job)[0].explanation["of_revision"]) == (made.revision + 1, made.revision)
    assert Label.objects.get(pk=made.pk).value["choice"] == "bee"
    assert {row.content["crowd-image-classifier"]["label"] for row in Answer.objects.all()} == {"bee", "wasp"}
    event = AuditEvent.objects.filter(object_type="labeling.LabelingJob", object_id=job.pk).latest("pk")
    assert event.by == "user:1" and "'bee' renamed to 'Apis mellifera'" in event.because
    # With the next advance: skills, reputation, output.
    advancing.advance_job(job.pk)
    assert ClassChange.objects.get().settled
    assert sums(workers[0]) == {"": pieces[""], "Apis mellifera": pieces["bee"]}
    assert set(WorkerSkill.objects.values_list("label", flat=True)) >= {"Apis mellifera"}
    assert not WorkerSkill.objects.filter(label="bee").exists()
    skills = {row["worker"]: row["accuracy"] for row in people.worker_skills(now(job))}
    assert skills[workers[0].public_id] > 0.9 > skills[workers[2].public_id]
    written = [json.loads(line) for line in storage.read(manifests.manifest_uri(job)).splitlines()]
    metadata = written[0][f"{job.label_attribute_name}-metadata"]
    assert (metadata["class-name"], written[0][job.label_attribute_name]) == ("Apis mellifera", 0)
    shown = people.answers_of(DataObject.objects.filter(job=job)[0])
    assert {one["content"]["crowd-image-classifier"]["label"] for one in shown} == {"Apis mellifera", "wasp"}
    assert newest(job)[0].revision == made.revision + 1, "nothing was decided anew"


def test_a_merge_makes_answers_agree_that_differed():
    job, workers = a_class_job(objects=3)
    answer_all(job, workers, ["bee", "wasp", "fly"])
    unsure = newest(job)[0].confidence
    classes.merge(job=job, label="wasp", into="bee", by="user:1")
    job = now(job)
    assert job.labels == ["bee", "fly"]
    advancing.advance_job(job.pk)
    assert [label.value["choice"] for label in newest(job)] == ["bee", "bee", "bee"]
    assert newest(job)[0].confidence > unsure
    line = [json.loads(line) for line in storage.read(manifests.manifest_uri(job)).splitlines()][0]
    assert line[job.label_attribute_name] == 0
    assert {row.label for row in Reputation.objects.filter(pieces__gt=0)} <= {"", "bee", "fly"}
    for worker in workers:
        before = {row.label: (row.right, row.wrong) for row in Reputation.objects.filter(worker=worker, pieces__gt=0)}
        reputation.rebuild(worker=worker)
        after = {row.label: (row.right, row.wrong) for row in Reputation.objects.filter(worker=worker, pieces__gt=0)}
        assert before == after, "the sums are those of the evidence"
    assert [one.kind for one in classes.history(job)] == ["merged"]


def test_a_task_that_was_open_can_be_submitted_under_the_old_name():
    job, workers = a_class_job(objects=1)
    advancing.advance_job(job.pk)
    seats = [assignments.claim(worker=worker, queue=job.queue) for worker in workers]
    stories.answer(seats[0], choice("wasp"))
    classes.rename(job=job, label="wasp", name="hornet", by="user:1")
    stories.answer(seats[1], choice("wasp"))
    stories.answer(seats[2], choice("hornet"))
    advancing.advance_job(job.pk)
    assert newest(job)[0].value["choice"] == "hornet"
    assert not newest(job)[0].explanation.get("unreadable")
    assert {vote["label"] for vote in newest(job)[0].explanation["votes"]} == {"hornet"}


def test_names_and_classes_are_refused_by_name():
    job, _ = a_class_job()

    def refused(field, said, how, **given):
        with pytest.raises(Invalid, match=said) as caught:
            how(job=job, by="user:1", **given)
        assert caught.value.field == field
        assert now(job).labels == ["bee", "wasp", "fly"] and not ClassChange.objects.exists()

    refused("label", "no class 'ant'; it has 'bee', 'wasp', 'fly'", classes.rename, label="ant", name="x")
    refused("name", "there is a class 'wasp' already: merge 'bee'", classes.rename, label="bee", name="wasp")
    refused("name", "this is its name", classes.rename, label="bee", name="bee")
    refused("name", "1 to 256", classes.rename, label="bee", name=" ")
    refused("name", "1 to 256", classes.rename, label="bee", name="x" * 257)
    refused("into", "no class 'ant'", classes.merge, label="bee", into="ant")
    refused("into", "into itself", classes.merge, label="bee", into="bee")


def test_a_name_belongs_to_one_class_for_good():
    job, workers = a_class_job(objects=1)
    advancing.advance_job(job.pk)
    stories.answer(assignments.claim(worker=workers[0], queue=job.queue), choice("bee"))
    classes.rename(job=job, label="bee", name="honey bee", by="user:1")
    with pytest.raises(Invalid, match="was the name of what is 'honey bee' now"):
        classes.rename(job=job, label="wasp", name="bee", by="user:1")
    with pytest.raises(Invalid, match="the class 'bee' is 'honey bee' now"):
        classes.rename(job=job, label="bee", name="x", by="user:1")
    stories.answer(assignments.claim(worker=workers[1], queue=job.queue), choice("honey bee"))
    classes.rename(job=job, label="honey bee", name="bee", by="user:1")
    stories.answer(assignments.claim(worker=workers[2], queue=job.queue), choice("bee"))
    assert (now(job).labels, now(job).earlier_labels) == (["bee", "wasp", "fly"], {"honey bee": "bee"})
    advancing.advance_job(job.pk)
    assert len(newest(job)[0].explanation["votes"]) == 3
    assert {vote["label"] for vote in newest(job)[0].explanation["votes"]} == {"bee"}


def test_two_classes_at_least_stay():
    job, _ = stories.a_funded_job(task_type="ImageMultiClass", labels=["bee", "wasp"])
    with pytest.raises(Invalid, match="at least 2 classes"):
        classes.merge(job=job, label="bee", into="wasp", by="user:1")


def test_jobs_that_cannot():
    job, _ = a_class_job()
    type(job).objects.filter(pk=job.pk).update(status="Initializing")
    with pytest.raises(WrongState, match="Initializing"):
        classes.rename(job=job, label="bee", name="x", by="user:1")


def test_whoever_is_refused_by_a_listener_has_changed_nothing():
    job, workers = a_class_job(objects=2)
    answer_all(job, workers, ["bee", "bee", "bee"])

    def refuse(job_id, before, old, new):
        assert (before, old, new) == (["bee", "wasp", "fly"], "bee", "ant")
        raise WrongState("not now", field="status")

    hooks.classes_change.append(refuse)
    try:
        with pytest.raises(WrongState, match="not now"):
            classes.rename(job=job, label="bee", name="ant", by="user:1")
    finally:
        hooks.classes_change.remove(refuse)
    assert [label.revision for label in newest(job)] == [1, 1]
    assert now(job).labels == ["bee", "wasp", "fly"]


def test_what_fails_in_the_middle_is_not_half_done():
    job, workers = a_class_job(objects=2)
    answer_all(job, workers, ["bee", "bee", "bee"])
    with connection.cursor() as cursor:
        # The change itself is stored last, when every label has its revision.
        cursor.execute("ALTER TABLE labeling_classchange ADD CONSTRAINT broken CHECK (labels < 0)")
    with pytest.raises(IntegrityError), transaction.atomic():
        classes.rename(job=job, label="bee", name="ant", by="user:1")
    assert (now(job).labels, now(job).earlier_labels) == (["bee", "wasp", "fly"], {})
    assert {label.value["choice"] for label in newest(job)} == {"bee"}
    assert {label.explanation.get("of_revision") for label in newest(job)} == {None}


def test_what_follows_is_repeated_until_it_has_ended():
    job, workers = a_class_job(objects=3)
    answer_all(job, workers, ["bee", "bee", "wasp"])
    pieces = sums(workers[0])["bee"]
    classes.rename(job=job, label="bee", name="ant", by="user:1")
    for _ in range(2):
        # As after a kill: all of it is done, and nobody knows.
        ClassChange.objects.update(settled=False)
        advancing.advance_job(job.pk)
        assert (sums(workers[0])["ant"], "bee" in sums(workers[0])) == (pieces, False)
        assert ClassChange.objects.get().settled


def test_golds_follow_and_are_scored_by_what_is_one_class_now():
    job, workers = a_class_job(objects=6, golds={"rate": 50})
    rows_ = list(DataObject.objects.filter(job=job).order_by("index"))
    gold = keeping.add(data_object=rows_[0], content=choice("wasp"), by="user:1")
    answer_all(job, workers, ["wasp", "bee", "fly"])
    scores = dict(GoldResult.objects.filter(gold=gold).values_list("worker", "score"))
    assert set(scores.values()) == {0.0, 1.0}
    classes.merge(job=job, label="bee", into="wasp", by="user:1")
    advancing.advance_job(job.pk)
    assert Gold.objects.get().truth["choice"] == "wasp"
    after = {row.worker_id: (row.score, row.by_label) for row in GoldResult.objects.filter(gold=gold)}
    assert after == {
        workers[0].pk: (1.0, {"wasp": 1.0}),
        workers[1].pk: (1.0, {"wasp": 1.0}),
        workers[2].pk: (0.0, {"wasp": 0.0}),
    }
    assert Evidence.objects.get(worker=workers[1], source="gold", label="wasp").correct == 1.0


def test_boxes_of_two_classes_become_one():
    job, workers = stories.an_open_job(objects=2, workers_per_object=1, workers=1, review_days=2)
    both = stories.boxes((100, 100, 50, 40))["boundingBox"]["boundingBoxes"] + [
        {"left": 300, "top": 200, "width": 40, "height": 30, "label": "wasp"}
    ]
    content = {"boundingBox": {"boundingBoxes": both, "inputImageProperties": {"width": 640, "height": 480}}}
    stories.work(workers[0], job, content)
    advancing.advance_job(job.pk)
    assert AnswerReview.objects.filter(labels=["bee", "wasp"]).count() == 2
    classes.merge(job=job, label="wasp", into="bee", by="user:1")
    advancing.advance_job(job.pk)
    assert [sorted(box["label"] for box in label.value["boxes"]) for label in newest(job)] == [["bee", "bee"]] * 2
    assert AnswerReview.objects.filter(labels=["bee"]).count() == 2


def test_labels_by_others_may_come_under_the_old_name():
    job, _ = a_class_job(objects=2)
    stale = now(job)
    classes.rename(job=job, label="bee", name="honey bee", by="user:1")
    ids = list(DataObject.objects.filter(job=job).order_by("index").values_list("pk", flat=True))
    labels.record_labels(
        job=stale,
        rows=[ExternalLabel(ids[0], Vote(("bee",), (0.9,))), ExternalLabel(ids[1], Vote(("fly",), (0.8,)))],
        algorithm="a model",
        by="system",
    )
    assert [label.value["choice"] for label in newest(job)] == ["honey bee", "fly"]


def test_an_earlier_label_that_is_adjusted_has_the_new_names_and_counts_as_unchanged():
    account, boxes = stories.an_account(), task_types.get("BoundingBox")
    (uri,) = builders.tiny_images(1, account=account, size=stories.SIZE)
    value, metadata = boxes.manifest_label(
        [Box("wasp", 100, 100, 50, 40)],
        LabelContext(labels=["bee", "wasp"], image_size=ImageSize(*stories.SIZE), job_name="before"),
    )
    line = {"source-ref": uri, "boxes": value, "boxes-metadata": metadata}
    worker = stories.a_crowd(1)
    design = stories.a_design(
        account, builders.a_team(account=account, workers=worker), task_type="AdjustmentBoundingBox",
        input_manifest_uri=builders.a_manifest(account, [line]), audit_label_attribute_name="boxes",
        label_attribute_name="adjusted", workers_per_object=1,
    )  # fmt: skip
    job = creation.create_job(**design)
    advancing.advance_job(job.pk)
    seat = assignments.claim(worker=worker[0], queue=job.queue)
    classes.rename(job=now(job), label="wasp", name="hornet", by="user:1")
    shown = audited.shown(object_id=seat.task.data_object_id, task_type=job.task_type, size=stories.SIZE)
    assert [box["label"] for box in shown.initial_value] == ["hornet"]
    content = stories.boxes((100, 100, 50, 40), label="wasp")
    content["boundingBox"]["initialValueModified"] = False
    stories.answer(seat, content)
    advancing.advance_job(job.pk)
    assert newest(job)[0].value["adjusted"] is False
    assert [box["label"] for box in newest(job)[0].value["boxes"]] == ["hornet"]
    classes.rename(job=now(job), label="hornet", name="Vespa", by="user:1")
    assert (newest(job)[0].value["adjusted"], newest(job)[0].value["boxes"][0]["label"]) == (False, "Vespa")
