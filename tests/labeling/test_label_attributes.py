"""Attributes of labels in jobs: the design, answers, merged labels, output, and what goes on from it."""

import json

import pytest

from labeling import task_types
from labeling.models import DataObject
from labeling.services.jobs import advancing, classes, creation, label_configs
from labeling.services.output import rows
from labeling.services.queue import assignments
from labeling.services.results import adjudication
from marketplace import storage
from marketplace.errors import Invalid
from marketplace.services import boundaries
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db

KEY = "label-category-attributes"
CONFIG = {
    "document-version": "2018-11-28",
    "labels": [
        {
            "label": "bee",
            "categoryAttributes": [
                {"name": "caste", "type": "string", "enum": ["worker", "queen"], "isRequired": True},
                {"name": "age", "type": "number", "minimum": 0},
            ],
        },
        {"label": "wasp"},
    ],
    "categoryGlobalAttributes": [{"name": "note", "type": "string"}],
    "instructions": {"shortInstruction": "<p>Draw a box round each insect.</p>"},
}


def a_box(label: str = "bee", **values) -> dict:
    content = stories.boxes((100, 100, 50, 40), label=label)
    content["boundingBox"]["boundingBoxes"][0] |= {KEY: values} if values else {}
    return content


def a_point(**values) -> dict:
    size = {"height": stories.SIZE[1], "width": stories.SIZE[0]}
    point = {"label": "bee", "x": 100, "y": 100, KEY: values}
    return {"annotatedResult": {"inputImageProperties": size, "keypoints": [point]}}


def answered(job, workers, said) -> DataObject:
    """The object of a job of one object, once each worker has said their own."""
    advancing.advance_job(job.pk)
    for worker, content in zip(workers, said, strict=True):
        assert stories.work(worker, job, content) == 1
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    return DataObject.objects.select_related("label").get(job=job)


def written(job) -> dict:
    return json.loads(rows.manifest_line(next(rows.stream(job)), job))


SAID = [
    {"caste": "queen", "age": 3, "note": "old"},
    {"caste": "worker", "age": 7},
    {"caste": "queen", "age": 4},
]


def test_attributes_of_boxes_are_merged_and_written_as_aws_writes_them():
    job, workers = stories.a_funded_job(objects=1, labels=[], label_category_config=CONFIG)
    assert job.labels == ["bee", "wasp"] and "insect" in job.instructions["short"]
    row = answered(job, workers, [a_box(**said) for said in SAID])
    merged = {"age": 4, "caste": "queen", "note": "old"}
    (box,) = row.label.value["boxes"]
    assert box[KEY] == merged
    (cluster,) = row.label.explanation["clusters"]
    assert cluster["attributes"]["caste"] == {"value": "queen", "how": "majority", "agreed": 2, "of": 3}
    (annotation,) = written(job)[job.label_attribute_name]["annotations"]
    assert annotation[KEY] == merged

    kind = task_types.get(job.task_type)
    story = kind.story(row.label.value, row.label.explanation)
    assert "caste queen (majority, 2 of 3)" in story.findings[0].said
    assert story.findings[0].members[0].cells[-1] == "age: 3, caste: queen, note: old"
    assert kind.read_manifest(written(job), job.label_attribute_name).answer[0].attributes == tuple(merged.items())

    label = adjudication.adjudicate(data_object=row, content=a_box(caste="worker"), by="user:1")
    assert label.value["boxes"][0][KEY] == {"caste": "worker"}
    with pytest.raises(Invalid, match="caste: is missing"):
        adjudication.adjudicate(data_object=row, content=a_box(), by="user:1")


def test_attributes_of_points_are_merged_and_written():
    job, workers = stories.a_funded_job(objects=1, task_type="Keypoint", label_category_config=CONFIG)
    row = answered(job, workers, [a_point(**said) for said in SAID])
    merged = {"age": 4, "caste": "queen", "note": "old"}
    assert row.label.value["keypoints"][0][KEY] == merged
    line = written(job)
    assert line[job.label_attribute_name]["keypoints"] == [{"label": "bee", "x": 100, "y": 100, KEY: merged}]
    kind = task_types.get(job.task_type)
    read = kind.read_manifest(line, job.label_attribute_name).answer
    assert kind.initial_value(kind.value(read))[0][KEY] == merged


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (a_box(), "caste"),
        (a_box(caste="drone"), "caste"),
        (a_box(caste="queen", age=-1), "age"),
        (a_box(caste="queen", legs=6), "legs"),
        (a_box("wasp", caste="queen"), "caste"),
    ],
)
def test_an_answer_that_is_not_as_declared_is_refused(content, field):
    job, (worker,) = stories.an_open_job(workers=1, objects=1, label_category_config=CONFIG)
    seat = assignments.claim(worker=worker, queue=job.queue)
    with pytest.raises(Invalid) as caught:
        stories.answer(seat, content)
    assert caught.value.field == f"answer.boundingBox.boundingBoxes[0].{KEY}.{field}"
    seat.refresh_from_db()
    assert seat.state == "Leased" and not seat.answers.exists()


def test_a_job_without_attributes_keeps_none():
    job, (worker,) = stories.an_open_job(workers=1, objects=1)
    seat = assignments.claim(worker=worker, queue=job.queue)
    stories.answer(seat, a_box(caste="queen"))
    assert KEY not in seat.answers.get().content["boundingBox"]["boundingBoxes"][0]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"task_type": "ImageMultiClass"}, "label_category_config.labels"),
        ({"labels": ["wasp"]}, "label_category_config.labels"),
        ({"label_category_config": {"labels": [], "x": "y" * 100_000}}, "label_category_config"),
        ({"label_category_config": {"labels": [{"label": ""}]}}, "label_category_config.labels[0].label"),
        (
            {"label_category_config": {"categoryGlobalAttributes": "x"}},
            "label_category_config.categoryGlobalAttributes",
        ),
    ],
)
def test_a_design_with_a_bad_configuration_names_the_member(changes, field):
    account = stories.an_account()
    design = stories.a_design(account, builders.a_team(account=account), label_category_config=CONFIG)
    with pytest.raises(Invalid) as caught:
        creation.create_job(**design | changes)
    assert field in dict(caught.value.errors)


def test_the_configuration_can_be_a_file_of_the_account():
    account = stories.an_account()
    uri = storage.join(boundaries.base_of(account), "labels.json")
    storage.write(uri, json.dumps(CONFIG).encode())
    assert label_configs.read_file(account=account, uri=uri) == CONFIG
    storage.write(uri, b"[1]")
    with pytest.raises(Invalid, match="a JSON object expected"):
        label_configs.read_file(account=account, uri=uri)
    with pytest.raises(Invalid) as caught:
        label_configs.read_file(account=stories.an_account(), uri=uri)
    assert caught.value.field == "label_category_config_uri"


def test_a_renamed_class_keeps_its_attributes_and_answers_given_before():
    job, workers = stories.a_funded_job(objects=1, label_category_config=CONFIG)
    row = answered(job, workers, [a_box(**said) for said in SAID])
    classes.rename(job=job, label="bee", name="honey bee", by="user:1")
    advancing.advance_job(job.pk)
    row.refresh_from_db()
    assert row.label.value["boxes"][0][KEY]["caste"] == "queen"
    adjudication.adjudicate(data_object=row, content=a_box("honey bee", caste="queen"), by="user:1")
    # A page that was opened before still shows the earlier name.
    adjudication.adjudicate(data_object=row, content=a_box("bee", caste="queen", legs=6), by="user:1")
    row.refresh_from_db()
    assert row.label.value["boxes"][0] | {"confidence": 1} == {
        "label": "honey bee", "left": 100, "top": 100, "width": 50, "height": 40, "confidence": 1,
        KEY: {"caste": "queen"},
    }  # fmt: skip


def test_an_adjustment_begins_with_the_attributes_and_says_what_changed():
    kind = task_types.get("AdjustmentBoundingBox")
    earlier = kind.audited.read_answer(a_box(caste="queen", size="big"), labels=["bee"], size=stories.SIZE)
    shown = kind.shown(earlier, size=stories.SIZE)
    assert shown.initial_value[0][KEY] == {"caste": "queen", "size": "big"}

    def compared(**values):
        answer = kind.read_answer(a_box(**values), labels=["bee"], size=stories.SIZE)
        return kind.compared(answer, earlier, size=stories.SIZE).modified

    assert not compared(caste="queen", size="big") and compared(caste="worker", size="big")
