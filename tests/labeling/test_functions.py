"""Pre- and post-annotation functions: asked over HTTP or in processes, with Ground Truth's contracts."""

import json

import pytest
from standardwebhooks import Webhook

from labeling.models import AnswerReview, FunctionCall, Label, Task
from labeling.services.functions import tries
from labeling.services.intake import loading
from labeling.services.jobs import creation, templates
from labeling.services.output import manifests
from labeling.services.results import deciding
from marketplace import storage
from tests import builders
from tests.labeling import stories
from tests.labeling.function_stories import (
    SECRET,
    TEMPLATE,
    Endpoint,
    a_form_job,
    go_on,
    later,
    output,
    the_objects,
)
from tests.labeling.lambda_functions import most_votes, prepare

pytestmark = pytest.mark.django_db
HERE = "tests.labeling.lambda_functions"
BEE, WASP = {"insect": "bee"}, {"insect": "wasp"}
BLURRED = {"place": "a meadow", "blurred": True}


class Remaining:
    """Of a context what `prepare` looks at."""

    aws_request_id = "msg_"

    def get_remaining_time_in_millis(self):
        return 1


def prepared(event):
    return 200, prepare(event, Remaining())


def merged(event):
    return 200, most_votes(event, None)


@pytest.fixture
def endpoint(settings):
    """Starts endpoints that outbound requests may reach."""
    started = []

    def start(answer) -> Endpoint:
        started.append(Endpoint(answer))
        settings.FETCH_ALLOWED_HOSTS = frozenset(one.host for one in started)
        return started[-1]

    yield start
    for one in started:
        one.end()


# --- before people ----------------------------------------------------------------------------------------------------


def test_a_pre_annotation_function_makes_what_templates_show_and_keeps_objects_from_people(endpoint):
    function = endpoint(prepared)
    job, workers = a_form_job(objects=3, lines=({"place": "a pond"}, BLURRED), pre_human_task_function=function.url)
    go_on(job)
    assert [
        event["dataObject"] for event in sorted(function.events, key=lambda one: one["dataObject"]["source-ref"])
    ] == [
        {"source-ref": "s3://bees/0.png", "place": "a pond"},
        {"source-ref": "s3://bees/1.png", **BLURRED},
        {"source-ref": "s3://bees/2.png"},
    ]
    assert {(event["version"], event["labelingJobArn"]) for event in function.events} == {
        ("2018-10-16", f"arn:aws:sagemaker:us-east-1:{job.account.number}:labeling-job/{job.name}")
    }
    for headers, body in function.got:
        assert Webhook(SECRET).verify(body, headers) == json.loads(body)

    first, blurred, last = the_objects(job)
    assert list(Task.objects.filter(queue=job.queue).order_by("pk").values_list("data_object", flat=True)) == [
        first.pk,
        last.pk,
    ]
    page = templates.page(*templates.shown(queue_id=job.queue_id, object_id=first.pk), link=lambda uri, of_task: uri)
    assert "<p>a pond</p>" in page
    for worker in workers:
        stories.work(worker, job, BEE)
    assert go_on(job).status == "Completed"
    assert [row.state for row in the_objects(job)] == ["HumanLabeled", "Unlabeled", "HumanLabeled"]
    assert output(job)[1] == {"source-ref": "s3://bees/1.png", **BLURRED}
    assert len(function.got) == 3


def test_a_job_of_which_people_need_to_see_nothing_is_completed(endpoint):
    function = endpoint(lambda event: (200, {"taskInput": {}, "humanAnnotationRequired": "False"}))
    job, _ = a_form_job(pre_human_task_function=function.url)
    assert go_on(job).status == "Completed"
    assert not Task.objects.exists() and not FunctionCall.objects.exists()


def test_a_function_that_is_away_is_asked_again_until_it_answers(endpoint):
    away = [True]
    function = endpoint(lambda event: (503, b"resting") if away else prepared(event))
    job, _ = a_form_job(objects=3, pre_human_task_function=function.url)
    go_on(job)
    asked = len(function.got)
    assert asked == 3 and not Task.objects.exists()
    assert job.attention.startswith("a function of the job fails, it is asked again: the pre-annotation function http")
    assert job.attention.endswith("gives nothing for object 0: it answered 503: resting")
    assert set(FunctionCall.objects.values_list("tries", flat=True)) == {1}
    go_on(job)
    assert len(function.got) == asked, "a pause comes first"
    later(job)
    assert len(function.got) == 2 * asked
    repeats = [headers["webhook-id"] for headers, _ in function.got]
    assert len(set(repeats)) == asked, "a repeat has the same id"
    away.clear()
    later(job)
    assert job.attention == "" and Task.objects.count() == 3


def test_objects_that_are_answered_do_not_wait_for_one_that_is_not(endpoint):
    function = endpoint(lambda event: (500, b"") if event["dataObject"].get("blurred") else prepared(event))
    url = f"{function.url}?key=of-the-receiver"
    job, workers = a_form_job(objects=3, lines=({}, BLURRED), pre_human_task_function=url)
    go_on(job)
    assert Task.objects.count() == 2
    for worker in workers:
        stories.work(worker, job, BEE)
    assert go_on(job).status == "InProgress"
    for _ in tries.PAUSES:
        later(job)
    assert job.status == "Completed"
    assert [row.state for row in the_objects(job)] == ["HumanLabeled", "Failed", "HumanLabeled"]
    reason = the_objects(job)[1].failure_reason
    assert reason == (
        f"the pre-annotation function {function.url} gave nothing for object 1: it answered 500 (after 7 tries)"
    )
    assert reason in output(job)[1][f"{job.name}-metadata"]["failure-reason"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((400, b"what is a bee?"), "it answered 400: what is a bee?"),
        ((200, b"{"), "its answer is no JSON"),
        ((200, []), "an object with 'taskInput' expected, found list"),
        ((200, {"taskInput": "x"}), "'taskInput': an object expected, found \"x\""),
        ((200, {}), "'taskInput': an object expected, found null"),
        ((200, {"taskInput": {"a": "\0"}}), "'taskInput': a: holds a NUL character"),
        ((200, {"taskInput": {"a": 1}, "isHumanAnnotationRequired": "no"}), 'true or false expected, found "no"'),
        ((302, b""), "it answered 302"),
    ],
)
def test_an_answer_that_is_wrong_fails_its_object_with_the_reason(endpoint, answer, reason):
    function = endpoint(lambda event: answer if event["dataObject"].get("blurred") else prepared(event))
    job, _ = a_form_job(lines=({}, BLURRED), pre_human_task_function=function.url)
    go_on(job)
    right, wrong = the_objects(job)
    assert (right.state, wrong.state) == ("PendingHuman", "Failed")
    assert wrong.failure_reason.startswith(f"the pre-annotation function {function.url} gave nothing for object 1: ")
    assert reason in wrong.failure_reason
    assert len(function.got) == 2, "nobody is asked again"


def test_no_request_goes_to_a_private_address(endpoint, settings):
    function = endpoint(prepared)
    settings.FETCH_ALLOWED_HOSTS = frozenset()
    job, _ = a_form_job(objects=1, pre_human_task_function=function.url)
    assert go_on(job).status == "Failed"
    assert "127.0.0.1, which is not a public address" in job.failure_reason
    assert not function.got


# --- after people -----------------------------------------------------------------------------------------------------


def test_a_post_annotation_function_makes_the_lines_of_the_manifest(endpoint):
    payloads = []

    def answer(event):
        payloads.append(json.loads(storage.read(event["payload"]["s3Uri"])))
        return merged(event)

    function = endpoint(answer)
    role = "arn:aws:iam::123456789012:role/bees"
    job, workers = a_form_job(annotation_consolidation_function=function.url, labels=["bee", "wasp"], role_arn=role)
    go_on(job)
    stories.work(workers[0], job, BEE)
    stories.work(workers[1], job, BEE)
    assert go_on(job).status == "Completed"

    (event,) = function.events
    payload = event.pop("payload")
    assert event == {
        "version": "2018-10-16",
        "labelingJobArn": f"arn:aws:sagemaker:us-east-1:{job.account.number}:labeling-job/{job.name}",
        "labelCategories": ["bee", "wasp"],
        "labelAttributeName": job.name,
        "roleArn": role,
        "outputConfig": job.output_uri,
    }
    assert "/annotations/consolidated-annotation/consolidation-request/iteration-1/" in payload["s3Uri"]
    names = {f"private.us-east-1.{worker.public_id}" for worker in workers}
    for number, one in enumerate(payloads[0]):
        assert one["datasetObjectId"] == str(number) and one["dataObject"] == {"s3Uri": f"s3://bees/{number}.png"}
        assert {each["workerId"] for each in one["annotations"]} == names
        assert [json.loads(each["annotationData"]["content"]) for each in one["annotations"]] == [BEE, BEE]
    assert output(job) == [
        {
            "source-ref": f"s3://bees/{number}.png",
            job.name: "bee",
            f"{job.name}-metadata": {"votes": 2},
            "checked": True,
        }
        for number in range(2)
    ]
    kept = storage.read(payload["s3Uri"].replace("-request/", "-response/"))
    assert {one["datasetObjectId"] for one in json.loads(kept)} == {"0", "1"}
    files = {one.uri.rsplit("/", 1)[-1] for one in storage.list(manifests.root(job) + "/annotations/consolidated")}
    assert len(files) == 1, "there is one request and one response of the same name"
    label = the_objects(job)[0].label
    assert label.algorithm == "function" and label.explanation["function"] == function.url
    assert [one["answer"] for one in label.value["answers"]] == [BEE, BEE]


def test_a_function_may_merge_the_answers_of_a_built_in_type(endpoint):
    def answer(event):
        attribute = event["labelAttributeName"]
        metadata = {"class-name": "wasp", "confidence": 0.25}
        number = int(json.loads(storage.read(event["payload"]["s3Uri"]))[0]["datasetObjectId"])
        contents = ({attribute: 1, f"{attribute}-metadata": metadata, "seen": 2}, {attribute: 0}, {attribute: "x"})
        return 200, [
            {"datasetObjectId": str(place), "consolidatedAnnotation": {"content": content}}
            for place, content in enumerate(contents[number:], number)
        ]

    function = endpoint(answer)
    job, workers = stories.a_funded_job(
        objects=3,
        workers=2,
        workers_per_object=2,
        task_type="ImageMultiClass",
        annotation_consolidation_function=function.url,
        function_secret=SECRET,
    )
    go_on(job)
    for worker in workers:
        stories.work(worker, job, {"crowd-image-classifier": {"label": "bee"}})
    assert go_on(job).status == "Completed"
    first, second, third = the_objects(job)
    assert (first.state, first.label.value["choice"], first.label.confidence) == ("HumanLabeled", "wasp", 0.25)
    line = output(job)[0]
    assert line["seen"] == 2 and line[job.name] == 1
    assert line[f"{job.name}-metadata"]["type"] == "groundtruth/image-classification"
    assert {second.state, third.state} == {"Failed"}
    assert "object 2: its label cannot be used" in third.failure_reason
    assert Label.objects.count() == 1, "the built-in merging writes nothing"


def test_the_next_job_takes_such_labels_over_and_asks_people_about_the_others():
    account = stories.an_account()
    labeled = {"source-ref": "s3://bees/0.png", "insects": "bee", "insects-metadata": {"votes": 2}}
    uri = builders.a_manifest(account, [labeled, {"source-ref": "s3://bees/1.png"}])
    design = stories.a_design(account, builders.a_team(account=account, workers=1), input_manifest_uri=uri)
    job = creation.create_job(
        **design | {"task_type": "Custom", "labels": [], "template": TEMPLATE, "label_attribute_name": "insects"}
    )
    loading.load_objects(job)
    assert [row.state for row in the_objects(job)] == ["HumanLabeled", "Unlabeled"]
    assert output(job)[0] == labeled


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda right: (422, b"no insects today"), "it answered 422: no insects today"),
        (lambda right: (200, {}), "its answer is not what was expected: a list with one entry an object expected"),
        (lambda right: (200, [{"datasetObjectId": "7"}]), '[0].datasetObjectId: "7", which was not sent'),
        (lambda right: (200, []), "0 entries for this object found, one expected"),
        (lambda right: (200, right * 2), "2 entries for this object found, one expected"),
        (lambda right: (200, [{"datasetObjectId": "1"}]), "'consolidatedAnnotation.content': an object expected"),
        (lambda right: (200, changed(right, {"x": 1})), "it has x"),
        (lambda right: (200, changed(right, {"source-ref": "s3://x"}, add=True)), "may not change 'source-ref'"),
    ],
)
def test_what_is_wrong_with_one_object_fails_that_one_alone(endpoint, answer, reason):
    def one_wrong(event):
        _, right = merged(event)
        mine = [one for one in right if one["datasetObjectId"] == "1"]
        if not mine:
            return 200, right
        status, said = answer(mine)
        return status, right[:-1] + said if isinstance(said, list) else said

    function = endpoint(one_wrong)
    job, workers = a_form_job(annotation_consolidation_function=function.url)
    go_on(job)
    for worker in workers:
        stories.work(worker, job, WASP)
    assert go_on(job).status == "Completed"
    right, wrong = the_objects(job)
    assert (right.state, wrong.state) == ("HumanLabeled", "Failed")
    assert wrong.failure_reason.startswith(f"the post-annotation function {function.url} gave nothing for object 1: ")
    assert reason in wrong.failure_reason and wrong.label is None
    assert output(job)[0][job.name] == "wasp"


def changed(entries, content, *, add=False):
    (entry,) = entries
    made = {**entry["consolidatedAnnotation"]["content"], **content} if add else content
    return [{**entry, "consolidatedAnnotation": {"content": made}}]


def test_a_job_waits_for_its_function_and_loses_no_answer(endpoint):
    away = [True]
    function = endpoint(lambda event: (500, b"") if away else merged(event))
    job, workers = a_form_job(objects=3, annotation_consolidation_function=function.url, max_concurrent_tasks=2)
    go_on(job)
    for worker in workers:
        stories.work(worker, job, BEE)
    go_on(job)
    later(job)
    assert job.status == "InProgress" and job.attention.endswith("it answered 500")
    assert [row.state for row in the_objects(job)] == ["PendingHuman", "PendingHuman", "Unlabeled"]
    assert len(function.got) == 2
    away.clear()
    later(job)
    assert job.attention == "" and Task.objects.count() == 3
    for worker in workers:
        stories.work(worker, job, BEE)
    assert go_on(job).status == "Completed"
    assert [line[job.name] for line in output(job)] == ["bee"] * 3


def test_a_job_that_is_stopped_does_not_wait_for_hours(endpoint):
    function = endpoint(lambda event: (500, b""))
    job, workers = a_form_job(annotation_consolidation_function=function.url)
    go_on(job)
    for worker in workers:
        stories.work(worker, job, BEE)
    go_on(job)
    creation.stop_job(job=job, by="user:1")
    assert go_on(job).status == "Stopping"
    assert later(job).status == "Stopped"
    assert {row.state for row in the_objects(job)} == {"Failed"}
    assert "(after 2 tries)" in the_objects(job)[0].failure_reason


def test_an_answer_that_is_rejected_meanwhile_has_no_part_in_the_label(endpoint):
    function = endpoint(lambda event: (500, b""))
    job, workers = a_form_job(objects=1, workers=3, annotation_consolidation_function=function.url, review_days=3)
    go_on(job)
    for worker, content in zip(workers[:2], (BEE, WASP), strict=True):
        stories.work(worker, job, content)
    go_on(job)
    assert FunctionCall.objects.get().tries == 1
    review = AnswerReview.objects.select_related("queue", "assignment").get(worker=workers[1])
    deciding.reject_one(review=review, by="user:1", reason="that is a bee")
    assert not FunctionCall.objects.exists()
    function.answer = merged
    stories.work(workers[2], job, BEE)
    go_on(job)
    (row,) = the_objects(job)
    assert row.state == "HumanLabeled" and [one["answer"] for one in row.label.value["answers"]] == [BEE, BEE]
