"""The elements that review what a model said, and write about texts, in a real browser: by mouse and by keys alone."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.elements_site import settles
from tests.browser.shown_elements import Show, answer, element, looked_at, submit
from tests.browser.test_shape_elements import check_accessible

pytestmark = pytest.mark.browser
MODERATION = "AWS/Rekognition/DetectModerationLabels/Image/V3"


def test_moderation_labels(show: Show) -> None:
    """Categories that are objects are answered whole; that none fits is an empty list, and never said by silence."""
    categories = "[{name: 'Corpses', parentName: 'Violence', confidence: 61.5,}, {name: 'Gore'}, 'Other']"
    page = show(
        element(
            "crowd-rekognition-detect-moderation-labels", src="/picture/1.png", header="Which?", categories=categories
        ),
        ready=".canvas img",
    )
    submit(page)
    expect(page.locator("#refusal")).to_contain_text("or “None of these”")
    page.get_by_role("checkbox", name="Corpses").click()
    page.get_by_role("checkbox", name="Other").click()
    submit(page)
    corpses = {"name": "Corpses", "parentName": "Violence", "confidence": 61.5}
    assert answer(page, 1) == {MODERATION: {"ModerationLabels": [corpses, "Other"]}}
    check_accessible(page)
    page.get_by_role("checkbox", name="Other").focus()
    for key in ("x", "Enter"):
        page.keyboard.press(key)
    assert answer(page, 2) == {MODERATION: {"ModerationLabels": []}}
    page.keyboard.press("2")
    expect(page.get_by_role("checkbox", name="Gore")).to_be_checked()
    page.keyboard.press("Enter")
    assert answer(page, 3) == {MODERATION: {"ModerationLabels": [{"name": "Gore"}]}}


def test_a_comment_and_what_is_shown_over_the_picture(show: Show) -> None:
    """<worker-comment> adds `workerComment`; `overlay` shows boxes at their places on the picture, with a legend."""
    overlay = """{ 'boundingBox': { labels: ['bee', 'wasp'], value: [
        {label: 'bee', left: 64, top: 48, width: 320, height: 240}, ], } }"""
    region = "<worker-comment header='Why?' link-text='Say why' placeholder='Too large'>In short.</worker-comment>"
    page = show(
        element(
            "crowd-image-classifier",
            region,
            name="fits",
            src="/picture/1.png",
            categories=["yes", "no"],
            overlay=overlay,
        ),
        ready=".over rect",
    )
    expect(page.locator(".legend li")).to_have_text(["bee (1)", "wasp"])
    at, whole = page.locator(".over rect").bounding_box(), page.locator(".canvas img").bounding_box()
    assert at and whole
    assert at["x"] - whole["x"] == pytest.approx(whole["width"] / 10, abs=4)
    assert at["width"] == pytest.approx(whole["width"] / 2, abs=4)
    page.get_by_role("radio", name="no").click()
    submit(page)
    assert answer(page, 1) == {"fits": {"label": "no"}}
    page.get_by_role("button", name="Say why").press("Enter")
    field = page.get_by_role("textbox", name="Why?")
    expect(field).to_be_focused() if field.evaluate("(at) => at.matches(':focus')") else field.focus()
    expect(page.get_by_text("In short.")).to_be_visible()
    page.keyboard.type("Half a bee")
    check_accessible(page)
    page.keyboard.press("Escape")
    expect(page.locator(".comment")).to_have_text("Half a bee")
    page.get_by_role("radio", name="no").focus()
    for key in ("1", "Enter"):
        page.keyboard.press(key)
    assert answer(page, 2) == {"fits": {"label": "yes", "workerComment": "Half a bee"}}
    draft = page.evaluate("document.querySelector('crowd-form').draft")
    page.reload()
    page.locator(".over rect").wait_for()
    page.evaluate("draft => { document.querySelector('crowd-form').draft = draft; }", draft)
    submit(page)
    assert answer(page, 1) == {"fits": {"label": "yes", "workerComment": "Half a bee"}}


@pytest.mark.slow
def test_a_mask_over_the_picture(show: Show) -> None:
    """An overlay of a mask has the picture's size; one that is none of the three is refused in words."""
    mask = {"semanticSegmentation": {"src": "/picture/2.png", "labelMappings": {"bee": {"color": "#ff7f0e"}}}}
    page = show(
        element("crowd-image-classifier", name="a", src="/picture/1.png", categories=["x"], overlay=mask),
        ready=".over image",
    )
    expect(page.locator(".legend li")).to_have_text(["bee"])
    settles(lambda: page.locator(".over image").bounding_box(), page.locator(".canvas img").bounding_box())
    wrong = element("crowd-image-classifier", name="a", src="/picture/1.png", categories=["x"], overlay={"boxes": []})
    expect(show(wrong, ready=".notice[role=alert]").locator(".notice")).to_contain_text("boundingBox")


def ranking(**more: Any) -> str:
    """A ranking of three responses in two dimensions."""
    return element(
        "crowd-text-ranking",
        "<short-instructions>Read all of them.</short-instructions>",
        text="Why is honey <sweet>?",
        responses=["Sugar.", "Bees\nmake it so.", "It is not."],
        ordinal_ranking_dimensions=[{"name": "Clarity", "allowTie": True}, {"name": "Tone", "allowTie": False}],
        **more,
    )


def ranks(clarity: list[int], tone: list[int]) -> dict[str, Any]:
    return {
        "ordinalRankingDimensions": [
            {"name": "Clarity", "allowTie": True, "responseRankings": clarity},
            {"name": "Tone", "allowTie": False, "responseRankings": tone},
        ]
    }


def test_a_ranking_by_mouse_and_by_keys(show: Show) -> None:
    """Ties only where they are allowed; what is missing is named; a draft goes on where it was."""
    page = show(ranking(name="ranking"), ready=".row")
    expect(page.get_by_text("Why is honey <sweet>?")).to_be_visible()
    for place, rank in enumerate((1, 1, 2)):
        page.locator(f"label:has(#rank-0-{place}-{rank})").click()
    submit(page)
    expect(page.locator("#refusal")).to_have_text("Rank response 1 by Tone.")
    expect(page.locator("#rank-1-0-1")).to_be_focused()
    for place, rank in enumerate((1, 2, 3)):
        page.locator(f"label:has(#rank-1-{place}-{rank})").click()
    page.locator("label:has(#rank-1-2-1)").click()  # takes the rank of the first one, which gets its own
    submit(page)
    assert answer(page, 1) == {"ranking": ranks([1, 1, 2], [3, 2, 1])}
    looked_at(page)

    draft = page.evaluate("document.querySelector('crowd-form').draft")
    page.reload()
    page.locator(".row").first.wait_for()
    page.locator("#rank-0-0-1").focus()
    for key in ("3", "2", "1", "1", "2", "3", "ArrowLeft"):
        page.keyboard.press(key)
    expect(page.locator("#rank-1-2-2")).to_be_checked()
    page.keyboard.press("Control+Enter")
    assert answer(page, 1) == {"ranking": ranks([3, 2, 1], [1, 3, 2])}
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+Enter")
    assert answer(page, 2) == {"ranking": ranks([3, 2, 1], [1, 2, 3])}
    page.evaluate("draft => { document.querySelector('crowd-form').draft = draft; }", draft)
    page.keyboard.press("Control+Enter")
    assert answer(page, 3) == {"ranking": ranks([1, 1, 2], [3, 2, 1])}


def test_a_tool_that_stands_outside_of_its_form(show: Show, tolerated: list[str]) -> None:
    """`crowd-form-element-id` names the form, which may be hidden; without a name the answer is the tool's own."""
    tolerated += ["Applying inline style"]
    page = show(
        f"<div>{ranking(crowd_form_element_id='given', instructions='Rank them all.')}</div>"
        '<crowd-form id="given" style="display: none"></crowd-form>',
        ready=".row",
        bare=True,
    )
    expect(page.get_by_text("Rank them all.")).to_be_visible()
    submit(page)
    expect(page.locator("#refusal")).to_have_text("Rank response 1 by Clarity.")
    for key in ("1", "2", "3", "1", "2", "3"):
        page.keyboard.press(key)
    submit(page)
    assert answer(page, 1) == ranks([1, 2, 3], [1, 2, 3])
    page.keyboard.press("Tab")
    page.locator("#rank-0-0-1").focus()
    page.keyboard.press("Control+Enter")
    assert answer(page, 2) == ranks([1, 2, 3], [1, 2, 3])


TEXT = "😀 Bees make honey. Wasps do not."


@pytest.mark.slow
def test_questions_by_mouse_and_by_keys(show: Show) -> None:
    """Questions, answers, tags and quotes, whose offsets count code points; limits are kept and named."""
    tool = element(
        "crowd-question-answer-generation",
        name="pairs", text=TEXT, max_questions="2", question_max_words="4", answer_min_words="2",
        question_tags=["Who", "Why"], allow_custom_question_tags="true",
    )  # fmt: skip
    page = show(tool, ready=".card")
    page.get_by_label("Question 1", exact=True).last.fill("Who makes honey?")
    submit(page)
    expect(page.locator("#refusal")).to_have_text("Write at least 2 words as answer 1.")
    expect(page.locator("#answer-0")).to_be_focused()
    page.locator("#answer-0").fill("The bees")
    page.get_by_role("checkbox", name="Who").check()
    page.locator("#answer-0").press("Control+Enter")
    bare = {"question": "Who makes honey?", "answer": "The bees", "questionTags": ["Who"], "textReferences": []}
    assert answer(page, 1) == {"pairs": {"questionAnswerPairs": [bare]}}
    page.locator(".paper textarea").evaluate("(at) => { at.focus(); at.setSelectionRange(2, 18); }")
    page.get_by_role("button", name="Quote what is selected").click()
    quote = {"startOffset": 2, "endOffset": 17, "text": "Bees make honey"}
    expect(page.locator(".quotes .go")).to_have_text("“Bees make honey”")
    page.get_by_role("button", name="Remove quote 1 of question 1").click()
    expect(page.locator(".quotes li")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".quotes li")).to_have_count(1)
    looked_at(page)
    page.reload()
    page.locator(".card").wait_for()

    page.locator("#question-0").focus()
    page.keyboard.type("Who makes honey?")
    page.keyboard.press("Tab")
    page.keyboard.type("The bees")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.get_by_label("Tag of your own").focus()
    page.keyboard.type("Food")
    page.keyboard.press("Enter")
    page.locator(".paper textarea").focus()
    page.keyboard.press("Control+Home")
    page.keyboard.type("not to be written")
    for key in (*["ArrowRight"] * 2, *["Shift+ArrowRight"] * 15, "Alt+q"):
        page.keyboard.press(key)
    page.locator("#add").press("Enter")
    expect(page.locator("#question-1")).to_be_focused()
    expect(page.locator("#add")).to_be_disabled()
    page.keyboard.type("What do wasps do then?")
    page.keyboard.press("Tab")
    page.keyboard.type("Not that")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#refusal")).to_have_text("Write at most 4 words as question 2.")
    page.get_by_role("button", name="Remove question 2").press("Enter")
    expect(page.locator(".card")).to_have_count(1)
    page.keyboard.press("Control+Enter")
    whole = bare | {"questionTags": ["Who", "Food"], "textReferences": [quote]}
    assert answer(page, 1) == {"pairs": {"questionAnswerPairs": [whole]}}
