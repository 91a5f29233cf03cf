"""Takes back the answers that nobody has accepted yet of a worker who is shut out, and gives them back after an appeal.

An answer under review is rejected with the finding as its reason: its pay goes back and its seat to others, see
results/deciding.py. Without a review an answer was accepted, and paid, when it was handed in, and stays.
"""

import logging

from django.db.models import QuerySet

from labeling.conduct.rules import Action
from labeling.models import AnswerReview, ConductFinding, ReviewStatus, WorkQueue
from labeling.services.results import appeals, deciding
from marketplace.errors import InsufficientFunds, WrongState

log = logging.getLogger(__name__)

RESTORED = "what was found in the worker's conduct was taken back"


def by_finding(finding: ConductFinding) -> str:
    """Who decided about an answer that was withdrawn because of the finding."""
    return f"finding:{finding.pk}"


def withdraw(*, finding: ConductFinding) -> int:
    """Reject the worker's answers that are still under review, of the finding's queue, or of every queue for a ban.

    Returns how many. Safe to repeat.
    """
    pending = AnswerReview.objects.filter(worker=finding.worker_id, state=ReviewStatus.PENDING)
    if finding.action != Action.BAN:
        pending = pending.filter(queue=finding.queue_id)
    by_queue: dict[int, list[int]] = {}
    for queue_id, review in pending.order_by("queue_id", "pk").values_list("queue_id", "pk"):
        by_queue.setdefault(queue_id, []).append(review)
    queues = WorkQueue.objects.in_bulk(by_queue)
    return sum(
        deciding.reject(queue=queues[queue_id], review_ids=ids, reason=finding.reason, by=by_finding(finding))
        for queue_id, ids in by_queue.items()
    )


def withdrawn(finding: ConductFinding) -> QuerySet[AnswerReview]:
    """The answers that were rejected because of the finding and are not accepted again."""
    return AnswerReview.objects.filter(
        worker=finding.worker_id, state=ReviewStatus.REJECTED, decided_by=by_finding(finding)
    )


def restore(*, finding: ConductFinding, by: str) -> int:
    """Accept the answers that a dismissed finding withdrew, as an upheld appeal does; returns how many. Safe to repeat.

    Those that the account cannot pay now have an open appeal, which is upheld as soon as it can.
    """
    done = 0
    for review in withdrawn(finding).select_related("worker").order_by("pk"):
        try:
            appeals.uphold(appeal=appeals.file_late(review=review, text=RESTORED), text=RESTORED, by=by)
            done += 1
        except WrongState as error:
            log.info("answer under review %d stays rejected: %s", review.pk, error.message)
        except InsufficientFunds as error:
            log.warning("answer under review %d cannot be paid yet: %s", review.pk, error.message)
    return done
