"""The suite's own tests of claims, consolidation and exports pass behind a PgBouncer in transaction mode."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from marketplace import database
from tests import pgbouncer

ROOT = Path(__file__).resolve().parents[2]
PATHS = [
    "tests/labeling/test_claims.py",
    "tests/labeling/test_advancing.py",
    "tests/labeling/test_queue_owners.py",
    "tests/labeling/test_consolidating.py",
    "tests/labeling/test_exports.py",
    "tests/labeling/test_exports_killed.py",
    "tests/learning/test_lease.py",
    "tests/marketplace/test_locks.py",
]


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_claims_consolidation_and_exports_work_through_a_pgbouncer():
    pgbouncer.program()
    # Nothing of this run's own database: with its settings module Django would read the settings before the other run
    # has made a database for itself, and its file of passwords knows this run's.
    ours = ("WAGGLE_", "PYTEST_", "DJANGO_", "PGPASSFILE")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    # It makes a database by the migrations for itself, which may take a busy machine longer than a test usually may.
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-o", "timeout=1200", "-p", "no:cacheprovider"]
    command += ["-p", "tests.through_pgbouncer"]
    done = subprocess.run(
        [*command, "-m", "not slow", *PATHS], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:]


def test_the_setting_turns_off_what_a_session_of_its_own_would_be_needed_for(tmp_path):
    url = "postgresql://waggle:pw@pool:6432/waggle"
    entry = database.configuration(url=url, directory=tmp_path, conn_max_age=0, pooled=True)
    assert entry["DISABLE_SERVER_SIDE_CURSORS"] is True and entry["OPTIONS"] == {"prepare_threshold": None}
    entry = database.configuration(url=url, directory=tmp_path, conn_max_age=0)
    assert "DISABLE_SERVER_SIDE_CURSORS" not in entry and entry["OPTIONS"] == {}
