"""Payouts by Stripe, at one of our own: sent once whatever breaks, and back in the earnings when they do not arrive."""

from datetime import timedelta

import pytest
from django.utils import timezone

from marketplace import background
from marketplace.errors import WrongState
from marketplace.models import LedgerKind, PaymentWay, Payout, StripePayee, StripeTransfer
from marketplace.services import bank_files, earnings, ledger, ledger_audit, payouts
from marketplace.services.payments import registry, stripe_api, stripe_payouts
from tests import builders
from tests.stripe_stories import BACK, a_payee, fake, stripe, tell

__all__ = ["fake"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def worker(fake):
    """A worker with 12.345678 dollars who is paid by Stripe."""
    return a_payee(fake)


def sent(worker) -> Payout:
    """A payout that the operator sends; Stripe was not asked yet."""
    payout = payouts.request(worker=worker, by="user:1")
    assert stripe().send_payouts(by="user:2") == "1 payout"
    return payout


def step(payout: Payout) -> StripeTransfer:
    """The next step, whatever pause there is before it."""
    StripeTransfer.objects.filter(pk=payout.pk, next_at__isnull=False).update(next_at=timezone.now())
    background.step_stripe_payout(payout.pk)
    payout.refresh_from_db()
    return StripeTransfer.objects.get(pk=payout.pk)


def reported(fake, kind: str, payout: Payout, **changes):
    """Stripe reports what became of the payout to the bank."""
    (bank_payout,) = fake.of_kind("payout")
    line = tell(fake, kind, bank_payout | changes, account=payout.destination)
    payout.refresh_from_db()
    return line


def moved(fake) -> int:
    """Cents that have left the operator's account at Stripe."""
    return 10_000_000 - fake.balance


class TestConnecting:
    def test_a_worker_sets_up_one_account_and_is_paid_there_when_it_is_ready(self, fake):
        worker = builders.a_worker()
        links = {stripe().connect(worker=worker, back=BACK) for _ in range(2)}
        (account,) = fake.of_kind("account")
        assert len(links) == 1 and account["settings"]["payouts"]["schedule"]["interval"] == "manual"
        assert payouts.details_of(worker) is None
        tell(fake, "account.updated", account, account=account["id"])
        assert payouts.details_of(worker) is None
        fake.onboard(account["id"])
        assert stripe().connect(worker=worker, back=BACK) == ""
        details = payouts.details_of(worker)
        assert (details.provider, details.destination) == (PaymentWay.STRIPE, account["id"])

    def test_who_has_chosen_a_bank_since_stays_with_it(self, fake, worker):
        payouts.set_details(worker=worker, holder="Ana", destination="acct 1")
        account = fake.objects[StripePayee.objects.get(worker=worker).account_id]
        tell(fake, "account.updated", account | {"payouts_enabled": False}, account=account["id"])
        assert not StripePayee.objects.get(worker=worker).ready
        tell(fake, "account.updated", account, account=account["id"])
        assert StripePayee.objects.get(worker=worker).ready
        assert payouts.request(worker=worker, by="user:1").provider == PaymentWay.MANUAL

    def test_in_the_manual_way_workers_say_so_here(self, db):
        with pytest.raises(WrongState):
            registry.provider(PaymentWay.MANUAL).connect(worker=builders.a_worker(), back=BACK)


class TestSending:
    def test_a_payout_goes_to_the_workers_account_and_their_bank(self, fake, worker):
        payout = sent(worker)
        row = step(payout)
        (transfer,), (bank_payout,) = fake.of_kind("transfer"), fake.of_kind("payout")
        assert (transfer["amount"], transfer["destination"]) == (1234, payout.destination)
        assert (bank_payout["amount"], bank_payout["account"]) == (1234, payout.destination)
        assert (row.transfer_id, row.bank_payout_id, row.next_at) == (transfer["id"], bank_payout["id"], None)
        assert payout.status == "Sent" and ledger.total(LedgerKind.PAYOUTS, worker=worker) == 12_340_000
        for _ in range(2):
            assert reported(fake, "payout.paid", payout).done
        assert payout.status == "Paid" and ledger.total(LedgerKind.PAYOUTS, worker=worker) == 0
        assert ledger_audit.findings() == []

    def test_each_provider_sends_its_own(self, fake, worker):
        other = builders.a_worker()
        builders.earn(other, 5_000_000)
        payouts.set_details(worker=other, holder="Bo", destination="acct 1")
        by_bank, by_stripe = payouts.request(worker=other, by="x"), payouts.request(worker=worker, by="x")
        assert payouts.in_file(payouts.send(by="x")) == [by_bank]
        by_stripe.refresh_from_db()
        assert by_stripe.status == "Requested"
        assert stripe().send_payouts(by="x") == "1 payout" and stripe().send_payouts(by="x") == ""

    def test_only_stripe_says_what_became_of_it(self, fake, worker):
        payout = sent(worker)
        for say in (payouts.mark_paid, lambda **to: payouts.mark_failed(reason="no", **to)):
            with pytest.raises(WrongState, match="sent by Stripe"):
                say(payout=payout, by="user:2")
        content = f"reference,status,reason\n{payout.reference},Paid,\n".encode()
        assert [line.done for line in bank_files.read_settlements(content, by="user:2")] == [False]
        payout.refresh_from_db()
        assert payout.status == "Sent"

    def test_the_sweep_comes_back_to_what_is_due(self, fake, worker, monkeypatch):
        payout = sent(worker)
        queued = []
        monkeypatch.setattr("marketplace.queue.enqueue", lambda path, *args: queued.append((path, args)))
        background.sweep_stripe_payouts()
        assert queued == [(stripe_payouts.STEP, (payout.pk,))]
        step(payout)
        background.sweep_stripe_payouts()
        assert len(queued) == 1


class Crash(BaseException):
    """The process dies."""


class TestNeverTwice:
    @pytest.mark.parametrize("forgotten", [False, True], ids=["soon", "when Stripe has forgotten the key"])
    @pytest.mark.parametrize("where", ["transfer", "payout", "reversal"])
    def test_a_crash_between_stripes_answer_and_the_commit_makes_nothing_twice(
        self, fake, worker, monkeypatch, where, forgotten
    ):
        payout = sent(worker)
        if where == "reversal":
            step(payout)
            reported(fake, "payout.failed", payout, failure_message="account closed")
        with monkeypatch.context() as patched:
            _crash_after(patched, where)
            with pytest.raises(Crash):
                step(payout)
        if forgotten:
            fake.answers.clear()
        row = step(payout)
        assert (len(fake.of_kind("transfer")), len(fake.of_kind("payout"))) == (1, 1)
        assert row.next_at is None
        if where == "reversal":
            assert (moved(fake), payout.status, earnings.balance(worker)) == (0, "Failed", 12_345_678)
        else:
            assert (moved(fake), payout.status) == (1234, "Sent")
        assert ledger_audit.findings() == []

    def test_what_is_on_its_way_already_is_left_alone(self, fake, worker):
        payout = sent(worker)
        step(payout)
        calls = len(fake.calls)
        for _ in range(2):
            step(payout)
        assert len(fake.calls) == calls

    def test_a_step_that_another_process_has_taken_is_not_taken(self, fake, worker):
        payout = sent(worker)
        StripeTransfer.objects.update(next_at=timezone.now() + timedelta(minutes=1))
        background.step_stripe_payout(payout.pk)
        assert not fake.of_kind("transfer")

    def test_no_answer_is_no_refusal(self, fake, worker, settings):
        payout = sent(worker)
        base, settings.STRIPE_API_BASE = settings.STRIPE_API_BASE, "http://127.0.0.1:9"
        row = step(payout)
        assert payout.status == "Sent" and (row.refusals, row.next_at is None) == (0, False)
        assert stripe().problems() == [f"{payout.reference}: {row.problem}"]
        settings.STRIPE_API_BASE = base
        assert step(payout).problem == "" and moved(fake) == 1234

    def test_an_error_of_our_own_is_shown_and_the_step_tried_again(self, fake, worker, monkeypatch):
        payout = sent(worker)
        with monkeypatch.context() as patched:
            patched.setattr(stripe_api, "client", lambda: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                step(payout)
        assert "ZeroDivisionError" in stripe().problems()[0]
        assert step(payout).problem == "" and moved(fake) == 1234


class TestNotArriving:
    def test_an_empty_balance_at_stripe_is_waited_for(self, fake, worker):
        payout = sent(worker)
        fake.balance = 100
        row = step(payout)
        assert "insufficient funds" in row.problem and payout.status == "Sent"
        fake.balance = 10_000_000
        assert step(payout).problem == "" and moved(fake) == 1234

    def test_a_refused_transfer_gives_the_money_back(self, fake, worker):
        payout = sent(worker)
        fake.refuse["/transfers"] = "account_closed"
        assert step(payout).next_at is None
        assert (payout.status, payout.failure_reason) == ("Failed", "Stripe: This is refused: account_closed.")
        assert (moved(fake), earnings.balance(worker)) == (0, 12_345_678)

    @pytest.mark.parametrize("paid_before", [False, True])
    def test_what_the_bank_sends_back_is_taken_from_stripe_and_given_to_the_worker(self, fake, worker, paid_before):
        payout = sent(worker)
        step(payout)
        if paid_before:
            reported(fake, "payout.paid", payout)
        outside = ledger.total(LedgerKind.OUTSIDE)
        reported(fake, "payout.failed", payout, failure_message="account closed")
        assert earnings.balance(worker) == 5_678, "not before Stripe has the money again"
        step(payout)
        assert (payout.status, payout.failure_reason) == (
            "Returned" if paid_before else "Failed",
            "Stripe: account closed",
        )
        assert (moved(fake), earnings.balance(worker)) == (0, 12_345_678)
        assert ledger.total(LedgerKind.OUTSIDE) == outside - (12_340_000 if paid_before else 0)
        # Events that come late or again change nothing.
        for kind in ("payout.paid", "payout.failed"):
            assert reported(fake, kind, payout).done
        assert tell(fake, "transfer.reversed", fake.of_kind("transfer")[0]).done
        assert step(payout).next_at is None and earnings.balance(worker) == 12_345_678
        assert ledger_audit.findings() == []
        assert payouts.request(worker=worker, by="user:1").amount_micros == 12_340_000

    def test_a_payout_to_the_bank_that_stripe_refuses_takes_the_transfer_back(self, fake, worker):
        payout = sent(worker)
        fake.refuse["/payouts"] = "no_external_account"
        row = step(payout)
        assert row.failure and payout.status == "Sent"
        step(payout)
        assert (moved(fake), payout.status, earnings.balance(worker)) == (0, "Failed", 12_345_678)

    def test_a_transfer_taken_back_by_hand_gives_the_money_back(self, fake, worker):
        payout = sent(worker)
        step(payout)
        (transfer,) = fake.of_kind("transfer")
        part = tell(fake, "transfer.reversed", transfer | {"amount_reversed": 5})
        assert not part.done and earnings.balance(worker) == 5_678
        assert tell(fake, "transfer.reversed", transfer | {"reversed": True}).done
        payout.refresh_from_db()
        assert payout.status == "Failed" and earnings.balance(worker) == 12_345_678

    def test_another_accounts_event_about_the_payout_is_none(self, fake, worker):
        payout = sent(worker)
        step(payout)
        (bank_payout,) = fake.of_kind("payout")
        assert tell(fake, "payout.failed", bank_payout, account="acct_of_somebody").done
        assert StripeTransfer.objects.get().failure == ""


def _crash_after(patched, where: str) -> None:
    """The process dies when Stripe has answered to the POST of this kind, before anything of it is written."""
    ends = {"transfer": "/transfers", "payout": "/payouts", "reversal": "/reversals"}[where]
    real = stripe_api.Door.request

    def request(self, method, url, headers, post_data=None):
        answer = real(self, method, url, headers, post_data)
        if method == "post" and url.endswith(ends):
            raise Crash
        return answer

    patched.setattr(stripe_api.Door, "request", request)
