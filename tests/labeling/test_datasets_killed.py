"""Ingestion continues after its process was killed, with the same result."""

import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection

from labeling.models import DataObject
from labeling.services.intake import datasets, inspection, loading
from labeling.services.jobs import creation
from marketplace import storage
from marketplace.services import boundaries
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db(transaction=True)
COUNT = 400


def run_killed(statement: str, seen) -> None:
    """Run a statement in a process of its own and kill the process as soon as `seen()` is true."""
    parts = urlsplit(os.environ["WAGGLE_DATABASE_URL"])
    url = urlunsplit(parts._replace(path="/" + connection.settings_dict["NAME"]))
    child = subprocess.Popen(
        # The lowest priority, so that this test, which watches the process, is not too late.
        [sys.executable, "-c", f"import os; os.nice(19); import django; django.setup(); {statement}"],
        env=os.environ | {"WAGGLE_DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "marketplace.settings"},
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while not seen() and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    alive = child.poll() is None
    child.send_signal(signal.SIGKILL)
    _, errors = child.communicate()
    assert alive, f"it ended before it could be killed: {errors.decode()[-2000:]}"


def test_unpacking_continues_after_a_kill():
    account = builders.an_account()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(COUNT):
            archive.writestr(f"{number:04d}.png", builders.image_bytes(number=number, size=(300, 200)))
    uri = storage.join(boundaries.base_of(account), "uploads", "pictures.zip")
    storage.write(uri, buffer.getvalue())
    dataset = builders.a_dataset(account=account, kind="zip", uri=uri, made=False)
    last_seen = storage.join(boundaries.base_of(account), "datasets", str(dataset.pk), "images", "0000021.png")
    run_killed(
        f"from labeling.services.intake import datasets; datasets.advance_dataset({dataset.pk})",
        lambda: storage.exists(last_seen),
    )
    dataset.refresh_from_db()
    assert dataset.status == "InProgress"
    datasets.advance_dataset(dataset.pk)
    dataset.refresh_from_db()
    assert (dataset.status, dataset.objects_total, dataset.bad_lines) == ("Completed", COUNT, 0)
    assert len(storage.read(dataset.manifest_uri).splitlines()) == COUNT


def test_inspection_continues_after_a_kill():
    account = builders.an_account()
    uris = builders.tiny_images(COUNT, account=account, size=(640, 480))
    storage.write(uris[COUNT - 1], b"broken")
    team = builders.a_team(account=account, workers=0)
    manifest = builders.a_manifest(account, [{"source-ref": uri} for uri in uris])
    job = creation.create_job(**stories.a_design(account, team, input_manifest_uri=manifest))
    loading.load_objects(job)
    ids = [*DataObject.objects.filter(job=job).order_by("index").values_list("pk", flat=True)]
    seen = DataObject.objects.filter(job=job, inspected_at__isnull=False)
    run_killed(f"from labeling.services.intake import inspection; inspection.inspect_objects({ids})", seen.exists)
    assert 0 < seen.count() < COUNT
    failures = inspection.inspect_objects(ids)
    assert list(failures) == [ids[-1]]
    assert DataObject.objects.filter(job=job, width=640, height=480).count() == COUNT - 1
