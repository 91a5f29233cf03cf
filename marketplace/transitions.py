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
