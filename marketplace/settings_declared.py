"""Every setting of Waggle, declared once: name, type, default, range and what it is for.

Pure: it is read by settings.py, by docker/gunicorn.conf.py, by the tests and by the generator of docs/settings.md.
Nothing else in the four rooms reads the environment.
"""

from typing import Any

from marketplace.settings_kinds import (
    Setting,
    choice,
    flag,
    folder,
    folders,
    grants,
    matching,
    names,
    number,
    percent,
    text,
    url,
    whole,
)

MIB = 2**20

# --- installation -------------------------------------------------------------
VAR = folder(
    "WAGGLE_VAR",
    "Where the embedded database, the files and the work of programs are kept.",
    default_in_words="`var/` in the project's folder",
)
DEVELOPMENT = flag(
    "WAGGLE_DEVELOPMENT",
    "Whether values that are unsafe in production, a generated secret key above all, are accepted.",
    default=True,
)
DEBUG = flag("WAGGLE_DEBUG", "Whether Django shows its debug pages.", default=False)
SECRET_KEY = text(
    "WAGGLE_SECRET_KEY",
    "Signs sessions and image addresses. Required when WAGGLE_DEVELOPMENT is no.",
    expects="at least 32 random characters",
    default_in_words="in development one is generated under `WAGGLE_VAR`",
    secret=True,
)
PUBLIC_URL = url(
    "WAGGLE_PUBLIC_URL",
    "The address at which browsers reach the portal; https:// makes the session cookie secure.",
    ("http", "https"),
    default="http://127.0.0.1:8000",
)
ALLOWED_HOSTS = names(
    "WAGGLE_ALLOWED_HOSTS",
    "Host names to which the portal answers.",
    default_in_words="`127.0.0.1,localhost,[::1]` in development, none otherwise",
)
TRUSTED_PROXIES = whole(
    "WAGGLE_TRUSTED_PROXIES",
    "How many reverse proxies of the operator's own every request passes. So many entries at the end of "
    "X-Forwarded-For are believed; with 0 the header is ignored, because clients can write anything into it.",
    default=0,
    low=0,
    high=16,
)
LEARNING = flag("WAGGLE_LEARNING", "Whether this installation has the learning room (trainings, models).", default=True)
LOG_LEVEL = choice(
    "WAGGLE_LOG_LEVEL",
    "The least important messages that are logged.",
    ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
    default="INFO",
)
OPERATOR_EMAIL = text(
    "WAGGLE_OPERATOR_EMAIL",
    "The e-mail address of the first operator, whom `manage.py bootstrap` creates.",
    expects="an e-mail address",
    default_in_words="no operator is created",
)
OPERATOR_PASSWORD = text("WAGGLE_OPERATOR_PASSWORD", "The password of the first operator.", secret=True)

# --- database -----------------------------------------------------------------
DATABASE_URL = text(
    "WAGGLE_DATABASE_URL",
    "The PostgreSQL server and database to use.",
    expects="postgresql://user:password@host:port/name",
    default_in_words="an embedded PostgreSQL under `WAGGLE_VAR`",
    fallbacks=("DATABASE_URL",),
    secret=True,
)
DATABASE_CONNECTION_SECONDS = whole(
    "WAGGLE_DATABASE_CONNECTION_SECONDS",
    "How long a process keeps a connection open for its next request.",
    default=60,
    low=0,
    high=86_400,
    unit="seconds",
)

# --- object storage -------------------------------------------------------------
STORE_URL = url(
    "WAGGLE_STORE_URL",
    "Where the system writes what it makes itself: uploads, data sets, exports, models.",
    ("file", "s3"),
    default_in_words="the folder `store` under `WAGGLE_VAR`",
)
STORE_FILE_ROOTS = folders(
    "WAGGLE_STORE_FILE_ROOTS",
    "Folders that requesters may name as file:// input; file:// addresses outside of them are refused.",
    default_in_words="none",
)
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
FETCH_ALLOWED_HOSTS = names(
    "WAGGLE_FETCH_ALLOWED_HOSTS",
    "Services (host:port) inside the operator's own network to which outbound requests may go; "
    "all other requests go to public addresses only.",
    default_in_words="none",
)

# --- marketplace ----------------------------------------------------------------
SIGN_UP_ENABLED = flag("WAGGLE_SIGN_UP_ENABLED", "Whether anybody may create an account.", default=False)
PLATFORM_FEE_PERCENT = percent(
    "WAGGLE_PLATFORM_FEE_PERCENT",
    "The operator's fee on what a worker is paid.",
    default="20",
)
REGION = matching(
    "WAGGLE_REGION",
    "The region in the ARNs of this installation.",
    r"[a-z0-9-]+",
    expects="a region such as us-east-1",
    default="us-east-1",
)
IMAGE_MAX_BYTES = whole(
    "WAGGLE_IMAGE_MAX_BYTES",
    "The largest image file that is accepted.",
    default=40 * MIB,
    low=1024,
    high=1024 * MIB,
    unit="bytes",
)
IMAGE_MAX_PIXELS = whole(
    "WAGGLE_IMAGE_MAX_PIXELS",
    "The largest image that is decoded, as width times height.",
    default=100_000_000,
    low=10_000,
    high=1_000_000_000,
    unit="pixels",
)
API_RATE_PER_USER = matching(
    "WAGGLE_API_RATE_PER_USER",
    "How many REST requests a user may make in a period.",
    r"[0-9]+/[smhd][a-z]*",
    expects="a number, a slash and a period, as in 6000/min",
    default="6000/min",
)

IDEMPOTENCY_HOURS = whole(
    "WAGGLE_IDEMPOTENCY_HOURS", "How long an Idempotency-Key is remembered.", default=48, low=1, high=8760, unit="hours"
)

# --- queue and learner ------------------------------------------------------------
QUEUE_WORKERS = whole(
    "WAGGLE_QUEUE_WORKERS",
    "Processes that work on the queue of background functions.",
    default=2,
    low=1,
    high=256,
)
QUEUE_POLL_SECONDS = number(
    "WAGGLE_QUEUE_POLL_SECONDS",
    "How long an idle queue waits before it looks for work again.",
    default=0.5,
    low=0.01,
    high=60,
    unit="seconds",
)
QUEUE_TIMEOUT_SECONDS = whole(
    "WAGGLE_QUEUE_TIMEOUT_SECONDS",
    "After how long a background function is ended.",
    default=1800,
    low=10,
    high=86_400,
    unit="seconds",
)
QUEUE_RETRY_SECONDS = whole(
    "WAGGLE_QUEUE_RETRY_SECONDS",
    "After how long a function that was not acknowledged is delivered again; "
    "must be greater than WAGGLE_QUEUE_TIMEOUT_SECONDS.",
    default=2100,
    low=11,
    high=172_800,
    unit="seconds",
)
BACKGROUND_PER_ACCOUNT = whole(
    "WAGGLE_BACKGROUND_PER_ACCOUNT",
    "How many exports, data sets that are being made and labeling jobs that are being prepared one account may have "
    "waiting or running at a time.",
    default=25,
    low=1,
    high=10_000,
)
LEARNER_SLOTS = whole(
    "WAGGLE_LEARNER_SLOTS",
    "Programs (trainings, predictions) that run at once.",
    default=1,
    low=1,
    high=256,
)
LEARNER_THREADS = whole(
    "WAGGLE_LEARNER_THREADS",
    "Threads of each program; 0 leaves the number to the program.",
    default=0,
    low=0,
    high=1024,
)
LEARNER_NICENESS = whole(
    "WAGGLE_LEARNER_NICENESS",
    "How far the priority of programs is lowered below the web and the queue (as by nice).",
    default=10,
    low=0,
    high=19,
)
LEARNER_ENVIRONMENT = names(
    "WAGGLE_LEARNER_ENVIRONMENT",
    "Further environment variables that programs inherit, beside those they need; `*` stands for any characters.",
    default_in_words="none",
)
WEIGHTS_DIR = text(
    "WAGGLE_WEIGHTS_DIR",
    "A folder with torchvision's pretrained weights (.pth files) for machines that cannot download them.",
    expects="a folder",
    default_in_words="torchvision's own cache, then a download",
)

# --- containers and the web server ----------------------------------------------
BIND = text(
    "WAGGLE_BIND",
    "The address and port on which the web server listens.",
    expects="host:port",
    default="127.0.0.1:8000",
)
WEB_WORKERS = whole(
    "WAGGLE_WEB_WORKERS",
    "Processes of the web server.",
    default=2,
    low=1,
    high=256,
    fallbacks=("WEB_CONCURRENCY",),
)
WEB_THREADS = whole("WAGGLE_WEB_THREADS", "Threads of each of these processes.", default=8, low=1, high=256)
DATABASE_TRIES = whole(
    "WAGGLE_DATABASE_TRIES",
    "How often a starting container asks for the database, once a second, before it gives up.",
    default=60,
    low=1,
    high=86_400,
)
PORT = whole(
    "WAGGLE_PORT",
    "The port of the host at which docker/compose.yaml publishes the portal.",
    default=8000,
    low=1,
    high=65_535,
)

# --- tests and benchmarks -------------------------------------------------------
CHROMIUM = text(
    "WAGGLE_CHROMIUM",
    "The Chromium that the browser tests drive.",
    expects="the path of a program",
    default_in_words="the first one found on PATH",
)
WRITE_PICTURES = flag(
    "WAGGLE_WRITE_PICTURES", "Whether the browser tests write the pictures of docs/images anew.", default=False
)
DATASETS = folder(
    "WAGGLE_DATASETS",
    "The shared data sets that some tests and benchmarks measure on.",
    default_in_words="`shared/datasets` beside the project's folder",
)
BENCH_SETS = names(
    "WAGGLE_BENCH_SETS", "The data sets of the benchmark main_job.", default=("bccd", "cards", "raccoon")
)
BENCH_TRAIN_SECONDS = whole(
    "WAGGLE_BENCH_TRAIN_SECONDS",
    "How long each training of the benchmark main_job may take.",
    default=300,
    low=1,
    high=86_400,
    unit="seconds",
)
BENCH_SIZES = names(
    "WAGGLE_BENCH_SIZES",
    "The numbers of objects in the manifests of the benchmark manifest_io.",
    default=("10000", "100000", "1000000"),
)

GROUPS: dict[str, tuple[Setting[Any], ...]] = {
    "Installation": (
        VAR,
        DEVELOPMENT,
        SECRET_KEY,
        PUBLIC_URL,
        ALLOWED_HOSTS,
        TRUSTED_PROXIES,
        LEARNING,
        DEBUG,
        LOG_LEVEL,
        OPERATOR_EMAIL,
        OPERATOR_PASSWORD,
    ),
    "Database": (DATABASE_URL, DATABASE_CONNECTION_SECONDS),
    "Object storage and outbound requests": (
        STORE_URL,
        STORE_FILE_ROOTS,
        S3_ENDPOINT_URL,
        S3_PUBLIC_ENDPOINT_URL,
        S3_ACCESS_KEY_ID,
        S3_SECRET_ACCESS_KEY,
        S3_REGION,
        S3_ADDRESSING_STYLE,
        S3_PRESIGN,
        S3_INPUT_BUCKETS,
        FETCH_ALLOWED_HOSTS,
    ),
    "Marketplace": (
        SIGN_UP_ENABLED,
        PLATFORM_FEE_PERCENT,
        REGION,
        IMAGE_MAX_BYTES,
        IMAGE_MAX_PIXELS,
        API_RATE_PER_USER,
        IDEMPOTENCY_HOURS,
    ),
    "Queue and learner": (
        QUEUE_WORKERS,
        QUEUE_POLL_SECONDS,
        QUEUE_TIMEOUT_SECONDS,
        QUEUE_RETRY_SECONDS,
        BACKGROUND_PER_ACCOUNT,
        LEARNER_SLOTS,
        LEARNER_THREADS,
        LEARNER_NICENESS,
        LEARNER_ENVIRONMENT,
        WEIGHTS_DIR,
    ),
    "Web server and containers": (BIND, WEB_WORKERS, WEB_THREADS, DATABASE_TRIES, PORT),
    "Tests and benchmarks": (CHROMIUM, WRITE_PICTURES, DATASETS, BENCH_SETS, BENCH_TRAIN_SECONDS, BENCH_SIZES),
}
"""Every setting, under the headings of docs/settings.md."""
