"""A requester raises a price and sets a ceiling in a real browser; the page is accessible at two widths."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from labeling.models import Batch, LabelingJob, PriceChange
from labeling.services.jobs import advancing
from marketplace.models import Account, User, Worker
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import LOOKS, check
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_a_price_is_raised_and_rises_by_itself(
    visit: Visit, live_server: Any, account: Account, owner: User, workers: list[Worker]
) -> None:
    """The worker's list shows what the price has become, and the job's page says why."""
    team = builders.a_team(account=account, workers=workers)
    job = stories.open_pictures(stories.a_job(account, team, workers_per_object=2, objects=4, price_micros=30_000))
    address = reverse("requester:job", args=[job.pk])
    page = visit(owner, address)
    page.get_by_label("New price in dollars").fill("0.036")
    page.get_by_role("button", name="Raise the price").click()
    expect(page.get_by_text("it is paid for every answer")).to_be_visible()
    page.get_by_label("Highest price in dollars").fill("0.05")
    page.get_by_label("Done within hours from now").fill("3")
    page.get_by_role("button", name="Save the ceiling").click()
    expect(page.get_by_text("next to $0.04")).to_be_visible()

    # As if nobody had worked since yesterday.
    Batch.objects.update(opened_at=timezone.now() - timedelta(hours=20))
    PriceChange.objects.update(changed_at=timezone.now() - timedelta(hours=19))
    page.goto(live_server.url + address)
    expect(page.get_by_text("At this pace the job is done later than wanted.")).to_be_visible()
    advancing.advance_job(job.pk)
    assert LabelingJob.objects.get(pk=job.pk).price_micros == 40_000
    page.goto(live_server.url + address)
    expect(page.get_by_text("forecast end never")).to_be_visible()
    listed = visit(workers[0].user, reverse("worker:jobs"))
    expect(listed.get_by_text("$0.04", exact=True)).to_be_visible()
    for look in LOOKS:
        look = {**look, "color_scheme": "light"}
        shown = visit(owner, address, **look)
        check(shown, [live_server.url + address])
        assert shown.evaluate("document.documentElement.scrollWidth") <= look["viewport"]["width"]
