"""Fixtures of the browser tests: the built elements, Chromium, and pages that fail a test on errors in the console."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from marketplace.models import Account, User, Worker
from tests import builders
from tests.browser import elements_site, install
from tests.labeling import stories

Visit = Callable[..., Page]
ELEMENTS = Path(__file__).parents[2] / "frontend" / "elements"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
SOURCES = ("src/**/*", "build/*", "package-lock.json", "vite.config.ts", "vite.template.config.ts")


def _stale() -> bool:
    built = elements_site.DIST / "worker.js"
    newest = max(path.stat().st_mtime for pattern in SOURCES for path in ELEMENTS.glob(pattern))
    return not built.is_file() or built.stat().st_mtime < newest


@pytest.fixture(scope="session")
def built_elements() -> Path:
    """The folder of the built files; built again when a source is newer. Skips the test when npm is not installed."""
    if _stale():
        if not shutil.which("npm"):
            pytest.skip("frontend/static/dist is not built and npm is not installed")
        if not (ELEMENTS / "node_modules").is_dir():
            subprocess.run(["npm", "ci"], cwd=ELEMENTS, check=True, capture_output=True)
        subprocess.run(["npm", "run", "build"], cwd=ELEMENTS, check=True, capture_output=True)
    return elements_site.DIST


@pytest.fixture
def site(built_elements: Path) -> Iterator[elements_site.Site]:
    """A small website with the elements, one for each test."""
    site, server = elements_site.serve()
    yield site
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for all tests. Skips the test when none is installed."""
    executable = install.find()
    if executable is None:
        pytest.skip("no Chromium on this machine: `apt install chromium` or set WAGGLE_CHROMIUM")
    # Playwright runs an event loop in this thread, in which Django would refuse synchronous use of the database.
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    expect.set_options(timeout=30_000)  # generous, because a loaded machine is slow
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


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
