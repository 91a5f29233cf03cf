"""Everything that moves money, as acts of one account and its people that random tests carry out in any order.

An act does what is possible and is silent about what is refused: only the ledger's audit says whether all is right.
"""

import contextlib
from datetime import timedelta

from django.db import OperationalError, connection, transaction
from django.utils import timezone

from labeling.models import AnswerReview, Appeal, Assignment, LabelingJob
from labeling.services import bonuses, exclusion
from labeling.services.jobs import advancing, creation, repricing
from labeling.services.queue import assignments, leases
from labeling.services.results import appeals, deciding
from marketplace.errors import DomainError
from marketplace.models import Payout, PayoutStatus, WalletRefund
from marketplace.services import debts, earnings, eligibility, payouts, wallet_refunds, wallets
from tests import builders
from tests.labeling import stories

CENT = 10_000
WORKERS = 4
WORK = ["work"] * 4 + ["claim"] * 2 + ["submit"] * 2 + ["give_back", "decline", "expire", "advance", "advance"]
REVIEW = ["accept", "reject", "reject_back", "appeal", "deny", "uphold", "overdue", "accept_due", "contested", "upheld"]
MONEY = ["deposit", "bonus", "reverse", "overdraw", "ask_back", "keep", "send_back", "payout", "cancel", "bank"]
MONEY += ["refuse", "settle"]
OTHERS = ["new_job", "new_job", "stop", "block", "lift", "lift", "raise_price", "raise_price"]
ACTS = WORK * 2 + REVIEW + MONEY + OTHERS


class Crash(OperationalError):
    """The process dies at this statement: what it has not committed is gone."""


@contextlib.contextmanager
def crashing(statement: int, *, at_commit: bool):
    """Inside, die at the so manieth statement, or commit; both count from 1."""
    seen = 0
    before = transaction.savepoint()

    def execute(execute, sql, params, many, context):
        nonlocal seen
        if not at_commit or sql.startswith("RELEASE SAVEPOINT"):
            seen += 1
            if seen == statement:
                raise Crash("the process was killed")
        return execute(sql, params, many, context)

    with contextlib.suppress(Crash), connection.execute_wrapper(execute):
        yield
    if connection.needs_rollback:
        # It died while it was rolling back. A database does that by itself; the test's transaction has to be told.
        transaction.set_rollback(False)
        transaction.savepoint_rollback(before)


class Business:
    """An account that pays, its workers, and its jobs."""

    def __init__(self, *, objects: int = 3):
        self.objects = objects
        self.account = stories.an_account(funds="2")
        self.workers = stories.a_crowd(WORKERS)
        self.team = builders.a_team(account=self.account, workers=self.workers)
        self.deposits = 0
        for worker in self.workers:
            payouts.set_details(worker=worker, holder="Ana", destination="acct 1")
        # One without and one with a review, so that every act soon finds what it is about.
        self.new_job(0, 0)
        self.new_job(0, 1)

    def act(self, name: str, who: int, which: int) -> None:
        """Carry out an act, if it is possible."""
        with contextlib.suppress(DomainError):
            getattr(self, name)(who, which)

    def jobs(self):
        """All jobs of the account, oldest first."""
        return list(LabelingJob.objects.filter(account=self.account).order_by("pk"))

    def job(self, which):
        rows = self.jobs()
        return rows[which % len(rows)]

    def _pick(self, rows, which):
        found = list(rows.order_by("pk"))
        return found[which % len(found)] if found else None

    # --- work -------------------------------------------------------------------------------------------------------

    def new_job(self, who, which):
        review = (None, 3)[which % 2]
        redundancy = {"kind": "dynamic", "start": 1, "target_confidence": 0.9} if who % 2 else {"kind": "fixed"}
        price = (36_000, 1, 37_123, 0)[who % 4]
        stories.a_job(
            self.account, self.team, objects=self.objects, review_days=review, redundancy=redundancy,
            price_micros=price, max_concurrent_tasks=2, workers_per_object=3 if who % 2 else (3, 1.5)[which // 2 % 2],
        )  # fmt: skip
        self.advance(who, which)

    def advance(self, who, which):
        for job in self.jobs():
            advancing.advance_job(job.pk)

    def claim(self, who, which):
        open_jobs = [job for job in self.jobs() if job.status == "InProgress"]
        if open_jobs:
            assignments.claim(worker=self.workers[who], queue=open_jobs[which % len(open_jobs)].queue)

    def work(self, who, which):
        """Claim and hand in."""
        self.claim(who, which)
        self.submit(who, which)

    def _leased(self, who, which):
        mine = Assignment.objects.filter(worker=self.workers[who], state="Leased", queue__account=self.account)
        return self._pick(mine.select_related("worker"), which)

    def submit(self, who, which):
        if seat := self._leased(who, which):
            revision = AnswerReview.objects.filter(assignment=seat).count()
            stories.answer(seat, stories.boxes((100, 100, 50 + 30 * which, 40)), key=f"key:{seat.pk}:{revision}")

    def give_back(self, who, which):
        if seat := self._leased(who, which):
            assignments.give_back(assignment=seat, worker=seat.worker)

    def decline(self, who, which):
        if seat := self._leased(who, which):
            assignments.decline(assignment=seat, worker=seat.worker)

    def expire(self, who, which):
        leases.expire_overdue(now=timezone.now() + timedelta(hours=1))

    def stop(self, who, which):
        creation.stop_job(job=self.job(which), by="user:1")

    def raise_price(self, who, which):
        job = self.job(which)
        repricing.raise_price(job=job, price_micros=job.price_micros + 1 + who * 1_111, by="user:1")

    def block(self, who, which):
        exclusion.block(account=self.account, worker=self.workers[who], reason="spam", by="user:1")

    def lift(self, who, which):
        eligibility.unblock(account=self.account, worker=self.workers[who], by="user:1")

    # --- reviews ----------------------------------------------------------------------------------------------------

    def _review(self, which):
        rows = AnswerReview.objects.filter(queue__account=self.account)
        return self._pick(rows.select_related("queue", "worker"), which)

    def accept(self, who, which):
        if review := self._review(which):
            deciding.accept_one(review=review, by="user:1")

    def reject(self, who, which, back=False):
        if review := self._review(which):
            deciding.reject_one(review=review, reason="no", return_to_worker=back, by="user:1")

    def reject_back(self, who, which):
        self.reject(who, which, back=True)

    def accept_due(self, who, which):
        deciding.accept_due(now=timezone.now() + timedelta(days=4 if which == 0 else 0))

    def appeal(self, who, which):
        if review := self._review(which):
            appeals.file_appeal(review=review, worker=review.worker, text="it was right")

    def contested(self, who, which):
        """What chance alone seldom brings about: somebody works, is rejected, and appeals."""
        self.work(who, 1)
        found = AnswerReview.objects.filter(worker=self.workers[who], state="Pending", queue__account=self.account)
        if review := found.select_related("queue", "worker").order_by("pk").last():
            deciding.reject_one(review=review, reason="no", return_to_worker=False, by="user:1")
            appeals.file_appeal(review=review, worker=review.worker, text="it was right")

    def upheld(self, who, which):
        """And is right after all."""
        self.contested(who, which)
        self.uphold(who, -1)

    def _appeal(self, which):
        return self._pick(Appeal.objects.filter(review__queue__account=self.account), which)

    def deny(self, who, which):
        if appeal := self._appeal(which):
            appeals.deny(appeal=appeal, text="no", by="user:1")

    def uphold(self, who, which):
        if appeal := self._appeal(which):
            appeals.uphold(appeal=appeal, text="it was", by="user:1")

    def overdue(self, who, which):
        appeals.uphold_overdue(now=timezone.now() + timedelta(days=10 if which == 0 else 0))

    # --- money ------------------------------------------------------------------------------------------------------

    def _reference(self, number):
        return f"bank-{self.account.pk}-{number}"

    def deposit(self, who, which):
        self.deposits += 1
        micros = (which + 1) * 20 * CENT
        wallets.deposit(
            account=self.account, amount_micros=micros, reference=self._reference(self.deposits), by="operator"
        )

    def reverse(self, who, which):
        reference = self._reference(max(1, self.deposits - which))
        debts.reverse_deposit(reference=reference, reason="the bank took it back", by="operator")

    def overdraw(self, who, which):
        """All free money is sent back to the account, and then the bank takes a deposit back too."""
        self.deposit(who, which)
        refund = wallet_refunds.request(account=self.account, by="user:1")
        wallet_refunds.mark_paid(refund=refund, by="operator")
        self.reverse(who, 0)

    def settle(self, who, which):
        debts.settle_all()

    def bonus(self, who, which):
        bonuses.pay(
            job=self.job(which), worker=self.workers[who], amount_micros=(which + 1) * 1_234, reason="good",
            token=f"token-{who}-{which}", by="user:1",
        )  # fmt: skip

    def ask_back(self, who, which):
        wallet_refunds.request(account=self.account, amount_micros=(which + 1) * CENT, by="user:1")

    def _refund(self, which):
        return self._pick(WalletRefund.objects.filter(account=self.account).select_related("account"), -1 - which)

    def keep(self, who, which):
        if refund := self._refund(which):
            wallet_refunds.refuse(refund=refund, reason="no", by="operator")

    def send_back(self, who, which):
        if refund := self._refund(which):
            wallet_refunds.mark_paid(refund=refund, by="operator")

    def payout(self, who, which):
        worker = self.workers[who]
        micros = earnings.balance(worker)
        payouts.request(worker=worker, amount_micros=micros - micros % CENT, by="worker")

    def _payout(self, who):
        rows = Payout.objects.filter(worker=self.workers[who]).select_related("worker")
        return rows.order_by("-pk").first()

    def cancel(self, who, which):
        if payout := self._payout(who):
            payouts.cancel(payout=payout, by="worker")

    def bank(self, who, which):
        payouts.send(by="operator")
        if (payout := self._payout(who)) and which % 2:
            payouts.mark_paid(payout=payout, by="operator")

    def refuse(self, who, which):
        if (payout := self._payout(who)) and payout.status == PayoutStatus.SENT:
            payouts.mark_failed(payout=payout, reason="closed", by="operator")

    # --- the end ----------------------------------------------------------------------------------------------------

    def close(self):
        """Stop every job, decide everything, and pay what is owed."""
        for job in self.jobs():
            if job.status in ("Initializing", "InProgress", "Stopping"):
                creation.stop_job(job=job, by="user:1")
        for _ in range(3):
            leases.expire_overdue(now=timezone.now() + timedelta(hours=1))
            self.advance(0, 0)
        deciding.accept_due(now=timezone.now() + timedelta(days=4))
        wallets.deposit(account=self.account, amount_micros=10**9, reference=self._reference("end"), by="operator")
        appeals.uphold_overdue(now=timezone.now() + timedelta(days=10))
        self.advance(0, 0)

    def whole_at_the_end(self):
        """Nothing is set aside, held or owed any more."""
        assert wallets.held(self.account) == wallets.under_review(self.account) == debts.owed(self.account) == 0
        assert sum(earnings.held(worker) for worker in self.workers) == 0
        assert {job.status for job in self.jobs()} <= {"Completed", "Stopped", "Failed"}
        assert not Assignment.objects.filter(queue__account=self.account, state="Leased").exists()
