"""Automated labeling beside functions of the requester's own: each gets what is people's part, and no more."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from labeling import background
from labeling.models import DataObject, FunctionCall, Label, LabelSource, Task, TaskInput
from labeling.services.output import manifests
from learning import queries
from learning.models import AuditedObject, LearningLoop, LoopObject
from learning.services.active import loops
from learning.services.programs.supervisor import Supervisor
from marketplace import storage
from tests.labeling.function_stories import SECRET, Endpoint
from tests.learning.loop_stories import HUMAN, MACHINE, UNLABELED, a_story, drive
from tests.learning.programs.executor import OracleExecutor

pytestmark = pytest.mark.django_db(transaction=True)
NARROWER = 2
"""Pixels by which the boxes of the post-annotation function are narrower than people's."""


@pytest.fixture
def tell(tmp_path, settings):
    """Makes a story whose functions are at an endpoint, and the supervisor of a good detector."""
    ends = []

    def _tell(answer, *, pre=False, post=False, **design):
        endpoint = Endpoint(answer)
        settings.FETCH_ALLOWED_HOSTS = frozenset([endpoint.host])
        design |= {"pre_human_task_function": endpoint.url} if pre else {}
        design |= {"annotation_consolidation_function": endpoint.url} if post else {}
        story = a_story(tmp_path / "pictures", function_secret=SECRET, **design)
        executor = OracleExecutor(truth=story.coco, skill=0.85)
        supervisor = Supervisor(executor=executor, slots=1, root=tmp_path / "programs")
        ends.extend([endpoint.end, supervisor.shut_down])
        return story, supervisor, endpoint

    yield _tell
    for end in ends:
        end()


def drive_with_functions(story, supervisor, until=None):
    """The queue's part in asking functions is done wherever the driver looks whether the job is over."""

    def over():
        background.run_functions(story.job.pk)
        story.job.refresh_from_db()
        done = ("Completed", "Failed", "Stopped")
        return until() if until else story.loop.status in done and story.job.status in done

    drive(story, supervisor, until=over)


def narrower(event):
    """People's boxes, a little narrower."""
    made, attribute = [], event["labelAttributeName"]
    for one in json.loads(storage.read(event["payload"]["s3Uri"])):
        (said,) = [json.loads(each["annotationData"]["content"]) for each in one["annotations"]]
        shown = said["boundingBox"]
        labels = event["labelCategories"]
        annotations = [
            {
                "class_id": labels.index(box["label"]),
                **{side: box[side] for side in ("left", "top", "height")},
                "width": box["width"] - NARROWER,
            }
            for box in shown["boundingBoxes"]
        ]
        size = [{**shown["inputImageProperties"], "depth": 3}]
        metadata = {
            "class-map": {str(number): label for number, label in enumerate(labels)},
            "objects": [{"confidence": 0.5} for _ in annotations],
            "type": "groundtruth/object-detection",
        }
        content = {attribute: {"annotations": annotations, "image_size": size}, f"{attribute}-metadata": metadata}
        made.append({"datasetObjectId": one["datasetObjectId"], "consolidatedAnnotation": {"content": content}})
    return 200, made


def test_a_model_learns_what_the_post_annotation_function_made_and_its_own_labels_are_none_of_that_functions(tell):
    story, supervisor, endpoint = tell(narrower, post=True, automated={"audit_share": 0.1})
    drive_with_functions(story, supervisor)
    assert story.job.status == "Completed"
    states = story.states()
    assert states[HUMAN] + states[MACHINE] == 60 and states[MACHINE] >= 18
    # What people say of the audited labels goes through the function too.
    audited = DataObject.objects.filter(audited_in__isnull=False)
    assert set(audited.values_list("state", "label__algorithm")) == {(HUMAN, "function")}
    assert {(one.label.source, one.loss is None) for one in AuditedObject.objects.all()} == {("machine", False)}
    by_function = Label.objects.filter(source=LabelSource.HUMAN)
    assert set(by_function.values_list("algorithm", flat=True)) == {"function"}
    sent = [
        int(one["datasetObjectId"])
        for event in endpoint.events
        for one in json.loads(storage.read(event["payload"]["s3Uri"]))
    ]
    human = DataObject.objects.filter(job=story.job, state=HUMAN).values_list("index", flat=True)
    assert sorted(sent) == sorted(human), "each object that people answered once, and no other"

    run = story.loop.rounds.order_by("number")[0].training_job
    lines = storage.read(run.channels["train"]["manifest_uri"]).splitlines()
    truth = story.truth()
    for line in map(json.loads, lines):
        drawn = sorted(box["width"] for box in line["pictures"]["annotations"])
        true = sorted(box["width"] - NARROWER for box in truth[Path(line["source-ref"]).name])
        assert drawn == pytest.approx(true)
    assert story.mean_iou(HUMAN) < 1


@pytest.mark.slow
def test_the_pre_annotation_function_is_asked_about_what_people_get_alone(tell):
    def prepared(event):
        number = int("".join(filter(str.isdigit, Path(event["dataObject"]["source-ref"]).stem)))
        return 200, {"taskInput": {"taskObject": "x"}, "isHumanAnnotationRequired": number % 5 > 0}

    story, supervisor, endpoint = tell(prepared, pre=True)
    drive_with_functions(story, supervisor)
    assert (story.job.status, story.loop.status) == ("Completed", "Completed")
    states = story.states()
    asked = [event["dataObject"]["source-ref"] for event in endpoint.events]
    assert len(asked) == len(set(asked)), "about each object once"
    tasks = Task.objects.filter(queue=story.job.queue)
    needed = TaskInput.objects.filter(needs_people=True)
    assert set(tasks.values_list("data_object", flat=True)) == set(needed.values_list("data_object", flat=True))
    labeled = DataObject.objects.filter(job=story.job, state=MACHINE)
    assert labeled.count() > 0 and not labeled.filter(source_ref__in=asked).exists()
    left = DataObject.objects.filter(job=story.job, state=UNLABELED)
    assert left.count() == states[UNLABELED] > 0
    assert set(left.values_list("task_input__needs_people", flat=True)) == {False}, "nobody labels what needs nobody"
    # The first sample is as large as it should be, for all that fell out of it.
    first = story.loop.rounds.order_by("number").exclude(training_job=None)[0]
    assert first.figures["train_images"] + first.figures["validation_images"] >= 32


def test_a_round_waits_for_the_pre_annotation_function_and_its_objects_for_people(tell):
    away = [True]
    story, supervisor, endpoint = tell(
        lambda event: (503, b"resting") if away else (200, {"taskInput": {"taskObject": "x"}}), pre=True, count=40
    )
    drive_with_functions(story, supervisor, until=lambda: FunctionCall.objects.filter(tries=1).count() == 32)
    loops.advance_loop(loop_id=story.loop.pk)
    (round_,) = story.loop.rounds.all()
    assert round_.batch is None and len(endpoint.got) == 32
    assert queries.loop_view(story.job)["activity"] == "the job's function is asked about the next objects"
    selected = set(LoopObject.objects.exclude(split="").values_list("data_object", flat=True))
    away.clear()
    FunctionCall.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    drive_with_functions(story, supervisor, until=lambda: Task.objects.exists())
    assert set(Task.objects.values_list("data_object", flat=True)) == selected, "the same objects"
    assert story.loop.rounds.get().batch.status == "InProgress"


def test_a_function_that_fails_the_first_sample_fails_the_job_with_its_reason(tell):
    story, supervisor, _ = tell(lambda event: (422, b"what is that?"), pre=True, count=40)
    drive_with_functions(story, supervisor)
    assert story.job.status == "Failed" and not Task.objects.exists()
    assert "32 of the first random sample of 32 objects failed" in story.job.failure_reason
    assert "it answered 422: what is that?" in story.job.failure_reason


@pytest.mark.slow
def test_a_job_of_which_people_need_to_see_nothing_is_completed(tell):
    unneeded = {"taskInput": {}, "isHumanAnnotationRequired": False}
    story, supervisor, _ = tell(lambda event: (200, unneeded), pre=True, count=40)
    drive_with_functions(story, supervisor)
    assert story.job.status == "Completed" and not Task.objects.exists()
    assert not LearningLoop.objects.get().rounds.exists()
    assert len(storage.read(manifests.manifest_uri(story.job)).splitlines()) == 40
