"""An export whose process is killed again and again ends with a reason and keeps nobody from further exports."""

import os
import signal
import subprocess
import sys
import time

import psycopg
import pytest
from django.db import connection
from django_q.models import OrmQ

from labeling import background
from labeling.models import Export, FailedAttempt
from labeling.services import attempts
from labeling.services.output import exports
from marketplace import locks, storage
from marketplace.errors import ExportLimit
from tests import databases
from tests.labeling import stories

pytestmark = pytest.mark.django_db(transaction=True)

FORKS = """
import os, sys
import django
django.setup()
from labeling import background
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        background.run_export(int(line))
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
"""


def advisory_locks() -> int:
    """How many are held in this test's database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database "
            "WHERE locktype = 'advisory' AND datname = current_database()"
        )
        return cursor.fetchone()[0]


def kill_at_work(export: Export, times: int) -> None:
    """Kill a process that writes the export, several times; each stands still at a table that this process holds."""
    program = subprocess.Popen(
        [sys.executable, "-c", FORKS],
        env=os.environ | {"WAGGLE_DATABASE_URL": databases.address(), "DJANGO_SETTINGS_MODULE": "marketplace.settings"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with psycopg.connect(databases.address()) as holder, program:
        holder.execute("LOCK TABLE labeling_objectline IN ACCESS EXCLUSIVE MODE")
        for number in range(1, times + 1):
            program.stdin.write(f"{export.pk}\n")
            program.stdin.flush()
            child = int(program.stdout.readline())
            deadline = time.monotonic() + 60
            while not FailedAttempt.objects.filter(row_id=export.pk, failures=number).exists():
                assert time.monotonic() < deadline, "the export was not begun"
                time.sleep(0.01)
            os.kill(child, signal.SIGKILL)
            # PostgreSQL frees the lock of a killed process a moment later; who comes earlier leaves the work to it.
            while advisory_locks():
                assert time.monotonic() < deadline, "the lock of the killed process was not freed"
                time.sleep(0.01)
        program.stdin.close()


def test_an_export_that_is_killed_each_time_fails_with_the_reason_and_counts_no_longer():
    job, _ = stories.a_funded_job(objects=1)
    stuck, *others = [exports.create_export(job=job, kind="manifest", by="user:1") for _ in range(5)]
    with pytest.raises(ExportLimit):
        exports.create_export(job=job, kind="manifest", by="user:1")
    OrmQ.objects.all().delete()  # the messages died with the processes
    kill_at_work(stuck, attempts.MOST)
    stuck.refresh_from_db()
    assert stuck.status == "InProgress"

    background.sweep()
    assert OrmQ.objects.filter(payload__isnull=False).count() >= 5, "the sweep delivers what was lost"
    background.run_export(stuck.pk)
    stuck.refresh_from_db()
    assert (stuck.status, stuck.failure_reason) == ("Failed", attempts.KILLED)
    assert Export.objects.filter(status="InProgress").count() == len(others)
    again = exports.create_export(job=job, kind="manifest", by="user:1")
    background.run_export(again.pk)
    again.refresh_from_db()
    assert again.status == "Completed" and storage.read(again.uri)


@pytest.mark.slow
def test_an_export_that_was_killed_fewer_times_is_finished_and_forgets_the_kills():
    job, _ = stories.a_funded_job(objects=1)
    export = exports.create_export(job=job, kind="manifest", by="user:1")
    kill_at_work(export, attempts.MOST - 1)
    background.run_export(export.pk)
    export.refresh_from_db()
    assert export.status == "Completed" and not FailedAttempt.objects.exists()


def test_a_message_that_comes_while_the_export_is_written_does_nothing():
    job, _ = stories.a_funded_job(objects=1)
    export = exports.create_export(job=job, kind="manifest", by="user:1")
    with locks.only_one(f"run-export:{export.pk}"):
        background.run_export(export.pk)
        assert not FailedAttempt.objects.exists()
    export.refresh_from_db()
    assert export.status == "InProgress"


def test_exports_with_images_are_written_one_after_the_other():
    job, _ = stories.a_funded_job(objects=1)
    first, second = (exports.create_export(job=job, kind="yolo", images=True, by="user:1") for _ in range(2))
    OrmQ.objects.all().delete()
    with locks.only_one("export-images"):
        background.run_export(second.pk)
    second.refresh_from_db()
    assert second.status == "InProgress" and not OrmQ.objects.exists()
    background.run_export(first.pk)
    (message,) = OrmQ.objects.all()
    assert message.func() == exports.RUN and message.args() == (second.pk,)
