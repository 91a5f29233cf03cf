"""What panels cost outside of the wallet: the sessions that are to be paid there. No ledger knows of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, Sum

from labeling.models import Assignment, AssignmentStatus, DataObject, LabelingJob, LabelSource, PanelSession
from marketplace import money
from marketplace.models import Panel


@dataclass(frozen=True)
class PaidElsewhere:
    """Completed sessions, the answers in them that count, and the labels from people; micro-dollars."""

    sessions: int
    reward_micros: int
    fee_micros: int
    answers: int
    labels: int

    @property
    def total_micros(self) -> int:
        """Rewards and the provider's fee."""
        return self.reward_micros + self.fee_micros

    @property
    def per_label_micros(self) -> int | None:
        """The cost of a label so far; None before there is one."""
        return round(self.total_micros / self.labels) if self.labels else None


def fee_micros(session: PanelSession) -> int:
    """What the provider adds to the reward of a session."""
    return money.share(session.reward_micros, session.provider_fee_percent)


def of_job(job: LabelingJob) -> PaidElsewhere:
    """What the job's sessions cost at the provider so far."""
    return _cost({"queue": job.queue_id}, {"job": job})


def of_panel(panel: Panel) -> PaidElsewhere:
    """What all sessions of a panel cost at the provider so far."""
    team = panel.workteam_id
    return _cost({"queue__workteam": team}, {"job__queue__workteam": team})


def _cost(of_queue: dict[str, Any], of_object: dict[str, Any]) -> PaidElsewhere:
    """Of the sessions and answers that meet `of_queue`, and the objects that meet `of_object`."""
    same: Iterable[dict[str, Any]] = list(
        PanelSession.objects.filter(**of_queue, status="Completed")
        .values("reward_micros", "provider_fee_percent")
        .annotate(sessions=Count("id"))
        .order_by()
    )
    return PaidElsewhere(
        sessions=sum(row["sessions"] for row in same),
        reward_micros=sum(row["sessions"] * row["reward_micros"] for row in same),
        fee_micros=sum(
            row["sessions"] * money.share(row["reward_micros"], row["provider_fee_percent"]) for row in same
        ),
        answers=Assignment.objects.filter(**of_queue, state=AssignmentStatus.SUBMITTED).count(),
        labels=DataObject.objects.filter(**of_object, label__source=LabelSource.HUMAN).count(),
    )


def counts(queue_ids: list[int]) -> dict[int, dict[str, int]]:
    """By queue: how many of its sessions have which status, and the tasks done in them as "tasks"."""
    rows = (
        PanelSession.objects.filter(queue__in=queue_ids)
        .values("queue", "status")
        .annotate(count=Count("id"), tasks=Sum("tasks_done", filter=Q(tasks_done__gt=0)))
        .order_by()
    )
    found: dict[int, dict[str, int]] = {key: {"tasks": 0} for key in queue_ids}
    for row in rows:
        found[row["queue"]][row["status"]] = row["count"]
        found[row["queue"]]["tasks"] += row["tasks"] or 0
    return found
