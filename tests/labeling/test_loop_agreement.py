"""How far people agree with a model, kept once for each completed loop, by reason and over time."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from labeling.background import advance_queue, sweep
from labeling.models import FlowDefinition, HumanLoop, LoopAgreement
from labeling.services.review import agreement_record
from labeling.services.review.agreement_record import ALL, CONDITION, SAMPLE
from marketplace.models import Worker
from tests.labeling.test_human_loops import a_flow, answer, boxed, start

pytestmark = pytest.mark.django_db(transaction=True)

BOX = {"label": "bee", "left": 10, "top": 10, "width": 20, "height": 20}
LOW = {"ConditionType": "HighestScoreCheck", "ConditionParameters": {"ConfidenceLessThan": 50}}
SAMPLING = {"ConditionType": "Sampling", "ConditionParameters": {"RandomSamplingPercentage": 5}}


def completed(flow: FlowDefinition, worker: Worker, name: str, drawn: tuple[Any, ...], *why: dict[str, Any]) -> None:
    """A loop about the box BOX, activated by these conditions, to which the worker has answered with that box."""
    content: dict[str, Any] = {"initialValue": json.dumps([BOX]), "taskObject": "s3://pictures/1.jpg"}
    if why:
        nodes = [node | {"EvaluationResult": True} for node in why]
        content["humanTaskActivationConditionResults"] = {"Conditions": nodes}
    start(flow, name, json.dumps(content))
    answer(flow, worker, boxed(drawn))
    advance_queue(flow.queue_id)


SAME, HALF, ELSEWHERE = ("bee", 10, 10, 20, 20), ("bee", 10, 10, 20, 10), ("bee", 60, 50, 20, 20)


def test_the_figures_of_a_random_sample_are_not_mixed_with_those_of_conditions() -> None:
    """A loop that was both is in both; one that was started without conditions only counts among all."""
    flow, (worker, _) = a_flow()
    completed(flow, worker, "sure", SAME, SAMPLING)
    completed(flow, worker, "unsure", ELSEWHERE, LOW)
    completed(flow, worker, "both", HALF, LOW, SAMPLING)
    completed(flow, worker, "asked", SAME)
    found = agreement_record.newest(flow)
    assert {reason: (one.loops, one.model) for reason, one in found.items()} == {
        ALL: (4, 2.5 / 4),
        CONDITION: (2, 0.25),
        SAMPLE: (2, 0.75),
    }
    assert found[ALL].people is None


def test_agreement_over_time_is_by_day_and_later_by_week() -> None:
    """Each period has its own figures; one without a comparison in it has none."""
    flow, (worker, _) = a_flow()
    assert agreement_record.over_time(flow).periods == []
    completed(flow, worker, "now", SAME, SAMPLING)
    completed(flow, worker, "before", HALF, SAMPLING)
    row = LoopAgreement.objects.get(loop__name="before")
    today = timezone.now()
    for days, unit in ((3, "day"), (100, "week")):
        row.completed_at = today - timedelta(days=days)
        row.save()
        found = agreement_record.over_time(flow)
        assert found.unit == unit
        assert [figures[SAMPLE].model for _, figures in found.periods] == [0.5, 1.0]
        assert [figures[CONDITION].model for _, figures in found.periods] == [None, None]
    monday = today.date() - timedelta(days=today.weekday())
    assert found.periods[-1][0] == monday


def test_what_has_no_boxes_is_kept_without_a_figure() -> None:
    """It is not looked at again, and is none of the loops that the figures are about."""
    flow, (worker, _) = a_flow()
    start(flow, "text", '{"taskObject":"a text"}')
    answer(flow, worker, {"note": "seen"})
    advance_queue(flow.queue_id)
    row = LoopAgreement.objects.get()
    assert (row.model, row.people, row.is_due) == (None, None, False)
    assert agreement_record.newest(flow)[ALL].loops == 0


def test_loops_that_completed_before_figures_were_kept_are_caught_up() -> None:
    """By the sweep, with their reasons and the time at which they completed."""
    flow, (worker, _) = a_flow()
    completed(flow, worker, "earlier", HALF, LOW)
    loop, at = HumanLoop.objects.get(), timezone.now() - timedelta(days=9)
    LoopAgreement.objects.all().delete()
    LoopAgreement.objects.create(loop=loop, flow=flow, completed_at=at, is_due=True)
    assert agreement_record.newest(flow)[ALL].loops == 0
    sweep()
    row = LoopAgreement.objects.get()
    assert (row.model, row.by_condition, row.by_sample, row.is_due, row.completed_at) == (0.5, True, False, False, at)
    assert agreement_record.of_loops([loop]) == {loop.pk: 0.5}
