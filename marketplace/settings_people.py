"""The settings about people coming in: sign-up, invitations, links, and what vendors publish."""

from marketplace.settings_kinds import flag, whole

SIGN_UP_ENABLED = flag(
    "WAGGLE_SIGN_UP_ENABLED",
    "Whether anybody may sign up as a requester, with an account of their own. Needs a mail server.",
    default=False,
)
WORKER_SIGN_UP_ENABLED = flag(
    "WAGGLE_WORKER_SIGN_UP_ENABLED",
    "Whether anybody may sign up as a worker of the public pool. Needs a mail server.",
    default=True,
)
INVITATION_DAYS = whole(
    "WAGGLE_INVITATION_DAYS",
    "How long an invitation to an account or a team can be accepted.",
    default=14,
    low=1,
    high=365,
    unit="days",
)
REVIEW_VENDOR_LISTINGS = flag(
    "WAGGLE_REVIEW_VENDOR_LISTINGS",
    "Whether an operator reads a vendor's listing before requesters see it.",
    default=True,
)
PASSWORD_LINK_HOURS = whole(
    "WAGGLE_PASSWORD_LINK_HOURS",
    "How long a link to set a forgotten password works; it works once.",
    default=24,
    low=1,
    high=720,
    unit="hours",
)
