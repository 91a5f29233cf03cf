"""Events and their destinations in a real browser, at both widths, with axe."""

from typing import Any

import pytest
from django.urls import reverse
from django_q.models import OrmQ
from playwright.sync_api import expect
from standardwebhooks import Webhook

from marketplace import background
from marketplace.models import Account, Event, User
from marketplace.services import event_destinations
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import check, each_look
from tests.labeling.test_human_loops import a_flow, start
from tests.webhook_receiver import receiving

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def send() -> None:
    """Run the messages of the queue that send events."""
    for row in OrmQ.objects.order_by("pk"):
        path, arguments = row.task["func"], row.task["args"]
        row.delete()
        if path == event_destinations.DELIVER:
            background.deliver_event(*arguments)


def test_an_admin_makes_a_destination_tests_it_and_sees_what_is_sent(visit: Visit, settings: Any) -> None:
    """What is wrong is said beside its field; the secret that is shown verifies what arrives."""
    flow, _ = a_flow()
    owner = flow.account.members.get()
    with receiving() as receiver:
        settings.FETCH_ALLOWED_HOSTS = frozenset({receiver.host})
        page = visit(owner, reverse("requester:overview"))
        page.get_by_role("link", name="Events").click()
        expect(page.locator("tbody tr")).to_have_count(2)
        page.get_by_role("link", name="Destinations").click()
        page.get_by_label("ARN or address").fill("bees")
        page.get_by_role("button", name="Create the destination").click()
        expect(page.get_by_text("an ARN such as arn:aws:sns:us-east-1:123456789012:a-topic expected")).to_be_visible()
        page.get_by_label("Kind").select_option("webhook")
        page.get_by_label("ARN or address").fill(receiver.url)
        page.get_by_role("button", name="Create the destination").click()
        secret = page.locator(".callout .mono").inner_text()
        page.get_by_role("button", name="Send a test event").click()
        start(flow)
        send()
        page.reload()
        expect(page.get_by_text("Delivered")).to_have_count(2)
        page.get_by_role("button", name="again").first.click()
        send()
        assert len(receiver.got) == 3
        events = [Webhook(secret).verify(body, headers) for body, headers in receiver.got]
        assert [event["detail-type"] for event in events[:2]] == [
            "Waggle Test Event",
            "SageMaker A2I HumanLoop Status Change",
        ]


@each_look
def test_the_pages_fit_and_are_accessible(
    visit: Visit, live_server: Any, account: Account, owner: User, look: dict[str, Any]
) -> None:
    """No page is wider than the window, and axe finds nothing serious."""
    made, _ = event_destinations.create(
        account=account,
        kind="sqs",
        target=f"arn:aws:sqs:us-east-1:123456789012:{'x' * 70}",
        detail_types=["SageMaker A2I HumanLoop Status Change", "SageMaker Endpoint State Change"],
        credentials="role",
        role_arn="arn:aws:iam::123456789012:role/bees",
        by="x",
    )
    event_destinations.send_test(destination=made)
    flow, _ = a_flow()
    Event.objects.filter(account=flow.account).update(account=account)
    paths = [reverse("requester:events"), reverse("requester:event-destinations")]
    paths += [reverse("requester:event-destination", args=[made.pk])]
    page = visit(owner, paths[0], **look)
    check(page, [live_server.url + path for path in paths], fits=True)
