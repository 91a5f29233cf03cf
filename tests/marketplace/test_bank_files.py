"""Bank files: each line is booked on its own, and once however often the file is read."""

import csv
import io

import pytest

from marketplace.errors import Invalid
from marketplace.models import Entry
from marketplace.services import bank_files, earnings, payouts, wallets
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def three():
    """Payouts of three workers, sent with one file."""
    for number in range(3):
        worker = builders.a_worker()
        builders.earn(worker, 2_000_000 + 10_000 * number)
        payouts.set_details(worker=worker, holder=f"Ana {number}, Bee", destination=f"acct {number}")
        payouts.request(worker=worker, by="x")
    return payouts.in_file(payouts.send(by="x"))


def deposits(*rows, heading="account,amount,reference"):
    return bank_files.read_deposits("\n".join([heading, *rows]).encode(), by="user:1")


def test_the_file_for_the_bank_has_one_line_for_each_transfer(three):
    found = list(csv.DictReader(io.StringIO(bank_files.payouts_as_csv(three))))
    assert [(row["reference"], row["holder"], row["destination"], row["amount"], row["currency"]) for row in found] == [
        (three[0].reference, "Ana 0, Bee", "acct 0", "2.00", "USD"),
        (three[1].reference, "Ana 1, Bee", "acct 1", "2.01", "USD"),
        (three[2].reference, "Ana 2, Bee", "acct 2", "2.02", "USD"),
    ]


def test_what_the_bank_says_is_booked_line_by_line(three):
    one, two, _ = three
    content = (
        "﻿reference;status;reason\n"
        f"{one.reference};paid;\n\n{two.reference};Failed;account closed\n"
        "WG999999999;Paid;\nWG0;Paid;\n'WG1;Paid;\n"
        f"{one.reference};Rejected;\n"
    ).encode()
    lines = bank_files.read_settlements(content, by="user:1")
    assert [(line.number, line.done) for line in lines] == [
        (2, True),
        (4, True),
        (5, False),
        (6, False),
        (7, False),
        (8, False),
    ]
    assert [line.what for line in lines[:3]] == [
        f"{one.reference} is Paid",
        f"{two.reference} is Failed",
        "reference: there is no payout 'WG999999999'",
    ]
    assert lines[5].what == "status: the status 'Rejected' found, Paid or Failed expected"
    assert earnings.balance(two.worker) == 2_010_000
    again = bank_files.read_settlements(content, by="user:1")
    assert again[0].what == f"{one.reference} is Paid already"
    assert earnings.balance(two.worker) == 2_010_000


def test_a_refusal_without_a_reason_is_reported(three):
    content = f"reference,status,reason\n{three[0].reference},Failed,\n".encode()
    (line,) = bank_files.read_settlements(content, by="x")
    assert not line.done and line.what.startswith("reason: ")


def test_deposits_are_booked_once_and_what_is_wrong_is_reported_by_line():
    account = builders.an_account(funds="0")
    lines = deposits(
        f"{account.number},12.5,bank:1",
        f"{account.number},12.5,bank:1",
        "12,1,bank:2",
        "000000000000,1,bank:3",
        f"{account.number},1e99999999,bank:4",
        f"{account.number},-3,bank:5",
        f"{account.number},3,",
        f"{account.number},0.000001,bank:6",
    )
    assert [line.done for line in lines] == [True, True, False, False, False, False, False, True]
    assert lines[0].what == f"12.500000 dollars booked for {account.name}"
    assert lines[1].what == "bank:1 was booked already"
    assert [line.what.split(":")[0] for line in lines[2:7]] == ["account", "account", "amount", "amount", "reference"]
    assert wallets.balance(account) == 12_500_001
    assert all(line.done for line in deposits(f"{account.number},12.5,bank:1"))
    assert wallets.balance(account) == 12_500_001


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a file of 1 to 2,000,000 bytes"),
        (b"account,amount\n1,2\n", "reference missing"),
        (b"account,amount,reference\n", "1 to 10,000 lines are expected below the heading, 0 found"),
        (b"account,amount,reference\n\xff\xfe,1,2\n", "not UTF-8: byte 25"),
        (b"account,amount,reference\n1\x00,1,2\n", "zero bytes"),
        (b'account,amount,reference\n"' + b"1" * 140_000 + b'",1,2\n', "line 2 cannot be read"),
        (b"account,amount,reference\n" + b"1,1,1\n" * 10_001, "1 to 10,000 lines"),
        (b"a" * 2_000_001, "a file of 1 to 2,000,000 bytes"),
    ],
)
def test_files_that_cannot_be_read_at_all(content, message):
    before = Entry.objects.count()
    with pytest.raises(Invalid, match=message) as caught:
        bank_files.read_deposits(content, by="x")
    assert caught.value.field == "file"
    assert Entry.objects.count() == before
