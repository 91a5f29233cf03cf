"""The settings of mail and webhooks, declared as those in settings_declared.py, which lists them. Pure."""

from marketplace.settings_kinds import choice, text, whole

EMAIL_HOST = text(
    "WAGGLE_EMAIL_HOST",
    "The mail server that sends invitations and links to forgotten passwords. Without one, people are shown the links "
    "to pass on.",
    expects="a host name",
    default_in_words="no e-mail is sent",
)
EMAIL_PORT = whole("WAGGLE_EMAIL_PORT", "The port of the mail server.", default=587, low=1, high=65_535)
EMAIL_SECURITY = choice(
    "WAGGLE_EMAIL_SECURITY",
    "How the connection to the mail server is encrypted.",
    ("starttls", "tls", "none"),
    default="starttls",
)
EMAIL_USER = text("WAGGLE_EMAIL_USER", "The name with which Waggle signs in at the mail server.")
EMAIL_PASSWORD = text("WAGGLE_EMAIL_PASSWORD", "The password of that name.", secret=True)
EMAIL_FROM = text(
    "WAGGLE_EMAIL_FROM",
    "The sender of these letters. Required when WAGGLE_EMAIL_HOST is set.",
    expects="an e-mail address",
)
DIGEST_HOUR = whole(
    "WAGGLE_DIGEST_HOUR", "The hour of the day, UTC, at which daily digests are sent.", default=6, low=0, high=23
)
WEBHOOK_FAILING_DAYS = whole(
    "WAGGLE_WEBHOOK_FAILING_DAYS",
    "After so many days without a successful delivery a webhook is disabled, and its owners are told.",
    default=5,
    low=1,
    high=365,
    unit="days",
)
