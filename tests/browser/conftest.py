"""Fixtures of the browser tests: pages that fail a test on errors in the console. Chromium itself is in chromium.py."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from marketplace.models import Account, User, Worker
from tests import builders
from tests.browser import elements_site
from tests.labeling import stories

Visit = Callable[..., Page]


@pytest.fixture
def site(built_elements: Path) -> Iterator[elements_site.Site]:
    """A small website with the elements, one for each test."""
    site, server = elements_site.serve()
    yield site
    server.shutdown()
    server.server_close()


@pytest.fixture
def tolerated() -> list[str]:
    """Parts of console messages that a test expects; the test appends them."""
    return []


@pytest.fixture
def open_page(chromium: Browser, site: elements_site.Site, tolerated: list[str]) -> Iterator[Callable[..., Page]]:
    """A function that opens a path (or a URL) in a new browser context and waits until the selector `ready` is visible.

    At the end of the test, script errors and violations of the content security policy are failures.
    """
    faults: list[str] = []
    contexts: list[BrowserContext] = []

    def heard(said: ConsoleMessage) -> None:
        if "Content Security Policy" in said.text:
            faults.append(said.text)

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: faults.append(f"{error}\n{error.stack}"))
        page.on("console", heard)

    def open_(path: str, *, ready: str = ".canvas canvas", **options: Any) -> Page:
        context = chromium.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
        contexts.append(context)
        context.on("page", watch)
        page = context.new_page()
        page.goto(path if path.startswith("http") else site.address + path)
        page.locator(ready).first.wait_for()
        return page

    yield open_
    for context in contexts:
        context.close()
    unexpected = [fault for fault in faults if not any(part in fault for part in tolerated)]
    assert not unexpected, unexpected


@pytest.fixture
def visit(chromium: Browser, built_elements: Path, live_server: Any, tolerated: list[str]) -> Iterator[Visit]:
    """A function that opens a page of the portal for a signed-in user. Any error in a console fails the test."""
    faults: list[str] = []
    contexts = []

    def open_(user: User | None, path: str, **options: Any) -> Page:
        context = chromium.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
        contexts.append(context)
        if user is not None:
            client = Client()
            client.force_login(user)
            cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
            context.add_cookies([cookie])
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
        page.on("console", lambda said: faults.append(f"{page.url}: {said.text}") if said.type == "error" else None)
        page.goto(live_server.url + path)
        return page

    yield open_
    for context in contexts:
        context.close()
    # The browser logs a 422 as an error; it is the answer to a form with wrong input.
    known = ["422 (Unprocessable", *tolerated]
    unexpected = [fault for fault in faults if not any(part in fault for part in known)]
    assert not unexpected, unexpected


@pytest.fixture
def account() -> Account:
    """A requester's account with money."""
    return builders.an_account()


@pytest.fixture
def owner(account: Account) -> User:
    """The owner of the account."""
    return account.members.get()


@pytest.fixture
def workers() -> list[Worker]:
    """Two workers."""
    return stories.a_crowd(2)


@pytest.fixture
def show(site: elements_site.Site, open_page: Callable[..., Page]) -> Callable[..., Page]:
    """A function that opens a page with this content in a crowd form, or as it is."""

    def show_(content: str, *, ready: str, bare: bool = False, **options: Any) -> Page:
        inner = content if bare else f"<crowd-form>{content}</crowd-form>"
        site.pages["/form"] = (
            f'{elements_site.HEAD}<body><script type="module" src="/harness.js"></script>{inner}</body></html>'
        )
        return open_page("/form", ready=ready, **options)

    return show_
