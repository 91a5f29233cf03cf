"""Statements reconcile to the ledger: the sum of the lines is the difference of the balances, and taxes are a line."""

import contextlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.errors import DomainError, Invalid
from marketplace.models import BillingTerms, Entry, LedgerKind, Subject
from marketplace.services import (
    billing,
    debts,
    earnings,
    escrow,
    ledger,
    ledger_audit,
    payouts,
    reviewed_pay,
    statements,
    wallet_refunds,
    wallets,
)
from marketplace.services.statements import Period
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db
DOLLAR = 1_000_000
FIRST = date(2026, 1, 1)
ACTS = ("deposit", "reserve", "pay", "hold", "release", "return", "refund", "take", "keep", "send", "reverse", "payout")
STEPS = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(1, 9), st.integers(0, 40)), min_size=5, max_size=25)


OF_THE_LEDGER = (
    ledger_audit.entries_balance,
    ledger_audit.pockets_not_negative,
    ledger_audit.entries_move_as_their_kind,
    ledger_audit.debts_not_above_zero,
    ledger_audit.refunds_on_their_way,
    ledger_audit.chargebacks_reverse,
)
"""The checks that know no work: here nothing stands for what is paid."""


class Books:
    """An account and a worker, and the facts that move money between them; each fact is dated to a day."""

    def __init__(self):
        self.account = stories.an_account(funds="0")
        (self.worker,) = stories.a_crowd(1)
        payouts.set_details(worker=self.worker, holder="Ana", destination="acct 1")
        self.number = 0
        self.held: list[tuple[Subject, int]] = []
        self.days = dict.fromkeys(Entry.objects.values_list("pk", flat=True), 0)

    def act(self, act, amount, day):
        """Do it if it is possible, and date what was booked."""
        self.number += 1
        with contextlib.suppress(DomainError):
            getattr(self, act)(amount * 10_000, Subject("test-work", self.number))
        new = Entry.objects.exclude(pk__in=self.days).values_list("pk", flat=True)
        self.days |= dict.fromkeys(new, day)

    def date(self):
        """Date each entry to its day. The ledger is append-only; only a test may do this."""
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE marketplace_entry DISABLE TRIGGER ledger_entry_append_only")
            cursor.execute(
                """UPDATE marketplace_entry e SET created_at = %s + d.day * interval '1 day'
                   FROM unnest(%s::bigint[], %s::int[]) AS d(entry, day) WHERE e.id = d.entry""",
                [datetime(2026, 1, 1, 12, tzinfo=UTC), [*self.days], [*self.days.values()]],
            )
            cursor.execute("ALTER TABLE marketplace_entry ENABLE TRIGGER ledger_entry_append_only")

    @property
    def purpose(self):
        return Subject("test-purpose", 1)

    @property
    def pair(self):
        return {"account": self.account, "worker": self.worker, "by": "x"}

    def deposit(self, amount, fact):
        wallets.deposit(account=self.account, amount_micros=2 * amount, reference=f"bank-{fact.id}", by="x")

    def reserve(self, amount, fact):
        escrow.reserve(account=self.account, purpose=self.purpose, subject=fact, amount_micros=amount, by="x")

    def pay(self, amount, fact):
        if escrow.held(account=self.account, purpose=self.purpose) >= amount + 7:
            escrow.pay(purpose=self.purpose, subject=fact, price_micros=amount, fee_micros=7, **self.pair)

    def hold(self, amount, fact):
        if escrow.held(account=self.account, purpose=self.purpose) >= amount + 7:
            reviewed_pay.hold(purpose=self.purpose, subject=fact, price_micros=amount, fee_micros=7, **self.pair)
            self.held.append((fact, amount))

    def release(self, amount, fact):
        if self.held:
            fact, amount = self.held.pop()
            reviewed_pay.release(subject=fact, price_micros=amount, fee_micros=7, **self.pair)

    def _return(self, amount, fact):
        if self.held:
            fact, amount = self.held.pop()
            reviewed_pay.give_back(subject=fact, price_micros=amount, fee_micros=7, escrow=None, **self.pair)

    def refund(self, amount, fact):
        escrow.refund(account=self.account, purpose=self.purpose, subject=fact, by="x")

    def take(self, amount, fact):
        wallet_refunds.request(account=self.account, amount_micros=amount, by="x")

    def keep(self, amount, fact):
        for refund in wallet_refunds.of_account(self.account)[:1]:
            wallet_refunds.cancel(refund=refund, by="x")

    def send(self, amount, fact):
        for refund in wallet_refunds.of_account(self.account)[:1]:
            wallet_refunds.mark_paid(refund=refund, by="x")

    def reverse(self, amount, fact):
        debts.reverse_deposit(reference=f"bank-{fact.id - amount // 10_000}", reason="r", by="x")

    def payout(self, amount, fact):
        payouts.request(worker=self.worker, amount_micros=amount, by="x")


setattr(Books, "return", Books._return)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, first=st.integers(0, 30), days=st.integers(0, 30))
@builders.rolled_back()
def test_lines_add_up_to_the_difference_of_the_balances(db, steps, first, days):
    books = Books()
    for act, amount, day in [("deposit", 9, 0), ("reserve", 9, 0), *steps]:
        books.act(act, amount, day)
    books.date()
    assert not [what for check in OF_THE_LEDGER for what in check()]
    period = Period(FIRST + timedelta(days=first), FIRST + timedelta(days=first + days))
    whole = Period(FIRST, FIRST + timedelta(days=100))
    for statement, lines, balance in (
        (statements.of_account, lambda p: statements.account_lines(books.account, p), total_of(books.account)),
        (statements.of_worker, lambda p: statements.worker_lines(books.worker, p), earnings.balance(books.worker)),
    ):
        owner = books.account if statement is statements.of_account else books.worker
        for days_of in (period, whole):
            found = statement(owner, days_of)
            shown = lines(days_of)
            assert found.closing_micros - found.opening_micros == sum(line.amount_micros for line in shown)
            assert sum(total.amount_micros for total in found.totals) == sum(line.amount_micros for line in shown)
            assert all(days_of.since <= line.at < days_of.until for line in shown)
        assert (found.opening_micros, found.closing_micros) == (0, balance)


def total_of(account):
    """Micro-dollars in all pockets of the account."""
    return ledger.balance(*account.ledger_accounts.all())


def test_a_statement_names_the_bank_the_pay_and_the_fee(db):
    books = Books()
    for act, amount in (("deposit", 9), ("reserve", 9), ("pay", 5), ("refund", 1), ("take", 2), ("send", 2)):
        books.act(act, amount, 3)
    books.date()
    found = statements.of_account(books.account, statements.month_of(FIRST))
    assert [(t.kind, t.what, t.lines, t.amount_micros) for t in found.totals] == [
        ("deposit", "bank", 1, 180_000),
        ("payment", "fee", 1, -7),
        ("payment", "pay", 1, -50_000),
        ("taken-back", "bank", 1, -20_000),
    ]
    shown = statements.account_lines(books.account, found.period)
    assert [statements.account_lines(books.account, found.period, after=shown[1].id, most=1)] == [shown[2:3]]
    assert found.closing_micros == total_of(books.account)


def test_periods(db):
    assert statements.month_of(date(2026, 2, 14)) == Period(date(2026, 2, 1), date(2026, 2, 28))
    assert statements.period(None, None, today=date(2024, 2, 9)).last == date(2024, 2, 29)
    assert statements.period(date(2026, 1, 3), None) == Period(date(2026, 1, 3), date(2026, 1, 31))
    for first, last in ((date(2026, 1, 2), date(2026, 1, 1)), (date(2020, 1, 1), date(2026, 1, 1))):
        with pytest.raises(Invalid):
            statements.period(first, last)


class TestTaxes:
    def a_taxed_account(self):
        books = Books()
        billing.set_tax(account=books.account, percent=Decimal("19"), label="VAT", by="operator")
        BillingTerms.objects.update(taxed_until=FIRST)
        for act, amount in (("deposit", 9), ("reserve", 9), ("pay", 5), ("pay", 5), ("pay", 5)):
            books.act(act, amount, 3)
        books.date()
        return books

    def test_the_tax_of_a_month_is_booked_once_it_is_over_and_is_a_line(self, db):
        books = self.a_taxed_account()
        assert billing.charge_taxes(now=datetime(2026, 1, 31, tzinfo=UTC)) == 0
        assert billing.charge_taxes(now=datetime(2026, 3, 1, tzinfo=UTC)) == 1
        assert billing.charge_taxes(now=datetime(2026, 3, 1, tzinfo=UTC)) == 0
        # 19 % of one fee of 7: the money for the other two answers was not there.
        assert ledger.total(LedgerKind.TAXES) == 1
        (line,) = [
            line
            for line in statements.account_lines(books.account, statements.month_of(datetime.now(UTC).date()))
            if line.what == "tax"
        ]
        assert (line.amount_micros, line.description) == (-1, "VAT 19 % on the fees of 2026-01")
        assert ledger_audit.findings() == []

    def test_a_tax_that_the_wallet_does_not_hold_is_owed(self, db):
        books = self.a_taxed_account()
        wallet_refunds.request(account=books.account, by="x")
        billing.charge_taxes(now=datetime(2026, 2, 1, tzinfo=UTC))
        assert debts.owed(books.account) == 1
        assert ledger_audit.findings() == []

    @pytest.mark.parametrize(
        ("percent", "label"), [("101", "VAT"), ("-1", "VAT"), ("1.001", "VAT"), ("5", ""), ("NaN", "V")]
    )
    def test_bad_rates(self, db, percent, label):
        with pytest.raises(Invalid):
            billing.set_tax(account=stories.an_account(), percent=Decimal(percent), label=label, by="x")

    def test_a_wrong_vat_number_is_refused_and_a_right_one_kept(self, db):
        account = stories.an_account()
        with pytest.raises(Invalid, match="wrong digit") as caught:
            billing.set_invoicing(account=account, name="Apiary", address="", number="DE136695977")
        assert caught.value.field == "tax_number"
        billing.set_invoicing(account=account, name="Bienen GmbH", address="Weg 1", number="de 136 695 976")
        assert billing.terms(account).tax_number == "DE136695976"
