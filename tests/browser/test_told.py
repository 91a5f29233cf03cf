"""Notices, webhooks and the audit log in a real browser, at both widths, with axe."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django_q.models import OrmQ
from playwright.sync_api import expect
from standardwebhooks import Webhook

from marketplace import background
from marketplace.models import Account, NoticeKind, User
from marketplace.services import notifications, webhooks
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import check, each_look

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


class Receiver(http.server.BaseHTTPRequestHandler):
    """Refuses the first message, and takes the others."""

    got: list[tuple[bytes, dict[str, str]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).got.append((body, dict(self.headers.items())))
        self.send_response(500 if len(type(self).got) == 1 else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: Any) -> None:
        """Tests are quiet."""


@pytest.fixture
def address(settings: Any) -> Iterator[str]:
    """Where the receiver listens."""
    Receiver.got = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    settings.FETCH_ALLOWED_HOSTS = frozenset({f"127.0.0.1:{server.server_port}"})
    yield f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    server.server_close()


def send() -> None:
    """Run the messages of the queue that send to webhooks."""
    for row in OrmQ.objects.order_by("pk"):
        path, arguments = row.task["func"], row.task["args"]
        row.delete()
        if path == webhooks.DELIVER:
            background.deliver_webhook(*arguments)


def test_an_admin_is_told_sets_up_a_webhook_and_reads_the_log(
    visit: Visit, account: Account, owner: User, address: str, tmp_path: Path
) -> None:
    """The notice is opened from the navigation, a refused message is sent again, the log names who did it."""
    notifications.tell(
        user=owner, kind=NoticeKind.LOW_FUNDS, text="The wallet runs low.", link=reverse("requester:wallet")
    )
    page = visit(owner, reverse("requester:overview"))
    expect(page.get_by_role("link", name="Notices")).to_contain_text("1")
    page.get_by_role("link", name="Notices").click()
    page.get_by_role("button", name="Open: The wallet runs low.").click()
    expect(page.get_by_role("heading", name="Wallet", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Notices")).not_to_contain_text("1")
    page.get_by_role("link", name="Webhooks").click()
    page.get_by_label("Address").fill("ftp://example.org")
    page.get_by_role("button", name="Create the webhook").click()
    expect(page.get_by_text("https://host/... without spaces")).to_be_visible()
    page.get_by_label("Address").fill(address)
    page.get_by_role("button", name="Create the webhook").click()
    secret = page.locator(".callout .mono").inner_text()
    page.get_by_role("button", name="Send a test").click()
    send()
    page.reload()
    expect(page.get_by_text("500")).to_be_visible()
    webhooks.of(account=account).get().deliveries.update(next_at=None)  # given up, after days
    page.reload()
    page.get_by_role("button", name="Send msg_").click()
    send()
    page.reload()
    expect(page.get_by_text("Delivered")).to_be_visible()
    body, headers = Receiver.got[1]
    assert Webhook(secret).verify(body, headers)["data"]["test"] is True
    page.get_by_role("link", name="Audit log").click()
    page.get_by_label("Kind").select_option("Webhooks")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text(owner.email)
    with page.expect_download() as saved:
        page.get_by_role("link", name="CSV").click()
    file = tmp_path / "log.csv"
    saved.value.save_as(file)
    assert len(file.read_text().splitlines()) == 2


@each_look
def test_the_pages_fit_and_are_accessible(
    visit: Visit, live_server: Any, account: Account, owner: User, look: dict[str, Any]
) -> None:
    """No page is wider than the window, and axe finds nothing serious."""
    endpoint, _ = webhooks.create(account=account, user=None, url=f"https://example.org/{'x' * 90}", kinds=[], by="x")
    webhooks.send_test(endpoint=endpoint)
    for number in range(3):
        notifications.tell(user=owner, kind=NoticeKind.APPEAL, text=f"Appeal {number} " + "word " * 30, account=account)
    paths = [reverse(f"requester:{name}") for name in ("webhooks", "audit", "wallet")]
    paths += [reverse("requester:webhook", args=[endpoint.pk])]
    paths += [reverse(f"person:{name}") for name in ("notices", "notice-settings", "webhooks")]
    page = visit(owner, paths[0], **look)
    for path in paths:
        check(page, [live_server.url + path])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
