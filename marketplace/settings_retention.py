"""The settings of how long things are kept, declared as those in settings_declared.py, which lists them. Pure."""

from marketplace.settings_kinds import whole

NOTICES_KEPT_DAYS = whole(
    "WAGGLE_NOTICES_KEPT_DAYS", "How long people's notices are kept.", default=180, low=7, high=3650, unit="days"
)
DELIVERIES_KEPT_DAYS = whole(
    "WAGGLE_DELIVERIES_KEPT_DAYS",
    "How long the delivery logs of webhooks and of destinations of events go back.",
    default=30,
    low=1,
    high=3650,
    unit="days",
)
FAILURES_KEPT_DAYS = whole(
    "WAGGLE_FAILURES_KEPT_DAYS",
    "How long it is kept why a background function failed.",
    default=30,
    low=1,
    high=3650,
    unit="days",
)
AUDIT_KEPT_DAYS = whole(
    "WAGGLE_AUDIT_KEPT_DAYS",
    "How long the audit log goes back, except of payouts, refunds, contracts and invoices; 0 keeps everything.",
    default=0,
    low=0,
    high=36_500,
    unit="days",
)
EXPORTS_KEPT_DAYS = whole(
    "WAGGLE_EXPORTS_KEPT_DAYS",
    "How long exports and their files are kept after they have ended; 0 keeps them.",
    default=0,
    low=0,
    high=3650,
    unit="days",
)
DELETED_IMAGES_KEPT_DAYS = whole(
    "WAGGLE_DELETED_IMAGES_KEPT_DAYS",
    "How long the images of a deleted data set stay in the store; then they go, where nothing else names them.",
    default=30,
    low=0,
    high=3650,
    unit="days",
)

RETENTION = (
    NOTICES_KEPT_DAYS,
    DELIVERIES_KEPT_DAYS,
    FAILURES_KEPT_DAYS,
    AUDIT_KEPT_DAYS,
    EXPORTS_KEPT_DAYS,
    DELETED_IMAGES_KEPT_DAYS,
)
