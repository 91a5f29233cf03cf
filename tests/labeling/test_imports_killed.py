"""A label import goes on after its process was killed, with the same result; memory stays bounded for many boxes."""

import json
import subprocess
import sys

import pytest

from labeling.models import Dataset, ImportedLine, Label, LabelImport
from labeling.services.imports import advancing, creating, reports
from marketplace import storage
from tests import builders
from tests.labeling import label_files
from tests.labeling.test_datasets_killed import run_killed
from tests.labeling.test_killed_anywhere import environment

pytestmark = pytest.mark.django_db(transaction=True)
IMAGES, BOXES = 300, 40


def a_set():
    """The members of a zip: COCO labels and their images."""
    names = [f"train/{n:04d}.png" for n in range(IMAGES)]
    listed = [{"id": n, "file_name": name, "width": 300, "height": 200} for n, name in enumerate(names)]
    annotations = [{"image_id": n, "bbox": [1 + at, 2 + at, 30, 20]} for n in range(IMAGES) for at in range(BOXES)]
    return {
        "instances_train.json": label_files.coco(*annotations, images=listed),
        **{name: builders.image_bytes(number=n, size=(300, 200)) for n, name in enumerate(names)},
    }


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("while the images are unpacked", marks=pytest.mark.slow),
        "while the labels are read",
        pytest.param("at the end", marks=pytest.mark.slow),
    ],
)
def test_an_import_continues_after_a_kill(moment):
    account = builders.an_account()
    uri = label_files.stored(account, label_files.zipped(a_set()))
    row = creating.create_import(account=account, by="user:1", uri=uri, name="bees")
    live = LabelImport.objects.filter(pk=row.pk)
    seen = {
        "while the images are unpacked": lambda: storage.exists(
            storage.join(reports.base(row), "images", "0000050.png")
        ),
        "while the labels are read": lambda: storage.exists(
            storage.join(reports.base(row), "images", f"{IMAGES + 1:07d}.png")
        ),
        "at the end": lambda: storage.exists(reports.uri(row, "jsonl")),
    }[moment]
    run_killed(f"from labeling.services.imports import advancing; advancing.advance_import({row.pk})", seen)
    if live.get().status == "InProgress":
        assert not ImportedLine.objects.exists() and not Dataset.objects.exists()
    advancing.advance_import(row.pk)
    row = live.get()
    assert (row.status, row.counts["labeled"], row.counts["parts"]) == ("Completed", IMAGES, IMAGES * BOXES)
    assert Dataset.objects.filter(name="bees").count() == 1
    assert ImportedLine.objects.filter(label_import=row).count() == IMAGES
    lines = storage.read(row.dataset.source["uri"]).splitlines()
    assert len({json.loads(line)["source-name"] for line in lines}) == len(lines) == IMAGES


@pytest.mark.slow
def test_golds_continue_after_a_kill():
    account = builders.an_account()
    names = [f"{n:04d}.jpg" for n in range(600)]
    job = label_files.a_job_over(account, *names)
    uri = label_files.stored(account, label_files.coco_of(*names), "i.json")
    row = creating.create_import(account=account, by="user:1", uri=uri, purpose="golds", job=job)
    golds = Label.objects.filter(data_object__job=job)
    run_killed(f"from labeling.services.imports import advancing; advancing.advance_import({row.pk})", golds.exists)
    assert golds.count() > 0
    advancing.advance_import(row.pk)
    row.refresh_from_db()
    assert (row.status, row.counts["labeled"]) == ("Completed", 600)
    assert golds.count() == 600 == golds.filter(revision=1).count()


MEASURED = """
import re, sys, django
django.setup()
from labeling.services.imports import advancing
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
before = peak()
advancing.advance_import(int(sys.argv[1]))
print((peak() - before) // 1024)
"""


@pytest.mark.slow
def test_a_hundred_thousand_boxes_need_little_memory():
    """A process that does nothing else grows by less than 300 MB, and every box arrives."""
    account = builders.an_account()
    count, each = 500, 200
    picture = builders.image_bytes(size=(640, 480))
    names = [f"{n:05d}.png" for n in range(count)]
    listed = [{"id": n, "file_name": name, "width": 640, "height": 480} for n, name in enumerate(names)]
    annotations = [{"image_id": n, "bbox": [at, at, 30.5, 20.25]} for n in range(count) for at in range(each)]
    labels = label_files.coco(*annotations, images=listed)
    content = label_files.zipped({"i.json": labels, **dict.fromkeys(names, picture)})
    row = creating.create_import(account=account, by="user:1", uri=label_files.stored(account, content), name="many")
    child = [sys.executable, "-c", MEASURED, str(row.pk)]
    patient = {"WAGGLE_QUEUE_TIMEOUT_SECONDS": "1800", "WAGGLE_QUEUE_RETRY_SECONDS": "2100"}
    run = subprocess.run(child, env=environment() | patient, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    row.refresh_from_db()
    assert row.status == "Completed", row.failure_reason
    assert (row.counts["parts"], row.dataset.name) == (count * each, "many")
    assert int(run.stdout) < 300
