"""Every status of this room's models, and the statuses that may follow it."""

from marketplace.states import Machine

PAYOUT = Machine(
    "payout",
    {
        "Requested": {"Sent", "Cancelled"},
        "Sent": {"Paid", "Failed"},
        "Paid": {"Returned"},
        "Failed": set(),
        "Cancelled": set(),
        "Returned": set(),
    },
)
"""Returned: the worker's bank had the money, and sent it back."""

WORKER = Machine("worker", {"Active": {"Suspended"}, "Suspended": {"Active"}})
"""A suspended worker is shown no work at all; see sql/eligibility_0018.sql."""

QUALIFICATION_TYPE = Machine("qualification type", {"Active": {"Inactive"}, "Inactive": {"Active"}})
"""Nobody comes by a qualification of an inactive type any more."""

WALLET_REFUND = Machine(
    "refund", {"Requested": {"Paid", "Refused", "Cancelled"}, "Paid": set(), "Refused": set(), "Cancelled": set()}
)

INVITATION = Machine(
    "invitation",
    {
        "Pending": {"Accepted", "Declined", "Withdrawn", "Expired"},
        "Accepted": set(),
        "Declined": set(),
        "Withdrawn": set(),
        "Expired": set(),
    },
)

WEBHOOK = Machine("webhook", {"Active": {"Disabled"}, "Disabled": {"Active"}})
"""Nothing is sent to a disabled endpoint."""

EVENT_DESTINATION = Machine("event destination", {"Active": {"Disabled"}, "Disabled": {"Active"}})
"""Nothing is sent to a disabled destination."""

IDENTITY_PROVIDER = Machine(
    "identity provider",
    {"InReview": {"Active"}, "Active": {"Disabled", "InReview"}, "Disabled": {"Active", "InReview"}},
)
"""Only operators end the review, and begin one again."""

VENDOR_LISTING = Machine(
    "vendor's listing",
    {
        "Draft": {"InReview", "Published"},
        "InReview": {"Draft", "Published", "Refused"},
        "Published": {"Draft", "InReview", "Refused"},
        "Refused": {"Draft", "InReview", "Published"},
    },
)
"""A listing goes from Draft or Refused to Published at once where the operator does not review listings."""

CONTRACT = Machine(
    "contract",
    {
        "Proposed": {"Countered", "Live", "Declined", "Withdrawn"},
        "Countered": {"Proposed", "Live", "Declined", "Withdrawn"},
        "Live": {"Ended"},
        "Ended": set(),
        "Declined": set(),
        "Withdrawn": set(),
    },
)
"""Proposed waits for the vendor, Countered for the requester; the side that is waited for makes it Live."""

INVOICE = Machine("invoice", {"Issued": {"Paid"}, "Paid": set()})
"""An issued invoice is paid by the operator, in one transfer."""
