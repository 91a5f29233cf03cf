"""Looks at the conduct of workers, in the background, once for all submits that have waited meanwhile (noting.py)."""

from django.conf import settings

from labeling.models import WorkQueue
from labeling.services.conduct import acting, noting, observing
from marketplace.models import Worker


def check_queue(queue_id: int) -> int:
    """Look at every worker of the queue that waits for it; returns how many. Safe to repeat and to kill anywhere.

    A worker who is looked at twice gets no second finding for the same answers.
    """
    work = WorkQueue.objects.filter(pk=queue_id).first()
    if work is None:
        return 0
    workers = noting.take(queue_id)
    if not settings.CONDUCT_RULES:
        return 0
    # Simulated people do not behave like people, and are not to be shut out.
    found = Worker.objects.filter(pk__in=workers, user__is_simulated=False).order_by("pk")
    for worker in found:
        check(queue=work, worker=worker)
    return len(found)


def check(*, queue: WorkQueue, worker: Worker) -> None:
    """Ask the rules about the worker's newest answers in the queue, and act on what they find."""
    acting.act(queue=queue, worker=worker, conduct=observing.conduct_of(worker=worker, queue=queue))
