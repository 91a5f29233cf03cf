"""A requester reads which labels are likely wrong, and lets people look at the likeliest ones first."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from labeling.models import DataObject, LabelingJob, LikelyError
from labeling.services.jobs import advancing, creation
from labeling.services.queue import assignments
from marketplace.models import Account, User, Worker
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import LOOKS, check
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
SURE = stories.boxes((100, 100, 150, 140))
SECOND = stories.boxes((100, 100, 150, 140), (400, 200, 90, 120))


def test_the_likeliest_error_is_read_and_looked_at(
    visit: Visit, live_server: Any, account: Account, owner: User, workers: list[Worker]
) -> None:
    """From the gallery to the object's reason, and through the first step of a verification."""
    lines = [{"source-ref": uri} for uri in builders.tiny_images(3, account=account, size=stories.SIZE)]
    team = builders.a_team(account=account, workers=workers)
    manifest = builders.a_manifest(account, lines)
    design = stories.a_design(account, team, input_manifest_uri=manifest, workers_per_object=2)
    job = creation.create_job(**design)
    advancing.advance_job(job.pk)
    for place, worker in enumerate(workers):
        while (seat := assignments.claim(worker=worker, queue=job.queue)) is not None:
            stories.answer(seat, SECOND if place and seat.task.data_object.index == 1 else SURE)
    advancing.advance_job(job.pk)
    first = LikelyError.objects.filter(data_object__job=job).order_by("-chance")[0].data_object
    assert first.index == 1 and LabelingJob.objects.get(pk=job.pk).status == "Completed"

    gallery = reverse("requester:job-gallery", args=[job.pk]) + "?which=likely-wrong"
    one = reverse("requester:object", args=[job.pk, first.pk])
    for look in LOOKS:
        page = visit(owner, gallery, **look)
        expect(page.locator(".gallery-item").first).to_contain_text("the chance is")
        check(page, [live_server.url + gallery, live_server.url + one])
        expect(page.get_by_text("The chance that anything is wrong with the label")).to_be_visible()

        page.goto(live_server.url + reverse("requester:job", args=[job.pk]))
        page.get_by_role("button", name="Verify bounding boxes").click()
        expect(page.get_by_label("How many of them")).to_be_hidden()
        page.get_by_label("Which objects?").select_option("likely-wrong")
        page.get_by_label("How many of them").fill("1")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_label("Title", exact=True)).to_be_visible()
    assert DataObject.objects.filter(job=job).count() == 3
