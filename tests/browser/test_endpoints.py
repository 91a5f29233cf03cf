"""An endpoint in a real browser, with an instance that answers: made, tried with a picture, asked about, updated."""

import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Page, expect

from learning.models import Endpoint
from learning.services.hosting import deploying, traffic
from learning.services.programs.executor import LocalExecutor
from learning.services.programs.supervisor import Supervisor
from marketplace.models import Account, User
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import LOOKS
from tests.browser.test_panels import accessible
from tests.learning.hosting_stories import a_model
from tests.learning.serving.test_serve import picture

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def learner(tmp_path: Path) -> Any:
    """The learner and the queue at work, in a thread."""
    supervisor = Supervisor(executor=LocalExecutor(threads=1), slots=1, root=tmp_path / "programs")
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.3):
            supervisor.step()
            for pk in Endpoint.objects.values_list("pk", flat=True):
                deploying.advance(endpoint_id=pk)
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    yield supervisor
    over.set()
    thread.join()
    supervisor.shut_down()
    traffic.flush()


def test_an_endpoint_is_made_tried_and_asked_about(visit: Visit, account: Account, owner: User, learner: Any) -> None:
    a_model(account, "colours")
    a_model(account)
    for number, look in enumerate(LOOKS):
        page = visit(owner, "/endpoints/", **look)
        page.get_by_role("link", name="New endpoint").first.click()
        accessible(page)
        page.get_by_label("Name").fill(f"bees-{number}")
        page.get_by_role("button", name="Create the endpoint").click()
        expect(page.locator("#endpoint-now .badge", has_text="In service").first).to_be_visible(timeout=120_000)
        expect(page.get_by_role("heading", name="Weights and instances")).to_be_visible()
        accessible(page)
        if number == 0:
            _serve_both(page)
        page.get_by_role("link", name="Serve other models, or several").click()
        accessible(page)
        page.go_back()
        _try(page)
        page.get_by_role("button", name="Send it to a person").click()
        expect(page.get_by_label("Label attribute")).to_be_visible()
        accessible(page)


def _serve_both(page: Page) -> None:
    """Another model goes in beside the first, and then gets fewer requests."""
    page.get_by_role("link", name="Serve other models, or several").click()
    page.get_by_label("Model").nth(1).select_option("colours")
    page.get_by_label("Watch each step for, in seconds").fill("0")
    page.get_by_role("button", name="Update the endpoint").click()
    expect(page.get_by_role("group", name="colours")).to_be_visible(timeout=120_000)
    page.get_by_role("group", name="colours").get_by_label("Weight").fill("0")
    page.get_by_role("button", name="Set").click()
    expect(page.locator("#endpoint-now tr", has_text="colours")).to_contain_text("0 %")
    expect(page.locator("#endpoint-now .badge", has_text="In service").first).to_be_visible(timeout=120_000)


def _try(page: Page) -> None:
    """Two boxes are shown; the slider of a class hides its box."""
    page.get_by_role("link", name="Try it").click()
    page.get_by_label("Choose a picture").set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": picture()}
    )
    expect(page.locator("waggle-try-endpoint").get_by_role("status")).to_contain_text(
        "2 boxes shown; AllTraffic answered in"
    )
    expect(page.locator("waggle-boxes-view rect.over")).to_have_count(2)
    accessible(page)
    page.get_by_role("slider", name="blue").fill("1")
    expect(page.locator("waggle-try-endpoint").get_by_role("status")).to_have_text("1 box shown.")
    expect(page.locator("waggle-boxes-view rect.over")).to_have_count(1)
