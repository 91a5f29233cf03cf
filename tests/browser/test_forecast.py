"""The forecast in the wizard, in a real browser: it appears on demand and changes with the number of answers."""

from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from marketplace.models import Account, User
from tests import builders
from tests.browser import wizard
from tests.browser.conftest import Visit
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTHS = (1280, 390)


@pytest.fixture
def page(visit: Visit, account: Account, owner: User) -> Page:
    """The people step of a job of two pictures for a team of six."""
    dataset = builders.a_dataset(account=account, name="clover")
    builders.a_team(account=account, workers=stories.a_crowd(6), name="field-team")
    page = visit(owner, reverse("requester:job-new") + f"?dataset={dataset.pk}")
    wizard.up_to_the_workers(page, "3")
    return page


def test_the_forecast_appears_and_changes_with_the_redundancy(page: Page, tmp_path: Path) -> None:
    own = page.locator("#forecast [data-own]")
    expect(own).to_have_count(0)
    page.get_by_role("button", name="Forecast").click()
    expect(own.get_by_role("cell").first).to_contain_text("3 answers")
    # Two pictures, three answers each, 3.6 cents and a fee of 20 %.
    expect(own).to_contain_text("$0.259")
    expect(page.locator("#forecast tbody tr")).to_have_count(4)
    expect(page.locator("#forecast")).to_contain_text("6 workers")

    page.get_by_label("Workers per object").fill("1")
    page.get_by_role("button", name="Forecast").click()
    expect(own.get_by_role("cell").first).to_contain_text("1 answer")
    expect(own).to_contain_text("$0.086")

    page.get_by_label("Workers per object").fill("5")
    page.get_by_label("How many answers?").select_option("dynamic")
    page.get_by_label("Crowd").select_option("careful")
    page.get_by_role("button", name="Forecast").click()
    expect(own.get_by_role("cell").first).to_contain_text("Up to 5")
    expect(page.locator("#forecast")).to_contain_text("Careful")

    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=tmp_path / f"forecast-{width}.png", full_page=True)
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{overflow} pixels wider than a screen of {width}"


def test_poor_pay_is_warned_of_and_an_unknown_crowd_is_explained(page: Page) -> None:
    page.get_by_label("Expected seconds per task").fill("60")
    page.get_by_role("button", name="Forecast").click()
    expect(page.locator("#forecast .callout-warn")).to_contain_text("an hour is below $7.25")
    page.get_by_label("Crowd").select_option("learned")
    page.get_by_role("button", name="Forecast").click()
    expect(page.locator("#forecast")).to_contain_text("too little is known of your crowd")
