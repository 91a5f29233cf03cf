"""One journey on an installation whose store is a bucket: upload, samples, preview, a worker's task, download."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.models import Answer, Dataset, Export, LabelingJob
from labeling.services.intake import datasets
from labeling.services.jobs import advancing
from labeling.services.output import exports
from labeling.services.queue import due
from marketplace import storage
from marketplace.models import Account, User, Worker
from marketplace.services import boundaries
from tests import builders
from tests.browser import wizard
from tests.browser.conftest import Visit
from tests.browser.drawing import draw
from tests.browser.elements_site import wait_until
from tests.object_stores import make_bucket, s3_servers  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NAMES = ["蜂 巢.png", "garden (1).png"]


@pytest.fixture
def bucket(make_bucket: Callable[[str], str], s3_servers: dict[str, str], settings: Any) -> str:  # noqa: F811
    """The bucket that holds the store, on the server that docker/compose.yaml starts."""
    address = make_bucket(s3_servers["rclone"])
    settings.STORE_URL = f"{address}/waggle"
    return address


def shown(page: Page, name: str) -> None:
    """Wait until the picture of this name is there with its pixels, not only its place."""
    picture = page.get_by_role("img", name=name)
    expect(picture).to_be_visible()
    wait_until(lambda: picture.evaluate("image => image.complete && image.naturalWidth > 0"))


def upload(page: Page) -> Dataset:
    """Two pictures become a data set."""
    files = [
        {"name": name, "mimeType": "image/png", "buffer": builders.image_bytes(number=n, size=(640, 480))}
        for n, name in enumerate(NAMES)
    ]
    page.get_by_label("Name").fill("clover")
    page.set_input_files("input[name=files]", files)
    page.get_by_role("button", name="Create the data set").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("clover")
    row = Dataset.objects.get(name="clover")
    datasets.advance_dataset(row.pk)
    return row


def launch(page: Page) -> LabelingJob:
    """The wizard with its preview, from the data set to the job."""
    wizard.up_to_the_workers(page, "1")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Automated labeling").uncheck()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("link", name="Preview the task as a worker sees it").click()
    page.locator(".canvas canvas").first.wait_for()
    page.go_back()
    page.get_by_role("button", name="Launch").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("bees")
    job = LabelingJob.objects.get(name="bees")
    advancing.advance_job(job.pk)
    return job


def box_everything(page: Page, job: LabelingJob) -> None:
    """Draw a box on every picture."""
    for done in range(len(NAMES)):
        page.locator(".canvas canvas").first.wait_for()
        expect(page.locator(".list li")).to_have_count(0)
        draw(page, 100, 50, 300, 200)
        page.get_by_role("button", name="Submit").click()
        wait_until(lambda before=done: Answer.objects.filter(assignment__queue=job.queue).count() > before)
    due.settle_due(job.queue)


def downloaded(page: Page, job: LabelingJob) -> zipfile.ZipFile:
    """A YOLO archive with the pictures."""
    page.get_by_label("Format").select_option("worker-answers")
    expect(page.get_by_label("With the images")).to_be_hidden()
    page.get_by_label("Format").select_option("yolo")
    page.get_by_label("With the images").check()
    page.get_by_role("button", name="Prepare").click()
    expect(page.get_by_role("progressbar", name="Progress")).to_be_visible()
    exports.run_export(Export.objects.get(job=job).pk)
    with page.expect_download() as fetched:
        page.get_by_role("link", name="Download (").click()
    return zipfile.ZipFile(io.BytesIO(fetched.value.path().read_bytes()))


def test_from_pictures_to_labels_in_a_bucket(
    visit: Visit, live_server: Any, bucket: str, account: Account, owner: User
) -> None:
    """Every page that shows a picture shows it, and what is downloaded holds labels and pictures."""
    worker: Worker = builders.a_worker()
    builders.a_team(account=account, workers=[worker], name="field-team")
    page = visit(owner, reverse("requester:dataset-new"))
    dataset = upload(page)
    for number in (1, 2):
        shown(page, f"Picture {number} of the data set")
    page.goto(live_server.url + reverse("requester:job-new") + f"?dataset={dataset.pk}")
    job = launch(page)
    box_everything(visit(worker.user, f"/work/{job.queue_id}/"), job)
    page.goto(live_server.url + reverse("requester:job-downloads", args=[job.pk]))
    archive = downloaded(page, job)
    assert {f"images/train/{name}" for name in NAMES} < set(archive.namelist())
    index = [json.loads(line) for line in archive.read("images.jsonl").splitlines()]
    assert all(entry["source-ref"].startswith(f"{boundaries.base_of(account)}/uploads/") for entry in index)
    assert [archive.read(entry["file"]) for entry in index] == [storage.read(entry["source-ref"]) for entry in index]
    assert archive.read("labels/train/garden (1).txt").startswith(b"0 0.3125 ")
