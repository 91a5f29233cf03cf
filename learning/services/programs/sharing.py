"""The order in which waiting runs are started, so that accounts share the learner fairly.

Within a kind of program: the account with the fewest running programs first, of those the one whose newest start is the
longest ago, and within an account first come, first served. Knows rows only.
"""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Greatest

from learning.services.programs.kinds.interface import ProgramKind


def in_fair_order(rows: QuerySet[Any], *, kinds: Sequence[ProgramKind[Any]], held: Q) -> QuerySet[Any]:
    """`rows` of waiting runs of one kind in the order in which they are to be started.

    `kinds`: all that count as load of an account. `held`: what is true of a live run that a supervisor works on.
    """
    running: Any = Value(0)
    newest: list[Any] = []
    for kind in kinds:
        theirs = kind.model.objects.filter(account=OuterRef("account")).order_by()
        count = theirs.filter(held, status__in=kind.live).values("account").annotate(n=Count("pk")).values("n")
        running = running + Coalesce(Subquery(count, output_field=IntegerField()), 0)
        started = theirs.exclude(started_at=None).order_by("-started_at").values("started_at")[:1]
        newest.append(Subquery(started))
    # PostgreSQL's GREATEST leaves out nulls: it is null only for an account of which nothing was ever started.
    latest = Greatest(*newest) if len(newest) > 1 else newest[0]
    return rows.alias(running=running, latest=latest).order_by("running", F("latest").asc(nulls_first=True), "pk")
