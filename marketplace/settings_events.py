"""The settings of events and of jobs' topics, declared as those in settings_declared.py, which lists them. Pure."""

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
STREAM_IDLE_DAYS = whole(
    "WAGGLE_STREAM_IDLE_DAYS",
    "A streaming labeling job to which no object has come for so long, and which has none that waits for people, is "
    "stopped.",
    default=10,
    low=1,
    high=3650,
    unit="days",
)
STREAM_EXPIRY_DAYS = whole(
    "WAGGLE_STREAM_EXPIRY_DAYS",
    "An object of a streaming labeling job that is not open to people so long after it came has failed.",
    default=14,
    low=1,
    high=3650,
    unit="days",
)
STREAM_WAITING = whole(
    "WAGGLE_STREAM_WAITING",
    "Objects of a streaming labeling job that may wait until it takes them; while there are so many, its topic is told "
    "to send later.",
    default=10_000,
    low=1,
    high=1_000_000,
)

EVENTS = (
    EVENTS_KEPT_DAYS,
    EVENTS_ENDPOINT_URLS,
    EVENTS_OWN_CREDENTIALS,
    EVENTS_ACCESS_KEY_ID,
    EVENTS_SECRET_ACCESS_KEY,
    STREAM_IDLE_DAYS,
    STREAM_EXPIRY_DAYS,
    STREAM_WAITING,
)
