"""The steps of a flow definition's human loops: answered ones are written and completed, expired and stopped ones end.

Safe to run any number of times and to be killed anywhere: the output is written before the status that announces it,
and writing it again gives the same file.
"""

from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Min, Q
from django.utils import timezone

from labeling import hooks, transitions
from labeling.models import FlowDefinition, HumanLoop, Task, TaskStatus
from labeling.services import attempts
from labeling.services.queue import advance_requests, batches, due, planned_advances, queues
from labeling.services.review import agreement_record, notices, output
from labeling.services.review.owner import LIVE
from marketplace.errors import DomainError

BY = "system"
CHUNK = 200

EXPIRED = "TaskExpired"
"""FailureCode of a loop that did not get its answers in time."""

UNWRITABLE = "the output cannot be written"
"""How the reason begins why a loop with all its answers is not Completed yet."""


def advance_or_give_up(queue_id: int) -> None:
    """Take every step that is possible now; after several unexpected errors in a row the reason is kept and shown."""
    attempts.attempt("advance_flow", queue_id, lambda: advance(queue_id), give_up=partial(_give_up, queue_id))


def _give_up(queue_id: int, reason: str, passing: bool) -> None:
    """It is tried again by the sweep; until then the flow definition says why its loops do not go on."""
    FlowDefinition.objects.filter(queue=queue_id).update(failure_reason=reason[:1024])


def advance(queue_id: int) -> None:
    """Take every step that is possible now; returns at once while another process does."""
    advance_requests.advance(queue_id, partial(_steps, queue_id), partial(_next_look, queue_id))


def _next_look(queue_id: int) -> datetime | None:
    """When a loop may go on of which no request tells; None while none is under way."""
    flow = FlowDefinition.objects.select_related("queue").get(queue=queue_id)
    live = HumanLoop.objects.filter(flow=flow, status__in=LIVE)
    if flow.status == "Deleting" and flow.queue.status != "Stopped":
        return planned_advances.soon()
    if live.filter(Q(status="Stopping") | ~Q(task__state=TaskStatus.OPEN)).exists():
        # Held by somebody, or its output could not be written.
        return planned_advances.soon()
    ends: datetime | None = live.aggregate(at=Min("task__batch__expires_at"))["at"]
    if ends is None:
        return planned_advances.seldom() if live.exists() else None
    return max(min(ends, planned_advances.seldom()), planned_advances.soon())


def _steps(queue_id: int) -> None:
    flow = FlowDefinition.objects.select_related("account", "queue__workteam").get(queue=queue_id)
    due.settle_due(flow.queue)
    live = HumanLoop.objects.filter(flow=flow, status__in=LIVE)
    over = ~Q(task__state=TaskStatus.OPEN) | Q(task__batch__expires_at__lte=timezone.now())
    failed = False
    for loop in live.filter(over | Q(status="Stopping")).select_related("task__batch").order_by("pk").iterator(CHUNK):
        failed |= _step(flow, loop) == "Failed"
    if failed:
        notices.loops_failed(flow)
    if flow.failure_reason:
        FlowDefinition.objects.filter(pk=flow.pk).update(failure_reason="")
    if flow.status == "Deleting" and not live.exists():
        queues.close_queue(flow.queue, by=BY, because="deleted, and its last loop is over")


def _step(flow: FlowDefinition, loop: HumanLoop) -> str:
    """Take the loop as far as it goes now; returns the state in which it has ended, "" while it has not."""
    if loop.task is None:
        raise ValueError(f"the human loop {loop.pk} has no task")
    batch = loop.task.batch
    batch.queue = flow.queue
    if loop.status == "Stopping":
        if not batches.stop_batch(batch=batch, by=BY, grace_seconds=flow.queue.task_time_limit_seconds):
            return ""
    else:
        batches.expire_batch(batch=batch, now=timezone.now())
        due.settle_due(flow.queue)
        if not batches.is_over(batch):
            return ""
    answers = Task.objects.values_list("answers_count", flat=True).get(pk=loop.task.pk)
    try:
        uri = output.write(flow, loop) if answers else ""
    except DomainError as error:
        # It is tried again by the next sweep, and nobody's answer is lost; other loops go on.
        reason = f"{UNWRITABLE}, it is tried again every minute: {error.message}"
        HumanLoop.objects.filter(pk=loop.pk).update(failure_reason=reason[:1024])
        notices.output_unwritable(flow, error.message)
        return ""
    return _conclude(flow, loop, answers, uri)


def _conclude(flow: FlowDefinition, loop: HumanLoop, answers: int, uri: str) -> str:
    if loop.status == "Stopping":
        return _end(loop, "Stopped", uri=uri)
    # Before the end of the loop, which is not looked at any more after it.
    batches.close_batch(batch=loop.task.batch)
    if answers >= flow.queue.max_seats:
        with transaction.atomic():
            agreement_record.keep(flow, loop, at=timezone.now())
            return _end(loop, "Completed", uri=uri)
    reason = f"{answers} of {flow.queue.max_seats} people answered before the task expired"
    return _end(loop, "Failed", uri=uri, code=EXPIRED, reason=reason)


def _end(loop: HumanLoop, to: str, *, uri: str = "", code: str = "", reason: str = "") -> str:
    with transaction.atomic():
        changes = {"output_uri": uri, "failure_code": code, "failure_reason": reason[:1024]}
        if transitions.HUMAN_LOOP.advance(loop, to, by=BY, because=reason[:500], **changes):
            hooks.send(hooks.loop_done, loop.pk)
    return to
