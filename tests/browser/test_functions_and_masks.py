"""Sending objects to a corrected function again, and galleries of masks, in a real browser of either size."""

from pathlib import Path

import numpy as np
import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.formats import mask_answers, segments
from labeling.models import DataObject, LabelingJob
from labeling.services.queue import due
from marketplace.models import Account
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.drawing import PHONE
from tests.browser.elements_site import settles
from tests.browser.test_shape_elements import check_accessible
from tests.labeling import stories
from tests.labeling.function_stories import Endpoint, a_form_job, go_on, the_objects
from tests.labeling.lambda_functions import most_votes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.slow]

PAINTED = """view => [...view.shadowRoot.querySelectorAll("canvas:not([hidden])")].map((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let painted = 0;
  for (let at = 3; at < data.length; at += 4) painted += data[at] > 0;
  return Math.round(100 * painted / (canvas.width * canvas.height));
})"""
"""How much of each layer's canvas is painted, in percent."""


def seen(page: Page, path: Path) -> None:
    """No part of the page is out of reach, and nothing is wrong with it for screen readers."""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    check_accessible(page)
    page.screenshot(path=path, full_page=True)


def test_objects_that_a_function_has_failed_are_sent_again_from_the_jobs_page(
    visit: Visit, tolerated: list[str], settings, tmp_path: Path
) -> None:
    tolerated += ["Applying inline style"]  # axe's own, while it measures
    function = Endpoint(lambda event: (422, b"what is that?"))
    settings.FETCH_ALLOWED_HOSTS = frozenset([function.host])
    try:
        job, workers = a_form_job(annotation_consolidation_function=function.url)
        go_on(job)
        for worker in workers:
            stories.work(worker, job, {"insect": "bee"})
        go_on(job)
        function.answer = lambda event: (200, most_votes(event, None))
        owner, address = job.account.members.get(), reverse("requester:job", args=[job.pk])
        again = "Send 2 objects to the function again"
        for name, options in (("phone", PHONE), ("screen", {})):
            page = visit(owner, address, **options)
            expect(page.get_by_role("button", name=again)).to_be_visible()
            seen(page, tmp_path / f"failed-{name}.png")
        page.get_by_role("button", name=again).click()
        expect(page.get_by_text("2 objects sent to the function again.")).to_be_visible()
        expect(page.get_by_role("button", name=again)).to_have_count(0)
        go_on(job)
        assert {row.state for row in the_objects(job)} == {"HumanLabeled"}
    finally:
        function.end()


def a_painted_job(account: Account) -> LabelingJob:
    """Two people have painted one picture: bees above, and one of them wasps below."""
    workers = stories.a_crowd(2)
    design = {"task_type": "SemanticSegmentation", "label_attribute_name": "city-ref", "workers_per_object": 2}
    job = stories.a_job(account, builders.a_team(account=account, workers=workers), objects=1, **design)
    stories.open_pictures(job)
    for number, worker in enumerate(workers):
        values = np.zeros((480, 640), np.uint8)
        values[:240], values[360:] = 1, 2 * number
        found = segments.from_pixels(values, {1: "bee", 2: "wasp"})
        stories.work(worker, job, mask_answers.semantic_content(found, element_name="crowd-semantic-segmentation"))
    due.settle_due(job.queue)
    return job


def test_galleries_load_small_copies_of_the_masks_that_are_looked_at(
    visit: Visit, tolerated: list[str], tmp_path: Path
) -> None:
    tolerated += ["Applying inline style"]
    account = stories.an_account()
    job = a_painted_job(account)
    owner = account.members.get()
    for name, options in (("phone", PHONE), ("screen", {})):
        page = visit(owner, reverse("requester:job-people", args=[job.pk]), **options)
        view = page.locator("waggle-boxes-view").first
        view.scroll_into_view_if_needed()
        settles(lambda v=view: sorted(v.evaluate(PAINTED)), [50, 50, 75])
        seen(page, tmp_path / f"disagreements-{name}.png")
        assert "pngImageData" not in page.content() and page.content().count("?mask=") == 3

    page = visit(owner, reverse("requester:job-gallery", args=[job.pk]))
    view = page.locator("waggle-boxes-view").first
    settles(lambda: view.evaluate(PAINTED), [50])
    loaded = "performance.getEntriesByType('resource').filter((one) => one.name.includes('?mask=')).length"
    assert page.evaluate(loaded) == 1, "layers that are switched off are not loaded"
    label = DataObject.objects.select_related("label").get(job=job).label
    assert [one["label"] for one in label.value["segments"]] == ["bee"]
    view.get_by_role("button").nth(2).click()
    settles(lambda: view.evaluate(PAINTED)[0], 50)
    settles(lambda: len(view.evaluate(PAINTED)), 2)
    settles(lambda: page.evaluate(loaded), 2)
    seen(page, tmp_path / "gallery.png")
