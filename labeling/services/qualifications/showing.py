"""What a worker is shown of qualifications: those there are for them with what they can do, and work that is closed.

Nothing here tells of work of teams that the worker is not on, nor of requirements that are to be kept from them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from labeling.models import QualificationAttempt, QualificationQuestion, QualificationTest, WorkQueue
from labeling.services.qualifications import earning, taking
from marketplace.errors import NotFound
from marketplace.models import (
    ActionsGuarded,
    Crowd,
    GrantedBy,
    Qualification,
    QualificationType,
    User,
    Worker,
    WorkteamMember,
)
from marketplace.services import eligibility, qualifications, scope

HELD, EXPIRED, REVOKED, NOT_TAKEN = "Held", "Expired", "Revoked", "NotTaken"
"""What a worker is told about a type."""

JOIN_POOL, TAKE_TEST, ASK = "join-public-pool", "take-test", "ask"
"""What a worker can do about work that is closed to them; "" for nothing."""


@dataclass(frozen=True)
class Standing:
    """A type as a worker is shown it: whether they hold it, what they can do, and why not."""

    row: QualificationType
    held: Qualification | None
    state: str
    test: QualificationTest | None
    figure: earning.Figure | None
    refusal: str | None
    """Why they cannot come by it now; None when they can."""
    training: bool
    """Whether the test has training questions."""
    attempts: int
    """How often they have taken the exam."""


@dataclass(frozen=True)
class ClosedWork:
    """An open queue that is closed to the worker, why, and what they can do about it: one of JOIN_POOL, TAKE_TEST, ASK
    (the last two with the key of the type), or ""."""

    queue: WorkQueue
    reason: str
    action: str
    qualification_type_id: int | None


def types(worker: Worker) -> QuerySet[QualificationType]:
    """The types that the worker may know of, with their accounts and tests."""
    open_to = WorkQueue.objects.filter(status="InProgress").values("audience")
    rows = eligibility.types_shown_to(worker, audiences=open_to)
    return rows.select_related("account", "qualification_test").order_by("name", "pk")


def type_shown(worker: Worker, type_id: int) -> QualificationType:
    """A type that the worker may know of. Raises NotFound."""
    row = types(worker).filter(pk=type_id).first()
    if row is None:
        raise NotFound(f"there is no qualification {type_id} for you", field="qualification_type")
    return row


def rows(worker: Worker, shown: Iterable[QualificationType]) -> list[tuple[QualificationType, Qualification | None]]:
    """The types, usually one page of `types`, each with what the worker has of it, in one query."""
    listed = list(shown)
    held = Qualification.objects.filter(worker=worker, qualification_type__in=listed)
    by_type = {one.qualification_type_id: one for one in held}
    return [(row, by_type.get(row.pk)) for row in listed]


def state_of(held: Qualification | None) -> str:
    """HELD, EXPIRED, REVOKED or NOT_TAKEN."""
    if held is None:
        return NOT_TAKEN
    if held.revoked_at is not None:
        return REVOKED
    return HELD if qualifications.holds(held) else EXPIRED


def standing(worker: Worker, row: QualificationType) -> Standing:
    """All that a worker is told about one type."""
    held = Qualification.objects.filter(worker=worker, qualification_type=row).first()
    test = QualificationTest.objects.filter(qualification_type=row).first()
    by_work = row.granted_by in qualifications.BY_FIGURE
    figure = earning.figure(row=row, worker=worker) if by_work else None
    exams = QualificationAttempt.objects.filter(test=row.pk, worker=worker, training=False)
    return Standing(
        row=row,
        held=held,
        state=state_of(held),
        test=test,
        figure=figure,
        refusal=_refusal(row, worker, test, figure),
        training=test is not None and test.questions.filter(training=True).exists(),
        attempts=exams.count(),
    )


def _refusal(
    row: QualificationType, worker: Worker, test: QualificationTest | None, figure: earning.Figure | None
) -> str | None:
    if test is not None:
        return taking.refusal(row=row, worker=worker)
    if figure is not None:
        return earning.refusal(row=row, worker=worker, found=figure)
    return "it is given by hand"


def attempts(worker: Worker, row: QualificationType) -> QuerySet[QualificationAttempt]:
    """The worker's training and exams of a type, newest first."""
    return QualificationAttempt.objects.filter(worker=worker, test=row.pk).order_by("-pk")


def attempt(worker: Worker, attempt_id: int) -> QualificationAttempt:
    """An attempt of the worker, with its test and type. Raises NotFound."""
    found = QualificationAttempt.objects.filter(worker=worker, pk=attempt_id)
    row = found.select_related("test__qualification_type__account").first()
    if row is None:
        raise NotFound(f"you have no attempt {attempt_id} at a test")
    return row


def question_shown(user: User, question_id: int) -> QualificationQuestion:
    """A question whose picture the user may see: a member of its account, or a worker who is, or was, asked it.

    Raises NotFound.
    """
    row = QualificationQuestion.objects.select_related("test__qualification_type").filter(pk=question_id).first()
    if row is not None and scope.is_member(user, row.test.qualification_type.account_id):
        return row
    worker = scope.worker_or_none(user)
    if row is None or worker is None or not row.answers.filter(attempt__worker=worker).exists():
        raise NotFound("there is no such picture")
    return row


def closed_queues(worker: Worker) -> QuerySet[WorkQueue]:
    """The open queues of the worker's groups whose requirements they do not meet, and those of the public pool when
    they are not in it; newest first, each with its reason as `refusal`."""
    reason = eligibility.refusal_expression(worker_id=worker.pk, audience="audience_id", account="account_id")
    lacking = Q(refusal__startswith=eligibility.LACKS)
    if not WorkteamMember.objects.filter(worker=worker, workteam__crowd=Crowd.PUBLIC).exists():
        lacking |= Q(refusal=eligibility.NOT_ADMITTED, workteam__crowd=Crowd.PUBLIC)
    hidden = Q(refusal=eligibility.NOT_ADMITTED, audience__requirements__actions_guarded=ActionsGuarded.DISCOVER)
    queues = WorkQueue.objects.filter(status="InProgress").annotate(refusal=reason)
    return queues.filter(lacking).exclude(hidden).select_related("account").order_by("-pk")


def closed(queues: Iterable[WorkQueue]) -> list[ClosedWork]:
    """Some of `closed_queues`, usually one page, in words; the types are one query for all of them."""
    lacks = [(queue, eligibility.lack(queue.refusal)) for queue in queues]  # type: ignore[attr-defined]
    types_by_key = QualificationType.objects.in_bulk({lack.qualification_type_id for _, lack in lacks if lack})
    made = []
    for queue, lack in lacks:
        if lack is None:
            made.append(ClosedWork(queue, "it is open to the public pool, which you have not joined", JOIN_POOL, None))
            continue
        row = types_by_key[lack.qualification_type_id]
        reason = f"it asks for {row.name!r}: {eligibility.LACKING[lack.why]}"
        made.append(ClosedWork(queue, reason, _action(row, lack.why), row.pk))
    return made


def _action(row: QualificationType, why: str) -> str:
    if row.status != "Active" or why not in ("not-taken", "expired"):
        return ""
    return {GrantedBy.TEST: TAKE_TEST, GrantedBy.MANUAL: ""}.get(GrantedBy(row.granted_by), ASK)
