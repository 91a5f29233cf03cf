"""Jobs of texts, of several classes and of a custom template with a real browser: from the wizard to the manifest."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling import background, task_types
from labeling.models import Answer, Dataset, LabelingJob
from labeling.services.output import manifests
from marketplace import storage
from marketplace.models import Account, User, Worker
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.elements_site import wait_until
from tests.browser.wizard import launch

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

TEXT = "A bee sat on a flower"
PHONE = {"viewport": {"width": 390, "height": 844}}
TEMPLATE = """<crowd-form><p>{{ task.input.source }}</p>
<crowd-input name="kind" label="What is it?" required></crowd-input></crowd-form>"""


def by_keys(*keys: str) -> Callable[[Page], None]:
    """What a worker presses until the answer is complete; Enter hands it in."""

    def press(page: Page) -> None:
        for key in keys:
            page.keyboard.press(key)
        page.keyboard.press("Enter")

    return press


def into_the_template(page: Page) -> None:
    """Fill in the field of TEMPLATE and press the button of its form."""
    frame = page.frame_locator("crowd-template iframe:not(.ahead)")
    frame.get_by_label("What is it?").fill("an insect")
    frame.get_by_role("button", name="Submit").click()


def mark_the_bee(page: Page) -> None:
    """Select the second word of TEXT by keys and give it the first label."""
    page.keyboard.press("Control+ArrowRight")
    page.keyboard.press("Control+Shift+ArrowRight")
    page.keyboard.press("1")
    page.keyboard.press("Enter")


# Task type -> what shows that its page is ready, what a worker does, and the label in the manifest.
JOBS: dict[str, tuple[str, Callable[[Page], None], Any]] = {
    "TextMultiClass": ("[role=radio]", by_keys("2"), 1),
    "TextMultiClassMultiLabel": ("[role=checkbox]", by_keys("2", "1"), [0, 1]),
    "NamedEntityRecognition": (
        ".text",
        mark_the_bee,
        {
            "annotations": {
                "labels": [{"label": "bee"}, {"label": "wasp"}],
                "entities": [{"label": "bee", "startOffset": 2, "endOffset": 5}],
            }
        },
    ),
    "ImageMultiClassMultiLabel": (".canvas img", by_keys("2", "1"), [0, 1]),
    "Custom": ("crowd-template iframe:not(.ahead)", into_the_template, "an insect"),
}


def a_dataset(account: Account, medium: str) -> Dataset:
    """Of one text or one image."""
    if medium == task_types.base.IMAGE:
        (uri,) = builders.tiny_images(1, account=account)
        return builders.a_dataset(account=account, uri=uri.rsplit("/", 1)[0], name="pictures")
    manifest = storage.join(settings.STORE_URL, account.number, "uploads", "texts.manifest")
    storage.write(manifest, json.dumps({"source": TEXT, "page": 7}).encode() + b"\n")
    return builders.a_dataset(account=account, kind="manifest", uri=manifest, name="texts")


def launched(visit: Visit, account: Account, owner: User, name: str) -> LabelingJob:
    """A job of one object for two workers, made in the wizard."""
    kind = task_types.get(name)
    dataset = a_dataset(account, kind.medium)
    page = visit(owner, reverse("requester:job-new") + f"?dataset={dataset.pk}")
    fill_in = (lambda at: at.get_by_label("Worker template").fill(TEMPLATE)) if kind.by_template else None
    launch(page, "texts", kind.title, title="What is it about?", description="Bees and wasps", on_task=fill_in)
    job = LabelingJob.objects.get(account=account)
    background.advance_job(job.pk)
    return job


@pytest.mark.parametrize("name", JOBS)
def test_from_the_wizard_to_the_manifest(
    visit: Visit, account: Account, owner: User, workers: list[Worker], name: str
) -> None:
    """Two workers, one on a phone's page, give the same answer; the manifest has it beside what came in."""
    ready, answer, label = JOBS[name]
    builders.a_team(account=account, workers=workers, name="field-team")
    job = launched(visit, account, owner, name)
    for number, worker in enumerate(workers):
        page = visit(worker.user, f"/work/{job.queue_id}/", **({} if number == 0 else PHONE))
        page.locator(ready).first.wait_for()
        if name != "Custom" and task_types.get(name).medium == task_types.base.TEXT:
            page.get_by_text(TEXT).first.wait_for()
        answer(page)
        expect(page.get_by_text("You have done every task of this job")).to_be_visible()
        assert wait_until(lambda at=number: Answer.objects.count() == at + 1)
        page.context.close()
    background.advance_queue(job.queue_id)
    background.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Completed"

    (line,) = [json.loads(text) for text in storage.read(manifests.manifest_uri(job)).decode().splitlines()]
    metadata = line["texts-metadata"]
    assert metadata["human-annotated"] == "yes" and metadata["job-name"] == "labeling-job/texts"
    if name == "Custom":
        given = [one["annotationData"]["content"] for one in line["texts"]["annotationsFromAllWorkers"]]
        assert [json.loads(content)["kind"] for content in given] == [label, label]
    else:
        assert line["texts"] == label
    if task_types.get(name).medium == task_types.base.TEXT:
        assert line["source"] == TEXT and line["page"] == 7
