"""Reads the job pages need for many jobs at once, in a fixed number of queries, and what a job is doing right now."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Count

from labeling.models import DataObject, LabelingJob, ObjectState
from learning import queries as learning_queries

# Columns that may be large and that no list shows.
PAYLOAD = ("instructions", "worker_models")


def counters_of(jobs: Iterable[LabelingJob]) -> dict[int, dict[str, int]]:
    """AWS's LabelCounters of every job, by its key, in one query."""
    counted = {job.pk: dict.fromkeys(ObjectState.values, 0) for job in jobs}
    rows = DataObject.objects.filter(job__in=list(counted)).values_list("job", "state").annotate(n=Count("id"))
    for job_id, state, n in rows.order_by():
        counted[job_id][state] = n
    return {job_id: _counters(states) for job_id, states in counted.items()}


def _counters(states: dict[str, int]) -> dict[str, int]:
    human, machine = states[ObjectState.HUMAN], states[ObjectState.MACHINE]
    return {
        "TotalLabeled": human + machine,
        "HumanLabeled": human,
        "MachineLabeled": machine,
        "FailedNonRetryableError": states[ObjectState.FAILED],
        "Unlabeled": states[ObjectState.UNLABELED] + states[ObjectState.PENDING],
    }


def doing(job: LabelingJob) -> dict[str, Any] | None:
    """What a live job is doing, in words, and how far that is (0 to 1, None where not known); None when it is over."""
    if job.status == "Initializing":
        return {"said": "The images are being taken in", "progress": None}
    if job.status == "Stopping":
        return {"said": "The job is stopping: what is done is kept, the rest of the money returns", "progress": None}
    if job.status != "InProgress":
        return None
    view = learning_queries.loop_view(job) if job.automated else None
    if view is None:
        return {"said": "People are labeling", "progress": None}
    rounds = view["rounds"]
    live = rounds[-1] if rounds else None
    progress = None
    if live and live["status"] == "Training":
        progress = live["training_progress"]
    elif live and live["status"] == "Predicting":
        progress = live["prediction_progress"]
    said = f"Round {live['number']}: {view['doing']}" if live else str(view["doing"]).capitalize()
    return {"said": said, "progress": progress}
