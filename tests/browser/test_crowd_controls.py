"""Every control and container of templates in a browser, on one page: by mouse and by keys, to the exact answer."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import controls_page
from tests.browser.drawing import answers
from tests.browser.elements_site import Site, ready_again, settles, wait_until

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

ELEMENTS = Path(__file__).parents[2] / "frontend" / "elements"
DOCS = ELEMENTS.parents[1] / "docs" / "crowd-elements.md"
AXE = ELEMENTS / "node_modules" / "axe-core" / "axe.min.js"
# what the form answers to when nothing but what is required has been filled in
LEAST: dict[str, Any] = {
    "title": "bee", "seen": {"bee": False, "wasp": True}, "agreed": {"on": True}, "sharp": {"sharp": True},
    "night": {"on": False}, "size": {"small": False, "medium": False, "large": True},
    "alone": {"yes": False, "no": False}, "count": 2, "sure": 3, "second": "two",
}  # fmt: skip
FULL: dict[str, Any] = {
    "source": "school", "title": "Bee", "code": "42", "story": "one\ntwo", "seen": {"bee": True, "wasp": False},
    "agreed": {"on": True}, "sharp": {"sharp": False}, "night": {"on": True},
    "size": {"small": False, "medium": True, "large": False}, "alone": {"yes": False, "no": True},
    "count": 3, "sure": 7, "first": "1", "second": "2",
}  # fmt: skip


# the words of what has the focus and of the elements whose shadow roots it is in
WHERE = """() => {
  let found = document.activeElement, words = '';
  while (found.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
  for (; found; found = found.getRootNode().host) words += ` ${found.label ?? ''} ${found.textContent}`;
  return words;
}"""


@pytest.fixture
def page(site: Site, open_page: Open, tolerated: list[str]) -> Page:
    """The page with all controls."""
    tolerated += ["Applying inline style"]  # the kit's slider; templates' own pages allow styles
    site.pages["/form"] = controls_page.page()
    return open_page("/form", ready="crowd-button")


def box(page: Page, name: str) -> Locator:
    """The text field with this label."""
    return page.get_by_role("textbox", name=re.compile(f"^{re.escape(name)}"))


def answer(page: Page) -> Any:
    """What a submit would give now."""
    return page.evaluate("document.querySelector('crowd-form').answer")


def submitted(page: Page, press: Callable[[], None]) -> Any:
    """The answer that the press of a button hands over."""
    before = len(answers(page))
    press()
    wait_until(lambda: len(answers(page)) > before)
    ready_again(page)
    return answers(page)[-1]


def test_every_control_by_mouse(page: Page) -> None:
    """Clicks and typing give the exact answer; disabled controls and empty fields have no key."""
    page.get_by_role("button", name="Close message").click()
    expect(page.locator("#hello")).to_be_hidden()
    page.get_by_role("button", name="More about bees").click()
    box(page, "Where do you know").fill("school")
    page.keyboard.press("Escape")
    expect(box(page, "Where do you know")).to_be_hidden()
    box(page, "Title").fill("Bee")
    box(page, "Code").press_sequentially("4x2")  # the letter is not typed at all
    box(page, "Story").fill("one\ntwo")
    for name in ("Bee", "Wasp", "I looked closely", "The picture is sharp", "Taken at night"):
        page.get_by_text(name, exact=True).click()
    page.get_by_text("Ant", exact=True).click(force=True)  # disabled: nothing happens
    page.get_by_text("Medium", exact=True).click()
    page.get_by_text("Huge", exact=True).click(force=True)
    page.get_by_text("No", exact=True).click()
    track = page.get_by_role("slider", name="count").locator("#track")
    width = track.bounding_box()
    assert width
    track.click(position={"x": width["width"] / 2, "y": width["height"] / 2})
    page.get_by_role("spinbutton", name="sure").fill("7")
    page.get_by_role("spinbutton", name="sure").blur()
    box(page, "First answer").fill("1")
    page.get_by_role("tab", name="Second").click()
    box(page, "Second answer").fill("2")
    settles(lambda: answer(page), FULL)
    assert submitted(page, lambda: page.get_by_role("button", name="Hand in").click()) == FULL

    page.get_by_role("button", name="Start over").click()
    first = {"agreed": {"on": False}, "count": 1}
    settles(lambda: answer(page), {k: v for k, v in (LEAST | first).items() if k not in ("title", "second")})


def test_every_control_by_keys_alone(page: Page) -> None:
    """Tab, Space, arrows and Enter give the same answer; a group is one stop, a disabled control none."""
    keys = page.keyboard

    def tab_to(name: str) -> None:
        for _ in range(12):
            keys.press("Tab")
            if name in page.evaluate(WHERE):
                return
        raise AssertionError(f"{name} is not reached: {page.evaluate(WHERE)!r}")

    page.locator("#hello").get_by_role("button").focus()
    tab_to("More about bees")
    keys.press("Enter")
    expect(box(page, "Where do you know")).to_be_visible()
    tab_to("Where do you know")
    keys.type("school")
    keys.press("Escape")
    expect(box(page, "Where do you know")).to_be_hidden()
    for name, text in (("Title", "Bee"), ("Code", "4x2"), ("Story", "one\ntwo")):
        tab_to(name)
        keys.type(text)
    for name in ("Bee", "Wasp", "I looked", "is sharp", "at night"):
        tab_to(name)
        keys.press("Space")
    tab_to("Large")
    keys.press("ArrowDown")  # around, to Small
    keys.press("ArrowDown")
    tab_to("Yes")
    keys.press("ArrowRight")
    tab_to("count")
    keys.press("ArrowRight")
    keys.press("ArrowRight")
    page.get_by_role("slider", name="sure").focus()
    for _ in range(4):
        keys.press("ArrowRight")
    page.get_by_role("tab", name="First").focus()
    tab_to("First answer")
    keys.type("1")
    keys.press("Shift+Tab")
    keys.press("ArrowRight")
    tab_to("Second answer")
    keys.type("2")
    tab_to("Hand in")
    assert submitted(page, lambda: keys.press("Enter")) == FULL


def test_what_is_missing_is_named_where_it_is_missing(page: Page) -> None:
    """Submit stops at the first control that is not right, shows why, opens its tab and moves the focus there."""
    hand_in = page.get_by_role("button", name="Hand in")
    refusal = page.locator("#form-refusal")
    hand_in.click()
    expect(refusal).to_have_text("Title: Fill this in.")
    expect(box(page, "Title")).to_be_focused()
    expect(box(page, "Title")).to_have_attribute("aria-invalid", "true")
    expect(box(page, "Title")).to_have_accessible_description("Fill this in.")
    box(page, "Title").fill("bee")
    expect(box(page, "Title")).to_have_attribute("aria-invalid", "false")
    box(page, "Code").fill("1")
    expect(box(page, "Code")).to_have_accessible_description("Digits only")  # auto-validate: at once, in its own words
    hand_in.click()
    expect(refusal).to_have_text("Code: Digits only")
    box(page, "Code").fill("")
    hand_in.click()
    expect(refusal).to_have_text("I looked closely: Tick this box.")
    page.get_by_role("checkbox", name="I looked closely").press("Space")
    hand_in.click()
    expect(refusal).to_have_text("count: Move the slider to your answer.")
    page.get_by_role("slider", name="count").press("ArrowRight")
    expect(box(page, "Second answer")).to_be_hidden()
    hand_in.click()
    expect(refusal).to_have_text("Second answer: Fill this in.")
    expect(box(page, "Second answer")).to_be_focused()
    assert answers(page) == []
    box(page, "Second answer").fill("two")
    assert submitted(page, hand_in.click) == LEAST
    expect(refusal).to_be_empty()


def test_messages_dialogs_and_buttons(page: Page) -> None:
    """What has no answer: it opens, closes, points and links as templates expect."""
    message = page.get_by_text("Read the instructions first.")
    page.get_by_role("button", name="Close message").press("Space")
    expect(message).to_be_hidden()
    expect(page.locator("#errorBox").get_by_role("alert")).to_be_visible()
    expect(page.locator("#hello").get_by_role("status")).to_be_hidden()

    page.get_by_role("button", name="Instructions").press("Enter")
    expect(page.get_by_text("Look at the whole picture.")).to_be_visible()
    page.get_by_role("tab", name="Examples").click()
    expect(page.get_by_text("A wasp")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("A wasp")).to_be_hidden()

    expect(page.locator("#told .toast")).to_be_hidden()
    page.evaluate("told.open()")
    expect(page.locator("#told .toast")).to_be_visible()
    page.evaluate("told.close()")
    expect(page.locator("#told .toast")).to_be_hidden()

    badge = page.locator("crowd-badge")
    expect(badge.locator("wa-badge")).to_have_text("123")  # never more than three letters
    corner = """() => { const on = magnifier.getBoundingClientRect();
        const own = document.querySelector('crowd-badge').getBoundingClientRect();
        return Math.hypot(own.x + own.width / 2 - on.right, own.y + own.height / 2 - on.top) < 2; }"""
    wait_until(lambda: page.evaluate(corner))
    for name in ("Help", "Add", "search", "Like"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Down")).to_be_disabled()
    link = page.get_by_role("link", name="Picture")
    expect(link).to_have_attribute("href", "/picture/1.png")
    expect(link).to_have_attribute("target", "_blank")
    pressed = (
        "window.pressed = []; for (const one of [add, still]) one.addEventListener('click', () => pressed.push(one.id))"
    )
    page.evaluate(pressed)
    page.get_by_role("button", name="Add").click()
    page.get_by_role("button", name="Add").press("Enter")
    page.evaluate("still.click()")
    assert page.evaluate("pressed") == ["add", "add"]
    expect(page.get_by_text("A bee", exact=True)).to_be_visible()


def test_controls_are_accessible_and_described(page: Page, site: Site) -> None:
    """axe finds nothing, also with refusals shown, in both schemes; the docs list what the browser knows."""
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
    found = "rules => axe.run(document, rules).then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html)]))"
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.reload()
        page.get_by_role("button", name="Hand in").click()
        expect(page.locator("#form-refusal")).not_to_be_empty()
        page.evaluate(AXE.read_text())
        assert page.evaluate(found, rules) == [], scheme
    page.set_viewport_size({"width": 390, "height": 844})
    settles(lambda: page.evaluate("document.documentElement.scrollWidth <= 390"), True)

    rows = re.findall(r"^\| `<([a-z-]+)>` \|([^|]*)\|", DOCS.read_text(), re.M)
    described = {tag: set(re.findall(r"`([a-z-]+)`", attributes)) for tag, attributes in rows}
    source = "\n".join(path.read_text() for path in (ELEMENTS / "src" / "crowd").glob("*.ts"))
    registered = set(re.findall(r'@crowd(?:Element|Part)\("([a-z-]+)"\)', source))
    assert set(described) == registered - {"crowd-template"}  # the shell's own frame around a template
    known = "tags => Object.fromEntries(tags.map(tag => [tag, customElements.get(tag)?.observedAttributes ?? null]))"
    for tag, attributes in page.evaluate(known, sorted(described)).items():
        assert attributes is not None, f"<{tag}> is described, and dist/worker.js does not define it"
        assert described[tag] <= {*attributes, "header"}, tag
