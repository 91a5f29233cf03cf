"""Statements as people and programs get them: the period that is asked for, the lines with their jobs, CSV."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.utils.dateparse import parse_date

from labeling.queries.statements import JobReference, jobs_of
from marketplace import money
from marketplace.errors import Invalid
from marketplace.models import Account, Worker
from marketplace.services import statements
from marketplace.services.ledger import given_part
from marketplace.services.statements import Line, Period, Statement

COLUMNS = ("at", "kind", "what", "job", "reference", "description", "amount")
CHUNK = 2_000
"""Lines that are read at a time for a file."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would take for a formula."""


@dataclass(frozen=True)
class Whose:
    """Whose statement it is: `lines` as statements.account_lines, `job` what its reader knows a labeling job by."""

    statement: Callable[[Period], Statement]
    lines: Callable[..., list[Line]]
    job: Callable[[JobReference], str]


def of_account(account: Account) -> Whose:
    """The statement of an account."""
    return Whose(
        lambda period: statements.of_account(account, period),
        lambda period, **more: statements.account_lines(account, period, **more),
        lambda job: job.name,
    )


def of_worker(worker: Worker) -> Whose:
    """The statement of a worker."""
    return Whose(
        lambda period: statements.of_worker(worker, period),
        lambda period, **more: statements.worker_lines(worker, period, **more),
        lambda job: job.title,
    )


def period_of(given: Any) -> Period:
    """The period that a query names by `first` and `last`, days as in 2026-01-31. Raises Invalid for what is no day."""
    return statements.period(_day(given.get("first"), "first"), _day(given.get("last"), "last"))


def filled(given: Any) -> dict[str, str]:
    """A page's query without the fields that were left empty."""
    return {name: value for name, value in given.items() if value}


def _day(text: str | None, field: str) -> date | None:
    if text is None:
        return None
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise Invalid(f"{text[:20]!r} found, a day as in 2026-01-31 expected", field=field)
    return day


def rows(whose: Whose, lines: list[Line]) -> Iterator[dict[str, Any]]:
    """The lines with their jobs, amounts in micro-dollars."""
    jobs = jobs_of({line.subject for line in lines})
    for line in lines:
        job = jobs.get(line.subject)
        yield {
            "id": line.id,
            "at": line.at,
            "kind": line.kind,
            "what": line.what,
            "job": whose.job(job) if job else "",
            "reference": given_part(line.kind, line.reference),
            "description": line.description,
            "amount_micros": line.amount_micros,
        }


def csv_response(whose: Whose, period: Period, *, name: str) -> HttpResponse | StreamingHttpResponse:
    """The balance at the beginning, every line and the balance at the end, as a file."""
    response = StreamingHttpResponse(_csv(whose, period), content_type="text/csv")
    response["Content-Disposition"] = f'attachment; filename="{name}-{period.first}-{period.last}.csv"'
    response["Cache-Control"] = "no-store"
    return response


def _csv(whose: Whose, period: Period) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)

    def written() -> str:
        text = buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        return text

    statement = whose.statement(period)
    writer.writerow(COLUMNS)
    writer.writerow([period.first, "opening", "", "", "", "", money.text(statement.opening_micros)])
    yield written()
    after, total = 0, statement.opening_micros
    while lines := whose.lines(period, after=after, most=CHUNK):
        for row in rows(whose, lines):
            texts = [_plain(row[name]) for name in ("kind", "what", "job", "reference", "description")]
            writer.writerow([row["at"].isoformat(), *texts, money.text(row["amount_micros"])])
        after, total = lines[-1].id, total + sum(line.amount_micros for line in lines)
        yield written()
    # Of the lines that were written: more may have been booked since the balances were read.
    writer.writerow([period.last, "closing", "", "", "", "", money.text(total)])
    yield written()


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
