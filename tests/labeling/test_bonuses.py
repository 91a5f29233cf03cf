"""Bonuses: paid once, to people who have worked for the job, from the wallet, with the fee on top."""

import pytest

from labeling.models import Bonus
from labeling.services import bonuses
from marketplace.errors import InsufficientFunds, Invalid, KeyReused, NotFound
from marketplace.services import earnings, ledger_audit, wallets
from tests.labeling import stories

pytestmark = pytest.mark.django_db
DOLLAR = 1_000_000


@pytest.fixture
def job_and_workers():
    job, workers = stories.an_open_job(workers=2, objects=1, funds="10")
    stories.claim_and_answer(workers[0], job)
    return job, workers


def pay(job, worker, **changes):
    given = {"amount_micros": DOLLAR, "reason": "careful work", "token": "first", "by": "user:1"}
    return bonuses.pay(job=job, worker=worker, **given | changes)


def test_the_worker_gets_the_amount_and_the_platform_its_fee(job_and_workers):
    job, (worker, _) = job_and_workers
    before = wallets.balance(job.account)
    bonus = pay(job, worker)
    assert (bonus.amount_micros, bonus.fee_micros) == (DOLLAR, 200_000)
    assert before - wallets.balance(job.account) == 1_200_000
    assert earnings.balance(worker) == stories.PRICE + DOLLAR
    assert earnings.statement(worker)[0].entry.description == "Bonus: careful work"
    assert ledger_audit.findings() == []


def test_a_token_pays_once_and_names_one_bonus(job_and_workers):
    job, (worker, _) = job_and_workers
    assert pay(job, worker).pk == pay(job, worker, reason="said again").pk
    assert earnings.balance(worker) == stories.PRICE + DOLLAR
    with pytest.raises(KeyReused):
        pay(job, worker, amount_micros=2)
    assert pay(job, worker, token="second").pk != pay(job, worker).pk
    assert earnings.balance(worker) == stories.PRICE + 2 * DOLLAR
    assert ledger_audit.findings() == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"amount_micros": 0}, "amount"), ({"reason": " "}, "reason"), ({"token": "x" * 65}, "token")],
)
def test_bad_values_are_named(job_and_workers, changes, field):
    job, (worker, _) = job_and_workers
    with pytest.raises(Invalid) as caught:
        pay(job, worker, **changes)
    assert caught.value.field == field
    assert not Bonus.objects.exists()


def test_only_people_who_worked_for_the_job_and_only_what_the_wallet_holds(job_and_workers):
    job, (worker, other) = job_and_workers
    with pytest.raises(NotFound, match="handed in nothing"):
        pay(job, other)
    with pytest.raises(InsufficientFunds):
        pay(job, worker, amount_micros=9 * DOLLAR)
    assert not Bonus.objects.exists()
    assert ledger_audit.findings() == []


def test_the_audit_finds_a_bonus_that_was_not_paid(job_and_workers):
    job, (worker, _) = job_and_workers
    row = {"account": job.account, "queue": job.queue, "worker": worker, "reason": "r", "token": "t"}
    Bonus.objects.create(amount_micros=5, fee_micros=1, **row)
    assert [finding.check for finding in ledger_audit.findings()] == ["every bonus is paid"]
