"""The page of an improvement policy in a real browser: the state machine goes on by itself, and is accessible."""

import numpy as np
import pytest
from django.db import transaction
from playwright.sync_api import expect

from learning.services.improvement import creating, drifting, evaluating
from marketplace.models import Account, User
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import LOOKS
from tests.browser.test_panels import accessible
from tests.learning.improvement.stories import RED, a_policy, detections, eager
from tests.learning.improvement.test_drifting import rows
from tests.learning.improvement.test_runs import figures, until_trained

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_the_state_machine_moves_while_the_page_is_open(visit: Visit, account: Account, owner: User) -> None:
    with transaction.atomic():
        policy = a_policy(account=account, parameters=eager())
    run = until_trained(policy, 3, RED)
    detections(policy, 2)
    detections(policy, 1, score=0.9)
    rng = np.random.default_rng(1)
    drifting.judge(policy, rows(rng, 60, 0.5), rows(rng, 60, 0.8))
    pages = [visit(owner, "/improvement/improve/", **look) for look in LOOKS]
    for page in pages:
        expect(page.locator(".states [aria-current] .state")).to_have_text("Evaluation")
        accessible(page)
    evaluating.conclude(run, figures(0.85, 0.95))
    for page in pages:
        expect(page.locator(".states .refused")).to_have_text("Regression", timeout=15_000)
        expect(page.get_by_text("worse by more than the margin").first).to_be_visible()
        expect(page.get_by_role("button", name="Use its images again")).to_be_visible()
        accessible(page)
    page = visit(owner, "/new-improvement/")
    page.get_by_label("Name").fill("second")
    accessible(page)
    creating.stop(policy=policy, by="user:1")
    page = visit(owner, "/improvement/")
    expect(page.locator(".badge", has_text="Stopped")).to_be_visible()
    accessible(page)
