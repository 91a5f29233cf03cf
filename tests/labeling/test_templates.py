"""Custom jobs: from a template to the output manifest; what their designs may hold; whose files a template may read."""

import json
from datetime import UTC, datetime

import orjson
import pytest

from labeling import task_types
from labeling.consolidation.answers import WorkerAnswer
from labeling.formats.answers import AnswerError
from labeling.formats.augmented import label_line
from labeling.formats.label_context import LabelContext
from labeling.models import DataObject, LabelingJob, QueueTemplate
from labeling.services.jobs import advancing, templates
from labeling.services.output import rows
from labeling.services.results import adjudication, answering
from labeling.task_types.base import AnswersToImage
from labeling.task_types.custom import Form, Given
from marketplace.errors import Invalid, NotFound, WrongState
from marketplace.models import Worker
from tests import builders
from tests.labeling import stories
from tests.labeling.task_types import hostile
from tests.labeling.task_types.samples import LABELS, SIZE

KIND = task_types.get("Custom")
TEMPLATE = """<crowd-form><img src="{{ task.input.taskObject | grant_read_access }}">
<crowd-input name="why" label="{{ task.input.labels[0] }}"></crowd-input></crowd-form>"""
ANSWER = {"why": "two wings", "seen": {"bee": True, "wasp": False}, "points": [1, 2.5, None]}
OTHER = {"why": "it buzzes"}


def a_custom_job(**changes) -> tuple[LabelingJob, list[Worker]]:
    return stories.a_funded_job(**{"task_type": "Custom", "labels": [], "template": TEMPLATE} | changes)


# --- answers and labels


def test_any_json_object_is_an_answer_and_comes_back_equal():
    for content in (ANSWER, {"": {"deep": [[[{}]]]}}, {"text": "x" * 10_000}):
        stored = json.loads(
            json.dumps(KIND.write_answer(KIND.read_answer(content, labels=LABELS, size=SIZE), size=SIZE))
        )
        assert stored == content


@pytest.mark.parametrize("content", [[], "x", None, {}, {"x": "y" * 1_000_001}, {"x": ["y"] * 50_000}])
def test_what_is_no_object_or_too_large_is_refused(content):
    with pytest.raises(AnswerError):
        KIND.read_answer(content, labels=LABELS, size=SIZE)


@pytest.mark.parametrize("value", hostile.VALUES.values(), ids=hostile.VALUES)
def test_hostile_values_are_refused_or_stored_as_they_are(value):
    for path in hostile.places(ANSWER):
        sent = hostile.changed(ANSWER, path, value)
        try:
            text = answering.checked(sent, task_type=KIND.name, labels=LABELS, size=SIZE).text
        except Invalid as error:
            assert error.field.startswith("answer")
            continue
        stored = json.loads(text)
        assert stored == sent and orjson.loads(orjson.dumps(stored)) == stored
        assert KIND.unwritable(KIND.read_answer(stored, labels=LABELS, size=SIZE), labels=LABELS) == ""


MERGED = {name: value for name, value in ANSWER.items() if name != "points"}
"""What ANSWER's fields come to where most gave it: a list of other things than texts is not merged."""


def test_all_answers_stand_side_by_side_in_any_order_the_newest_of_each_worker():
    given = [
        WorkerAnswer("bob", Form((Given(OTHER),)), 1),
        WorkerAnswer("ann", Form((Given(OTHER),)), 1),
        WorkerAnswer("ann", Form((Given(ANSWER),)), 2),
    ]
    for order in (given, given[::-1]):
        one = AnswersToImage(tuple(order), SIZE)
        (found,) = KIND.consolidate_many([one], labels=LABELS, workers=KIND.load_workers(None))
        assert found.value["answers"] == [{"worker": "ann", "answer": ANSWER}, {"worker": "bob", "answer": OTHER}]
    (none,) = KIND.consolidate_many([AnswersToImage((), SIZE)], labels=LABELS, workers=KIND.load_workers(None))
    assert none.value is None
    story = KIND.story(found.value, found.explanation)
    assert story.lead == "2 people answered." and [one.worker for one in story.findings[-1].members] == ["ann", "bob"]


def test_the_fields_of_a_form_are_merged_beside_the_answers_and_go_into_the_manifest():
    one = AnswersToImage(
        tuple(
            WorkerAnswer(name, Form((Given(said),))) for name, said in zip("abc", (ANSWER, ANSWER, OTHER), strict=True)
        ),
        SIZE,
    )
    (found,) = KIND.consolidate_many([one], labels=[], workers=KIND.load_workers(None))
    assert found.value["merged"] == MERGED and 0.5 < found.confidence < 1
    label = KIND.read_value(found.value)
    assert KIND.value(label) == found.value
    assert KIND.agreement(Form((Given(ANSWER),)), label) == 1 > KIND.agreement(Form((Given(OTHER),)), label)
    value, metadata = manifest_label(label)
    assert value["consolidatedAnnotation"] == {"content": MERGED}
    assert set(metadata["confidence-map"]) == set(found.value["confidences"])
    line = json.loads(label_line(b'{"source-ref": "s3://b/1.png"}', "insects", value, metadata))
    assert KIND.read_manifest(line, "insects").answer == label
    said = [finding.said for finding in KIND.story(found.value, found.explanation).findings]
    assert any("chosen by vote" in text for text in said) and "side by side" in said[-1]


def manifest_label(label):
    about = LabelContext(labels=[], job_name="bees", created=datetime(2026, 3, 1, 12, 30, tzinfo=UTC))
    return KIND.manifest_label(label, about)


def test_the_manifest_line_has_ground_truths_form_and_is_read_back_equal():
    label = Form((Given(ANSWER, "ann"), Given(OTHER, "bob")))
    value, metadata = manifest_label(label)
    assert metadata == {
        "job-name": "labeling-job/bees",
        "type": "groundtruth/custom",
        "human-annotated": "yes",
        "creation-date": "2026-03-01T12:30:00.000000",
    }
    first = value["annotationsFromAllWorkers"][0]
    assert first["workerId"] == "ann" and json.loads(first["annotationData"]["content"]) == ANSWER
    line = json.loads(label_line(b'{"source-ref": "s3://b/1.png"}', "insects", value, metadata))
    assert KIND.read_manifest(line, "insects").answer == label
    for broken in ({}, {"insects": 1}, {"insects": {"annotationsFromAllWorkers": [{"workerId": "a"}]}}):
        with pytest.raises(ValueError, match="insects"):
            KIND.read_manifest(broken, "insects")


# --- jobs


@pytest.mark.django_db
def test_a_custom_job_ends_with_every_answer_in_its_output():
    job, workers = a_custom_job(objects=1)
    advancing.advance_job(job.pk)
    for worker, content in zip(workers, (ANSWER, OTHER, ANSWER), strict=True):
        stories.work(worker, job, content)
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Completed"
    (row,) = rows.stream(job)
    line = json.loads(rows.manifest_line(row, job))
    given = {one["workerId"]: one["annotationData"]["content"] for one in line[job.name]["annotationsFromAllWorkers"]}
    assert {name: json.loads(text) for name, text in given.items()} == {
        workers[0].public_id: ANSWER,
        workers[1].public_id: OTHER,
        workers[2].public_id: ANSWER,
    }
    assert line[f"{job.name}-metadata"]["type"] == "groundtruth/custom"
    assert line[job.name]["consolidatedAnnotation"] == {"content": MERGED}
    decided = DataObject.objects.select_related("job").get()
    assert "side by side" in (adjudication.refusal(decided) or "")
    with pytest.raises(WrongState, match="side by side"):
        adjudication.adjudicate(data_object=decided, content=ANSWER, by="user:1")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"template": ""}, "template", "the template is empty"),
        ({"template": "<crowd-form>\n{% if %}"}, "template", "line 2: missing expression"),
        ({"template": "<p>x</p>"}, "template", "there is no <crowd-form>"),
        ({"script_hosts": ["https://x.example"]}, "script_hosts[0]", "a host such as cdn.example.org expected"),
        ({"script_hosts": ["x.example; sandbox"]}, "script_hosts[0]", "a host such as cdn.example.org expected"),
        ({"golds": {"rate": 10}}, "golds.rate", "golds must be off"),
        ({"task_type": "BoundingBox", "labels": ["bee"]}, "template", "only a custom job has a template"),
    ],
)
def test_a_design_that_cannot_work_is_refused(changes, field, reason):
    with pytest.raises(Invalid) as refused:
        a_custom_job(**changes)
    assert reason in dict(refused.value.errors)[field]
    assert not LabelingJob.objects.exists() and not QueueTemplate.objects.exists()


@pytest.mark.django_db
def test_templates_for_the_public_pool_load_no_scripts_of_other_hosts():
    found = templates.template_errors(KIND, TEMPLATE, ["cdn.example"], public=True)
    assert found == [("script_hosts", "templates for the public pool may load scripts from no other host")]
    assert templates.template_errors(KIND, TEMPLATE, ["cdn.example"], public=False) == []


@pytest.mark.django_db
def test_a_page_reads_its_own_object_and_files_of_its_account_and_no_others():
    job, _ = a_custom_job(objects=2, labels=["<b>"])
    stories.open_pictures(job)
    first, second = DataObject.objects.filter(job=job).order_by("index")
    DataObject.objects.filter(pk=first.pk).update(upright_uri="")
    first.line.text = json.dumps({"source-ref": first.source_ref})
    first.line.save()
    granted = []

    def link(uri: str, of_task: bool) -> str:
        granted.append((uri, of_task))
        return "https://portal/f"

    def page(text: str) -> str:
        QueueTemplate.objects.filter(pk=job.queue_id).update(text=text)
        return templates.page(*templates.shown(queue_id=job.queue_id, object_id=first.pk), link=link)

    html = page(TEMPLATE)
    assert 'src="https://portal/f"' in html and 'label="&lt;b&gt;"' in html
    page(f"{{{{ '{second.source_ref}' | grant_read_access }}}}")
    assert granted == [(first.source_ref, True), (second.source_ref, False)]
    (strange,) = builders.tiny_images(1, account=builders.an_account())
    for uri in (strange, "file:///etc/passwd"):
        with pytest.raises(Invalid, match=r"line 1: grant_read_access: .* gives file://"):
            page(f"{{{{ '{uri}' | grant_read_access }}}}")
    assert len(granted) == 2
    other, _ = a_custom_job(objects=1)
    with pytest.raises(NotFound):
        templates.shown(queue_id=job.queue_id, object_id=DataObject.objects.get(job=other).pk)
