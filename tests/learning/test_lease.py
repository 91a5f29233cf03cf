"""The lease of a loop: one holder, no waiting, no lock that outlives a statement, and none that a dead holder keeps."""

import os
import signal
import subprocess
import sys

import pytest
from django.db import connection
from django.db.models.functions import Now

from learning.models import LearningLoop
from learning.services.active import lease, loops
from tests import databases
from tests.labeling import stories
from tests.learning.loop_stories import in_threads
from tests.learning.test_supervisor import wait

pytestmark = pytest.mark.django_db(transaction=True)
# Takes the lease, says so, and keeps it until it is killed.
HOLDER = """
import sys, time, django
django.setup()
from learning.services.active import lease
lease.LEASE_SECONDS, lease.RENEW_SECONDS = 1.0, 0.1
with lease.advancing(int(sys.argv[1])) as held:
    print(held.owner, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def loop():
    return LearningLoop.objects.create(job=stories.a_funded_job(workers=1)[0])


def row(loop):
    return LearningLoop.objects.get(pk=loop.pk)


def test_one_holds_it_and_the_others_do_not_wait(loop):
    found = []

    def attempt():
        with lease.advancing(loop.pk) as other:
            found.append(other)

    with lease.advancing(loop.pk) as held:
        assert row(loop).advancing_by == held.owner
        in_threads(3, attempt)
    assert found == [None] * 3
    assert (row(loop).advancing_by, row(loop).advancing_until) == ("", None)
    attempt()
    assert found[-1] is not None


def test_it_is_released_when_the_work_fails(loop):
    with pytest.raises(ZeroDivisionError), lease.advancing(loop.pk):
        raise ZeroDivisionError
    assert row(loop).advancing_by == ""


def test_it_is_given_up_only_if_nobody_has_asked_since(loop):
    with lease.advancing(loop.pk) as held:
        seen = held.advance_requests()
        assert lease.request(loop.pk)
        assert not held.release(unless_requested_since=seen)
        assert row(loop).advancing_by == held.owner
        assert held.release(unless_requested_since=seen + 1)
        assert not held.renew()


def test_a_request_for_a_loop_that_is_gone_is_nothing(loop):
    LearningLoop.objects.all().delete()
    assert not lease.request(loop.pk)
    loops.advance_loop(loop_id=loop.pk)


def test_it_is_renewed_while_the_work_goes_on(loop, monkeypatch):
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.05)
    with lease.advancing(loop.pk):
        first = row(loop).advancing_until
        wait(lambda: row(loop).advancing_until > first)


def test_who_has_lost_it_knows_and_leaves_the_successor_alone(loop):
    with lease.advancing(loop.pk) as held:
        LearningLoop.objects.filter(pk=loop.pk).update(advancing_until=Now())
        with lease.advancing(loop.pk) as successor:
            assert successor is not None, "the lease had run out"
            assert not held.renew()
            assert not held.release()
            assert row(loop).advancing_by == successor.owner


def test_no_session_and_no_transaction_is_needed_between_two_statements(loop):
    """What a PgBouncer in transaction mode demands: each statement may go to another server connection."""
    with lease.advancing(loop.pk) as held:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
            assert cursor.fetchone() == (0,)
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
            )
            assert cursor.fetchone() == (0,)
        connection.close()
        assert held.renew()
        connection.close()
    assert row(loop).advancing_by == ""


def test_a_killed_holder_lets_go(loop):
    environment = os.environ | {
        "WAGGLE_DATABASE_URL": databases.address(),
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
    }
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(loop.pk)], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        owner = holder.stdout.readline().strip()
        assert row(loop).advancing_by == owner != ""
        first = row(loop).advancing_until
        wait(lambda: row(loop).advancing_until > first)
        with lease.advancing(loop.pk) as held:
            assert held is None, "it lives"
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()

    def taken():
        with lease.advancing(loop.pk) as held:
            return held is not None

    wait(taken)
