"""One bad object fails alone, with its reason: neither its job nor another object suffers.

The bad values are real rows, written into the database past every check, as an earlier version could have left them.
"""

import io
import json
import random
import zipfile

import orjson
import pytest
from django.db import connection
from django_q.models import OrmQ

from labeling import background
from labeling.models import Answer, BadLine, DataObject, Export, Label, WorkerModels
from labeling.queries import progress
from labeling.services.intake import datasets
from labeling.services.jobs import creation
from labeling.services.output import export_files, exports, manifests
from labeling.services.queue import assignments
from labeling.services.results import labels
from labeling.services.results.labels import ExternalLabel
from labeling.task_types import get
from marketplace import storage
from tests import builders
from tests.labeling import stories
from tests.labeling.task_types import hostile

pytestmark = pytest.mark.django_db

DEEP = "[" * 300 + "]" * 300
ANSWERS = (
    "null",
    "5",
    '"text"',
    "[]",
    "{}",
    DEEP,
    "[" * 3000 + "]" * 3000,
    '{"boundingBox": 1e5000}',
    '{"boundingBox": {"boundingBoxes": 123456789012345678901234567890}}',
    '{"boundingBox": {"boundingBoxes": [{"left": 1e308, "top": 1, "width": 1e308, "height": 1, "label": "bee"}]}}',
    f'{{"boundingBox": {{"boundingBoxes": [{{"left": {DEEP}, "top": 1, "width": 1, "height": 1}}]}}}}',
    '{"boundingBox": {"boundingBoxes": [{"left": 1, "top": 1, "width": 1, "height": 1, "label": {"a": 1}}]}}',
)
"""Contents of answers that cannot be read."""

BOX = '{"boxes": [{"left": 1, "top": 1, "width": 5, "height": 5, "label": "bee", "confidence": 0.5}]}'
LABELS = (
    "{}",
    "[]",
    "5",
    '{"boxes": null}',
    '{"boxes": 7}',
    '{"boxes": [null]}',
    '{"boxes": [{"left": 1}]}',
    BOX.replace("0.5", "1e308"),
    BOX.replace("0.5", '"high"'),
    BOX.replace('"left": 1', '"left": 1e308'),
    BOX.replace('"left": 1', f'"left": 1{"0" * 400}'),
    BOX.replace('"left": 1', f'"left": {DEEP}'),
    BOX.replace('"bee"', '"elephant"'),
    BOX.replace('"bee"', '["bee"]'),
)
"""Values of labels that cannot be written into a manifest."""

LINES = ("not json", "[1]", '"text"', '{"source-ref":', "")
"""Input lines that no label can be added to."""


def overwrite(table: str, column: str, pk: int, value: str, *, form: str = "jsonb") -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {column} = %s::{form} WHERE id = %s", [value, pk])


def answered_job(objects: int):
    """A job all of whose objects are answered by two workers, but not consolidated yet."""
    job, workers = stories.a_funded_job(objects=objects, workers=2, workers_per_object=2, name="meadow")
    background.advance_job(job.pk)
    for worker in workers:
        stories.work(worker, job)
    return job


def written_lines(job) -> list[dict]:
    return [json.loads(line) for line in storage.read(manifests.manifest_uri(job)).splitlines()]


def states(job) -> list[str]:
    return list(DataObject.objects.filter(job=job).order_by("index").values_list("state", flat=True))


def test_what_a_worker_adds_to_an_answer_is_not_stored_and_stops_nothing():
    job, workers = stories.a_funded_job(objects=len(hostile.VALUES), workers=1, workers_per_object=1)
    background.advance_job(job.pk)
    for value in hostile.VALUES.values():
        content = json.loads(json.dumps(stories.ONE_BEE))
        content["boundingBox"]["note"] = content["more"] = value
        content["boundingBox"]["boundingBoxes"][0]["note"] = value
        stories.answer(assignments.claim(worker=workers[0], queue=job.queue), content)
    assert all(content == stories.ONE_BEE for content in Answer.objects.values_list("content", flat=True))
    background.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Completed" and set(states(job)) == {"HumanLabeled"}


@pytest.mark.parametrize("seed", range(3))
def test_answers_that_cannot_be_read_fail_their_object_only(seed):
    chance = random.Random(seed)
    job = answered_job(3 * len(ANSWERS))
    bad = sorted(chance.sample(range(3 * len(ANSWERS)), len(ANSWERS)))
    contents = dict(zip(bad, chance.sample(ANSWERS, len(ANSWERS)), strict=True))
    for index, content in contents.items():
        for pk in Answer.objects.filter(assignment__task__data_object__index=index).values_list("pk", flat=True):
            overwrite("labeling_answer", "content", pk, content)
    background.advance_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.attention) == ("Completed", "")
    for index, (state, line) in enumerate(zip(states(job), written_lines(job), strict=True)):
        assert state == ("Failed" if index in contents else "HumanLabeled"), contents.get(index, "")[:100]
        reason = "ClientError: none of the answers could be read" if index in contents else None
        assert line["meadow-metadata"].get("failure-reason") == reason
    folder = storage.join(manifests.root(job), "annotations/worker-response/iteration-1")
    assert len(list(storage.list(folder + "/"))) == 3 * len(ANSWERS)
    assert_exports(job, complete=2 * len(ANSWERS))


def test_one_unreadable_answer_leaves_the_others_in_force():
    job = answered_job(len(ANSWERS))
    for index, content in enumerate(ANSWERS):
        first = Answer.objects.filter(assignment__task__data_object__index=index).order_by("pk").first()
        overwrite("labeling_answer", "content", first.pk, content)
    background.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Completed" and set(states(job)) == {"HumanLabeled"}
    for label in Label.objects.filter(data_object__job=job):
        assert len(label.value["boxes"]) == 1
        (one,) = label.explanation["unreadable"]
        assert one["reason"]


@pytest.mark.parametrize("seed", range(3))
def test_labels_and_lines_that_cannot_be_written_fail_their_object_only(seed):
    chance = random.Random(seed)
    job = answered_job(2 * len(LABELS) + len(LINES))
    background.advance_job(job.pk)
    chosen = chance.sample(list(DataObject.objects.filter(job=job).order_by("index")), len(LABELS) + len(LINES))
    for row, value in zip(chosen, LABELS, strict=False):
        overwrite("labeling_label", "value", row.label_id, value)
    for row, text in zip(chosen[len(LABELS) :], LINES, strict=True):
        row.line.text = text
        row.line.save()
    assert_exports(job, complete=2 * len(LABELS) + len(LINES) - len(LABELS))
    manifests.refresh_output(job.pk)
    bad = {row.index: row for row in chosen}
    for index, (state, line) in enumerate(zip(states(job), written_lines(job), strict=True)):
        assert state == ("Failed" if index in bad else "HumanLabeled")
        assert line["source-ref"] == f"s3://bees/{index}.png"
        reason = line["meadow-metadata"].get("failure-reason", "")
        assert reason.startswith("ClientError: the label cannot be written: " if index in bad else ""), reason
        assert ("meadow" in line) == (index not in bad)
    for row in bad.values():
        assert row.labels.filter(pk=row.label_id).exists(), "the revision is kept"
        row.refresh_from_db()
        assert row.label_id is None and row.failure_reason.startswith("the label cannot be written: ")
    assert progress.objects_by_state(job)["Failed"] == len(bad)


def assert_exports(job, *, complete: int) -> None:
    """Every export completes, has the usable objects and lists the others."""
    for kind in exports.formats(job):
        export = exports.create_export(job=job, kind=kind, by="user:1")
        background.run_export(export.pk)
        export.refresh_from_db()
        assert export.status == "Completed", (kind, export.failure_reason)
        data = storage.read(export.uri)
        if kind == "manifest":
            assert len(data.splitlines()) == job.objects_total
        if kind == "coco":
            found = json.loads(zipfile.ZipFile(io.BytesIO(data)).read(export_files.COCO_MEMBER))
            assert len(found["images"]) == complete
            assert all(one["reason"] and one["object"].isdigit() for one in export.item_errors)


def test_a_label_by_a_model_that_cannot_be_stored_fails_its_object_only():
    job, _ = stories.a_funded_job(objects=3)
    first, second, third = DataObject.objects.filter(job=job).order_by("index")
    read = get("BoundingBox").read_value
    given = map(json.loads, (BOX, BOX.replace("0.5", "NaN"), BOX.replace('"left": 1', '"left": 1e308')))
    made = [ExternalLabel(row.pk, read(value)) for row, value in zip((first, second, third), given, strict=True)]
    assert labels.record_labels(job=job, rows=made, algorithm="test", by="system") == 1
    assert states(job) == ["MachineLabeled", "Failed", "Failed"]
    second.refresh_from_db()
    assert second.failure_reason.startswith("the label cannot be stored: box 0: confidence must be between 0 and 1")


def chained(**changes) -> dict:
    """The line of a picture that an earlier job labeled; `changes` replace members by their names."""
    box = {"class_id": 0, "left": 1, "top": 2, "width": 3, "height": 4}
    size = {"width": 50, "height": 40, "depth": 3}
    about = {"class-map": {"0": "bee"}, "human-annotated": "yes", "objects": [{"confidence": 0.9}]}
    for part in (box, size, about, about["objects"][0]):
        part.update({name: value for name, value in changes.items() if name in part})
    label = {"image_size": [size], "annotations": [box]}
    return {"source-ref": "s3://b/1.png", "boxes": label, "boxes-metadata": about}


def test_labels_that_cannot_be_used_are_reported_by_line_and_the_others_are_loaded():
    wrong = [
        chained(width=10**12),
        chained(height=1e308),
        chained(left=1e308),
        chained(confidence=1e308),
        chained(class_id=2**60),
        {"source-ref": "s3://b/1.png", "boxes": hostile.nested(300)},
        {"source-ref": "s3://b/1.png", "boxes": 5, "weather": hostile.nested(500, objects=True)},
        chained(**{"class-map": {"0": hostile.nested(90)}}),
        b'{"source-ref": "s3://b/1.png", "\\u0062": 1, "n": 1%s}' % (b"0" * 5000),
    ]
    account = stories.an_account()
    odd = [chained(confidence=-3), chained(confidence=None), chained(depth=10**9)]
    lines = [chained(), *wrong, *odd, {"source-ref": "s3://b/2.png"}]
    job = creation.create_job(
        **stories.a_design(
            account,
            builders.a_team(account=account, workers=[]),
            input_manifest_uri=builders.a_manifest(account, lines),
            label_attribute_name="boxes",
        )
    )
    background.advance_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.objects_total, job.bad_lines) == ("InProgress", 5, len(wrong))
    rejected = dict(BadLine.objects.filter(job=job).values_list("number", "reason"))
    assert sorted(rejected) == list(range(2, 2 + len(wrong))) and all(rejected.values())
    stored = [
        row.label.value["boxes"][0] for row in DataObject.objects.filter(job=job).exclude(label=None).order_by("index")
    ]
    assert [box["confidence"] for box in stored] == [0.9, None, None, 0.9]
    manifests.refresh_output(job.pk)
    assert len(written_lines_of(job, "boxes")) == 4


def written_lines_of(job, attribute: str) -> list[bytes]:
    return [line for line in storage.read(manifests.manifest_uri(job)).splitlines() if attribute in orjson.loads(line)]


def fails_four_times(work) -> None:
    for _ in range(4):
        with pytest.raises((TypeError, KeyError, ValueError)):
            work()


def test_a_job_that_cannot_be_prepared_fails_with_the_reason():
    account = stories.an_account()
    job = creation.create_job(**stories.a_design(account, builders.a_team(account=account, workers=[])))
    overwrite("labeling_labelingjob", "selection", job.pk, "[1]")
    fails_four_times(lambda: background.advance_queue(job.queue_id))
    job.refresh_from_db()
    assert job.status == "Initializing"
    background.advance_queue(job.queue_id)
    job.refresh_from_db()
    assert job.status == "Failed" and job.failure_reason.startswith("the job could not be prepared, 5 times: ")


def test_a_job_at_work_shows_the_reason_and_goes_on_when_it_is_gone():
    job = answered_job(1)
    WorkerModels.objects.create(job=job, value=[1])
    fails_four_times(lambda: background.advance_queue(job.queue_id))
    for _ in range(2):
        background.advance_queue(job.queue_id)
        job.refresh_from_db()
        assert job.status == "InProgress"
        assert job.attention.startswith("an unexpected error, it is tried again every minute: ")
    WorkerModels.objects.filter(job=job).delete()
    background.advance_queue(job.queue_id)
    job.refresh_from_db()
    assert (job.status, job.attention) == ("Completed", "")


def test_a_part_of_the_sweep_that_fails_keeps_no_other_from_running():
    def broken(execute, sql, params, many, context):
        if sql.startswith("UPDATE labeling_plannedadvance"):
            raise ValueError("these queues cannot be listed")
        return execute(sql, params, many, context)

    dataset = builders.a_dataset(account=stories.an_account(), made=False)
    with connection.execute_wrapper(broken), pytest.raises(ValueError, match="cannot be listed"):
        background.sweep()
    # Other parts of the sweep send messages at some times of the day.
    sent = [one.task["args"] for one in OrmQ.objects.all() if one.task["func"] == datasets.ADVANCE]
    assert sent == [(dataset.pk,)] * 2, "one message by its creation, one by the sweep"


def test_an_export_and_a_data_set_fail_after_a_few_attempts():
    job, _ = stories.a_funded_job(objects=1)
    export = exports.create_export(job=job, kind="manifest", by="user:1")
    Export.objects.filter(pk=export.pk).update(kind="nonsense")
    OrmQ.objects.all().delete()
    fails_four_times(lambda: background.run_export(export.pk))
    assert OrmQ.objects.count() == 4, "each attempt is followed by another one"
    background.run_export(export.pk)
    export.refresh_from_db()
    assert export.status == "Failed" and "nonsense" in export.failure_reason

    uri = builders.a_manifest(job.account, [{"source-ref": "s3://b/1.png"}])
    dataset = datasets.create_dataset(
        account=job.account, name="bees", source={"kind": "manifest", "uri": uri}, by="user:1"
    )
    overwrite("labeling_dataset", "source", dataset.pk, '{"kind": "manifest"}')
    fails_four_times(lambda: background.advance_dataset(dataset.pk))
    background.advance_dataset(dataset.pk)
    dataset.refresh_from_db()
    assert dataset.status == "Failed" and "uri" in dataset.failure_reason
