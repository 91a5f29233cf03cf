"""Every status of this room's models, and the statuses that may follow it."""

from marketplace.states import Machine

PAYOUT = Machine(
    "payout",
    {
        "Requested": {"Sent", "Cancelled"},
        "Sent": {"Paid", "Failed"},
        "Paid": set(),
        "Failed": set(),
        "Cancelled": set(),
    },
)
"""Every status of this room's models, and the statuses that may follow it."""


WORKER = Machine("worker", {"Active": {"Suspended"}, "Suspended": {"Active"}})
"""A suspended worker is shown no work at all; see sql/eligibility_0027.sql."""

QUALIFICATION_TYPE = Machine("qualification type", {"Active": {"Inactive"}, "Inactive": {"Active"}})
"""Nobody comes by a qualification of an inactive type any more."""

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
