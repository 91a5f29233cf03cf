"""The operator's page System in a real browser: it renews itself, and is accessible at two widths."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ
from playwright.sync_api import expect

from marketplace import queue
from marketplace.services import heartbeats
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import LOOKS, check
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_page_renews_itself_and_says_what_to_do(visit: Visit, live_server: Any) -> None:
    account = stories.an_account(funds="250")
    stories.open_pictures(stories.a_job(account, builders.a_team(account=account, workers=1)))
    gpu = {
        "name": "NVIDIA H100 80GB HBM3",
        "use": 0.93,
        "memory_used": 61 << 30,
        "memory_total": 80 << 30,
        "celsius": 64,
    }
    told = {"slots": 2, "serving_slots": 16, "running": 1, "gpus": [gpu, {**gpu, "use": 0.07}]}
    heartbeats.note(heartbeats.LEARNER, place="learner-1.apiary.example:0123456789ab", figures=told)
    page = visit(builders.an_operator(), reverse("operator:system"))
    expect(page.get_by_text("Nothing is stuck.")).to_be_visible()
    expect(page.get_by_text("93 % busy")).to_be_visible()
    queue.enqueue("marketplace.background.sweep")
    OrmQ.objects.update(lock=timezone.now() - timedelta(minutes=7))
    expect(page.get_by_text("due in the queue and not taken")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("WAGGLE_QUEUE_WORKERS")).to_be_visible()
    operator = builders.an_operator()
    for look in LOOKS:
        shown = visit(operator, reverse("operator:system"), **look)
        check(shown, [live_server.url + reverse("operator:system")], fits=True)
