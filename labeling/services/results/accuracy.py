"""The accuracy of a job's workers at its task type, from all that is known of them in every job."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from labeling import subjects
from labeling.models import LabelingJob
from labeling.queries import golds
from marketplace.models import EvidenceSource, Reputation, Worker
from marketplace.services import reputation


def with_accuracies(job: LabelingJob, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows about workers (`worker` is the public id) with `reputation`, a reputation.Accuracy, in two queries."""
    keys = dict(Worker.objects.filter(public_id__in=[row["worker"] for row in rows]).values_list("public_id", "pk"))
    known = reputation.accuracies_of(keys.values(), task_type=job.task_type)
    return [{**row, "reputation": known[keys[row["worker"]]]} for row in rows]


def told_sums(worker: Worker) -> QuerySet[Reputation]:
    """The worker's own sums, without those that only golds in use speak for, for lists in pages."""
    return reputation.told_sums(worker, _hidden(worker))


def told(worker: Worker, sums: Sequence[Reputation]) -> list[reputation.Accuracy]:
    """What the worker is told of these sums: without the golds in use, or every change would give one away."""
    return reputation.told(worker, sums, _hidden(worker))


def _hidden(worker: Worker) -> reputation.Hidden:
    return reputation.Hidden(str(EvidenceSource.GOLD), subjects.ASSIGNMENT, golds.untold_seats(worker))
