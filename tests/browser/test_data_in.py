"""Uploads and exports in a real browser: files are sent in parts with progress, stopped and resumed; refused files and
lines are listed with their number and reason; an export shows progress until its link appears."""

import io
import json
import zipfile
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.models import Dataset, Export, LabelingJob
from labeling.services.intake import datasets
from labeling.services.jobs import advancing, creation
from labeling.services.output import exports
from marketplace import storage
from marketplace.models import Account, User
from marketplace.services import boundaries
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.elements_site import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def image_files(count: int) -> list[dict[str, Any]]:
    """Image files in the form in which a file chooser takes them."""
    return [
        {"name": f"{n:03}.png", "mimeType": "image/png", "buffer": builders.image_bytes(number=n)} for n in range(count)
    ]


def a_running_job(account: Account, dataset: Dataset) -> LabelingJob:
    """A job on the data set whose objects have been ingested."""
    job = creation.create_job(
        account=account,
        by="user:1",
        name="from-a-file",
        labels=["bee"],
        dataset=dataset,
        workteam=builders.a_team(account=account, workers=1),
        title="Bees",
        description="Box them",
        price_micros=36_000,
        expected_seconds=9,
        workers_per_object=1,
    )
    advancing.advance_job(job.pk)
    return job


def made(page: Page, name: str) -> Dataset:
    """Wait for the data set's page, then process the data set as the queue does."""
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    row = Dataset.objects.get(name=name)
    datasets.advance_dataset(row.pk)
    row.refresh_from_db()
    return row


def make(page: Page, name: str, kind: str, files: list[dict[str, Any]]) -> Dataset:
    """Fill in the form, submit it, and process the data set."""
    page.get_by_label("Name").fill(name)
    page.get_by_text(kind).click()
    page.set_input_files("input[name=files]", files)
    page.get_by_role("button", name="Create the data set").click()
    return made(page, name)


def test_more_files_than_fit_into_one_request_are_uploaded(visit: Visit, owner: User, account: Account) -> None:
    """130 images: the browser sends them in parts; the page shows progress until the data set is complete."""
    page = visit(owner, reverse("requester:dataset-new"))
    row = make(page, "many", "Files from this computer", image_files(130))
    assert (row.status, row.objects_total, row.bad_lines) == ("Completed", 130, 0)
    expect(page.get_by_role("heading", name="The first pictures")).to_be_visible()
    expect(page.get_by_role("img", name="Picture 6 of the data set")).to_be_visible()


def test_a_stopped_upload_is_resumed(visit: Visit, owner: User, account: Account) -> None:
    """What had arrived is kept and only the rest is sent; no file is uploaded twice."""
    page = visit(owner, reverse("requester:dataset-new"))
    sent: list[str] = []
    hold: list[Any] = []

    def pass_on(route: Any) -> None:
        sent.append(route.request.url)
        if len(sent) == 2:
            hold.append(route)  # the second part is held back until the requester stops the upload
        else:
            route.continue_()

    page.route("**/api/v1/uploads", pass_on)
    page.get_by_label("Name").fill("halves")
    page.set_input_files("input[name=files]", image_files(30))
    page.get_by_role("button", name="Create the data set").click()
    expect(page.get_by_text("Uploading: 20 of 30 files")).to_be_visible()
    # Routes are handled only while the browser is spoken to, so the wait speaks to it.
    wait_until(lambda: page.evaluate("1") and hold)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped: 20 of 30 files arrived.")).to_be_visible()
    assert not Dataset.objects.filter(name="halves").exists()

    page.get_by_role("button", name="Create the data set").click()
    assert made(page, "halves").objects_total == 30
    assert len(sent) == 3


def test_a_form_with_an_error_keeps_the_uploaded_files(visit: Visit, owner: User, account: Account) -> None:
    """After correcting the name the files need not be uploaded again."""
    page = visit(owner, reverse("requester:dataset-new"))
    page.get_by_label("Name").fill("no name!")
    page.set_input_files("input[name=files]", image_files(3))
    page.get_by_role("button", name="Create the data set").click()
    expect(page.locator(".field.invalid .field-error")).to_contain_text("Letters, digits and hyphens")
    expect(page.get_by_text("3 files uploaded already")).to_be_visible()
    page.get_by_label("Name").fill("a-name")
    page.get_by_role("button", name="Create the data set").click()
    assert made(page, "a-name").objects_total == 3


def test_refused_files_of_a_zip_are_listed(visit: Visit, owner: User, account: Account) -> None:
    """Images are used; every other file is listed with its number, reason and name."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in image_files(2):
            archive.writestr(file["name"], file["buffer"])
        archive.writestr("notes.txt", b"no picture")
    page = visit(owner, reverse("requester:dataset-new"))
    zipped = {"name": "set.zip", "mimeType": "application/zip", "buffer": packed.getvalue()}
    row = make(page, "zipped", "A zip file from this computer", [zipped])
    assert (row.objects_total, row.bad_lines) == (2, 1)
    refused = page.locator("section", has=page.get_by_role("heading", name="Refused files")).locator("tbody tr")
    expect(refused).to_have_count(1)
    expect(refused).to_contain_text("notes.txt")
    expect(refused).to_contain_text("is not an image by its content")


def test_refused_lines_of_a_manifest_are_listed_on_the_data_set_and_on_the_job(
    visit: Visit, live_server: Any, owner: User, account: Account, tolerated: list[str]
) -> None:
    """Bad lines are listed on the data set's page, broken images on the job's page, each with its reason."""
    tolerated.append("409 (Conflict)")  # the broken image is among the first ones
    uri = builders.tiny_images(1, account=account)[0]
    broken = storage.join(boundaries.base_of(account), "uploads", "broken.png")
    storage.write(broken, b"\x89PNG and nothing more", content_type="image/png")
    lines = [json.dumps({"source-ref": uri}), "{not json", json.dumps({"x": 1}), json.dumps({"source-ref": broken})]
    file = {"name": "in.manifest", "mimeType": "application/jsonl", "buffer": "\n".join(lines).encode()}
    page = visit(owner, reverse("requester:dataset-new"))
    row = make(page, "listed", "A manifest from this computer", [file])
    assert (row.objects_total, row.bad_lines) == (2, 2)
    expect(page.get_by_text("of 4 lines read")).to_be_visible()
    table = page.locator("section", has=page.get_by_role("heading", name="Refused lines")).locator("tbody tr")
    expect(table.nth(0)).to_contain_text("2is not valid JSON")
    expect(table.nth(1)).to_contain_text("3'source-ref' or 'source' is missing")
    expect(page.get_by_text("Picture 2 of the data set: cannot be shown")).to_be_visible()

    job = a_running_job(account, row)
    page.goto(live_server.url + reverse("requester:job", args=[job.pk]))
    refused = page.locator("section", has=page.get_by_role("heading", name="Refused lines and failed objects")).locator(
        "li"
    )
    expect(refused).to_have_count(1)
    expect(refused).to_contain_text("Object 1:")


def test_an_export_shows_progress_and_is_then_downloaded(
    visit: Visit, live_server: Any, owner: User, account: Account
) -> None:
    """The row is updated without a reload, a stopped export says so, and the link returns the file."""
    dataset = builders.a_dataset(account=account)
    job = a_running_job(account, dataset)
    page = visit(owner, reverse("requester:job-downloads", args=[job.pk]))
    page.get_by_label("Format").select_option("coco")
    page.get_by_role("button", name="Prepare").click()
    expect(page.get_by_role("progressbar", name="Progress")).to_be_visible()
    exports.run_export(newest(job).pk)
    link = page.get_by_role("link", name="Download (")
    expect(link).to_be_visible()
    with page.expect_download() as fetched:
        link.click()
    assert zipfile.is_zipfile(fetched.value.path())

    page.get_by_role("button", name="Prepare").click()
    page.locator("#exports").get_by_role("button", name="Stop").click()
    expect(page.locator("#exports tbody tr").first).to_contain_text("Stopped")
    assert newest(job).status == "Stopped"


def newest(job: LabelingJob) -> Export:
    """The newest export."""
    return Export.objects.filter(job=job).order_by("-pk")[0]
