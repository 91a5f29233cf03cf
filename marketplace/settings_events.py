"""The settings of events, declared as those in settings_declared.py, which lists them. Pure."""

from marketplace.settings_kinds import names, text, whole

EVENTS_KEPT_DAYS = whole(
    "WAGGLE_EVENTS_KEPT_DAYS",
    "How long events of changes of state can be listed.",
    default=90,
    low=30,
    high=3650,
    unit="days",
)
EVENTS_ENDPOINT_URLS = names(
    "WAGGLE_EVENTS_ENDPOINT_URLS",
    "Addresses other than AWS's at which SNS, SQS and EventBridge may be asked, such as http://127.0.0.1:4566 of a "
    "local server; one inside the own network also has to be in WAGGLE_FETCH_ALLOWED_HOSTS.",
    default_in_words="none: AWS only",
)
EVENTS_OWN_CREDENTIALS = names(
    "WAGGLE_EVENTS_OWN_CREDENTIALS",
    "Numbers of the accounts whose events may be sent, and whose queues of new images may be read, with the AWS "
    "credentials of this installation itself; * for every account. They may then use whatever these credentials may.",
    default_in_words="none: accounts give a role or an access key",
)
EVENTS_ACCESS_KEY_ID = text(
    "WAGGLE_EVENTS_ACCESS_KEY_ID",
    "The AWS access key with which roles of accounts are assumed, and events sent and queues read where that is "
    "allowed.",
    fallbacks=("AWS_ACCESS_KEY_ID",),
    secret=True,
    default_in_words="what boto3 finds: a profile, or the role of the machine",
)
EVENTS_SECRET_ACCESS_KEY = text(
    "WAGGLE_EVENTS_SECRET_ACCESS_KEY",
    "The secret of that key.",
    fallbacks=("AWS_SECRET_ACCESS_KEY",),
    secret=True,
)

EVENTS = (
    EVENTS_KEPT_DAYS,
    EVENTS_ENDPOINT_URLS,
    EVENTS_OWN_CREDENTIALS,
    EVENTS_ACCESS_KEY_ID,
    EVENTS_SECRET_ACCESS_KEY,
)
