"""Money adds up to the micro-dollar for random sequences of claims, submits, expiries, stops and endings."""

import contextlib
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labeling.models import Answer, AnswerReview, Assignment, Batch, DataObject, LabelingJob, Task
from labeling.services.jobs import advancing, creation
from labeling.services.queue import assignments, leases
from marketplace.errors import InUse, TaskLimit
from marketplace.services import earnings, ledger_audit, wallets
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db
FUNDS = 100_000_000
WORKERS = 4
# Claims and submits are more frequent than the rest.
ACTS = ["claim"] * 3 + ["submit"] * 3 + ["repeat", "return", "decline", "expire", "advance"]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(ACTS),
        st.integers(0, WORKERS - 1),
        st.integers(0, 5),
    ),
    max_size=60,
)
ENDS = st.sampled_from(["stop", "availability", "work"])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, end=ENDS, dynamic=st.booleans(), price=st.sampled_from([0, 1, 36_000, 37_123]))
@builders.rolled_back()
def test_money_adds_up_after_any_sequence_of_events(db, steps, end, dynamic, price):
    redundancy = {"kind": "dynamic", "start": 1, "target_confidence": 0.9} if dynamic else {"kind": "fixed"}
    job, workers = stories.a_funded_job(
        workers=WORKERS, objects=3, max_concurrent_tasks=2, price_micros=price, redundancy=redundancy
    )
    advancing.advance_job(job.pk)
    for act, who, which in steps:
        do(act, workers[who], which, job)
        check_seats(job)
        assert ledger_audit.findings() == []
    finish(job, workers, end)
    check_money(job, workers)


def do(act, worker, which, job):
    """Carry out one event of the sequence, if it is possible."""
    mine = list(Assignment.objects.filter(worker=worker, queue=job.queue).select_related("worker").order_by("pk"))
    leased = [seat for seat in mine if seat.state == "Leased"]
    if act == "claim":
        # Refused to a worker who holds a task: two tasks are open at a time.
        with contextlib.suppress(TaskLimit):
            assignments.claim(worker=worker, queue=job.queue)
    elif act == "advance":
        advancing.advance_job(job.pk)
    elif act == "expire":
        leases.expire_overdue(queue_id=job.queue_id, now=timezone.now() + timedelta(hours=1))
    elif act == "repeat" and mine:
        seat = mine[which % len(mine)]
        try:
            stories.answer(seat, key=key_of(seat))
        except InUse:
            assert seat.state in ("Expired", "Returned", "Declined", "Cancelled")
    elif leased:
        seat = leased[which % len(leased)]
        if act == "submit":
            stories.answer(seat, stories.boxes((100, 100, 50 + 30 * which, 40)), key=key_of(seat))
        elif act == "return":
            assignments.give_back(assignment=seat, worker=worker)
        elif act == "decline":
            assignments.decline(assignment=seat, worker=worker)


def key_of(seat):
    """The same for a repeated submit, another one for each answer that a task came back for."""
    return f"key:{seat.pk}:{AnswerReview.objects.filter(assignment=seat).count()}"


def finish(job, workers, end):
    """End the job: by a stop, by the end of availability, or by completing the work."""
    if end == "stop":
        creation.stop_job(job=job, by="user:1")
    for _ in range(20):
        if end == "availability":
            Batch.objects.filter(queue=job.queue, status="InProgress").update(expires_at=timezone.now())
        if end == "work":
            for worker in workers:
                stories.work(worker, job)
        leases.expire_overdue(queue_id=job.queue_id, now=timezone.now() + timedelta(hours=1))
        advancing.advance_job(job.pk)
        job.refresh_from_db()
        if job.status not in ("InProgress", "Stopping"):
            return
        if end == "work":
            Batch.objects.filter(queue=job.queue, status="InProgress", tasks__declines_count__gt=0).update(
                expires_at=timezone.now()
            )
    raise AssertionError(f"the job is still {job.status}")


def check_seats(job):
    """The seats of each task add up: total = free + leased + answered."""
    for task in Task.objects.filter(queue=job.queue):
        leased = task.assignments.filter(state="Leased").count()
        assert leased == task.seats_total - task.seats_free - task.answers_count
        assert task.answers_count == task.assignments.filter(state="Submitted").count() <= task.max_seats


def check_money(job, workers):
    answers = Answer.objects.filter(assignment__queue=job.queue).count()
    check_seats(job)
    assert ledger_audit.findings() == []
    assert wallets.held(job.account) == 0
    assert sum(earnings.balance(worker) for worker in workers) == answers * job.price_micros
    assert wallets.balance(job.account) == FUNDS - answers * (job.price_micros + job.fee_micros)
    assert not Assignment.objects.filter(queue=job.queue, state="Leased").exists()
    assert not Task.objects.filter(queue=job.queue, due=True).exists()
    assert not DataObject.objects.filter(job=job, state="PendingHuman").exists()
    labeled = DataObject.objects.filter(job=job, state="HumanLabeled")
    assert labeled.count() == Task.objects.filter(queue=job.queue, answers_count__gt=0).count()
    assert LabelingJob.objects.get(pk=job.pk).finished_at is not None
