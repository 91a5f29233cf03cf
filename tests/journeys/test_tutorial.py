"""The requests of the tutorial, run by a shell as they stand in it, on a system that nobody has used before."""

import os
import re
import shutil
import subprocess
import zipfile

import pytest

from frontend.demo.api import Api
from tests.journeys import pictures
from tests.journeys.system import ROOT, running

# For a migrated database to copy (see tests/databases.py).
pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(900)]

TUTORIAL = ROOT / "docs" / "tutorial.md"
CHECKED = 'set -euo pipefail\ncurl() { command curl --fail-with-body "$@"; }\n'
"""Answers of 400 and above fail."""

WAIT = re.compile(r'^(api \S+) +# until "(\w+)" is "(\w+)"$', re.M)
OVER = r"""until \1 | jq -e '.\2 == "\3"' > /dev/null; do sleep 1; done"""


@pytest.fixture(autouse=True)
def _programs() -> None:
    for program in ("bash", "curl", "jq"):
        if shutil.which(program) is None:
            pytest.skip(f"the tutorial's shell needs {program}, which is not installed")


def script() -> str:
    """The lines of the tutorial, waiting where the reader is told to; only the job, on which nobody works, is not
    waited for: what follows it can be had at any time."""
    section = TUTORIAL.read_text().partition("## The same over REST")[2]
    block = re.search(r"```sh\n(.*?)```", section, re.S)
    assert block is not None
    waits = WAIT.findall(block[1])
    assert [path.rsplit("/", 2)[-2] for path, _, _ in waits] == ["datasets", "labeling-jobs"]
    return CHECKED + WAIT.sub(OVER, block[1], count=1)


def test_the_requests_of_the_tutorial_make_a_job(django_db_setup, tmp_path):
    images = pictures.write(tmp_path / "bees", count=4) / "images"
    with zipfile.ZipFile(tmp_path / "bees.zip", "w") as archive:
        for picture in images.iterdir():
            archive.write(picture, picture.name)
    with running(only=["web", "queue"]) as system:
        token = system.people(workers=1)["requester"]

        # when they are run
        done = subprocess.run(
            ["bash", "-c", script()],
            cwd=tmp_path,
            env=os.environ | {"HOST": system.url, "TOKEN": token},
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout + done.stderr + system.logs()

        # then there is the job with its pictures, for people to work on, and a file of its labels
        api = Api(base_url=system.url, token=token)
        (job,) = api.get("/api/v1/labeling-jobs")["results"]
        assert job["name"] == "bees-1"
        path = f"/api/v1/labeling-jobs/{job['id']}/objects"
        system.until(
            lambda: api.get(path)["results"],
            lambda rows: len(rows) == 4 and {row["state"] for row in rows} == {"PendingHuman"},
            seconds=300,
        )
        exports = f"/api/v1/labeling-jobs/{job['id']}/exports"
        system.until(
            lambda: [(row["kind"], row["status"]) for row in api.get(exports)["results"]],
            lambda rows: rows == [("coco", "Completed")],
            seconds=300,
        )
