"""Human review in a real browser of either size: from a template to a data set of what people corrected."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from PIL import Image
from playwright.sync_api import Page, expect

from labeling.background import advance_queue
from labeling.models import Dataset, FlowDefinition, HumanLoop
from labeling.services.review import loops
from marketplace import storage
from marketplace.models import Account, User
from marketplace.services import boundaries
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.drawing import PHONE
from tests.browser.elements_site import wait_until
from tests.browser.test_functions_and_masks import seen
from tests.browser.test_templates import FRAME
from tests.labeling.test_human_loops import TEMPLATE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.slow]

PREDICTED = [{"label": "bee", "left": 20, "top": 30, "width": 100, "height": 80}]


def a_picture(account: Account) -> str:
    """The address of a picture of 320 x 240 pixels in the account's folder."""
    uri = f"{boundaries.base_of(account)}/pictures/hive.png"
    path = Path(uri.removeprefix("file://"))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (320, 240), (90, 140, 90)).save(path)
    return uri


def define(page: Page, tmp_path: Path) -> None:
    """Make a worker template and a flow definition by the forms."""
    expect(page.get_by_text("It needs a worker template first.")).to_be_visible()
    seen(page, tmp_path / "empty.png")
    page.get_by_role("link", name="New worker template").click()
    page.get_by_label("Name", exact=True).fill("boxes")
    page.get_by_label("Template").fill("<crowd-form>{{ task.")
    page.get_by_role("button", name="Create").click()
    expect(page.locator(".field-error")).to_contain_text("line 1")
    seen(page, tmp_path / "refused.png")
    page.get_by_label("Template").fill(TEMPLATE)
    page.get_by_role("button", name="Create").click()

    page.get_by_role("link", name="New flow definition").click()
    page.get_by_label("Name", exact=True).fill("look-again")
    page.get_by_label("Team").select_option("reviewers")
    page.get_by_label("Title").fill("Look at boxes")
    page.get_by_label("Description").fill("Correct the boxes of the model.")
    page.get_by_label("Price of an answer").fill("0.036")
    seen(page, tmp_path / "new-flow.png")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("look-again")
    seen(page, tmp_path / "flow.png")


@pytest.mark.parametrize("size", [{}, PHONE], ids=["wide", "phone"])
def test_a_prediction_is_corrected_and_learned_from(
    visit: Visit, owner: User, account: Account, tolerated: list[str], tmp_path: Path, size: dict[str, Any]
) -> None:
    tolerated += ["Applying inline style", "favicon"]
    worker = builders.a_worker()
    builders.a_team(account=account, workers=[worker], name="reviewers")
    page = visit(owner, reverse("requester:human-review"), **size)
    define(page, tmp_path)

    flow = FlowDefinition.objects.get()
    content = json.dumps({"initialValue": json.dumps(PREDICTED), "taskObject": a_picture(account)})
    loop = loops.start_loop(flow=flow, name="loop-1", content=content, by="test")
    page.goto(page.url.split("/human-review/")[0] + reverse("requester:human-loop", args=[loop.name]))
    expect(page.get_by_text("Nobody has answered yet.")).to_be_visible()
    seen(page, tmp_path / "waiting.png")

    work = visit(worker.user, reverse("worker:task", args=[flow.queue_id]), **size)
    frame = work.frame_locator(FRAME)
    frame.locator(".canvas").first.wait_for()
    seen(work, tmp_path / "work.png")
    frame.get_by_role("button", name="Submit").click()
    wait_until(lambda: flow.queue.tasks.filter(answers_count=1).exists())
    advance_queue(flow.queue_id)
    assert HumanLoop.objects.get().status == "Completed"

    page.reload()
    expect(page.get_by_text("Model and people agree by")).to_contain_text("100 %")
    expect(page.locator("waggle-boxes-view")).to_be_visible()
    seen(page, tmp_path / "answered.png")
    page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="look-again").click()
    expect(page.get_by_role("heading", name="Agreement")).to_be_visible()
    seen(page, tmp_path / "agreement.png")
    page.get_by_label("Name", exact=True).fill("corrected")
    page.get_by_role("button", name="Make a data set").click()
    expect(page.get_by_text("1 pictures with the label attribute a2i-retraining")).to_be_visible()
    (line,) = storage.read(Dataset.objects.get().source["uri"]).splitlines()
    assert json.loads(line)["a2i-retraining"]["annotations"] == [
        {"class_id": 0, "left": 20, "top": 30, "width": 100, "height": 80}
    ]
    page.goto(page.url.split("/datasets/")[0] + reverse("requester:human-review"))
    seen(page, tmp_path / "list.png")
    page.get_by_role("link", name="look-again").click()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete the flow definition").click()
    expect(page.get_by_text("look-again is deleted")).to_be_visible()
