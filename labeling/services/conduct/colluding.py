"""Notes pairs of workers of a job who agree far more than their accuracies allow, for the operator to look at.

Nothing follows by itself: agreeing is no offence. Operators are told, the workers are not.
"""

from collections import defaultdict
from typing import Any

from django.db import transaction

from labeling import task_types
from labeling.conduct.collusion import Pair, colluding
from labeling.models import Answer, AssignmentStatus, ConductFinding, Task, WorkQueue
from labeling.services.conduct import acting, telling
from labeling.services.one_by_one import OF_ONE_OBJECT
from marketplace import queue
from marketplace.models import Worker

TASKS = 500
"""The newest tasks of a queue that are compared."""

CHECK = "labeling.background.check_collusion"


def request_check(queue_id: int) -> None:
    """Compare the workers of a queue in the background."""
    queue.enqueue(CHECK, queue_id)


def check_queue(queue_id: int) -> int:
    """Note the pairs that agree too much and were not noted yet; returns how many. Safe to repeat and to kill
    anywhere."""
    work = WorkQueue.objects.filter(pk=queue_id).first()
    if work is None:
        return 0
    pairs = colluding(_answers(work), task_types.get(work.task_type).agreement)
    with transaction.atomic():
        noted = sum(_note(work, pair) for pair in pairs)
        if noted:
            telling.colluding(work, noted)
    return noted


def _answers(work: WorkQueue) -> list[dict[str, Any]]:
    """The answers to each of the newest tasks by the worker's public id; those in which nothing is drawn are left
    out, and tasks in which all begin with the same label."""
    kind = task_types.get(work.task_type)
    newest = Task.objects.filter(queue=work, answers_count__gte=2, checks=False).order_by("-pk")
    inputs = dict(newest.values_list("pk", "input")[:TASKS])
    rows = Answer.objects.filter(assignment__task__in=list(inputs), assignment__state=AssignmentStatus.SUBMITTED)
    columns = ("assignment__task_id", "assignment__worker__public_id", "content")
    by_task: dict[int, dict[str, Any]] = defaultdict(dict)
    for task, worker, content in rows.order_by("assignment_id", "revision").values_list(*columns):
        try:
            size = (inputs[task].get("width", 0), inputs[task].get("height", 0))
            answer = kind.read_stored(content, labels=work.labels, earlier=work.earlier_labels, size=size)
        except OF_ONE_OBJECT:
            continue
        if kind.marks(answer) != ():
            by_task[task][worker] = answer
    return list(by_task.values())


def _note(work: WorkQueue, pair: Pair) -> bool:
    """One finding for each of the two; False when they are there."""
    workers = {row.public_id: row for row in Worker.objects.filter(public_id__in=[pair.one, pair.other])}
    made = False
    for name, other in ((pair.one, pair.other), (pair.other, pair.one)):
        known = ConductFinding.objects.filter(
            queue=work, worker=workers[name], rule=acting.COLLUSION, numbers__other=other
        )
        if known.exists():
            continue
        acting.note(
            queue=work,
            worker=workers[name],
            rule=acting.COLLUSION,
            reason=f"{pair.close} of {pair.common} answers close to those of {other}, {pair.expected:.0%} expected",
            numbers={
                "other": other,
                "close": pair.close,
                "common": pair.common,
                "expected": pair.expected,
                "chance": pair.chance,
            },
        )
        made = True
    return made
