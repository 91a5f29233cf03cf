"""An installation of each released version, left with a job in its middle, is brought up to date and goes on."""

import json
import tarfile
import tempfile
from pathlib import Path

import pytest

from tests.databases import copy_of
from tests.journeys import shapes
from tests.journeys.shapes import Shapes
from tests.journeys.system import System
from tests.journeys.test_backup import address_of
from tests.upgrade.make import FOLDER, KEY, MOST_BYTES, OVER_PICTURES, PICTURES, WORKERS

# For a server to make databases on (see tests/databases.py).
pytestmark = pytest.mark.django_db

RELEASED = sorted(FOLDER.glob("waggle-*.tar.xz"))
PEOPLE = """
import django, json
django.setup()
from labeling.models import LabelingJob
from marketplace.models import User
from marketplace.services import accounts
job = LabelingJob.objects.get(name="half")
owner = job.account.memberships.get(role="Owner").user
workers = User.objects.filter(worker__memberships__workteam=job.queue.workteam).order_by("pk")
token = lambda user, account: accounts.create_token(user=user, account=account, name="upgrade")[1]
print(json.dumps({"job": job.pk, "requester": token(owner, job.account), "workers": [token(u, None) for u in workers]}))
"""


def test_the_last_release_is_kept_and_small():
    assert RELEASED
    assert all(path.stat().st_size <= MOST_BYTES for path in RELEASED)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.name.removesuffix(".tar.xz"))
def test_a_job_of_an_earlier_version_completes_after_the_upgrade(path: Path, django_db_setup, tmp_path):
    with tarfile.open(path) as archive:
        archive.extractall(tmp_path / "kept", filter="data")
    with copy_of("template0") as name, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        system = System(Path(place), database=address_of(name), WAGGLE_SECRET_KEY=KEY, **shapes.SETTINGS)
        try:
            # Restoring brings the tables up to date, and audits the ledger.
            assert "the ledger is whole" in system.run("manage.py", "restore", str(tmp_path / "kept"))
            assert system.query("SELECT name, status FROM labeling_labelingjob ORDER BY name") == [
                ("half", "InProgress"),
                ("over", "Completed"),
            ]
            job = Shapes(**json.loads(system.run("-c", PEOPLE).splitlines()[-1]))
            system.start("web")
            system.start("queue")
            system.wait_for_web()
            done = job.complete(system)
            assert done["label_counters"]["HumanLabeled"] == PICTURES
            assert "the ledger is whole" in system.run("manage.py", "audit_ledger")
            # Every seat was answered and paid once: those of before the upgrade and those of after it.
            paid = "SELECT count(*) FROM marketplace_entry WHERE kind = 'payment'"
            seats = "SELECT count(*) FROM labeling_assignment WHERE state = 'Submitted'"
            assert system.query(paid) == system.query(seats) == [(WORKERS * (PICTURES + OVER_PICTURES),)]
        finally:
            for process in list(system.processes):
                system.kill(process)
