"""The agreement of model and people, kept once for each completed loop, and its figures over time.

A random sample of all requests says how good a model is; loops that met a condition are those it was not sure of. So
the figures of the two are never mixed.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from django.db.models import Avg, Count, Max, Min, Q, QuerySet
from django.db.models.functions import TruncDay, TruncWeek

from labeling.formats import conditions
from labeling.models import FlowDefinition, HumanLoop, LoopAgreement
from labeling.services.review import agreement

NEWEST = 200
"""Completed loops that the figures of a flow definition are about."""

BY_DAYS = timedelta(days=60)
"""What lies within so much time is shown by day, more by week."""

SHOWN = timedelta(days=730)
"""Figures over time go back so far from the newest loop."""

ALL, CONDITION, SAMPLE = "all", conditions.BY_CONDITION, conditions.BY_SAMPLE
_REASONS = {ALL: Q(), CONDITION: Q(by_condition=True), SAMPLE: Q(by_sample=True)}

CHUNK = 200


@dataclass(frozen=True)
class Figures:
    """Means over so many `loops` that can be compared; None where there is nothing to compare."""

    loops: int
    model: float | None
    people: float | None


@dataclass(frozen=True)
class OverTime:
    """By the `unit` ("day" or "week"), oldest first: the first day of each, and the figures by reason."""

    unit: str
    periods: list[tuple[date, dict[str, Figures]]]


def keep(flow: FlowDefinition, loop: HumanLoop, *, at: datetime) -> None:
    """Keep how far people agreed with the prediction of a loop that completes. Safe to repeat."""
    found = agreement.of_loop(flow, loop)
    why = conditions.reasons(orjson.loads(loop.content).get("humanTaskActivationConditionResults"))
    values = {
        "flow_id": flow.pk,
        "completed_at": at,
        "model": found.model,
        "people": found.people,
        "by_condition": CONDITION in why,
        "by_sample": SAMPLE in why,
        "is_due": False,
    }
    LoopAgreement.objects.update_or_create(loop=loop, defaults=values)


def catch_up() -> None:
    """Compute what is due: loops that had completed before the figures were kept. Run every minute."""
    rows = LoopAgreement.objects.filter(is_due=True).select_related("loop__flow__queue__workteam").order_by("pk")
    for row in rows[:CHUNK]:
        keep(row.loop.flow, row.loop, at=row.completed_at)


def of_loops(loops: list[HumanLoop]) -> dict[int, float]:
    """The agreement of model and people by the key of each of these loops that has one."""
    rows = LoopAgreement.objects.filter(loop__in=loops, model__isnull=False)
    return {pk: found for pk, found in rows.values_list("loop", "model") if found is not None}


def newest(flow: FlowDefinition) -> dict[str, Figures]:
    """The figures of the newest loops, together (ALL) and by the reason why people were asked (CONDITION, SAMPLE)."""
    rows = LoopAgreement.objects.filter(flow=flow).order_by("-completed_at", "-pk")
    found = {}
    for reason, which in _REASONS.items():
        some = LoopAgreement.objects.filter(pk__in=rows.filter(which).values("pk")[:NEWEST])
        found[reason] = _figures(some.aggregate(**_means(Q())))
    return found


def over_time(flow: FlowDefinition) -> OverTime:
    """The figures by day, or by week where they go over more than BY_DAYS."""
    rows: QuerySet[LoopAgreement] = LoopAgreement.objects.filter(flow=flow, is_due=False)
    ends = rows.aggregate(first=Min("completed_at"), last=Max("completed_at"))
    if ends["last"] is None:
        return OverTime("day", [])
    by_day = ends["last"] - ends["first"] <= BY_DAYS
    period = TruncDay("completed_at") if by_day else TruncWeek("completed_at")
    wanted = {f"{reason}_{name}": how for reason, q in _REASONS.items() for name, how in _means(q).items()}
    found = rows.filter(completed_at__gte=ends["last"] - SHOWN).annotate(period=period).values("period")
    periods = [
        (row["period"].date(), {reason: _figures(row, f"{reason}_") for reason in _REASONS})
        for row in found.annotate(**wanted).order_by("period")
    ]
    return OverTime("day" if by_day else "week", periods)


def _means(which: Q) -> dict[str, Any]:
    compared = Count("pk", filter=which & Q(model__isnull=False))
    return {"n": compared, "model_mean": Avg("model", filter=which), "people_mean": Avg("people", filter=which)}


def _figures(row: dict[str, Any], prefix: str = "") -> Figures:
    return Figures(row[f"{prefix}n"], row[f"{prefix}model_mean"], row[f"{prefix}people_mean"])
