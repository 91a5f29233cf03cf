"""The audit log of an account as people read it: names instead of keys, kinds, filters, CSV. For pages and REST.

Requesters know workers by their public id only, and members by their address; operators stay nameless.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from django.db.models import Case, QuerySet, Value, When
from django.utils.translation import gettext_noop as word

from marketplace.models import Account, AuditEvent, Invitation, InvitationStatus, Membership, User, Worker

KINDS = {
    "account": ("marketplace.Account", word("Account, members and wallet")),
    "invitation": ("marketplace.Invitation", word("Invitations")),
    "team": ("marketplace.Workteam", word("Work teams")),
    "access-key": ("marketplace.AccessKey", word("Access keys")),
    "token": ("marketplace.ApiToken", word("API tokens")),
    "webhook": ("marketplace.WebhookEndpoint", word("Webhooks")),
    "event-destination": ("marketplace.EventDestination", word("Event destinations")),
    "dataset": ("labeling.Dataset", word("Data sets")),
    "label-import": ("labeling.LabelImport", word("Label imports")),
    "labeling-job": ("labeling.LabelingJob", word("Labeling jobs")),
    "work-queue": ("labeling.WorkQueue", word("Work queues and accepted answers")),
    "answer-review": ("labeling.AnswerReview", word("Rejected answers")),
    "appeal": ("labeling.Appeal", word("Appeals")),
    "contract": ("marketplace.Contract", word("Contracts with vendors")),
    "invoice": ("marketplace.Invoice", word("Invoices of vendors")),
    "vendor-listing": ("marketplace.VendorListing", word("The listing as a vendor")),
    "panel": ("marketplace.Panel", word("Panels")),
    "qualification-type": ("marketplace.QualificationType", word("Qualifications")),
    "gold": ("labeling.Gold", word("Golds")),
    "conduct-finding": ("labeling.ConductFinding", word("Findings about workers")),
    "training-job": ("learning.TrainingJob", word("Training jobs")),
    "improvement-policy": ("learning.ImprovementPolicy", word("Improvement policies")),
}
"""By the word of the API, the type of the rows that an audit row is about, and what it is called on pages."""

WORDS = {label: word for word, (label, _) in KINDS.items()}
COLUMNS = ("id", "at", "by", "kind", "object_id", "from_status", "to_status", "because")
MOST_LINES = 100_000
"""Lines of a CSV file; a filter by date gets the rest."""

CHUNK = 500
_NAMED = re.compile(r"\b(user|worker):([0-9]{1,18})\b")


class Line(NamedTuple):
    """An audit row with names: who did it (None: the system), to what, what became of it, and why."""

    event: AuditEvent
    by: str | None
    kind: str
    because: str

    def cells(self) -> list[Any]:
        """For COLUMNS."""
        event = self.event
        return [
            event.pk,
            event.at.isoformat(timespec="seconds"),
            self.by or "system",
            self.kind,
            event.object_id,
            event.from_status,
            event.to_status,
            self.because,
        ]


def with_kind(events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
    """The events with their `kind`, a word of KINDS, to filter by; "" for others."""
    words = [When(object_type=label, then=Value(word)) for label, word in WORDS.items()]
    return events.alias(kind=Case(*words, default=Value("")))


def lines(account: Account, events: Iterable[AuditEvent]) -> list[Line]:
    """Some events of the account, with names, in a number of queries that does not grow with theirs."""
    found = list(events)
    named = {match for event in found for match in _NAMED.findall(f"{event.by} {event.because}")}
    names = _names(account, named)

    def said(text: str) -> str:
        return _NAMED.sub(lambda match: names.get((match[1], match[2]), match[0]), text)

    return [
        Line(
            event,
            None if event.by in ("", "system") else said(event.by),
            WORDS.get(event.object_type, event.object_type.rpartition(".")[2].lower()),
            said(event.because),
        )
        for event in found
    ]


def _names(account: Account, named: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    users = {int(key) for what, key in named if what == "user"}
    workers = {int(key) for what, key in named if what == "worker"}
    rows = Worker.objects.filter(pk__in=workers) | Worker.objects.filter(user__in=users)
    public = {row.pk: (row.user_id, f"worker {row.public_id}") for row in rows}
    names = {("worker", str(key)): name for key, (_, name) in public.items()}
    of_users = {user_id: name for user_id, name in public.values()}
    members = set(Membership.objects.filter(account=account, user__in=users).values_list("user", flat=True))
    joined = Invitation.objects.filter(account=account, workteam=None, status=InvitationStatus.ACCEPTED)
    invited = set(joined.values_list("email", flat=True)) if users - members else set()
    for user in User.objects.filter(pk__in=users).only("pk", "email", "is_operator"):
        if user.pk in members or user.email in invited:
            names["user", str(user.pk)] = user.email
        elif user.is_operator:
            names["user", str(user.pk)] = "an operator"
        else:
            names["user", str(user.pk)] = of_users.get(user.pk, f"user {user.pk}")
    return names


def as_csv(account: Account, events: QuerySet[AuditEvent]) -> Iterator[str]:
    """The events as the lines of a CSV file with a heading, at most MOST_LINES of them."""
    yield _written([COLUMNS])
    rest = iter(events[:MOST_LINES].iterator(chunk_size=CHUNK))
    while chunk := list(islice(rest, CHUNK)):
        yield _written([_harmless(cell) for cell in line.cells()] for line in lines(account, chunk))


def _written(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _harmless(cell: Any) -> Any:
    # A spreadsheet would take a text that begins like this for a formula.
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
