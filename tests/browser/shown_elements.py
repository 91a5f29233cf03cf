"""Opens single elements in a browser, submits them, and reads what they answer."""

import json
from collections.abc import Callable
from html import escape
from typing import Any

from playwright.sync_api import Page

from tests.browser.drawing import PHONE, answers
from tests.browser.elements_site import ready_again, settles, wait_until
from tests.browser.test_shape_elements import check_accessible

Show = Callable[..., Page]


def element(tag: str, inner: str = "", **attributes: Any) -> str:
    """An element with these attributes, "-" for "_" in their names; what is no text is written as JSON."""
    said = [
        f'{key.replace("_", "-")}="{escape(value if isinstance(value, str) else json.dumps(value))}"'
        for key, value in attributes.items()
    ]
    return f"<{tag} {' '.join(said)}>{inner}</{tag}>"


def submit(page: Page) -> None:
    page.get_by_role("button", name="Submit").click()


def answer(page: Page, count: int) -> dict[str, Any]:
    """The newest answer, once there are so many."""
    wait_until(lambda: len(answers(page)) >= count)
    ready_again(page)
    assert len(answers(page)) == count
    newest: dict[str, Any] = answers(page)[-1]
    return newest


def looked_at(page: Page) -> None:
    """axe finds nothing, wide and on a phone, where nothing is wider than the page."""
    check_accessible(page)
    page.set_viewport_size(PHONE["viewport"])
    settles(lambda: page.evaluate("document.documentElement.scrollWidth <= innerWidth"), True)
    check_accessible(page)
