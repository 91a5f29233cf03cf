"""What the classifiers show of an earlier answer that is judged, beyond boxes and masks, in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.browser.elements_site import Site, settles
from tests.browser.shown_elements import Show, answer, element, submit
from tests.browser.test_shape_elements import check_accessible

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_earlier_shapes_and_points_over_the_picture(show: Show) -> None:
    """They lie at their places; a point is as large at any zoom."""
    line = {"label": "wing", "vertices": [{"x": 64, "y": 48}, {"x": 384, "y": 48}, {"x": 384, "y": 288}]}
    for kind, held in (("polyline", line), ("polygon", line), ("keypoint", {"label": "wing", "x": 64, "y": 48})):
        overlay = {kind: {"labels": ["head", "wing"], "value": [held]}}
        page = show(
            element("crowd-image-classifier", name="a", src="/picture/1.png", categories=["x"], overlay=overlay),
            ready=".over circle, .over path",
        )
        expect(page.locator(".legend li")).to_have_text(["head", "wing (1)"])
        at, whole = page.locator(".over circle, .over path").bounding_box(), page.locator(".canvas img").bounding_box()
        assert at and whole
        middle = 0.1 if kind == "keypoint" else 0.35
        assert at["x"] + at["width"] / 2 - whole["x"] == pytest.approx(middle * whole["width"], abs=4)
        check_accessible(page)
    page.locator(".canvas").hover()
    page.mouse.wheel(0, -600)
    settles(lambda: page.locator(".canvas img").bounding_box()["width"] > whole["width"], True)
    settles(lambda: round(page.locator(".over circle").bounding_box()["width"]), round(at["width"]))
    wrong = {"keypoint": {"value": [{"label": "wing", "x": 64}]}}
    page = show(
        element("crowd-image-classifier", name="a", src="/picture/1.png", categories=["x"], overlay=wrong),
        ready=".notice[role=alert]",
    )
    expect(page.locator(".notice")).to_contain_text("Shape 1 of the attribute")


def test_earlier_classes_and_marks_of_a_text(site: Site, show: Show) -> None:
    """Classes stand beside what they are about; the marks of a text are in it, and neither is part of the answer."""
    classes = {"classification": {"labels": ["bee", "None of the above"]}}
    page = show(
        element("crowd-image-classifier", name="a", src="/picture/1.png", categories=["good", "bad"], overlay=classes),
        ready=".earlier",
    )
    expect(page.locator(".earlier")).to_have_text("Earlier label: bee, None of the above")
    check_accessible(page)
    marks = {"namedEntity": {"labels": ["bee"], "value": [{"label": "bee", "startOffset": 2, "endOffset": 5}]}}
    region = "<worker-comment header='Why?' link-text='Say why'></worker-comment>"
    site.pages["/text"] = "A bee met a wasp."
    for overlay, ready in ((classes, ".earlier"), (marks, "mark")):
        page = show(
            element("crowd-classifier", region, name="a", src="/text", categories=["good", "bad"], overlay=overlay),
            ready=ready,
        )
        check_accessible(page)
    page.get_by_role("button", name="Say why").click()
    page.get_by_role("textbox", name="Why?").fill("no bee")
    page.keyboard.press("Escape")
    page.get_by_role("radio", name="bad").click()
    submit(page)
    assert answer(page, 1) == {"a": {"label": "bad", "workerComment": "no bee"}}
