"""Every setting of Waggle, declared once: name, type, default, range and what it is for.

Pure: it is read by settings.py, by frontend/server, by the tests and by the generator of docs/settings.md.
Nothing else in the four rooms reads the environment.
"""

from typing import Any

from marketplace.settings_bench import (
    BENCH_SETS,
    BENCH_SIZES,
    BENCH_TRAIN_SECONDS,
    CHROMIUM,
    DATASETS,
    WRITE_PICTURES,
)
from marketplace.settings_cluster import CLUSTER
from marketplace.settings_events import EVENTS
from marketplace.settings_functions import FUNCTION_ENVIRONMENT, FUNCTION_SECONDS, FUNCTIONS
from marketplace.settings_kinds import (
    Setting,
    flag,
    folder,
    folders,
    matching,
    names,
    percent,
    text,
    url,
    whole,
)
from marketplace.settings_mail import (
    DIGEST_HOUR,
    EMAIL_FROM,
    EMAIL_HOST,
    EMAIL_PASSWORD,
    EMAIL_PORT,
    EMAIL_SECURITY,
    EMAIL_USER,
    WEBHOOK_FAILING_DAYS,
)
from marketplace.settings_payments import (
    MINIMUM_PAYOUT,
    STRIPE_API_BASE,
    STRIPE_SECRET_KEY,
    STRIPE_WEBHOOK_SECRET,
)
from marketplace.settings_people import (
    INVITATION_DAYS,
    PASSWORD_LINK_HOURS,
    REVIEW_VENDOR_LISTINGS,
    SIGN_UP_ENABLED,
    WORKER_SIGN_UP_ENABLED,
)
from marketplace.settings_processes import (
    BACKGROUND_PER_ACCOUNT,
    BIND,
    DATABASE_TRIES,
    ENDPOINT_INSTANCES_PER_ACCOUNT,
    LEARNER_ADDRESS,
    LEARNER_ENVIRONMENT,
    LEARNER_NICENESS,
    LEARNER_SERVING_SLOTS,
    LEARNER_SLOTS,
    LEARNER_THREADS,
    PORT,
    QUEUE_POLL_SECONDS,
    QUEUE_RETRY_SECONDS,
    QUEUE_TIMEOUT_SECONDS,
    QUEUE_WORKERS,
    REQUEST_SECONDS,
    TRAINING_PROCESSES,
    UPLOAD_MAX_BYTES,
    WEB_CONNECTIONS,
    WEB_THREADS,
    WEB_WORKERS,
    WEIGHTS_DIR,
)
from marketplace.settings_quotas import QUOTAS
from marketplace.settings_retention import RETENTION
from marketplace.settings_s3 import (
    LOCAL_S3,
    LOCAL_S3_PORT,
    S3_ACCESS_KEY_ID,
    S3_ADDRESSING_STYLE,
    S3_ENDPOINT_URL,
    S3_INPUT_BUCKETS,
    S3_PRESIGN,
    S3_PUBLIC_ENDPOINT_URL,
    S3_REGION,
    S3_SECRET_ACCESS_KEY,
)
from marketplace.settings_sight import LOG_FORMAT, LOG_LEVEL, LOG_REQUESTS, METRICS_TOKEN

MIB = 2**20

# --- installation -------------------------------------------------------------
VAR = folder(
    "WAGGLE_VAR",
    "Where the embedded database, the files and the work of programs are kept.",
    default_in_words="`var/` of the checkout; of an installed wheel `~/.local/share/waggle`, or its like elsewhere",
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
PGBOUNCER = flag(
    "WAGGLE_PGBOUNCER",
    "Whether `WAGGLE_DATABASE_URL` leads to a PgBouncer in transaction mode, whose clients share connections of the "
    "database: cursors on the server and prepared statements are off then.",
    default=False,
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
FETCH_ALLOWED_HOSTS = names(
    "WAGGLE_FETCH_ALLOWED_HOSTS",
    "Services (host:port) inside the operator's own network to which outbound requests may go; "
    "all other requests go to public addresses only.",
    default_in_words="none",
)

# --- marketplace ----------------------------------------------------------------
CONDUCT_RULES = flag(
    "WAGGLE_CONDUCT_RULES", "Whether answers are checked by the rules against spam and robots.", default=True
)
PLATFORM_FEE_PERCENT = percent(
    "WAGGLE_PLATFORM_FEE_PERCENT",
    "The operator's fee on what a worker is paid.",
    default="20",
)
HOURLY_PAY_FLOOR = matching(
    "WAGGLE_HOURLY_PAY_FLOOR",
    "Dollars an hour of work below which the forecast of a job warns its requester, and so does the page of a job that "
    "has paid less for an hour of active work; 0 never warns.",
    r"[0-9]{1,4}(\.[0-9]{1,6})?",
    expects="dollars, as in 7.25",
    default="7.25",
)
PDF_FONT = text(
    "WAGGLE_PDF_FONT",
    "A TrueType font with the letters of the names on invoices; without one they have Latin letters only.",
    expects="the path of a .ttf file",
    default_in_words="DejaVu Sans, where the system has it",
)
REGION = matching(
    "WAGGLE_REGION",
    "The region in the ARNs of this installation.",
    r"[a-z0-9-]+",
    expects="a region such as us-east-1",
    default="us-east-1",
)
DISK_RESERVE = whole(
    "WAGGLE_DISK_RESERVE",
    "Room that uploads leave on the disk of the store; with less, /health/ answers 503.",
    default=64 * MIB,
    low=0,
    high=1024 * 1024 * MIB,
    unit="bytes",
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
EXPORT_IMAGES_MAX_BYTES = whole(
    "WAGGLE_EXPORT_IMAGES_MAX_BYTES",
    "The most that the images in one export may have together. The file is written to the folder of temporary files "
    "first, which needs room for it.",
    default=20 * 1024 * MIB,
    low=MIB,
    high=10 * 1024 * 1024 * MIB,
    unit="bytes",
)
API_RATE_PER_USER = matching(
    "WAGGLE_API_RATE_PER_USER",
    "How many REST requests a user may make in a period.",
    r"[0-9]+/[smhd][a-z]*",
    expects="a number, a slash and a period, as in 6000/min",
    default="6000/min",
)

ROUTING_RULES = names(
    "WAGGLE_ROUTING_RULES",
    "The Python functions, each as module:function, that jobs may name to decide which worker sees which object. "
    "They run in the web process.",
    default_in_words="none",
)

IDEMPOTENCY_HOURS = whole(
    "WAGGLE_IDEMPOTENCY_HOURS", "How long an Idempotency-Key is remembered.", default=48, low=1, high=8760, unit="hours"
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
        OPERATOR_EMAIL,
        OPERATOR_PASSWORD,
    ),
    "Database": (DATABASE_URL, PGBOUNCER, DATABASE_CONNECTION_SECONDS),
    "Object storage and outbound requests": (
        STORE_URL,
        STORE_FILE_ROOTS,
        DISK_RESERVE,
        S3_ENDPOINT_URL,
        S3_PUBLIC_ENDPOINT_URL,
        S3_ACCESS_KEY_ID,
        S3_SECRET_ACCESS_KEY,
        S3_REGION,
        S3_ADDRESSING_STYLE,
        S3_PRESIGN,
        S3_INPUT_BUCKETS,
        LOCAL_S3,
        LOCAL_S3_PORT,
        FETCH_ALLOWED_HOSTS,
    ),
    "E-mail and webhooks": (
        EMAIL_HOST,
        EMAIL_PORT,
        EMAIL_SECURITY,
        EMAIL_USER,
        EMAIL_PASSWORD,
        EMAIL_FROM,
        DIGEST_HOUR,
        WEBHOOK_FAILING_DAYS,
    ),
    "Events": EVENTS,
    "Marketplace": (
        QUOTAS,
        SIGN_UP_ENABLED,
        CONDUCT_RULES,
        WORKER_SIGN_UP_ENABLED,
        INVITATION_DAYS,
        REVIEW_VENDOR_LISTINGS,
        PASSWORD_LINK_HOURS,
        PLATFORM_FEE_PERCENT,
        MINIMUM_PAYOUT,
        STRIPE_SECRET_KEY,
        STRIPE_WEBHOOK_SECRET,
        STRIPE_API_BASE,
        HOURLY_PAY_FLOOR,
        PDF_FONT,
        REGION,
        IMAGE_MAX_BYTES,
        IMAGE_MAX_PIXELS,
        EXPORT_IMAGES_MAX_BYTES,
        API_RATE_PER_USER,
        ROUTING_RULES,
        FUNCTIONS,
        FUNCTION_SECONDS,
        FUNCTION_ENVIRONMENT,
    ),
    "How long things are kept": (IDEMPOTENCY_HOURS, *RETENTION),
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
        LEARNER_SERVING_SLOTS,
        TRAINING_PROCESSES,
        LEARNER_ADDRESS,
        ENDPOINT_INSTANCES_PER_ACCOUNT,
        WEIGHTS_DIR,
    ),
    "Cluster": CLUSTER,
    "Web server and containers": (
        BIND,
        WEB_WORKERS,
        WEB_THREADS,
        WEB_CONNECTIONS,
        REQUEST_SECONDS,
        UPLOAD_MAX_BYTES,
        DATABASE_TRIES,
        PORT,
    ),
    "Logs and metrics": (LOG_LEVEL, LOG_FORMAT, LOG_REQUESTS, METRICS_TOKEN),
    "Tests and benchmarks": (CHROMIUM, WRITE_PICTURES, DATASETS, BENCH_SETS, BENCH_TRAIN_SECONDS, BENCH_SIZES),
}
"""Every setting, under the headings of docs/settings.md."""
