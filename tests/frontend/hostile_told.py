"""Right requests about notices, webhooks, events and the low-funds warning; see hostile.py."""

from collections.abc import Iterator
from typing import Any

from marketplace.models import NoticeKind
from tests.frontend import events_world
from tests.frontend.world import World

HOOK = {"url": "https://example.org/hook", "description": "ours", "kinds": ["job.done"]}


def forms(world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """The forms of the pages of notices, webhooks and the low-funds warning."""
    ids = world.ids
    wishes = {f"email {kind}": "daily" for kind in NoticeKind} | {f"in_app {kind}": "on" for kind in NoticeKind}
    yield from [
        ("/you/notices/read/", {}),
        (f"/you/notices/{ids['notice_id']}/open/", {}),
        ("/you/notices/settings/", wishes),
        ("/wallet/low-funds/", {"threshold": "5.50"}),
        *events_world.forms(ids),
    ]
    for place, endpoint, message in (
        ("/webhooks/", ids["webhook_id"], ids["delivery_id"]),
        ("/you/webhooks/", ids["endpoint_id"], ids["message_id"]),
    ):
        yield from [
            (place, HOOK),
            (f"{place}{endpoint}/", HOOK),
            (f"{place}{endpoint}/act/", {"act": "test"}),
            (f"{place}{endpoint}/deliveries/{message}/redeliver/", {}),
        ]


def bodies(world: World) -> dict[str, dict[str, Any]]:
    """A JSON body for each operation that takes one, which it accepts."""
    return {
        "mark_notices_read": {"ids": [world.ids["notice_id"]]},
        "set_notice_preference": {"kind": "appeal", "in_app": True, "email": "daily"},
        **dict.fromkeys(("create_webhook", "create_my_webhook", "change_webhook", "change_my_webhook"), HOOK),
        "set_low_funds": {"threshold": "5.50"},
        **events_world.bodies(),
    }
