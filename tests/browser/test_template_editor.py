"""The editor of worker templates in a real browser: from the gallery to a kept version, by keys and on a phone."""

import json
import re
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.models import Answer, TemplateVersion
from marketplace.models import Account, User
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import AXE, FOUND, RULES, each_look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LOOKS: list[dict[str, Any]] = [
    {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
]


def editor(page: Page) -> Any:
    return page.get_by_role("textbox", name="Template", exact=True)


def accessible(page: Page) -> None:
    page.evaluate(AXE.read_text())
    found = page.evaluate(FOUND, RULES)
    assert found == [], json.dumps(found, indent=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


@each_look
def test_a_template_of_the_gallery_is_tried_corrected_and_kept(
    visit: Visit, owner: User, account: Account, look: dict[str, Any], tolerated: list[str]
) -> None:
    """The preview answers and stores nothing; a mistake is named with its line, which the message leads to."""
    page = visit(owner, reverse("requester:templates"), **look)
    accessible(page)
    page.get_by_role("link", name="Image classification", exact=True).click()
    state = page.locator("[data-part=state]")
    expect(state).to_contain_text("Nothing found that would not work.")
    frame = page.frame_locator("[data-part=frame] iframe:not(.coming)")
    frame.get_by_role("radio", name="wasp").click()
    frame.get_by_role("button", name="Submit").click()
    expect(page.locator("[data-part=answered]")).to_contain_text("Nothing was stored")
    answer = page.get_by_role("region", name="The answer as JSON")
    assert json.loads(answer.inner_text()) == {"crowd-image-classifier": {"label": "wasp"}}
    assert not Answer.objects.exists()

    # By keys alone: a second element with the same kind of mistake at the end of the text.
    editor(page).focus()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text("\n<crowd-imput name='why'></crowd-imput>")
    expect(state).to_contain_text("1 error.")
    mistake = page.locator("[data-part=findings] li").first
    expect(mistake).to_contain_text("there is no element <crowd-imput>; was <crowd-input> meant?")
    accessible(page)
    page.keyboard.press("Control+Home")
    mistake.get_by_role("button", name="Line ").press("Enter")
    expect(editor(page)).to_be_focused()
    page.keyboard.press("Control+Shift+End")
    page.keyboard.press("Delete")
    page.keyboard.insert_text("<p>In a hurry?</p>")
    expect(state).to_contain_text("Nothing found")
    expect(frame.get_by_text("In a hurry?")).to_be_visible()
    # Tab leaves the text.
    page.keyboard.press("Tab")
    expect(editor(page)).not_to_be_focused()

    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("image-classification Version 1")
    kept = TemplateVersion.objects.get()
    assert kept.text.endswith("\n<p>In a hurry?</p>") and kept.template.account == account
    accessible(page)


def test_an_object_of_a_data_set_is_the_sample_and_a_version_becomes_a_job(
    visit: Visit, owner: User, account: Account
) -> None:
    """The picture of the data set is shown in the preview; a version goes into the wizard."""
    dataset = builders.a_dataset(account=account)
    page = visit(owner, reverse("requester:template-new") + "?start=bounding-box")
    page.get_by_role("button", name="Take it").click()
    sample = page.get_by_label("Sample")
    expect(sample).to_have_value(re.compile("file://"))
    assert json.loads(sample.input_value())["labels"] == ["bee", "wasp"]
    frame = page.frame_locator("[data-part=frame] iframe:not(.coming)")
    frame.locator("crowd-bounding-box[src*='template-file/']").wait_for()
    frame.locator(".canvas").first.wait_for()
    sample.fill('{"source-ref": ')
    expect(page.locator("[data-part=findings]")).to_contain_text("The sample is no JSON")
    sample.fill("{}")
    expect(page.locator("[data-part=findings]")).to_contain_text("task.input.taskObject gives nothing")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Use in a new job").click()
    expect(page.get_by_text("The new job shows its tasks by version 1 of bounding-box.")).to_be_visible()
    assert dataset.pk
