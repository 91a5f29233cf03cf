"""What people are told of labeling: work to do and what it pays, jobs that ended, rejected answers, appeals.

Called in the transaction of the change. Work that opens is told by the message queue, a page of workers at a time; of
public work everybody hears once a day at most, so its cost does not grow with the number of public jobs.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from labeling import subjects
from labeling.models import AnswerReview, Appeal, Batch, LabelingJob, PriceChange, WorkQueue
from labeling.services.queue import worklist
from marketplace import money
from marketplace import queue as messages
from marketplace.models import Crowd, Notice, NoticeKind, Subject, User, Worker
from marketplace.services import eligibility, funds, notifications, rates

TEAM_PAGE = 200
"""Workers of teams whom one message tells."""

PUBLIC_PAGE = 500
"""Workers of the public pool whom one message tells."""

PUBLIC_JOBS = 20
"""New public jobs that are looked at in a day, the best paid."""

BEFORE_DIGEST = timedelta(hours=1)
"""So long before the daily digests the public pool is told, so that it stands in them."""

DAY = timedelta(days=1)
TELL_TEAMS = "labeling.background.tell_of_work"
TELL_PUBLIC = "labeling.background.tell_of_public_work"
TELL_PRICE = "labeling.background.tell_of_price"

ENDS = {"Completed": "is completed", "Failed": "has failed", "Stopped": "was stopped"}
"""How the end of a job is told, by its status."""


# --- work available -------------------------------------------------------------------------------------------------


def work_opened(queue: WorkQueue) -> None:
    """A queue has opened its first batch: the teams that it admits are told. The public pool hears once a day."""
    if not queue.workteam.public:
        messages.enqueue(TELL_TEAMS, queue.pk, 0, tried_again=True)


def tell_of_work(queue_id: int, after_worker: int) -> None:
    """Tell the next workers of the teams that a queue admits. Safe to repeat: nobody is told of a queue twice."""
    queue = WorkQueue.objects.select_related("account").filter(pk=queue_id, status="InProgress").first()
    if queue is None:
        return
    page = eligibility.team_workers(audience_id=queue.audience_id, after=after_worker, most=TEAM_PAGE)
    subject = Subject(subjects.WORK_QUEUE, queue.pk)
    allowed = eligibility.open_to(worker_ids=page, work=[(queue.audience_id, queue.account_id)])
    users = User.objects.filter(worker__in=list(allowed), is_active=True)
    notifications.tell_many(
        users=users.exclude(pk__in=_told(subject)).order_by("pk"),
        kind=NoticeKind.WORK_AVAILABLE,
        text=f"{queue.account.name} has new work for you: {queue.title}.",
        account=queue.account,
        subject=subject,
    )
    if len(page) == TEAM_PAGE:
        messages.enqueue(TELL_TEAMS, queue.pk, page[-1], tried_again=True)


def request_public_digest(*, now: datetime | None = None) -> None:
    """In the hour before the daily digests, once a day: begin to tell the public pool of new work. Run every minute."""
    now = now or timezone.now()
    digest = notifications.next_digest(now)
    if digest - now > BEFORE_DIGEST:
        return
    granted, _ = rates.take(f"public work {digest:%Y-%m-%d}", most=1, seconds=DAY.total_seconds())
    if granted:
        messages.enqueue(TELL_PUBLIC, int(now.timestamp()), 0, tried_again=True)


def tell_of_public_work(until: int, after_worker: int) -> None:
    """Tell the next workers of the public pool how many jobs were opened to them in the day until this second.

    Safe to repeat: nobody is told of a day twice.
    """
    end = datetime.fromtimestamp(until, tz=timezone.get_default_timezone())
    opened = Batch.objects.filter(number=1, opened_at__gt=end - DAY, opened_at__lte=end).values("queue")
    queues = WorkQueue.objects.filter(pk__in=opened, status="InProgress", workteam__crowd=Crowd.PUBLIC)
    new = list(queues.order_by("-price_micros", "pk")[:PUBLIC_JOBS])
    if not new:
        return
    page = eligibility.public_workers(after=after_worker, most=PUBLIC_PAGE)
    work = [(queue.audience_id, queue.account_id) for queue in new]
    by_number: dict[int, list[int]] = defaultdict(list)
    for worker_id, number in eligibility.open_to(worker_ids=page, work=work).items():
        by_number[number].append(worker_id)
    subject = Subject(subjects.PUBLIC_WORK, until)
    for number, workers in sorted(by_number.items()):
        users = User.objects.filter(worker__in=workers, is_active=True).exclude(pk__in=_told(subject))
        notifications.tell_many(
            users=users.order_by("pk"),
            kind=NoticeKind.WORK_AVAILABLE,
            text=f"{number} new jobs are open to everybody." if number > 1 else "A new job is open to everybody.",
            subject=subject,
        )
    if len(page) == PUBLIC_PAGE:
        messages.enqueue(TELL_PUBLIC, until, page[-1], tried_again=True)


def price_raised(change: PriceChange) -> None:
    """The price of a queue has risen: workers who had the work on offer before are told, where they can do some."""
    messages.enqueue(TELL_PRICE, change.pk, 0, tried_again=True)


def tell_of_price(change_id: int, after_worker: int) -> None:
    """Tell the next workers to whom a queue's work was offered that it pays more, if they can do some of it now.

    Safe to repeat: nobody is told of a rise twice. Of one that another has followed meanwhile nobody is told.
    """
    change = PriceChange.objects.select_related("queue__account").filter(pk=change_id).first()
    if change is None or PriceChange.objects.filter(queue=change.queue_id, pk__gt=change.pk).exists():
        return
    queue, subject = change.queue, Subject(subjects.PRICE_CHANGE, change.pk)
    told_of_work = _told(Subject(subjects.WORK_QUEUE, queue.pk))
    page = worklist.offered_before(queue=queue, users=told_of_work, after=after_worker, most=TEAM_PAGE)
    users = User.objects.filter(worker__in=worklist.with_work_in(queue=queue, worker_ids=page), is_active=True)
    old, new = money.plain(change.old_price_micros), money.plain(change.price_micros)
    notifications.tell_many(
        users=users.exclude(pk__in=_told(subject)).order_by("pk"),
        kind=NoticeKind.WORK_AVAILABLE,
        text=f"{queue.account.name} pays more for {queue.title}: {new} dollars an answer instead of {old}.",
        account=queue.account,
        subject=subject,
    )
    if len(page) == TEAM_PAGE:
        messages.enqueue(TELL_PRICE, change.pk, page[-1], tried_again=True)


def _told(subject: Subject) -> QuerySet[Notice, int]:
    """The keys of the users who were told of this work."""
    rows = Notice.objects.filter(kind=NoticeKind.WORK_AVAILABLE, subject_type=subject.type, subject_id=subject.id)
    return rows.values_list("user", flat=True)


# --- jobs -----------------------------------------------------------------------------------------------------------


def job_ended(job: LabelingJob, because: str) -> None:
    """A labeling job is over: its account is told."""
    notifications.tell_account(
        account=job.account,
        kind=NoticeKind.JOB_DONE,
        text=f"The labeling job {job.name} {ENDS[job.status]}: {because}.",
        subject=Subject(subjects.LABELING_JOB, job.pk),
    )


def wallet_short(job: LabelingJob) -> None:
    """The wallet cannot pay for the job's next objects: its account is told, once until a deposit."""
    funds.tell_short(
        account=job.account, work=f"the labeling job {job.name}", subject=Subject(subjects.LABELING_JOB, job.pk)
    )


# --- answers --------------------------------------------------------------------------------------------------------


def reviewer_named(queue: WorkQueue, worker: Worker) -> None:
    """An account lets a worker review the answers to a queue: they are told."""
    notifications.tell(
        user=worker.user,
        kind=NoticeKind.WORK_AVAILABLE,
        text=f"{queue.account.name} asks you to review the answers to {queue.title}.",
        account=queue.account,
        subject=Subject(subjects.REVIEWING, queue.pk),
    )


def rejected(rows: Iterable[AnswerReview], reason: str) -> None:
    """Answers to one queue were rejected for a reason: each worker is told once. `worker` and `queue` are loaded."""
    by_worker: dict[int, list[AnswerReview]] = defaultdict(list)
    for row in rows:
        by_worker[row.worker_id].append(row)
    for reviews in by_worker.values():
        first = reviews[0]
        many = len(reviews) > 1
        notifications.tell(
            user=first.worker.user,
            kind=NoticeKind.REJECTION,
            text=f"{len(reviews)} answers of yours to {first.queue.title} were rejected: {reason}"
            if many
            else f"An answer of yours to {first.queue.title} was rejected: {reason}",
            account=first.queue.account,
            subject=Subject(subjects.ANSWER_REVIEW, first.pk),
        )


def appeal_filed(appeal: Appeal) -> None:
    """A worker has appealed: the account is told by when to answer."""
    review = appeal.review
    notifications.tell_account(
        account=review.queue.account,
        kind=NoticeKind.APPEAL,
        text=f"Worker {review.worker.public_id} appeals against the rejection of an answer to {review.queue.title}. "
        f"Unless you answer by {appeal.due_at:%Y-%m-%d}, the appeal is upheld.",
        subject=Subject(subjects.APPEAL, appeal.pk),
    )


def appeal_answered(appeal: Appeal) -> None:
    """An appeal was upheld or denied: the worker is told."""
    review = appeal.review
    notifications.tell(
        user=review.worker.user,
        kind=NoticeKind.APPEAL,
        text=f"Your appeal about {review.queue.title} was {appeal.state.lower()}: {appeal.answer}",
        subject=Subject(subjects.ANSWER_REVIEW, review.pk),
    )
