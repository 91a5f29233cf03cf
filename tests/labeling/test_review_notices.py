"""What members are told of human loops: once for many that fail, and that the output cannot be written."""

import pytest
from django.utils import timezone

from frontend import notice_links
from labeling.background import advance_queue
from labeling.models import Batch, FlowDefinition
from marketplace.models import Notice, RateWindow
from tests.labeling.test_human_loops import a_flow, answer, start

pytestmark = pytest.mark.django_db(transaction=True)


def told(flow: FlowDefinition) -> list[str]:
    return list(Notice.objects.filter(account=flow.account).order_by("pk").values_list("text", flat=True))


def expire(flow: FlowDefinition) -> None:
    """The loops that wait have run out of time."""
    Batch.objects.filter(queue=flow.queue).update(expires_at=timezone.now())
    advance_queue(flow.queue_id)


def test_loops_that_fail_are_told_together_and_not_again_within_the_hour() -> None:
    flow, _ = a_flow()
    for name in ("one", "two", "three"):
        start(flow, name)
    expire(flow)
    (text,) = told(flow)
    assert text == (
        "3 human loops of look-again have failed within an hour, the last one: 0 of 1 people answered before the task "
        "expired."
    )
    assert notice_links.page_of(Notice.objects.get()) == "/human-review/"
    start(flow, "four")
    expire(flow)
    assert len(told(flow)) == 1
    RateWindow.objects.all().delete()
    start(flow, "five")
    expire(flow)
    assert told(flow)[1].startswith("5 human loops of look-again have failed")


def test_one_loop_that_fails_is_named_and_completed_ones_are_not_told() -> None:
    flow, (worker, _) = a_flow()
    start(flow, "answered")
    answer(flow, worker)
    advance_queue(flow.queue_id)
    assert told(flow) == []
    start(flow, "forgotten")
    expire(flow)
    assert told(flow)[0].startswith("The human loop forgotten of look-again has failed: 0 of 1 people")


def test_output_that_cannot_be_written_is_told_once_a_day() -> None:
    flow, (worker, other) = a_flow()
    for name, who in (("one", worker), ("two", other)):
        start(flow, name)
        answer(flow, who)
    FlowDefinition.objects.filter(pk=flow.pk).update(output_uri="file:///proc/no-such-folder")
    for _ in range(2):
        advance_queue(flow.queue_id)
    (text,) = told(flow)
    assert text.startswith(
        "The answers to human loops of look-again cannot be written, it is tried again every minute:"
    )
