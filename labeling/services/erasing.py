"""What this room knows of a worker beside their answers: erased with their personal data. See marketplace's erasure."""

from collections.abc import Iterator

from labeling.models import (
    AnswerActivity,
    AnswerReview,
    Appeal,
    AppealStatus,
    Assignment,
    ConductAppeal,
    ReviewStatus,
)
from labeling.services.queue import leases
from marketplace.models import User, Worker
from marketplace.services import erasure, scope


def erase(*, user: User, confirm: str, by: str) -> bool:
    """Erase a person's data (see erasure.erase); the tasks they hold go back to others. Returns whether it was new."""
    done = erasure.erase(user=user, confirm=confirm, by=by)
    worker = scope.worker_or_none(user)
    if worker is not None:
        # Afterwards, so that no further task is claimed meanwhile. What a crash leaves leased expires.
        leases.return_held(worker_id=worker.pk)
    return done


def register() -> None:
    """Take part in erasing. Safe to repeat."""
    if obstacles not in erasure.OBSTACLES:
        erasure.OBSTACLES.append(obstacles)
        erasure.LISTENERS.append(erase_worker)


def obstacles(worker: Worker) -> Iterator[str]:
    """Decisions that may still bring the worker money."""
    reviews = AnswerReview.objects.filter(worker=worker, state=ReviewStatus.PENDING).count()
    if reviews:
        yield f"{reviews:,} answers are under review: wait until they are decided"
    appeals = Appeal.objects.filter(review__worker=worker, state=AppealStatus.OPEN).count()
    if appeals:
        yield f"{appeals:,} appeals are open: wait until they are answered"


def erase_worker(worker: Worker) -> None:
    """Delete the texts that the worker wrote about themselves, and how they moved while they answered."""
    Appeal.objects.filter(review__worker=worker).update(text=erasure.ERASED)
    ConductAppeal.objects.filter(finding__worker=worker).update(text=erasure.ERASED)
    Assignment.objects.filter(worker=worker).exclude(decline_reason="").update(decline_reason=erasure.ERASED)
    AnswerActivity.objects.filter(assignment__worker=worker).delete()
