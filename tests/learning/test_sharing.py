"""Several accounts share the learner's slots: whoever asks for much does not keep the others waiting."""

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from learning.models import TrainingJob, TransformJob
from learning.services.programs.supervisor import Supervisor
from marketplace.models import Account
from tests.learning.kind_cases import a_training, a_transform
from tests.learning.programs.executor import CountingExecutor
from tests.learning.test_supervisor import finished, wait

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def accounts():
    return [Account.objects.create(name=f"Account {n}", number=f"{n:012d}") for n in (1, 2, 3)]


@pytest.fixture
def claims():
    """Makes supervisors that only claim, and gives what they claim: `claims(supervisor, n)` are the next n runs."""

    def _claims(supervisor, count):
        found = []
        for _ in range(count):
            claim = supervisor._claim()
            if claim is None:
                break
            supervisor.runners[claim.kind.name, claim.pk] = None
            found.append(claim.kind.model.objects.get(pk=claim.pk))
        return found

    return _claims


@pytest.fixture
def supervisor(tmp_path):
    return Supervisor(executor=CountingExecutor(), slots=1, root=tmp_path / "programs")


def end(run):
    """It is over, as a supervisor leaves it."""
    type(run).objects.filter(pk=run.pk).update(status="Completed", claimed_by="", ended_at=timezone.now())


def test_fifty_trainings_of_one_account_do_not_keep_another_waiting(accounts, claims, supervisor):
    busy, other, third = accounts
    for number in range(50):
        a_training(busy, name=f"busy-{number}")
    for number in range(2):
        a_training(other, name=f"other-{number}")
        a_training(third, name=f"third-{number}")
    # One slot: the accounts take turns, and within each the first comes first.
    order = []
    for _ in range(8):
        (run,) = claims(supervisor, 1)
        order.append(run.name)
        end(run)
        supervisor.runners.clear()
    assert order == ["busy-0", "other-0", "third-0", "busy-1", "other-1", "third-1", "busy-2", "busy-3"]


def test_free_slots_go_to_the_account_that_uses_the_fewest(accounts, claims, supervisor):
    busy, other, third = accounts
    for number in range(50):
        a_training(busy, name=f"busy-{number}")
    started = claims(supervisor, 4)
    assert [run.name for run in started] == [f"busy-{n}" for n in range(4)], "slots are not kept free for nobody"
    for number in range(5):
        a_training(other, name=f"other-{number}")
    a_training(third, name="third-0")
    assert [run.name for run in claims(supervisor, 4)] == ["other-0", "third-0", "other-1", "other-2"]
    assert Counter(run.account_id for run in claims(supervisor, 4)) == {busy.pk: 2, other.pk: 2}


def test_predictions_come_before_trainings_and_count_as_load(accounts, claims, supervisor):
    busy, other, _ = accounts
    a_training(other, name="other-0")
    for number in range(2):
        a_training(busy, name=f"busy-{number}")
        a_transform(busy, name=f"busy-p-{number}")
    a_transform(other, name="other-p")
    first = claims(supervisor, 3)
    assert [type(run) for run in first] == [TransformJob] * 3
    assert [run.name for run in first] == ["busy-p-0", "other-p", "busy-p-1"]
    # Two programs of the busy account run, one of the other's.
    assert [run.name for run in claims(supervisor, 3)] == ["other-0", "busy-0", "busy-1"]


def test_what_a_dead_supervisor_held_is_no_load(accounts, claims, supervisor):
    busy, other, _ = accounts
    for number in range(3):
        a_training(busy, name=f"busy-{number}")
    long_ago = timezone.now() - timedelta(hours=1)
    rows = TrainingJob.objects.filter(name__in=["busy-0", "busy-1"])
    rows.filter(name="busy-0").update(claimed_by=f"{supervisor.place}#gone", heartbeat_at=timezone.now())
    rows.filter(name="busy-1").update(claimed_by="elsewhere#1", heartbeat_at=long_ago)
    rows.update(started_at=long_ago)
    run = a_training(other, name="other-0")
    TrainingJob.objects.filter(pk=run.pk).update(claimed_by="elsewhere#2", heartbeat_at=timezone.now())
    a_training(other, name="other-1")
    assert [run.name for run in claims(supervisor, 4)] == ["busy-0", "other-1", "busy-1", "busy-2"]


def test_two_supervisors_with_several_slots_share_too(accounts, claims, tmp_path):
    busy, other, third = accounts
    for number in range(20):
        a_training(busy, name=f"busy-{number}")
    a_training(other, name="other-0")
    a_training(third, name="third-0")
    both = [Supervisor(executor=CountingExecutor(), slots=2, root=tmp_path / str(n)) for n in range(2)]
    found = [run for one in both for run in claims(one, 2)]
    assert sorted(run.name for run in found) == ["busy-0", "busy-1", "other-0", "third-0"]


def test_all_of_them_end(accounts, tmp_path):
    runs = [a_training(account, name=f"bees-{n}", _steps=3, _pause=0) for account in accounts[:2] for n in range(3)]
    supervisor = Supervisor(executor=CountingExecutor(), slots=2, root=tmp_path / "programs")
    wait(lambda: all(finished(run) for run in runs), step=supervisor.step)
    supervisor.shut_down()
    assert {run.status for run in runs} == {"Completed"}
