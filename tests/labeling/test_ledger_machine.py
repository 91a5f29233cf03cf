"""Whatever happens in whatever order, and wherever a process dies: the ledger is whole after every step.

Random deposits, jobs, claims, submits, rejections, appeals, bonuses, blocks, stops, payouts, refunds, reversed deposits
and crashes, one after another, and by eight people at once.
"""

import random

import pytest
from django.db import close_old_connections
from django.test import override_settings
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from marketplace.services import ledger_audit
from tests import builders
from tests.labeling.money_stories import ACTS, MONEY, OTHERS, REVIEW, WORK, WORKERS, Business, crashing
from tests.labeling.test_concurrency import in_threads

WHO, WHICH = st.integers(0, WORKERS - 1), st.integers(0, 5)
THREADS, ACTS_EACH = 8, 15


class LedgerMachine(RuleBasedStateMachine):
    """The rules are the acts of tests/labeling/money_stories.py; each example is undone at its end."""

    def __init__(self):
        super().__init__()
        self.undone = builders.rolled_back()
        self.undone.__enter__()
        self.business = Business()

    @rule(act=st.sampled_from(WORK), who=WHO, which=WHICH)
    def label(self, act, who, which):
        """Somebody works, or time passes."""
        self.business.act(act, who, which)

    @rule(act=st.sampled_from(REVIEW), who=WHO, which=WHICH)
    def decide(self, act, who, which):
        """The requester decides, or a worker appeals."""
        self.business.act(act, who, which)

    @rule(act=st.sampled_from(MONEY), who=WHO, which=WHICH)
    def move(self, act, who, which):
        """Money comes, goes, or is given."""
        self.business.act(act, who, which)

    @rule(act=st.sampled_from(OTHERS), who=WHO, which=WHICH)
    def run(self, act, who, which):
        """A job begins or is stopped, a worker is shut out or let in."""
        self.business.act(act, who, which)

    @rule(act=st.sampled_from(ACTS), who=WHO, which=WHICH, at=st.integers(1, 40), at_commit=st.booleans())
    def crash(self, act, who, which, at, at_commit):
        """The process dies in the middle of an act, or as it commits."""
        with crashing(at if not at_commit else 1 + at % 4, at_commit=at_commit):
            self.business.act(act, who, which)

    @invariant()
    def the_ledger_is_whole(self):
        """Every check of `manage.py audit_ledger`: balanced, nothing below zero, nobody paid twice."""
        assert ledger_audit.findings() == []

    def teardown(self):
        """All money that was set aside has come back."""
        try:
            self.business.close()
            self.the_ledger_is_whole()
            self.business.whole_at_the_end()
        finally:
            self.undone.__exit__(None, None, None)


@pytest.mark.timeout(900)
@override_settings(MINIMUM_PAYOUT="0.01")
@pytest.mark.parametrize("examples", [4, pytest.param(30, marks=pytest.mark.slow)])
def test_the_ledger_is_whole_after_every_step(db, examples):
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=examples, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


@pytest.mark.timeout(900)
@pytest.mark.django_db(transaction=True)
@override_settings(MINIMUM_PAYOUT="0.01")
def test_the_ledger_is_whole_after_eight_people_did_everything_at_once():
    business = Business(objects=6)
    for which in range(4):
        business.act("deposit", 0, 5)
        business.act("new_job", which, which)
    business.act("advance", 0, 0)

    def somebody(seed):
        dice = random.Random(seed)
        for _ in range(ACTS_EACH):
            business.act(dice.choice(ACTS), dice.randrange(WORKERS), dice.randrange(6))
            close_old_connections()

    in_threads(*(lambda seed=seed: somebody(seed) for seed in range(THREADS)))
    assert ledger_audit.findings() == []
    business.close()
    assert ledger_audit.findings() == []
    business.whole_at_the_end()
