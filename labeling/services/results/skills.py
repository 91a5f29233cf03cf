"""Stores what consolidation learned about workers, so that it outlives the job. Knows counts, not their formulas."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from labeling.consolidation.workers.skills import SkillRow
from labeling.models import WorkerSkill, WorkQueue
from marketplace.models import Worker

COUNTS = ("answers", "found", "chances", "false_positives", "false_positive_chances")


@dataclass(frozen=True)
class KnownSkill:
    """How well a worker does a task type over all jobs, for one label ("": all); None where nothing was counted."""

    label: str
    answers: float
    recall: float | None
    false_positive_rate: float | None


def record(*, queue: WorkQueue, rows: Iterable[SkillRow]) -> None:
    """Replace the skills that this queue has recorded for its workers.

    Rows name workers by public id; unknown ids are left out. The caller holds the advance lock of the queue.
    """
    skills = list(rows)
    now = timezone.now()
    with transaction.atomic():
        workers = dict(
            Worker.objects.filter(public_id__in={row.worker for row in skills}).values_list("public_id", "pk")
        )
        WorkerSkill.objects.filter(queue=queue).delete()
        WorkerSkill.objects.bulk_create(
            [
                WorkerSkill(
                    worker_id=workers[row.worker],
                    task_type=queue.task_type,
                    queue=queue,
                    updated_at=now,
                    **{name: value for name, value in asdict(row).items() if name != "worker"},
                )
                for row in skills
                if row.worker in workers
            ],
            batch_size=1000,
        )


def skills_of(worker: Worker, *, task_type: str) -> list[KnownSkill]:
    """What is known of a worker at a task type over all queues: all labels together first, then each in order."""
    rows = WorkerSkill.objects.filter(worker=worker, task_type=task_type).values("label").order_by("label")
    return [
        KnownSkill(
            label=row["label"],
            answers=row["answers"],
            recall=_share(row["found"], row["chances"]),
            false_positive_rate=_share(row["false_positives"], row["false_positive_chances"]),
        )
        for row in rows.annotate(**{name: Sum(name) for name in COUNTS})
    ]


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None
