"""A requester starts a search for hyperparameters, watches it and sees what was best."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from learning.models import HyperParameterTuningJob
from learning.services.tuning import advancing
from marketplace.models import Account, User
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import LOOKS, check
from tests.frontend.test_tunings import a_labeled_dataset
from tests.learning.tuning.stories import drive

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_a_search_is_started_watched_and_read(visit: Visit, live_server: Any, account: Account, owner: User) -> None:
    """From the form to the charts, by mouse and on a phone."""
    a_labeled_dataset(account)
    for number, look in enumerate(LOOKS):
        page = visit(owner, reverse("requester:tuning-new"), **look)
        page.get_by_label("Name", exact=True).fill(f"search-{number}")
        page.get_by_label("Trainings at most").fill("8")
        # What belongs to another strategy is not shown.
        expect(page.get_by_label("Hyperband: epochs at least (optional)")).to_be_hidden()
        page.locator("#id_range-0-high").fill("7")
        page.get_by_role("button", name="Start the search").click()
        expect(page.get_by_text("learning_rate = 7")).to_be_visible()
        page.locator("#id_range-0-high").fill("0.1")
        page.get_by_role("button", name="Start the search").click()
        expect(page.get_by_role("heading", name=f"search-{number}")).to_be_visible()
        expect(page.locator("waggle-parallel")).to_contain_text("Nothing to show yet.")

        tuning = HyperParameterTuningJob.objects.get(name=f"search-{number}")
        drive(tuning, most=4)
        # The page follows by itself.
        expect(page.locator("#tuning-progress tbody tr")).to_have_count(5, timeout=30_000)
        expect(page.locator("waggle-parallel path")).to_have_count(3, timeout=30_000)
        advancing.advance(tuning_id=tuning.pk)
        expect(page.locator("waggle-parallel path")).to_have_count(4, timeout=30_000)
        drive(tuning)
        expect(page.get_by_role("heading", name="Completed")).to_be_visible(timeout=30_000)
        expect(page.locator("waggle-parallel path.best")).to_have_count(1)
        expect(page.locator("waggle-chart canvas")).to_have_count(2)
        check(
            page,
            [
                live_server.url + reverse("requester:tuning", args=[tuning.pk]),
                live_server.url + reverse("requester:tunings"),
                live_server.url + reverse("requester:tuning-new"),
            ],
        )
