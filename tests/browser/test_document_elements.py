"""The element that reviews what a model read in a document, in a real browser; attributes that cannot be read."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.shown_elements import Show, answer, element, looked_at, submit

pytestmark = pytest.mark.browser

DOCUMENT = "AWS/Textract/AnalyzeDocument/Forms/V1"


def word(pk: str, text: str) -> dict[str, Any]:
    return {"blockType": "WORD", "id": pk, "text": text, "confidence": 91.5}


def pair(kind: str, pk: str, children: list[str], value: str | None = None) -> dict[str, Any]:
    links = [{"type": "CHILD", "ids": children}] + ([{"type": "VALUE", "ids": [value]}] if value else [])
    box = {"left": 0.1, "top": 0.2, "width": 0.5, "height": 0.25}
    return {
        "blockType": "KEY_VALUE_SET", "id": pk, "entityTypes": [kind], "relationships": links,
        "geometry": {"boundingBox": box},
    }  # fmt: skip


BLOCKS = [
    pair("KEY", "k1", ["w1"], "v1"), pair("VALUE", "v1", ["w2", "w3"]),
    pair("KEY", "k2", ["w4"], "v2"), pair("VALUE", "v2", ["w5"]),
    word("w1", "Name:"), word("w2", "Ada"), word("w3", "L."), word("w4", "Page"), word("w5", "7"),
]  # fmt: skip
KEYS = [{"importantFormKey": "Full name", "importantFormKeyAliases": ["name"]}, {"importantFormKey": "Date"}]


def test_fields_of_a_document(show: Show) -> None:
    """Blocks come back as they were, but for what was corrected, taken out or added; missing keys need an answer."""
    page = show(
        element(
            "crowd-textract-analyze-document",
            src="/picture/1.png", initial_value=BLOCKS, keys=KEYS, block_types="['KEY_VALUE_SET']",
            no_key_edit="", no_geometry_edit="", header="Is it right?",
        ),
        ready=".card",
    )  # fmt: skip
    submit(page)
    expect(page.locator("#refusal")).to_contain_text("“Date”, or say that it is blank or that the key is not there")
    expect(page.get_by_label("Value of Date")).to_be_focused()
    page.get_by_label("Key not found").check()
    submit(page)
    assert answer(page, 1) == {DOCUMENT: {"blocks": BLOCKS}}
    page.get_by_label("Value of Name:").click()
    shown, whole = page.locator(".over path").bounding_box(), page.locator(".canvas img").bounding_box()
    assert shown and whole
    assert shown["x"] + shown["width"] / 2 - whole["x"] == pytest.approx(0.35 * whole["width"], abs=2)
    looked_at(page)

    page.get_by_label("Value of Name:").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("Ada Lovelace")
    page.get_by_label("Value of Page").focus()
    for key in ("Tab", "Tab", "Space"):  # not a key and its value
        page.keyboard.press(key)
    page.keyboard.press("Tab")
    expect(page.get_by_label("Value of Date")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Control+Enter")
    name = BLOCKS[1] | {"relationships": [{"type": "CHILD", "ids": ["v1/text"]}], "text": "Ada Lovelace"}
    line = {"blockType": "LINE", "id": "v1/text", "text": "Ada Lovelace"}
    date = [{"type": "VALUE", "ids": ["value/Date"]}, {"type": "CHILD", "ids": ["key/Date/text"]}]
    kinds = {"blockType": "KEY_VALUE_SET"}
    assert answer(page, 2) == {
        DOCUMENT: {
            "blocks": [
                BLOCKS[0], name, line, *BLOCKS[4:],
                kinds | {"id": "key/Date", "relationships": date, "entityTypes": ["KEY"], "text": "Date"},
                {"blockType": "LINE", "id": "key/Date/text", "text": "Date"},
                kinds | {"id": "value/Date", "relationships": [], "entityTypes": ["VALUE"], "text": ""},
            ]
        }
    }  # fmt: skip


@pytest.mark.slow
def test_attributes_that_cannot_be_read_are_named(show: Show) -> None:
    """Each of these elements says what is wrong instead of staying empty."""
    for content, said in (
        (element("crowd-text-ranking", name="a", responses=["x"]), "ordinal-ranking-dimensions"),
        (element("crowd-question-answer-generation", name="a", text="x", question_tags="{}"), "question-tags"),
        (element("crowd-textract-analyze-document", src="/picture/1.png", initial_value="[1]"), "Block 1"),
        (element("crowd-rekognition-detect-moderation-labels", src="/picture/1.png", categories="[]"), "categories"),
    ):
        page = show(content, ready=".notice[role=alert]")
        expect(page.locator(".notice")).to_contain_text(said)
