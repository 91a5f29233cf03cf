"""Right requests of the routes of bonuses, refunds, reversed deposits and billing; see hostile.py."""

from collections.abc import Iterator
from typing import Any

from tests.frontend.world import World


def forms(world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """(address, fields) of every form of their pages."""
    ids, job = world.ids, f"/jobs/{world.ids['job_id']}/"
    yield from [
        (f"{job}resume/", {}),
        (f"{job}bonuses/pay/", {"worker": ids["other_worker_id"], "amount": "0.50", "reason": "good", "token": "t"}),
        ("/wallet/refunds/", {"amount": "1.50"}),
        ("/wallet/deposits/", {"amount": "1.50"}),
        (f"/wallet/refunds/{ids['refund_id']}/cancel/", {}),
        ("/wallet/billing/", {"billing_name": "N", "billing_address": "A", "tax_number": "DE136695976"}),
        ("/operator/ledger/", {}),
        ("/operator/money/reverse/", {"reference": "bank-1", "reason": "fraud"}),
        ("/operator/money/tax/", {"account": world.account.pk, "percent": "19", "label": "VAT"}),
        (f"/operator/money/refunds/{ids['refund_id']}/refused/", {"reason": "no"}),
    ]


def bodies(world: World) -> dict[str, dict[str, Any]]:
    """A JSON body for each of their operations that takes one."""
    return {
        "reverse_deposit": {"reference": "bank-1", "reason": "fraud"},
        "pay_bonus": {"worker": world.ids["other_worker_id"], "amount": "0.50", "reason": "good", "token": "t"},
        "request_refund": {"amount": "1.50"},
        "start_card_deposit": {"amount": "1.50"},
        "refuse_refund": {"reason": "no"},
        "set_billing": {"billing_name": "N", "billing_address": "A", "tax_number": "DE136695976"},
        "set_tax": {"account": world.account.number, "percent": "19", "label": "VAT"},
    }
