"""Lines of a statement: what each movement of money was, and the labeling job it belongs to.

Pages and the API both read them from here. Descriptions are only shown; programs read `kind` and `subject`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from labeling.models import AnswerReview, Assignment, Batch, Bonus, Gold
from labeling.subjects import ANSWER_REVIEW, ASSIGNMENT, BATCH, BONUS, GOLD
from marketplace.models import Posting, Subject
from marketplace.services import ledger


@dataclass(frozen=True, slots=True)
class JobReference:
    """A labeling job: `name` is what its owner sees, `title` what workers see."""

    id: int
    name: str
    title: str


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement. `kind` is an EntryKind; `job` is None where the movement belongs to none, or to a deleted one."""

    id: int
    at: datetime
    amount_micros: int
    kind: str
    subject: Subject
    reference: str
    description: str
    job: JobReference | None


def statement_lines(postings: Iterable[Posting]) -> list[StatementLine]:
    """The lines of one page, in the order given; `postings` come with their entries.

    One query for each kind of row the page's entries are about: for a wallet batches, golds, reviews and bonuses, for
    earnings assignments, reviews and bonuses.
    """
    postings = list(postings)
    jobs = jobs_of({posting.entry.subject for posting in postings})
    return [
        StatementLine(
            id=posting.pk,
            at=posting.entry.created_at,
            amount_micros=posting.amount_micros,
            kind=posting.entry.kind,
            subject=posting.entry.subject,
            reference=ledger.shown_reference(posting.entry),
            description=posting.entry.description,
            job=jobs.get(posting.entry.subject),
        )
        for posting in postings
    ]


def jobs_of(subjects: set[Subject]) -> dict[Subject, JobReference]:
    """The labeling jobs to which these rows belong; rows that belong to none are left out."""
    jobs = {}
    for subject_type, rows in (
        (BATCH, Batch.objects.all()),
        (ASSIGNMENT, Assignment.objects.all()),
        (ANSWER_REVIEW, AnswerReview.objects.all()),
        (GOLD, Gold.objects.all()),
        (BONUS, Bonus.objects.all()),
    ):
        keys = [subject.id for subject in subjects if subject.type == subject_type]
        if keys:
            for pk, *job in rows.filter(pk__in=keys, queue__labeling_job__isnull=False).values_list(
                "pk", "queue__labeling_job", "queue__labeling_job__name", "queue__title"
            ):
                jobs[Subject(subject_type, pk)] = JobReference(*job)
    return jobs
