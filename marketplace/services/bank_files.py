"""CSV files from and for the operator's bank: payouts out, what became of them in, deposits in.

Every line of a file is booked on its own; what cannot be booked is reported with its line and reason. Reading the same
file twice changes nothing.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from marketplace import arns, money
from marketplace.errors import BookedAlready, DomainError, Invalid
from marketplace.models import Payout
from marketplace.ranges import Range
from marketplace.services import payouts, scope, wallets

FILE_BYTES = Range(1, 2_000_000)
"""Size of a file that is read, in bytes."""

FILE_LINES = Range(1, 10_000)
"""Lines of a file that is read, without its heading."""

PAYOUT_COLUMNS = ("reference", "holder", "destination", "amount", "currency")
SETTLEMENT_COLUMNS = ("reference", "status", "reason")
DEPOSIT_COLUMNS = ("account", "amount", "reference")


class Line(NamedTuple):
    """What became of one line of a file: `done`, or not and why. `number` counts from 1, with the heading."""

    number: int
    done: bool
    what: str


def payouts_as_csv(rows: Iterable[Payout]) -> str:
    """The transfers for the bank, one a line, amounts with two decimals."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(PAYOUT_COLUMNS)
    for row in rows:
        writer.writerow([row.reference, row.holder, row.destination, money.text(row.amount_micros)[:-4], "USD"])
    return text.getvalue()


def read_settlements(content: bytes, *, by: str) -> list[Line]:
    """Mark payouts as paid or failed: columns reference, status (Paid or Failed), reason.

    Raises Invalid for a file that cannot be read at all.
    """
    rows = list(_rows(content, SETTLEMENT_COLUMNS))
    found = payouts.by_reference(cells["reference"] for _, cells in rows)

    def settle(cells: dict[str, str]) -> str:
        payout = found.get(cells["reference"])
        if payout is None:
            raise Invalid(f"there is no payout {cells['reference'][:20]!r}", field="reference")
        if cells["status"].lower() == "paid":
            moved = payouts.mark_paid(payout=payout, by=by)
        elif cells["status"].lower() == "failed":
            moved = payouts.mark_failed(payout=payout, reason=cells["reason"], by=by)
        else:
            raise Invalid(f"the status {cells['status'][:20]!r} found, Paid or Failed expected", field="status")
        return f"{payout.reference} is {payout.status}" + ("" if moved else " already")

    return _each(rows, settle)


def read_deposits(content: bytes, *, by: str) -> list[Line]:
    """Book payments of requesters: columns account (its number), amount in dollars, reference (booked once).

    Raises Invalid for a file that cannot be read at all.
    """

    def book(cells: dict[str, str]) -> str:
        if re.fullmatch(arns.ACCOUNT_NUMBER, cells["account"]) is None:
            raise Invalid(
                f"the account number {cells['account'][:20]!r} found, twelve digits expected", field="account"
            )
        account = scope.account_numbered(cells["account"])
        micros = money.read(cells["amount"], field="amount")
        try:
            wallets.deposit(account=account, amount_micros=micros, reference=cells["reference"], by=by)
        except BookedAlready:
            return f"{cells['reference']} was booked already"
        return f"{money.text(micros)} dollars booked for {account.name}"

    return _each(_rows(content, DEPOSIT_COLUMNS), book)


def _each(rows: Iterable[tuple[int, dict[str, str]]], act: Callable[[dict[str, str]], str]) -> list[Line]:
    lines = []
    for number, cells in rows:
        try:
            lines.append(Line(number, True, act(cells)))
        except DomainError as error:
            field = f"{error.field}: " if error.field else ""
            lines.append(Line(number, False, f"{field}{error.message}"))
    return lines


def _rows(content: bytes, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """(line number, cells by column) of a CSV file with a heading; separated by commas or semicolons."""
    if len(content) not in FILE_BYTES:
        raise Invalid(f"a file of {FILE_BYTES} bytes is expected, {len(content):,} found", field="file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"the file is not UTF-8: byte {error.start} cannot be read", field="file") from None
    if "\0" in text:
        raise Invalid("the file is no text: it holds zero bytes", field="file")
    heading = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in heading else ",")
    try:
        table = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(row)]
    except csv.Error as error:
        raise Invalid(f"line {reader.line_num} cannot be read: {error}", field="file") from None
    names = [name.lower() for name in table[0][1]] if table else []
    if missing := [name for name in columns if name not in names]:
        raise Invalid(
            f"the first line has to name the columns {', '.join(columns)}; {', '.join(missing)} missing", field="file"
        )
    if len(table) - 1 not in FILE_LINES:
        raise Invalid(f"{FILE_LINES} lines are expected below the heading, {len(table) - 1:,} found", field="file")
    for number, row in table[1:]:
        cells = dict(zip(names, row, strict=False))
        yield number, {name: cells.get(name, "") for name in columns}
