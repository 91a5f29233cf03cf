"""An installation is backed up while people work in it, and restored elsewhere: nothing is lost, and work goes on."""

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection

from tests.databases import copy_of
from tests.journeys import shapes
from tests.journeys.system import ROOT, System, running

# For a migrated database to copy (see tests/databases.py).
pytestmark = pytest.mark.django_db

PICTURES = 30


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


def contents(folder: str) -> dict[str, int]:
    """The contents of objects that a folder of backups has, and when each was written, in ns."""
    return {path.name: path.stat().st_mtime_ns for path in Path(folder, "objects").rglob("*") if path.is_file()}


def written(said: str) -> int:
    """How many contents a backup has written, by what it said."""
    return int(said.splitlines()[1].split()[0])


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_backed_up_in_the_middle_of_work_and_restored_elsewhere(django_db_setup, tmp_path):
    folder = str(tmp_path / "backups")
    with running(only=["web", "queue"], **shapes.SETTINGS) as system:
        # given a job that is over, and one in whose middle people are at work
        crew = system.people(workers=shapes.WORKERS)
        shapes.begin(system, crew, tmp_path / "first", name="over", count=4).complete(system)
        job = shapes.begin(system, crew, tmp_path / "second", name="half", count=PICTURES)
        job.answer(system, most=3)
        before = acknowledged(system)

        # when it is backed up while they go on, and once more
        with ThreadPoolExecutor(1) as going_on:
            answered = going_on.submit(job.answer, system, most=8)
            first = system.run("manage.py", "backup", folder)
            assert answered.result() > 0
        kept = contents(folder)
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

        # What was copied once is not written again; what is new are files of answers that were given meanwhile.
        second = system.run("manage.py", "backup", folder)
        after = contents(folder)
        assert written(first) == len(kept) >= PICTURES
        assert kept.items() <= after.items() and written(second) == len(after) - len(kept), (first, second)
