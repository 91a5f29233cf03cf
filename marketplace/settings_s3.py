"""The settings of the S3 server that holds data, and of the one that a laptop runs itself; settings_declared.py lists
them. Pure."""

from marketplace.settings_kinds import choice, flag, grants, matching, text, url, whole

S3_ENDPOINT_URL = url(
    "WAGGLE_S3_ENDPOINT_URL",
    "The S3 server that the system's processes talk to.",
    ("http", "https"),
    default_in_words="AWS",
)
S3_PUBLIC_ENDPOINT_URL = url(
    "WAGGLE_S3_PUBLIC_ENDPOINT_URL",
    "The address of the same S3 server as browsers reach it.",
    ("http", "https"),
    default_in_words="the value of `WAGGLE_S3_ENDPOINT_URL`",
)
S3_ACCESS_KEY_ID = text(
    "WAGGLE_S3_ACCESS_KEY_ID",
    "The key with which requests to the S3 server are signed.",
    fallbacks=("AWS_ACCESS_KEY_ID",),
    secret=True,
)
S3_SECRET_ACCESS_KEY = text(
    "WAGGLE_S3_SECRET_ACCESS_KEY",
    "The secret of that key.",
    fallbacks=("AWS_SECRET_ACCESS_KEY",),
    secret=True,
)
S3_REGION = matching(
    "WAGGLE_S3_REGION",
    "The region of the S3 server.",
    r"[a-z0-9-]+",
    expects="a region such as us-east-1",
    default="us-east-1",
    fallbacks=("AWS_DEFAULT_REGION",),
)
S3_ADDRESSING_STYLE = choice(
    "WAGGLE_S3_ADDRESSING_STYLE",
    "Whether the bucket stands in the path or in the host name of an S3 address.",
    ("auto", "path", "virtual"),
    default="auto",
)
S3_PRESIGN = flag(
    "WAGGLE_S3_PRESIGN",
    "Whether browsers fetch images from the S3 server by signed addresses; if not, the portal passes every image on.",
    default=True,
)
S3_INPUT_BUCKETS = grants(
    "WAGGLE_S3_INPUT_BUCKETS",
    "Buckets that requesters may name: `bucket` as input of every account, `bucket=123456789012` as input and output "
    "of the account with this number.",
    default_in_words="none: an account reads and writes its own part of the store",
)
LOCAL_S3 = flag(
    "WAGGLE_LOCAL_S3",
    "Whether this machine serves the folder of WAGGLE_STORE_URL over S3 itself, on loopback, with keys made at the "
    "first start (`manage.py local_s3` prints them); see docs/local-s3.md.",
    default=False,
)
LOCAL_S3_PORT = whole(
    "WAGGLE_LOCAL_S3_PORT",
    "The port of that server at 127.0.0.1.",
    default=9000,
    low=1,
    high=65_535,
)
