"""A training in a real browser: started by the form, followed to its end, trained again; accessible at two widths."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from learning.models import TrainingJob
from learning.services.programs import recording
from learning.services.programs.supervisor import Supervisor
from marketplace.models import Account, User
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import LOOKS, check
from tests.learning.kind_cases import a_transform
from tests.learning.programs.executor import CountingExecutor

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
MORE = "_pause = 0.1\n_say = the first words of a log\n_steps = 100000"


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    """A learner whose program counts instead of training."""
    made = Supervisor(executor=CountingExecutor(), slots=2, root=tmp_path / "programs")
    yield made
    made.shut_down()


def until(page: Page, supervisor: Supervisor, text: str) -> None:
    """Let the learner work until the page shows a text."""
    deadline = time.monotonic() + 120
    while not page.get_by_text(text).first.is_visible():
        assert time.monotonic() < deadline, f"{text!r} is not shown"
        supervisor.step()
        page.wait_for_timeout(200)


def test_a_training_is_started_followed_and_stopped(
    visit: Visit, live_server: Any, account: Account, owner: User, supervisor: Supervisor, monkeypatch: Any
) -> None:
    """The page of a training follows it without being loaded anew, and says so when it is over."""
    monkeypatch.setattr(recording, "PAUSE_SECONDS", 0.5)
    builders.a_dataset(account=account, name="hives")
    page = visit(owner, reverse("requester:trainings"))
    page.get_by_role("link", name="New training").first.click()
    page.locator("select[name=dataset]").select_option(index=1)
    page.get_by_label("Label attribute").fill("boxes")
    page.get_by_label("Further hyperparameters").fill("epoch = 3")
    page.get_by_role("button", name="Start the training").click()
    expect(page.get_by_text("did you mean 'epochs'?")).to_be_visible()
    page.get_by_label("Further hyperparameters").fill(MORE)
    page.get_by_role("button", name="Start the training").click()
    expect(page.get_by_text("Waiting for a free learner")).to_be_visible()
    until(page, supervisor, "the first words of a log")
    until(page, supervisor, "Sample predictions")
    expect(page.locator("waggle-boxes-view svg rect").first).to_be_attached()
    expect(page.locator("waggle-chart canvas").first).to_be_visible()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Stop").click()
    until(page, supervisor, "Open the model")
    run = TrainingJob.objects.get(account=account)
    assert (run.status, run.name) == ("Stopped", "hives-detector")
    page.goto(live_server.url + reverse("person:notices"))
    page.get_by_role("button", name="Open: The training hives-detector was stopped.").click()
    page.get_by_role("link", name="Train again").click()
    expect(page.locator("input[name=name]")).to_have_value("hives-detector-2")
    expect(page.get_by_label("Further hyperparameters")).to_have_value(MORE)

    transform = a_transform(account, name="clover")
    paths = [reverse(f"requester:{name}") for name in ("trainings", "training-new", "transforms")]
    paths += [reverse("requester:training", args=[run.pk]), reverse("requester:transform", args=[transform.pk])]
    for look in LOOKS:
        shown = visit(owner, paths[0], **look)
        check(shown, [live_server.url + path for path in paths])
        for path in paths:
            shown.goto(live_server.url + path)
            assert shown.evaluate("document.documentElement.scrollWidth") <= look["viewport"]["width"], path
