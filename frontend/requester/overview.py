"""The overview: jobs under way, spending, what needs attention."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from frontend import automation
from frontend.requester import listing
from frontend.session import requester_page
from labeling import transitions
from labeling.models import LabelingJob
from labeling.queries import progress
from labeling.services import scope
from marketplace.models import Account
from marketplace.services import wallets

DAYS = 30
SHOWN = 5


def _spending(account: Account) -> dict[str, Any] | None:
    spent = wallets.spent_by_day(account, since=timezone.now() - timedelta(days=DAYS))
    if not spent:
        return None
    days = [timezone.now().date() - timedelta(days=back) for back in reversed(range(DAYS))]
    points = [[day.isoformat(), spent.get(day, 0)] for day in days]
    return {
        "type": "bar",
        "title": gettext("Spending, last {days} days").format(days=DAYS),
        "x": {"label": gettext("day"), "format": "date"},
        "y": {"label": gettext("spent"), "format": "money", "min": 0},
        "series": [{"name": gettext("Spent"), "points": points}],
    }


def _attention(account: Account, running: list[LabelingJob]) -> list[dict[str, str]]:
    notes = []
    for job in running:
        if job.attention:
            notes.append({"text": f"{job.name}: {job.attention}", "url": reverse("requester:job", args=[job.pk])})
    week = timezone.now() - timedelta(days=7)
    for job in scope.jobs(account).filter(status="Failed", finished_at__gte=week).order_by("-id")[:5]:
        notes.append({"text": _failed(job.name, job.failure_reason), "url": reverse("requester:job", args=[job.pk])})
    for row in scope.datasets(account).filter(status="Failed", created_at__gte=week).order_by("-id")[:5]:
        notes.append(
            {"text": _failed(row.name, row.failure_reason), "url": reverse("requester:dataset", args=[row.pk])}
        )
    return notes


def _failed(name: str, reason: str) -> str:
    return gettext("{name} failed: {reason}").format(name=name, reason=reason)


@requester_page()
def page(request: HttpRequest) -> HttpResponse:
    """Where a requester starts."""
    account = request.account  # type: ignore[attr-defined]
    mine = scope.jobs(account).defer(*listing.PAYLOAD).order_by("-id")
    live = mine.exclude(status__in=transitions.LABELING_JOB.final)
    running = list(live[:SHOWN])
    recent = list(mine.filter(status__in=transitions.LABELING_JOB.final)[:SHOWN])
    shown = [*running, *recent]
    counted, money = progress.counters_of_many(shown), progress.money_of_many(shown)
    context = {
        "rows": [{"job": job, "counters": counted[job.pk], "money": money[job.pk]} for job in shown],
        "under_way": live.count(),
        "attention": _attention(account, running),
        "chart": _spending(account),
        "balance": wallets.balance(account=account),
        "held": wallets.held(account=account),
        "datasets": scope.datasets(account).count(),
        "models": automation.count_models(account),
    }
    return render(request, "requester/overview.html", context)
