"""Importing labels in a real browser: from the data sets' pages to the report, a labeling job and the golds."""

from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.models import Dataset, LabelImport
from labeling.services.imports import advancing
from labeling.services.intake import datasets
from labeling.services.jobs import advancing as jobs
from labeling.services.jobs import creation
from marketplace.models import Account, User
from tests import builders
from tests.browser.conftest import Visit
from tests.labeling import label_files, stories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BEES = [{"bbox": [10, 10, 20, 20]}, {"bbox": [90, 10, 30, 20]}, {"bbox": [1, 1, 0, 0]}]


def a_file(name: str, content: bytes) -> dict:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def imported(page: Page) -> LabelImport:
    """Wait for the import's page, then do the import as the queue does."""
    expect(page.get_by_role("heading", level=1)).to_contain_text("Initializing")
    row = LabelImport.objects.order_by("-pk")[0]
    advancing.advance_import(row.pk)
    return LabelImport.objects.get(pk=row.pk)


def test_images_with_labels_become_a_data_set_and_a_job(visit: Visit, owner: User, account: Account) -> None:
    """A zip is uploaded; the report says what was clipped and skipped; the wizard takes labels and classes over."""
    builders.a_team(account=account, workers=1)
    members = {"i.json": label_files.coco(*BEES), "a.jpg": label_files.picture(), "b.jpg": label_files.picture()}
    page = visit(owner, reverse("requester:datasets"))
    page.get_by_role("link", name="New data set").first.click()
    page.get_by_role("link", name="Import images with labels").click()
    page.set_input_files("input[name=files]", [a_file("set.zip", label_files.zipped(members))])
    page.get_by_label("Name", exact=True).fill("bees")
    expect(page.get_by_label("Labeling job", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Import the labels").click()
    row = imported(page)
    assert row.status == "Completed", row.failure_reason
    # The page follows by itself.
    expect(page.get_by_role("heading", name="Report")).to_be_visible()
    lines = page.locator("section", has=page.get_by_role("heading", name="Report")).locator("tbody tr")
    expect(lines).to_have_count(3)
    page.get_by_role("link", name="Clipped (1)").click()
    expect(lines).to_have_count(1)
    expect(lines).to_contain_text("lies outside the image (100 x 50): it was clipped")
    with page.expect_download() as fetched:
        page.get_by_role("link", name="Table (CSV)").click()
    assert len(fetched.value.path().read_text().splitlines()) == 4

    dataset = Dataset.objects.get(name="bees")
    datasets.advance_dataset(dataset.pk)
    page.get_by_role("link", name="Open the data set").click()
    expect(page.get_by_text("1 of 2 objects, 2 boxes")).to_be_visible()
    page.get_by_role("link", name="New labeling job").click()
    expect(page.get_by_label("Label attribute")).to_have_value("labels")
    page.get_by_label("Name", exact=True).fill("the-rest")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("textbox", name="Labels")).to_have_value("bee")


def test_labels_become_golds_of_a_job(visit: Visit, live_server, owner: User, account: Account) -> None:
    """From the page of a data set the import is chosen to be golds; the job's gallery shows them as decided."""
    images = label_files.a_named_dataset(account, {"a.jpg": label_files.picture(), "b.jpg": label_files.picture()})
    team = builders.a_team(account=account, workers=[])
    design = stories.a_design(account, team, name="judged", dataset=images)
    job = creation.create_job(**design | {"input_manifest_uri": None})
    jobs.advance_job(job.pk)
    page = visit(owner, reverse("requester:dataset", args=[images.pk]))
    page.get_by_role("link", name="Import labels").click()
    expect(page.get_by_label("Where are the images or texts?")).to_have_value("dataset")
    page.get_by_text("Golds of a labeling job").click()
    expect(page.get_by_label("Where are the images or texts?")).to_be_hidden()
    page.set_input_files("input[name=files]", [a_file("i.json", label_files.coco(BEES[0]))])
    page.get_by_role("button", name="Import the labels").click()
    row = imported(page)
    assert row.status == "Completed", row.failure_reason
    page.get_by_role("link", name="Open the labels").click()
    expect(page.get_by_text("Yours").first).to_be_visible()


def test_a_mistake_in_the_form_is_said_and_a_failed_import_says_the_way_out(
    visit: Visit, owner: User, account: Account
) -> None:
    page = visit(owner, reverse("requester:dataset-import-new"))
    page.get_by_role("button", name="Import the labels").click()
    expect(page.locator(".field.invalid .field-error").first).to_contain_text("required")
    page.get_by_label("Name", exact=True).fill("bees")
    page.get_by_role("button", name="Import the labels").click()
    expect(page.get_by_text("One label file is expected, none was chosen.")).to_be_visible()
    page.set_input_files("input[name=files]", [a_file("i.json", label_files.coco(BEES[0]))])
    page.get_by_role("button", name="Import the labels").click()
    assert imported(page).status == "Failed"
    expect(page.get_by_text("choose the data set that has the images")).to_be_visible()
    expect(page.get_by_role("link", name="Import again")).to_be_visible()


@pytest.mark.slow
def test_classes_of_texts_come_from_a_table_and_leave_as_another(
    visit: Visit, owner: User, account: Account, tmp_path: Path
) -> None:
    """The form says what such labels are read from; the wizard and the downloads follow it, on a phone as well."""
    builders.a_team(account=account, workers=1)
    page = visit(owner, reverse("requester:dataset-import-new"))
    said = page.locator("p.hint:visible", has_text="Read from")
    expect(said).to_contain_text("COCO (JSON), Pascal VOC (XML)")
    page.get_by_label("Kind of labels").select_option("TextMultiClassMultiLabel")
    expect(said).to_contain_text("Table (CSV), JSON Lines with texts")
    table = "text,labels\nFine bees.,praise|bees\nNothing to say.,\nWhy?,question\n,lost\n"
    page.set_input_files("input[name=files]", [a_file("texts.csv", table.encode())])
    page.get_by_label("Name", exact=True).fill("letters")
    looked_at(page, tmp_path / "form")
    page.get_by_role("button", name="Import the labels").click()
    row = imported(page)
    assert (row.status, row.format, row.labels) == ("Completed", "csv", ["praise", "bees", "question"])
    expect(page.get_by_role("heading", name="Report")).to_be_visible()
    expect(page.get_by_text("line 5")).to_be_visible()
    looked_at(page, tmp_path / "report")
    assert row.dataset is not None
    datasets.advance_dataset(row.dataset.pk)
    page.get_by_role("link", name="Open the data set").click()
    expect(page.get_by_text("3 of 3 objects, 3 classes")).to_be_visible()
    page.get_by_role("link", name="New labeling job").click()
    page.get_by_label("Name", exact=True).fill("more-letters")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("input[name=task_type]:checked")).to_have_value("TextMultiClassMultiLabel")
    expect(page.get_by_role("textbox", name="Labels")).to_have_value("praise\nbees\nquestion")

    design = stories.a_design(account, builders.a_team(account=account, workers=[]), dataset=row.dataset)
    changes = {"task_type": row.task_type, "labels": row.labels, "label_attribute_name": "labels"}
    job = creation.create_job(**design | changes | {"input_manifest_uri": None})
    jobs.advance_job(job.pk)
    page = visit(owner, reverse("requester:job-downloads", args=[job.pk]))
    choices = page.get_by_label("Format").locator("option")
    expect(choices).to_have_text(
        ["Augmented manifest", "Table (CSV)", "JSON Lines", "Hugging Face datasets", "Answers of each worker"]
    )
    looked_at(page, tmp_path / "downloads")


def looked_at(page: Page, path: Path) -> None:
    """Nothing is wider than the screen, whatever its size."""
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=f"{path}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), width
