"""The accuracy of a job's workers at its task type, from all that is known of them in every job."""

from typing import Any

from labeling.models import LabelingJob
from marketplace.models import Worker
from marketplace.services import reputation


def with_accuracies(job: LabelingJob, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows about workers (`worker` is the public id) with `accuracy`, a reputation.Accuracy, in two queries."""
    keys = dict(Worker.objects.filter(public_id__in=[row["worker"] for row in rows]).values_list("public_id", "pk"))
    known = reputation.accuracies_of(keys.values(), task_type=job.task_type)
    return [{**row, "accuracy": known[keys[row["worker"]]]} for row in rows]
