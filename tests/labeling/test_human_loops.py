"""Human review as A2I has it: flow definitions, human loops, what people answer and what is written of it."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.db import transaction
from django.utils import timezone

from labeling.background import advance_queue, sweep
from labeling.models import FlowDefinition, HumanLoop, Task
from labeling.services.queue import assignments
from labeling.services.review import flows, loops, retraining, task_uis
from marketplace import storage
from marketplace.errors import InsufficientFunds, InUse, Invalid, NameTaken, NotFound, WrongState
from marketplace.models import Account, Worker
from marketplace.services import boundaries, earnings, ledger_audit, wallets
from tests.builders import a_team, a_worker, an_account

pytestmark = pytest.mark.django_db(transaction=True)

TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><crowd-bounding-box name="annotatedResult" labels="['bee']" header="Box the bees"
 src="{{ task.input.taskObject | grant_read_access }}" initial-value="{{ task.input.initialValue }}">
<full-instructions>All.</full-instructions><short-instructions>All.</short-instructions>
</crowd-bounding-box></crowd-form>"""
CONTENT = '{"initialValue":"[]","taskObject":"s3://pictures/1.jpg"}'
ANSWER = {"annotatedResult": {"boundingBoxes": [{"label": "bee", "left": 1, "top": 2, "width": 3, "height": 4}]}}


def a_flow(
    *, people: int = 1, price: int = 30_000, funds: str = "10", **values: Any
) -> tuple[FlowDefinition, list[Worker]]:
    """A flow definition for a private team of so many people and one more."""
    account = an_account(funds=funds)
    workers = [a_worker() for _ in range(people + 1)]
    ui = task_uis.create_task_ui(account=account, name="boxes", content=TEMPLATE, by="test")
    made = flows.create_flow(
        account=account,
        by="test",
        **{
            "name": "look-again",
            "workteam": a_team(account=account, workers=workers),
            "task_ui": ui,
            "title": "Look at boxes",
            "description": "Correct the boxes of the model.",
            "task_count": people,
            "price_micros": price,
            "output_uri": out(account),
        }
        | values,
    )
    return made, workers


def out(account: Account) -> str:
    """A folder of the account's own."""
    return storage.join(boundaries.base_of(account), "reviews")


def start(flow: FlowDefinition, name: str = "loop-1", content: str = CONTENT) -> HumanLoop:
    """A loop of the flow definition."""
    return loops.start_loop(flow=flow, name=name, content=content, by="test")


def answer(flow: FlowDefinition, worker: Worker, content: Mapping[str, Any] = ANSWER) -> None:
    """The worker takes the next task and answers it."""
    seat = assignments.claim(worker=worker, queue=flow.queue)
    assert seat is not None
    assignments.submit(assignment=seat, worker=worker, content=content, seconds=12.3, key=None)


def test_the_answers_of_a_loop_are_written_as_they_are_given_and_paid() -> None:
    """Nothing is written before all have answered; then output.json holds what A2I's does."""
    flow, (first, second, _) = a_flow(people=2)
    loop = start(flow)
    answer(flow, first)
    advance_queue(flow.queue_id)
    loop.refresh_from_db()
    assert (loop.status, loop.output_uri) == ("InProgress", "")
    answer(flow, second)
    advance_queue(flow.queue_id)
    loop.refresh_from_db()
    assert loop.status == "Completed"
    moment = loop.created_at.strftime("%Y/%m/%d/%H/%M/%S")
    assert loop.output_uri == f"{out(flow.account)}/look-again/{moment}/loop-1/output.json"
    written = json.loads(storage.read(loop.output_uri))
    assert sorted(written) == ["flowDefinitionArn", "humanAnswers", "humanLoopName", "inputContent"]
    assert written["flowDefinitionArn"].endswith(f":{flow.account.number}:flow-definition/look-again")
    assert written["inputContent"] == orjson.loads(CONTENT)
    given = written["humanAnswers"]
    assert [one["answerContent"] for one in given] == [ANSWER, ANSWER]
    assert {tuple(sorted(one)) for one in given} == {
        ("acceptanceTime", "answerContent", "submissionTime", "timeSpentInSeconds", "workerId", "workerMetadata")
    }
    assert [earnings.balance(worker=one) for one in (first, second)] == [30_000, 30_000]
    # What was set aside is spent: the fee is a fifth of the price.
    assert wallets.balance(flow.account) == 10_000_000 - 2 * 36_000
    assert ledger_audit.findings() == []


def test_a_repeated_start_is_the_same_loop_and_another_input_a_conflict() -> None:
    """As StartHumanLoop has it."""
    flow, _ = a_flow()
    loop = start(flow)
    assert start(flow).pk == loop.pk
    with pytest.raises(InUse, match="with another input"):
        start(flow, content='{"taskObject":"s3://pictures/2.jpg"}')
    assert Task.objects.filter(queue=flow.queue).count() == 1


def test_many_loops_run_beside_each_other() -> None:
    """Each is completed by itself, whatever the others do."""
    flow, (worker, _) = a_flow()
    names = [f"loop-{number}" for number in range(5)]
    for name in names:
        start(flow, name)
    for _ in range(3):
        answer(flow, worker)
    advance_queue(flow.queue_id)
    found = dict(HumanLoop.objects.values_list("name", "status"))
    assert found == dict.fromkeys(names[:3], "Completed") | dict.fromkeys(names[3:], "InProgress")


def test_a_loop_that_ends_leaves_the_money_of_the_others_where_it_is() -> None:
    """What was reserved for them pays their answers; each gives back only what it did not need."""
    flow, (first, second, _) = a_flow(people=2, funds="1")
    answer_micros = 36_000
    started = [start(flow, f"loop-{number}") for number in range(3)]
    assert wallets.balance(flow.account) == 1_000_000 - 6 * answer_micros
    for worker in (first, second):
        answer(flow, worker)
    advance_queue(flow.queue_id)
    assert wallets.balance(flow.account) == 1_000_000 - 6 * answer_micros
    for worker in (first, second):
        answer(flow, worker)
    advance_queue(flow.queue_id)
    waiting = next(loop for loop in started if HumanLoop.objects.get(pk=loop.pk).status == "InProgress")
    loops.stop_loop(loop=waiting, by="test")
    advance_queue(flow.queue_id)
    found = sorted(HumanLoop.objects.values_list("status", flat=True))
    assert found == ["Completed", "Completed", "Stopped"]
    assert wallets.balance(flow.account) == 1_000_000 - 4 * answer_micros
    assert ledger_audit.findings() == []


def test_a_loop_that_nobody_answers_in_time_fails_and_costs_nothing() -> None:
    """With the code and the reason; an answer that was given is kept in the output and paid."""
    flow, (worker, *_) = a_flow(people=2)
    for name in ("alone", "half"):
        start(flow, name)
    seat = assignments.claim(worker=worker, queue=flow.queue)
    assert seat is not None
    answered = seat.task.human_loop.name
    assignments.submit(assignment=seat, worker=worker, content=ANSWER, seconds=1, key=None)
    for task in Task.objects.select_related("batch"):
        task.batch.expires_at = timezone.now() - timedelta(seconds=1)
        task.batch.save()
    sweep()
    advance_queue(flow.queue_id)
    found = {loop.name: loop for loop in HumanLoop.objects.all()}
    assert {loop.status for loop in found.values()} == {"Failed"}
    assert {loop.failure_code for loop in found.values()} == {"TaskExpired"}
    other = found["alone" if answered == "half" else "half"]
    assert other.failure_reason == "0 of 2 people answered before the task expired"
    assert other.output_uri == ""
    assert len(json.loads(storage.read(found[answered].output_uri))["humanAnswers"]) == 1
    assert wallets.balance(flow.account) == 10_000_000 - 36_000
    assert ledger_audit.findings() == []


def test_who_has_begun_may_finish_a_loop_that_is_stopped() -> None:
    """Nobody else gets it; it is Stopped once the answer is in, and can be deleted then."""
    flow, (first, second, third) = a_flow(people=2)
    loop = start(flow)
    seat = assignments.claim(worker=first, queue=flow.queue)
    assert seat is not None
    with pytest.raises(WrongState, match="stop it first"):
        loops.delete_loop(loop=loop, by="test")
    loops.stop_loop(loop=loop, by="test")
    advance_queue(flow.queue_id)
    loop.refresh_from_db()
    assert loop.status == "Stopping"
    assert assignments.claim(worker=second, queue=flow.queue) is None
    assignments.submit(assignment=seat, worker=first, content=ANSWER, seconds=1, key=None)
    advance_queue(flow.queue_id)
    loop.refresh_from_db()
    assert loop.status == "Stopped"
    loops.stop_loop(loop=loop, by="test")
    assert wallets.balance(flow.account) == 10_000_000 - 36_000
    loops.delete_loop(loop=loop, by="test")
    with pytest.raises(NotFound):
        loops.loop(flow.account, "loop-1")
    assert ledger_audit.findings() == []


def test_a_deleted_flow_definition_lets_its_loops_end() -> None:
    """Its name is free at once; no new loop starts."""
    flow, (worker, _) = a_flow()
    loop = start(flow)
    flows.delete_flow(flow=flow, by="test")
    with pytest.raises(NotFound):
        flows.flow(flow.account, "look-again")
    with pytest.raises(WrongState, match="Deleting"):
        start(flow, "loop-2")
    advance_queue(flow.queue_id)
    answer(flow, worker)
    advance_queue(flow.queue_id)
    loop.refresh_from_db()
    flow.queue.refresh_from_db()
    assert (loop.status, flow.queue.status) == ("Completed", "Stopped")
    assert assignments.claim(worker=worker, queue=flow.queue) is None


def test_output_that_cannot_be_written_is_tried_again() -> None:
    """The loop says why it is not Completed, and nobody's answer is lost."""
    flow, (worker, _) = a_flow()
    loop = start(flow)
    answer(flow, worker)
    good = flow.output_uri
    FlowDefinition.objects.filter(pk=flow.pk).update(output_uri="file:///proc/no-such-folder")
    advance_queue(flow.queue_id)
    loop.refresh_from_db()
    assert loop.status == "InProgress"
    assert loop.failure_reason.startswith("the output cannot be written, it is tried again every minute")
    FlowDefinition.objects.filter(pk=flow.pk).update(output_uri=good)
    advance_queue(flow.queue_id)
    loop.refresh_from_db()
    assert (loop.status, loop.failure_reason) == ("Completed", "")


def test_money_is_there_before_people_are_asked() -> None:
    """A wallet that cannot pay starts no loop."""
    flow, _ = a_flow(funds="0.05", people=2)
    with pytest.raises(InsufficientFunds):
        start(flow)
    assert not HumanLoop.objects.exists()


def test_everything_that_is_wrong_with_a_flow_definition_is_named() -> None:
    """All at once, with AWS's limits."""
    account = an_account()
    ui = task_uis.create_task_ui(account=account, name="boxes", content=TEMPLATE, by="test")
    with pytest.raises(Invalid) as caught:
        flows.create_flow(
            account=account,
            by="test",
            name="Look_Again",
            workteam=a_team(account=an_account()),
            task_ui=ui,
            title="",
            description="x" * 256,
            task_count=4,
            task_time_limit_seconds=29,
            task_availability_seconds=31 * 86_400,
            output_uri="/etc/passwd",
            conditions='{"Conditions":[{"And":[]}]}',
        )
    assert {name for name, _ in caught.value.errors} == {
        "name",
        "workteam",
        "title",
        "description",
        "task_count",
        "task_time_limit_seconds",
        "task_availability_seconds",
        "output_uri",
        "conditions.Conditions[0].And",
    }


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": NaN}', '{"a":"\\u0000"}', '{"a":"' + "x" * (3 << 20) + '"}'])
def test_input_that_cannot_be_shown_starts_nothing(content: str) -> None:
    """With the field's name."""
    flow, _ = a_flow()
    with pytest.raises(Invalid) as caught:
        start(flow, content=content)
    assert {name for name, _ in caught.value.errors} == {"input_content"}


def test_a_template_that_does_not_work_is_refused_with_its_line() -> None:
    """And a name is given once."""
    account = an_account()
    with pytest.raises(Invalid) as caught:
        task_uis.create_task_ui(account=account, name="bad", content="<crowd-form>\n{{ task.input.", by="test")
    assert any(name == "content" and "line" in reason for name, reason in caught.value.errors)
    made = task_uis.create_task_ui(account=account, name="boxes", content=TEMPLATE, by="test")
    assert len(task_uis.content_hash(made)) == 64
    with pytest.raises(NameTaken):
        task_uis.create_task_ui(account=account, name="boxes", content=TEMPLATE, by="test")
    task_uis.delete_task_ui(task_ui=made, by="test")
    with transaction.atomic(), pytest.raises(NotFound):
        task_uis.task_ui(account, "boxes")


def boxed(*boxes: tuple[str, float, float, float, float]) -> dict[str, Any]:
    """A person's answer: boxes (label, left, top, width, height) on a picture of 100 x 80 pixels."""
    names = ("label", "left", "top", "width", "height")
    drawn = [dict(zip(names, box, strict=True)) for box in boxes]
    return {"annotatedResult": {"boundingBoxes": drawn, "inputImageProperties": {"width": 100, "height": 80}}}


def test_what_people_drew_becomes_an_augmented_manifest() -> None:
    """As in AWS's notebook: the attribute a2i-retraining, the job's name, the classes of the model first."""
    flow, (first, second, _) = a_flow(people=2)
    start(flow)
    start(flow, "not-boxes", '{"taskObject":"a text"}')
    for worker in (first, second):
        for _ in range(2):
            answer(flow, worker, boxed(("bee", 10, 10, 20, 20), ("wasp", 60, 50, 10, 10)))
    start(flow, "unanswered")
    advance_queue(flow.queue_id)
    found = retraining.manifest_lines(flow, labels=["flower", "wasp"])
    assert found.labels == ["flower", "wasp", "bee"]
    assert [(one.loop, one.reason) for one in found.left_out] == [
        ("not-boxes", "its taskObject is no address of a picture")
    ]
    (line,) = map(orjson.loads, found.lines)
    assert line["source-ref"] == "s3://pictures/1.jpg"
    assert sorted(line["a2i-retraining"]["annotations"], key=lambda box: box["class_id"]) == [
        {"class_id": 1, "left": 60, "top": 50, "width": 10, "height": 10},
        {"class_id": 2, "left": 10, "top": 10, "width": 20, "height": 20},
    ]
    assert line["a2i-retraining"]["image_size"] == [{"width": 100, "height": 80, "depth": 3}]
    about = line["a2i-retraining-metadata"]
    assert (about["job-name"], about["type"], about["human-annotated"]) == (
        "a2i/loop-1",
        "groundtruth/object-detection",
        "yes",
    )
    assert about["class-map"] == {"1": "wasp", "2": "bee"}


def test_nothing_to_learn_from_is_said() -> None:
    """Instead of an empty data set."""
    flow, _ = a_flow()
    with pytest.raises(Invalid, match="no completed human loop of look-again"):
        retraining.make_dataset(flow=flow, name="again", by="test")
