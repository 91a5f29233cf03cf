"""The elements for several classes and for texts in a real browser: by mouse, by keys alone, on a phone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from labeling import background
from labeling.models import Answer
from labeling.services.jobs import creation
from labeling.services.queue import due
from marketplace.models import Account, User, Worker
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.drawing import PHONE, answers
from tests.browser.elements_site import HEAD, Site, settles, task_page, wait_until
from tests.labeling import stories

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

AXE = Path(__file__).parents[2] / "frontend" / "elements" / "node_modules" / "axe-core" / "axe.min.js"
RULES = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']"
NONE = "exclusion-category=\"{ text: 'None of these', }\""
TEXT = "😀 Ada met Bo in Rome.\nAda left."


def form(inner: str) -> str:
    """A page with one crowd form; /harness.js keeps its answers."""
    return (
        f'{HEAD}<body><script type="module" src="/harness.js"></script><crowd-form>{inner}</crowd-form></body></html>'
    )


def box(page: Page, name: str) -> Locator:
    """One label of a group of checkboxes."""
    return page.get_by_role("checkbox", name=name, exact=True)


def chosen(page: Page) -> list[str]:
    """The labels that are marked as chosen."""
    return page.locator(".choices [aria-checked='true'] .name").all_inner_texts()


def submit(page: Page) -> None:
    page.get_by_role("button", name="Submit").click()


@pytest.mark.parametrize(
    ("tag", "more", "ready"),
    [
        ("crowd-image-classifier-multi-select", "src='/picture/1.png'", ".canvas img"),
        ("crowd-classifier-multi-select", "", "classification-target"),
    ],
)
def test_several_labels(site: Site, open_page: Open, tag: str, more: str, ready: str) -> None:
    """By mouse and by keys alone; none of the labels is an answer, and no answer is none."""
    target = "<classification-target><p>Dogs and cats</p></classification-target>"
    site.pages["/form"] = form(
        f"<{tag} name='animals' {more} header='Which?' categories=\"['dog','cat','bird']\" {NONE}>{target}</{tag}>"
    )
    page = open_page("/form", ready=ready)
    submit(page)
    expect(page.locator("#refusal")).to_contain_text("or “None of these”")
    assert answers(page) == []
    box(page, "bird").click()
    box(page, "dog").click()
    submit(page)
    assert wait_until(lambda: answers(page)) == [{"animals": {"labels": ["dog", "bird"]}}]
    box(page, "None of these").click()
    settles(lambda: chosen(page), ["None of these"])
    submit(page)
    assert wait_until(lambda: answers(page)[1:]) == [{"animals": {"labels": ["None of these"]}}]

    box(page, "None of these").focus()
    page.keyboard.press("Control+z")
    settles(lambda: chosen(page), ["dog", "bird"])
    page.keyboard.press("x")
    settles(lambda: chosen(page), ["None of these"])
    page.keyboard.press("2")
    page.keyboard.press("1")
    settles(lambda: chosen(page), ["dog", "cat"])
    page.keyboard.press("ArrowDown")
    expect(box(page, "cat")).to_be_focused()
    page.keyboard.press("Space")
    settles(lambda: chosen(page), ["dog"])
    page.keyboard.press("Enter")
    assert wait_until(lambda: answers(page)[2:]) == [{"animals": {"labels": ["dog"]}}]


def test_one_label_of_a_text(site: Site, open_page: Open) -> None:
    """By mouse and by keys; the region shows the text that a template wrote, markup and all."""
    site.pages["/form"] = form(
        "<crowd-classifier name='mood' header='How is it?' categories=\"['good', 'bad']\"><classification-target>"
        "<p><b>I like</b> bees</p></classification-target><short-instructions>Be quick</short-instructions>"
        "</crowd-classifier>"
    )
    page = open_page("/form", ready="classification-target b")
    page.get_by_role("radio", name="bad").click()
    submit(page)
    assert wait_until(lambda: answers(page)) == [{"mood": {"label": "bad"}}]
    page.get_by_role("radio", name="bad").focus()
    page.keyboard.press("1")
    settles(lambda: chosen(page), ["good"])
    page.keyboard.press("ArrowDown")
    settles(lambda: chosen(page), ["bad"])
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    assert wait_until(lambda: answers(page)[1:]) == [{"mood": {"label": "good"}}]


def entities_page(more: str = "") -> str:
    """A page with the entity tool outside any form."""
    labels = '[{"label":"person","shortDisplayName":"per","fullDisplayName":"A person"},"place"]'
    attributes = {"name": "crowd-entity-annotation", "header": "Who and where?", "labels": labels, "text": TEXT}
    written = " ".join(f"{name}='{value}'" for name, value in attributes.items())
    tool = f"<crowd-entity-annotation {written} {more}></crowd-entity-annotation>"
    return f'{HEAD}<body><script type="module" src="/harness.js"></script>{tool}</body></html>'


def entity(label: str, start: int, end: int) -> dict[str, Any]:
    return {"endOffset": end, "label": label, "startOffset": start}


def drag_over(page: Page, words: str) -> None:
    """Select these words of the text with the mouse."""
    spot = page.locator("crowd-entity-annotation").evaluate(
        """(tool, words) => {
          for (const piece of tool.shadowRoot.querySelectorAll("[data-start]")) {
            const node = [...piece.childNodes].find((one) => one.nodeType === 3 && one.textContent.includes(words));
            if (!node) continue;
            const range = new Range(), at = node.textContent.indexOf(words);
            range.setStart(node, at);
            range.setEnd(node, at + words.length);
            const { left, right, top, height } = range.getBoundingClientRect();
            return { left, right, y: top + height / 2 };
          }
        }""",
        words,
    )
    page.mouse.move(spot["left"] + 1, spot["y"])
    page.mouse.down()
    page.mouse.move((spot["left"] + spot["right"]) / 2, spot["y"])
    page.mouse.move(spot["right"] - 1, spot["y"])
    page.mouse.up()


def test_entities_by_mouse(site: Site, open_page: Open) -> None:
    """A stretch that is selected gets the chosen label; offsets count code points; an entity is changed and removed."""
    site.pages["/form"] = entities_page()
    page = open_page("/form", ready="crowd-entity-annotation .words span")
    drag_over(page, "Ada met")
    expect(page.locator("mark")).to_have_count(1)
    page.get_by_role("button", name="Remove the selected entity").click()
    expect(page.locator("mark")).to_have_count(0)
    drag_over(page, "Ada")
    page.get_by_role("button", name="place").click()
    expect(page.locator(".list li")).to_have_count(1)
    page.get_by_role("button", name="A person").click()
    page.get_by_role("button", name="place").click()
    page.locator("mark").click()
    page.get_by_role("button", name="A person").click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="place").click()
    drag_over(page, "Rome")
    expect(page.locator(".list li")).to_have_count(2)
    submit(page)
    found = {"entities": [entity("person", 2, 5), entity("place", 16, 20)]}
    assert wait_until(lambda: answers(page)) == [{"crowd-entity-annotation": found}]


def test_entities_by_keyboard(site: Site, open_page: Open) -> None:
    """Words are selected with Shift and Ctrl, a digit marks them, Enter submits; that there are none is said."""
    site.pages["/form"] = entities_page()
    page = open_page("/form", ready="crowd-entity-annotation .words span")
    page.keyboard.press("Tab")
    page.locator(".text").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#refusal")).to_contain_text("tick “No entities in this text”")
    assert answers(page) == []
    page.locator(".text").focus()
    page.keyboard.press("x")
    expect(page.get_by_label("No entities in this text")).to_be_checked()
    page.keyboard.press("Enter")
    assert wait_until(lambda: answers(page)) == [{"crowd-entity-annotation": {"entities": []}}]
    for key in ("Control+ArrowRight", "Shift+Control+ArrowRight", "1"):
        page.keyboard.press(key)
    expect(page.locator("mark")).to_have_text(["Ada"])
    expect(page.get_by_label("No entities in this text")).not_to_be_checked()
    for key in (*["Control+ArrowRight"] * 4, *["Shift+ArrowRight"] * 4, "2"):
        page.keyboard.press(key)
    expect(page.locator("mark")).to_have_text(["Ada", "Rome"])
    for key in ("n", "Delete", "Control+z"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    found = {"entities": [entity("person", 2, 5), entity("place", 16, 20)]}
    assert wait_until(lambda: answers(page)[1:]) == [{"crowd-entity-annotation": found}]


def test_entities_start_from_an_initial_value(site: Site, open_page: Open) -> None:
    """Those that the text does not have are left out."""
    given = [{"label": "place", "startOffset": 16, "endOffset": 20}, {"label": "x", "startOffset": 0, "endOffset": 3}]
    site.pages["/form"] = entities_page(f"initial-value='{json.dumps(given)}'")
    page = open_page("/form", ready="crowd-entity-annotation mark")
    submit(page)
    assert wait_until(lambda: answers(page)) == [{"crowd-entity-annotation": {"entities": [entity("place", 16, 20)]}}]


SHELL = {
    "crowd-image-classifier-multi-select": ".canvas img",
    "crowd-classifier": ".words",
    "crowd-classifier-multi-select": ".words",
    "crowd-entity-annotation": ".words span",
}


@pytest.mark.parametrize("tag", SHELL)
def test_the_workers_page(site: Site, open_page: Open, tolerated: list[str], tag: str) -> None:
    """In the shell at 1280 and 390 px: hostile text stays text, nothing is wider than the page, axe finds nothing."""
    tolerated += ["Applying inline style"]  # axe's own, while it measures
    site.element = {"tag": tag, "name": tag, "attributes": {"exclusion-category": '{"text": "None of the above"}'}}
    site.title, site.text_url = "What is in it?", None if "image" in tag else "/text"
    site.pages["/text"] = "A bee. <img src=x onerror=window.hacked=1>\n" + "Long words. " * 200
    site.pages["/task"] = task_page()
    for options in ({}, PHONE):
        page = open_page("/task", ready=SHELL[tag], **options)
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
        if site.text_url:
            expect(page.locator(".words")).to_contain_text("<img src=x onerror=window.hacked=1>")
        page.get_by_role("button", name="Submit").click()
        expect(page.locator("#refusal")).not_to_be_empty()
        page.evaluate(AXE.read_text())
        found = page.evaluate(f"axe.run(document, {{runOnly: {RULES}}})")["violations"]
        assert not found, [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
        assert page.evaluate("window.hacked") is None


@pytest.mark.django_db(transaction=True)
def test_texts_in_the_portal(visit: Visit, account: Account, owner: User, workers: list[Worker]) -> None:
    """A worker labels texts by keys; the requester sees the label beside the text and decides it anew."""
    lines = [{"source": "A <b>bee</b> and a wasp"}, {"source": "Nothing"}]
    team = builders.a_team(account=account, workers=workers[:1])
    job = creation.create_job(
        **stories.a_design(
            account,
            team,
            task_type="NamedEntityRecognition",
            workers_per_object=1,
            input_manifest_uri=builders.a_manifest(account, lines),
        )
    )
    background.advance_job(job.pk)
    page = visit(workers[0].user, f"/work/{job.queue_id}/")
    expect(page.locator(".words")).to_contain_text("<b>bee</b>")
    expect(page.locator(".text")).to_be_focused()
    for key in ("Control+ArrowRight", *["ArrowRight"] * 3, *["Shift+ArrowRight"] * 3, "1", "Escape", "Enter"):
        page.keyboard.press(key)
    expect(page.locator(".words")).to_contain_text("Nothing")
    expect(page.locator(".text")).to_be_focused()
    page.keyboard.press("x")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You have done every task of this job")).to_be_visible()
    given = Answer.objects.order_by("pk").values_list("content", flat=True)
    assert [one["crowd-entity-annotation"]["entities"] for one in given] == [[entity("bee", 5, 8)], []]

    due.settle_due(job.queue)
    background.advance_job(job.pk)
    page = visit(owner, reverse("requester:job-gallery", args=[job.pk]))
    expect(page.locator("mark")).to_contain_text(["bee"])
    page.get_by_role("link", name="Object 0").click()
    tool = page.locator("crowd-entity-annotation")
    expect(tool.locator("mark")).to_have_text(["bee"])
    tool.get_by_role("button", name="Remove entity 1, bee").click()
    tool.get_by_label("No entities in this text").check()
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Your entities for object 0 are the label now.")).to_be_visible()
