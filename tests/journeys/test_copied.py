"""An installation with a finished job that is copied into another folder shows its images, exports and models there."""

import io
import json
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

import pytest
import urllib3
from PIL import Image

from marketplace.database import stop_embedded
from tests.journeys.system import System

FILL = """
import django, json
django.setup()
from django.db import transaction
from marketplace.services import accounts
from tests import builders
from tests.labeling.test_moved_store import a_finished_job, a_model
owner, account = builders.a_requester()
with transaction.atomic():
    job, model = a_finished_job(account), a_model(account)
secret = accounts.create_token(user=owner, account=account, name="copied")[1]
print(json.dumps({"token": secret, "job": job.pk, "queue": job.queue_id, "model": model.pk,
                  "export": job.exports.get().pk, "dataset": job.dataset_id}))
"""


def get(system: System, token: str, path: str) -> bytes:
    """What the installation answers with, which must be a success."""
    response = urllib3.PoolManager(retries=False).request(
        "GET", system.url + path, headers={"Authorization": f"Bearer {token}"}
    )
    assert response.status == 200, (path, response.status, response.data[:500], system.logs())
    return response.data


def look_at_everything(system: System, known: dict) -> list[tuple[int, int]]:
    """Open the pictures, the export and the model; returns the sizes of the pictures."""
    token = known["token"]
    rows = json.loads(get(system, token, f"/api/v1/labeling-jobs/{known['job']}/objects"))["results"]
    sizes = [Image.open(io.BytesIO(get(system, token, row["image_url"]))).size for row in rows]
    assert zipfile.is_zipfile(io.BytesIO(get(system, token, f"/api/v1/exports/{known['export']}/download")))
    assert get(system, token, f"/api/v1/models/{known['model']}/artifact") == b"a model"
    Image.open(
        io.BytesIO(get(system, token, f"/api/v1/work-queues/{known['queue']}/examples/good_examples/0"))
    ).verify()
    return sizes


def up(system: System) -> None:
    system.run("manage.py", "bootstrap", "--verbosity", "0")
    system.start("web")
    system.wait_for_web()


def down(system: System) -> None:
    for name in list(system.processes):
        system.kill(name)


@pytest.mark.slow
def test_a_copied_installation_shows_its_images_exports_and_models():
    with tempfile.TemporaryDirectory(prefix="waggle-copied-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        before, after = Path(name) / "before", Path(name) / "after, elsewhere"
        before.mkdir()
        first = System(before)
        try:
            up(first)
            known = json.loads(first.run("-c", FILL).splitlines()[-1])
            sizes = look_at_everything(first, known)
        finally:
            down(first)
            stop_embedded(before / "postgres")
        # As an operator does it, with owners and modes; what is left behind cannot help.
        subprocess.run(["cp", "-a", str(before), str(after)], check=True)
        shutil.rmtree(before)
        second = System(after)
        try:
            up(second)
            assert look_at_everything(second, known) == sizes and len(sizes) == 2
        finally:
            down(second)
            stop_embedded(after / "postgres")
