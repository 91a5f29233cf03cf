"""A job's output: layout and format are Ground Truth's, it is updated while the job runs, and errors are reported."""

import re
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from django.conf import settings
from django.utils import timezone
from django_q.models import OrmQ

from labeling import background
from labeling.models import AdvanceRequest, Answer, DataObject, LabelingJob, Task
from labeling.services.jobs import creation
from labeling.services.jobs.batches import open_batch
from labeling.services.output import manifests
from labeling.services.queue import due
from labeling.services.results import adjudication
from marketplace import storage
from marketplace.errors import Invalid
from marketplace.services import boundaries
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db
STAMP = r"\d{4}-\d\d-\d\d_\d\d:\d\d:\d\d\.json"
ANSWERED = r"annotations/consolidated-annotation/consolidation"


def opened(**changes):
    """A job with an open batch of all its objects, and its workers."""
    job, workers = stories.a_funded_job(objects=3, workers=3, name="meadow", **changes)
    ids = list(DataObject.objects.filter(job=job).order_by("index").values_list("pk", flat=True))
    open_batch(job=job, object_ids=ids, by="system")
    return job, workers


def files(job) -> dict[str, bytes]:
    root = manifests.root(job)
    return {
        item.uri.removeprefix(f"{root}/").replace("%3A", ":"): storage.read(item.uri) for item in storage.list(root)
    }


def the_one(found: dict[str, bytes], pattern: str):
    (name,) = [name for name in found if re.fullmatch(pattern, name)]
    return orjson.loads(found[name])


def test_the_files_have_ground_truths_layout():
    job, workers = opened()
    for worker in workers:
        stories.work(worker, job)
    background.advance_job(job.pk)
    job.refresh_from_db()
    assert (job.status, manifests.manifest_uri(job)) == (
        "Completed",
        f"{job.output_uri}/meadow/manifests/output/output.manifest",
    )
    found = files(job)
    kinds = [
        "manifests/output/output.manifest",
        *(rf"annotations/worker-response/iteration-1/{index}/{STAMP}" for index in range(3)),
        rf"{ANSWERED}-request/iteration-1/{STAMP}",
        rf"{ANSWERED}-response/iteration-1/{STAMP}",
    ]
    assert len(found) == len(kinds)
    assert all(any(re.fullmatch(kind, name) for name in found) for kind in kinds), list(found)


def test_a_worker_response_has_ground_truths_format():
    job, workers = opened()
    for worker in workers:
        stories.work(worker, job)
    background.advance_job(job.pk)
    answers = the_one(files(job), rf"annotations/worker-response/iteration-1/1/{STAMP}")["answers"]
    assert len(answers) == 3
    for answer in answers:
        assert set(answer) == {
            "acceptanceTime", "submissionTime", "timeSpentInSeconds", "answerContent", "workerId", "workerMetadata",
        }  # fmt: skip
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", answer["submissionTime"])
        assert answer["answerContent"] == stories.ONE_BEE
        identity = answer["workerMetadata"]["identityData"]
        assert answer["workerId"] == f"private.{settings.REGION}.{identity['sub']}"
        assert (identity["identityProviderType"], identity["issuer"]) == ("Oidc", settings.PUBLIC_URL)


def test_the_consolidation_files_match_the_manifest():
    job, workers = opened()
    for worker in workers:
        stories.work(worker, job)
    background.advance_job(job.pk)
    found = files(job)
    lines = [orjson.loads(line) for line in found["manifests/output/output.manifest"].splitlines()]
    asked = the_one(found, rf"{ANSWERED}-request/iteration-1/{STAMP}")
    answered = the_one(found, rf"{ANSWERED}-response/iteration-1/{STAMP}")
    for index, (line, request, response) in enumerate(zip(lines, asked, answered, strict=True)):
        assert request["datasetObjectId"] == response["datasetObjectId"] == str(index)
        assert request["dataObject"] == {"s3Uri": line["source-ref"]}
        assert all(orjson.loads(a["annotationData"]["content"]) == stories.ONE_BEE for a in request["annotations"])
        assert {"source-ref": line["source-ref"], **response["consolidatedAnnotation"]["content"]} == line
        assert line["meadow-metadata"]["job-name"] == "labeling-job/meadow"
        assert line["meadow-metadata"]["type"] == "groundtruth/object-detection"


def test_the_output_of_a_running_job_is_updated():
    job, workers = opened()
    OrmQ.objects.all().delete()
    manifests.refresh_stale(now=timezone.now())
    assert not OrmQ.objects.exists(), "nothing is labeled yet"
    for worker in workers:
        seat = stories.assignments.claim(worker=worker, queue=job.queue)
        stories.answer(seat)
    due.settle_due(job.queue)
    OrmQ.objects.all().delete()
    manifests.refresh_stale(now=timezone.now())
    assert OrmQ.objects.count() == 1
    background.refresh_output(job.pk)
    job.refresh_from_db()
    assert job.status == "InProgress"
    lines = storage.read(manifests.manifest_uri(job)).splitlines()
    assert [b"meadow-metadata" in line for line in lines] == [True, False, False]
    OrmQ.objects.all().delete()
    manifests.refresh_stale(now=timezone.now() + timedelta(hours=1))
    assert not OrmQ.objects.exists(), "nothing is new"


def block_output(job: LabelingJob) -> None:
    """Let the job write its output where a file stands in the way of the folder."""
    blocked = storage.join(boundaries.base_of(job.account), "blocked")
    storage.write(blocked, b"a file where a folder should be")
    LabelingJob.objects.filter(pk=job.pk).update(output_uri=blocked)


def test_an_output_that_cannot_be_written_is_reported_and_tried_again():
    job, workers = opened()
    good = job.output_uri
    block_output(job)
    for worker in workers:
        stories.work(worker, job)
    background.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "InProgress"
    assert job.attention.startswith("the output cannot be written")
    LabelingJob.objects.filter(pk=job.pk).update(output_uri=good)
    background.advance_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.attention) == ("Completed", "")


def test_a_job_can_stop_although_its_output_cannot_be_written():
    job, _ = opened()
    block_output(job)
    creation.stop_job(job=job, by="user:1")
    background.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Stopped"
    assert job.attention.startswith("the output cannot be written")


@pytest.mark.parametrize("uri", ["s3://bucket/../x", "s3:///x", "https://example.org/x", "file:///etc", "INPUT"])
def test_output_uris_that_are_refused(uri, tmp_path, settings):
    settings.STORE_FILE_ROOTS = [tmp_path]
    account = stories.an_account()
    team = builders.a_team(account=account, workers=[])
    design = stories.a_design(account, team, output_uri=uri.replace("INPUT", tmp_path.as_uri()))
    with pytest.raises(Invalid) as refused:
        creation.create_job(**design)
    assert [field for field, _ in refused.value.errors] == ["output_uri"] * len(refused.value.errors)
    assert not LabelingJob.objects.exists()


def the_end(job, workers):
    """Let people label everything and the job end."""
    for worker in workers:
        stories.work(worker, job)
    background.advance_queue(job.queue_id)
    job.refresh_from_db()
    assert job.status == "Completed"


def class_of(job, index: int) -> str:
    """The class of the one box of an object, by the output manifest."""
    line = orjson.loads(storage.read(manifests.manifest_uri(job)).splitlines()[index])
    (box,) = line["meadow"]["annotations"]
    return line["meadow-metadata"]["class-map"][str(box["class_id"])]


def test_a_decision_after_the_end_of_a_job_reaches_the_output():
    job, workers = opened()
    the_end(job, workers)
    assert [class_of(job, index) for index in range(3)] == ["bee"] * 3
    for index in (1, 2):
        OrmQ.objects.all().delete()
        row = DataObject.objects.get(job=job, index=index)
        wasp = stories.boxes((100, 100, 50, 40), label="wasp")
        adjudication.adjudicate(data_object=row, content=wasp, by="user:1")
        assert OrmQ.objects.count() == 1, "the message that the next line handles"
        background.advance_queue(job.queue_id)
        assert class_of(job, index) == "wasp"
    job.refresh_from_db()
    assert (job.status, class_of(job, 0)) == ("Completed", "bee")


def test_a_failed_object_that_is_decided_after_the_end_of_a_job_reaches_the_output():
    job, workers = opened()
    DataObject.objects.filter(job=job, index=1).update(state="Failed", failure_reason="nobody answered")
    the_end(job, workers)
    lines = storage.read(manifests.manifest_uri(job)).splitlines()
    assert "nobody answered" in orjson.loads(lines[1])["meadow-metadata"]["failure-reason"]
    adjudication.adjudicate(data_object=DataObject.objects.get(job=job, index=1), content=stories.ONE_BEE, by="user:1")
    background.advance_queue(job.queue_id)
    assert class_of(job, 1) == "bee"


def test_the_output_of_a_stopped_job_is_written_as_soon_as_it_can_be():
    job, workers = opened()
    good = job.output_uri
    block_output(job)
    creation.stop_job(job=job, by="user:1")
    background.advance_queue(job.queue_id)
    stories.a_minute_passes()
    background.sweep()
    background.advance_queue(job.queue_id)
    job.refresh_from_db()
    assert job.status == "Stopped" and job.attention.startswith("the output cannot be written")
    LabelingJob.objects.filter(pk=job.pk).update(output_uri=good)
    stories.a_minute_passes()
    background.sweep()
    assert AdvanceRequest.objects.filter(queue=job.queue_id).exists()
    background.advance_queue(job.queue_id)
    job.refresh_from_db()
    assert (job.status, job.attention) == ("Stopped", "")
    assert len(storage.read(manifests.manifest_uri(job)).splitlines()) == 3


def test_files_of_tasks_that_ended_in_the_same_second_do_not_overwrite_each_other(monkeypatch):
    monkeypatch.setattr(manifests, "CHUNK", 1)
    job, workers = opened()
    for worker in workers:
        stories.work(worker, job)
    Answer.objects.update(created_at=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC))
    background.advance_queue(job.queue_id)
    found = files(job)
    for kind in ("request", "response"):
        names = sorted(name for name in found if re.fullmatch(rf"{ANSWERED}-{kind}/iteration-1/{STAMP}", name))
        assert [name[-24:] for name in names] == [f"2026-01-02_03:04:0{second}.json" for second in (5, 6, 7)]
        documents = [orjson.loads(found[name]) for name in names]
        assert [one["datasetObjectId"] for document in documents for one in document] == ["0", "1", "2"]
    Task.objects.update(responses_written=False)
    assert manifests.write_responses(job) == 3
    assert files(job) == found, "a process that was killed before it marked the tasks writes the same files again"
