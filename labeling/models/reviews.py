"""Reviews of answers: whether each one is accepted, what is held for it meanwhile, and appeals against rejections.

Only answers to queues that have a review get a row. An answer that was given again after a rejection has a review of
its own, so a review belongs to an answer and not to a seat.
"""

from django.db import models

from labeling.models.queues import WorkQueue
from labeling.models.tasks import Answer, Assignment
from marketplace.models import Worker


class ReviewStatus(models.TextChoices):
    """Whether an answer was accepted."""

    PENDING = "Pending"
    ACCEPTED = "Accepted"
    REJECTED = "Rejected"


class AnswerReview(models.Model):
    """The review of one answer. `price_micros` and `fee_micros` are held for it while it is Pending."""

    answer = models.OneToOneField(Answer, models.CASCADE, related_name="review")
    assignment = models.ForeignKey(Assignment, models.CASCADE, related_name="reviews")
    queue = models.ForeignKey(WorkQueue, models.CASCADE, related_name="reviews", db_index=False)
    worker = models.ForeignKey(Worker, models.PROTECT, related_name="reviews", db_index=False)
    state = models.CharField(max_length=8, choices=ReviewStatus, default=ReviewStatus.PENDING)
    price_micros = models.BigIntegerField()
    fee_micros = models.BigIntegerField()
    # Left in the escrow of the queue since the price rose, so that a seat that comes back can be paid the new one.
    kept_micros = models.BigIntegerField(default=0, db_default=0)
    submitted_at = models.DateTimeField()
    # When it is accepted by itself if nobody has decided.
    due_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=120, blank=True, default="")
    # Why it was rejected; kept when an appeal was upheld.
    reason = models.CharField(max_length=500, blank=True, default="")
    # Rejected and given to the same worker again, for one more lease.
    returned = models.BooleanField(default=False)
    # What its decisions brought into the account's wallet, less what an appeal took out of it.
    to_wallet_micros = models.BigIntegerField(default=0)
    # The classes that the answer names, and how far it agrees with the object's label (0 to 1, null while there is
    # none): both are only for finding answers.
    labels = models.JSONField(default=list)
    agreement = models.FloatField(null=True)
    # Drawn at random by the requester, to be looked at before the rest is accepted.
    sampled = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["queue", "state", "id"], name="review_by_queue_state"),
            models.Index(fields=["worker", "-id"], name="review_by_worker"),
            models.Index(fields=["due_at", "id"], condition=models.Q(state="Pending"), name="review_pending_due"),
        ]


class AppealStatus(models.TextChoices):
    """What became of an appeal."""

    OPEN = "Open"
    UPHELD = "Upheld"
    DENIED = "Denied"


class Appeal(models.Model):
    """A worker's appeal against the rejection of an answer."""

    review = models.OneToOneField(AnswerReview, models.CASCADE, related_name="appeal")
    state = models.CharField(max_length=6, choices=AppealStatus, default=AppealStatus.OPEN)
    text = models.CharField(max_length=2000)
    filed_at = models.DateTimeField()
    # When it is upheld by itself if nobody has answered.
    due_at = models.DateTimeField()
    answer = models.CharField(max_length=2000, blank=True, default="")
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=120, blank=True, default="")
    # Why it could not be upheld yet, for example that the wallet holds too little; else "".
    attention = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["due_at", "id"], condition=models.Q(state="Open"), name="appeal_open_due")]
