"""Objects that a function has failed are sent to it again once it is corrected. Nobody is paid twice."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import DataObject, FunctionCall, FunctionFailure, LabelingJob, Task
from labeling.services.functions import failures
from labeling.services.jobs import creation
from labeling.services.output import manifests
from labeling.services.results import adjudication
from marketplace import storage
from marketplace.errors import Invalid, WrongState
from marketplace.models import AuditEvent, Entry
from marketplace.services import wallets
from tests.labeling import stories
from tests.labeling.function_stories import SECRET, Endpoint, a_form_job, go_on, later, the_objects
from tests.labeling.lambda_functions import most_votes

pytestmark = pytest.mark.django_db
BEE = {"insect": "bee"}
BY = "user:1"


@pytest.fixture
def function(settings):
    """An endpoint that refuses everything until it is corrected."""
    made = Endpoint(lambda event: (422, b"what is that?"))
    settings.FETCH_ALLOWED_HOSTS = frozenset([made.host])
    yield made
    made.end()


def prepared(event):
    return 200, {"taskInput": {"place": "a pond"}}


def merged(event):
    return 200, most_votes(event, None)


def merge_failed_job(function, *, objects: int = 2) -> LabelingJob:
    """People have answered everything, and the function has made nothing of it."""
    job, workers = a_form_job(objects=objects, annotation_consolidation_function=function.url)
    go_on(job)
    for worker in workers:
        stories.work(worker, job, BEE)
    return go_on(job)


def lines(job: LabelingJob) -> list[dict]:
    return [json.loads(line) for line in storage.read(manifests.manifest_uri(job)).splitlines()]


def test_answers_are_merged_by_the_corrected_function_after_the_job_has_failed_and_nobody_is_paid_again(function):
    job = merge_failed_job(function)
    assert job.status == "Failed" and {row.state for row in the_objects(job)} == {"Failed"}
    assert set(FunctionFailure.objects.values_list("step", "times")) == {("post", 0)}
    paid, entries, tasks = wallets.balance(job.account), Entry.objects.count(), Task.objects.count()
    function.answer = merged
    asked = len(function.got)
    assert failures.send_again(job=job, by=BY) == (2, 0)
    # A second press of the button, before the function has answered.
    assert failures.send_again(job=job, by=BY) == (0, 0)
    go_on(job)
    assert [row.state for row in the_objects(job)] == ["HumanLabeled", "HumanLabeled"]
    assert [line[job.name] for line in lines(job)] == ["bee", "bee"], "the output is written anew"
    assert len(function.got) == asked + 1
    assert (wallets.balance(job.account), Entry.objects.count()) == (paid, entries)
    assert Task.objects.count() == tasks and not Task.objects.filter(state="Open").exists()
    assert failures.send_again(job=job, by=BY) == (0, 0)
    event = AuditEvent.objects.get(because__contains="sent again")
    assert (event.by, event.because) == (BY, "2 objects sent again to the job's functions")


def test_objects_that_nobody_was_asked_about_go_on_to_people_and_are_paid_once(function):
    function.answer = lambda event: prepared(event) if event["dataObject"].get("place") else (422, b"no place")
    lines = ({"place": "a pond"},)
    job, workers = a_form_job(objects=2, lines=lines, pre_human_task_function=function.url)
    go_on(job)
    assert [row.state for row in the_objects(job)] == ["PendingHuman", "Failed"]
    before = wallets.balance(job.account)
    function.answer = prepared
    assert failures.send_again(job=job, indexes=[1], by=BY) == (1, 0)
    assert the_objects(job)[1].state == "Unlabeled" and the_objects(job)[1].failure_reason == ""
    for worker in workers:
        stories.work(worker, job, BEE)
    go_on(job)
    for worker in workers:
        stories.work(worker, job, BEE)
    assert go_on(job).status == "Completed"
    assert {row.state for row in the_objects(job)} == {"HumanLabeled"}
    each = 2 * (job.price_micros + job.fee_micros)
    assert wallets.balance(job.account) == before - each, "the one that was not open yet, once"
    assert Task.objects.filter(queue=job.queue).count() == 2


def test_an_object_is_sent_again_so_often_and_no_more(function, monkeypatch):
    assert failures.TIMES == 5
    monkeypatch.setattr(failures, "TIMES", 2)
    job = merge_failed_job(function, objects=1)
    for number in range(failures.TIMES):
        assert failures.send_again(job=job, by=BY) == (1, 0)
        go_on(job)
        assert FunctionFailure.objects.get().times == number + 1 and the_objects(job)[0].state == "Failed"
    assert failures.send_again(job=job, by=BY) == (0, 0)
    with pytest.raises(Invalid, match="object 0 was sent again 2 times already"):
        failures.send_again(job=job, indexes=[0], by=BY)
    assert not FunctionCall.objects.exists()


def test_so_many_at_once_and_the_rest_later(function, monkeypatch):
    monkeypatch.setattr(failures, "AT_ONCE", failures.Range(1, 2))
    job = merge_failed_job(function, objects=3)
    function.answer = merged
    assert failures.send_again(job=job, by=BY) == (2, 1)
    with pytest.raises(Invalid, match="3 found, 1 to 2 expected"):
        failures.send_again(job=job, indexes=[0, 1, 2], by=BY)
    go_on(job)
    assert [row.state for row in the_objects(job)] == ["HumanLabeled", "HumanLabeled", "Failed"]
    assert failures.send_again(job=job, by=BY) == (1, 0)


def test_only_what_a_function_has_failed_is_sent(function):
    job = merge_failed_job(function, objects=3)
    DataObject.objects.filter(job=job, index=1).update(failure_reason="the label cannot be written")
    function.answer = merged
    with pytest.raises(Invalid, match="object 1 of the job has not failed because of a function"):
        failures.send_again(job=job, indexes=[0, 1], by=BY)
    assert not FunctionCall.objects.exists()
    assert failures.send_again(job=job, indexes=[2], by=BY) == (1, 1)
    go_on(job)
    assert [row.state for row in the_objects(job)] == ["Failed", "Failed", "HumanLabeled"]


def test_what_the_requester_decides_meanwhile_stays(function):
    job, workers = stories.a_funded_job(
        objects=1,
        workers=2,
        workers_per_object=2,
        task_type="ImageMultiClass",
        annotation_consolidation_function=function.url,
        function_secret=SECRET,
    )
    go_on(job)
    for worker in workers:
        stories.work(worker, job, {"crowd-image-classifier": {"label": "bee"}})
    assert go_on(job).status == "Failed"
    failures.send_again(job=job, by=BY)
    (row,) = DataObject.objects.filter(job=job).select_related("job")
    adjudication.adjudicate(data_object=row, content={"crowd-image-classifier": {"label": "wasp"}}, by=BY)
    function.answer = lambda event: (
        200,
        [{"datasetObjectId": "0", "consolidatedAnnotation": {"content": {event["labelAttributeName"]: 0}}}],
    )
    later(job)
    (row,) = the_objects(job)
    assert (row.label.source, row.label.value["choice"]) == ("adjudicated", "wasp")
    assert not FunctionCall.objects.exists() and failures.send_again(job=job, by=BY) == (0, 0)


def test_a_function_before_people_is_asked_while_the_job_runs_alone(function):
    job, _ = a_form_job(objects=1, pre_human_task_function=function.url)
    assert go_on(job).status == "Failed"
    for indexes in (None, [0]):
        with pytest.raises(WrongState, match="is Failed: objects go to a pre-annotation function while their job is"):
            failures.send_again(job=job, indexes=indexes, by=BY)
    assert the_objects(job)[0].state == "Failed"


def test_nothing_is_sent_while_the_job_is_being_stopped(function):
    job, workers = a_form_job(objects=2, annotation_consolidation_function=function.url)
    go_on(job)
    for worker in workers:
        stories.work(worker, job, BEE, most=1)
    go_on(job)
    assert FunctionFailure.objects.count() == 1
    creation.stop_job(job=job, by=BY)
    with pytest.raises(WrongState, match="is Stopping"):
        failures.send_again(job=job, by=BY)
    assert not FunctionCall.objects.exists()


def test_the_page_and_rest_send_again(function):
    job = merge_failed_job(function)
    client = Client()
    client.force_login(job.account.members.get())
    page = client.get(reverse("requester:job", args=[job.pk])).content.decode()
    assert "Send 2 objects to the function again" in page
    function.answer = merged
    told = client.post(reverse("requester:job-functions-again", args=[job.pk]), follow=True).content.decode()
    assert "2 objects sent to the function again." in told and "Send 2 objects" not in told
    go_on(job)
    assert {row.state for row in the_objects(job)} == {"HumanLabeled"}
    address = f"/api/v1/labeling-jobs/{job.pk}/functions/send-again"
    answer = client.post(address, data={}, content_type="application/json")
    assert (answer.status_code, answer.json()) == (200, {"sent": 0, "left": 0})
    refused = client.post(address, data={"objects": [7]}, content_type="application/json")
    assert refused.status_code == 400 and "object 7 of the job has not failed" in refused.content.decode()
