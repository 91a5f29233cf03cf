"""An installation is backed up while people work in it, and restored elsewhere: nothing is lost, and work goes on."""

import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from django.db import connection

from tests.databases import copy_of
from tests.journeys import shapes
from tests.journeys.system import ROOT, System, running

# For a migrated database to copy (see tests/databases.py).
pytestmark = pytest.mark.django_db


def refusal(system: System, *arguments: str) -> str:
    """What a command that fails says."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=system.environment, capture_output=True, text=True, timeout=300)
    assert done.returncode, done.stdout
    return done.stderr.strip().splitlines()[-1]


def address_of(name: str) -> str:
    """The address of a database on the server of the tests."""
    given = connection.settings_dict
    return f"postgresql://{given['USER']}:{given['PASSWORD']}@/{name}?host={given['HOST']}&port={given['PORT']}"


def acknowledged(system: System) -> set[tuple]:
    """Every answer that the database has, with its worker and its task."""
    rows = system.query("SELECT id, worker_id, task_id FROM labeling_assignment WHERE state = 'Submitted'")
    return set(rows)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_backed_up_in_the_middle_of_work_and_restored_elsewhere(django_db_setup, tmp_path):
    folder = str(tmp_path / "backups")
    with running(only=["web", "queue"], **shapes.SETTINGS) as system:
        # given a job that is over, and one in whose middle people are at work
        crew = system.people(workers=shapes.WORKERS)
        shapes.begin(system, crew, tmp_path / "first", name="over", count=4).complete(system)
        job = shapes.begin(system, crew, tmp_path / "second", name="half", count=30)
        job.answer(system, most=3)
        before = acknowledged(system)
        going_on = threading.Thread(target=lambda: job.answer(system, most=8))
        going_on.start()

        # when it is backed up, and once more
        first = system.run("manage.py", "backup", folder)
        going_on.join()
        known = acknowledged(system)
        assert "the database is not empty" in refusal(system, "restore", folder)
        with copy_of("template0") as name, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
            elsewhere = System(Path(place), database=address_of(name), **shapes.SETTINGS)
            try:
                # then it is restored as it was in the middle of the work, its ledger whole
                assert "the ledger is whole" in elsewhere.run("manage.py", "restore", folder)
                assert before <= acknowledged(elsewhere) <= known
                # and the job completes there, its money accounted for to the last micro-dollar
                elsewhere.start("web")
                elsewhere.start("queue")
                elsewhere.wait_for_web()
                job.complete(elsewhere)
                assert "the ledger is whole" in elsewhere.run("manage.py", "audit_ledger")
                over = elsewhere.query("SELECT count(*) FROM labeling_labelingjob WHERE status = 'Completed'")
                assert over == [(2,)]
            finally:
                for process in list(elsewhere.processes):
                    elsewhere.kill(process)

        # The pictures were copied once; what is new are files of answers that were given meanwhile.
        second = system.run("manage.py", "backup", folder)
        copied = [int(said.splitlines()[1].split()[0]) for said in (first, second)]
        assert copied[0] > 30 > copied[1], (first, second)
