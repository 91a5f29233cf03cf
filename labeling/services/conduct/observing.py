"""Reads what the rules look at: a worker's newest seats in a queue and the others' answers to the same tasks.

Every query is bounded: it reads the worker's newest seats by their index, so its cost does not grow with the job.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Max

from labeling import task_types
from labeling.conduct.observed import LOOK_BACK, Activity, Conduct, SeenAnswer, usual_seconds
from labeling.models import Answer, AnswerActivity, Assignment, AssignmentStatus, ConductFinding, WorkQueue
from labeling.services.one_by_one import OF_ONE_OBJECT
from labeling.task_types.base import TaskType
from marketplace.models import Worker
from marketplace.services import reputation

ANSWERED = (AssignmentStatus.SUBMITTED, AssignmentStatus.REJECTED)
Summary = tuple[frozenset[str], int]
"""An answer of somebody else: its classes and the number of its marks."""


def conduct_of(*, worker: Worker, queue: WorkQueue) -> Conduct:
    """The worker's conduct in the queue as the rules see it."""
    kind = task_types.get(queue.task_type)
    newest = Assignment.objects.filter(worker=worker, queue=queue).order_by("-pk")
    seats = list(newest.select_related("task", "activity").defer("task__queue")[:LOOK_BACK])
    ended = [seat for seat in seats if seat.state in (*ANSWERED, AssignmentStatus.DECLINED)][:20]
    # Who checks a proposed label is quicker and draws less than others: that is no conduct.
    answered = sorted((seat for seat in seats if seat.state in ANSWERED and not seat.task.checks), key=_ended)
    accuracy = reputation.accuracies_of([worker.pk], task_type=queue.task_type)[worker.pk]
    others, times = _others(kind, queue, worker, answered)
    return Conduct(
        answers=_answers(kind, queue, answered, others),
        expected_seconds=queue.expected_seconds,
        labels=queue.labels,
        crowd_median=usual_seconds(times),
        declined=sum(seat.state == AssignmentStatus.DECLINED for seat in ended),
        seats=len(ended),
        accuracy_high=accuracy.high,
        accuracy_pieces=accuracy.pieces,
        since=dict(
            ConductFinding.objects.filter(worker=worker, queue=queue).values_list("rule").annotate(newest=Max("seat"))
        ),
    )


def _ended(seat: Assignment) -> Any:
    return seat.ended_at or seat.accepted_at


def _answers(
    kind: TaskType[Any, Any], queue: WorkQueue, seats: Sequence[Assignment], others: Mapping[int, Sequence[Summary]]
) -> list[SeenAnswer]:
    own, seen = _contents([seat.pk for seat in seats]), []
    for seat in seats:
        size = _size(seat)
        try:
            answer = kind.read_stored(own[seat.pk], labels=queue.labels, earlier=queue.earlier_labels, size=size)
        except OF_ONE_OBJECT:
            # An answer that cannot be read is consolidation's concern.
            continue
        seen.append(
            SeenAnswer(
                seat=seat.pk,
                elapsed=(_ended(seat) - seat.accepted_at).total_seconds(),
                classes=kind.classes(answer),
                marks=kind.marks(answer),
                size=size,
                activity=_activity(seat),
                others=tuple(others.get(seat.task_id, ())),
            )
        )
    return seen


def _size(seat: Assignment) -> tuple[int, int]:
    return seat.task.input.get("width", 0), seat.task.input.get("height", 0)


def _contents(seats: Sequence[int]) -> dict[int, Any]:
    """The newest answer to each of these seats."""
    rows = Answer.objects.filter(assignment__in=seats).order_by("assignment_id", "revision")
    return dict(rows.values_list("assignment_id", "content"))


def _others(
    kind: TaskType[Any, Any], queue: WorkQueue, worker: Worker, seats: Sequence[Assignment]
) -> tuple[dict[int, list[Summary]], dict[int, list[float]]]:
    """What the others answered, by task, and their seconds, by worker."""
    rows = Assignment.objects.filter(task__in=[seat.task_id for seat in seats], state=AssignmentStatus.SUBMITTED)
    found = {row.pk: row for row in rows.exclude(worker=worker).order_by("pk")}
    sizes = {seat.task_id: _size(seat) for seat in seats}
    said: dict[int, list[Summary]] = defaultdict(list)
    times: dict[int, list[float]] = defaultdict(list)
    for seat, content in _contents(list(found)).items():
        row = found[seat]
        times[row.worker_id].append((_ended(row) - row.accepted_at).total_seconds())
        try:
            size = sizes[row.task_id]
            answer = kind.read_stored(content, labels=queue.labels, earlier=queue.earlier_labels, size=size)
        except OF_ONE_OBJECT:
            continue
        said[row.task_id].append((kind.classes(answer), len(kind.marks(answer) or ())))
    return said, times


def _activity(seat: Assignment) -> Activity | None:
    try:
        row = seat.activity
    except AnswerActivity.DoesNotExist:
        return None
    return Activity(row.moves, row.trusted, row.untrusted, row.keys, row.focus_seconds, row.active_seconds)
