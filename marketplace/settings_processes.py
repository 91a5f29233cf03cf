"""The settings of processes: queue, learner, web server and containers; settings_declared.py lists them. Pure."""

from marketplace.settings_kinds import names, number, text, whole

MIB = 2**20

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
    "How many exports, imports of labels, data sets that are being made and labeling jobs that are being prepared one "
    "account may have waiting or running at a time.",
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
LEARNER_SERVING_SLOTS = whole(
    "WAGGLE_LEARNER_SERVING_SLOTS",
    "Instances of endpoints that run at once, beside the programs that WAGGLE_LEARNER_SLOTS counts.",
    default=16,
    low=1,
    high=1024,
)
TRAINING_PROCESSES = whole(
    "WAGGLE_TRAINING_PROCESSES",
    "The most processes that train one detector together; 0: one for each GPU of the learner's machine.",
    default=0,
    low=0,
    high=64,
)
LEARNER_ADDRESS = text(
    "WAGGLE_LEARNER_ADDRESS",
    "The address of the learner's machine at which the web reaches instances of endpoints; they listen there.",
    expects="an address or the name of a host",
    default="127.0.0.1",
)
ENDPOINT_INSTANCES_PER_ACCOUNT = whole(
    "WAGGLE_ENDPOINT_INSTANCES_PER_ACCOUNT",
    "How many instances the endpoints of one account may have together; during an update the old and the new count.",
    default=8,
    low=1,
    high=1024,
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
    expects="host:port or unix:/path",
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
WEB_THREADS = whole(
    "WAGGLE_WEB_THREADS",
    "Requests that each of these processes answers at once; clients that are still sending do not count.",
    default=8,
    low=1,
    high=256,
)
WEB_CONNECTIONS = whole(
    "WAGGLE_WEB_CONNECTIONS",
    "Connections that each of these processes keeps open at once; further ones wait until one is closed.",
    default=2000,
    low=8,
    high=60_000,
)
REQUEST_SECONDS = whole(
    "WAGGLE_REQUEST_SECONDS",
    "How long a client may take to send the headers of a request, and as long again, with a second for each 10,000 "
    "bytes, for its body. A connection without a request is closed after the same time.",
    default=15,
    low=1,
    high=60,
    unit="seconds",
)
UPLOAD_MAX_BYTES = whole(
    "WAGGLE_UPLOAD_MAX_BYTES",
    "The largest request with files that is taken, from callers who are signed in.",
    default=4096 * MIB,
    low=MIB,
    high=1024 * 1024 * MIB,
    unit="bytes",
)
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
