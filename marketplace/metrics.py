"""Every metric of the installation: what is counted in processes, and the names of what is read from the database.

Counts in processes are kept by prometheus-client, for several processes in files (metric_files.py). Every label has few
values: routes, methods, kinds and statuses, never a key of a row. Knows no Django.
"""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram

COUNTS = CollectorRegistry()
"""What this process has counted, if it is the only one that counts."""

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ROOMS = frozenset({"marketplace", "labeling", "learning", "frontend", "django", "django-q"})
OTHER = "other"

REQUESTS = Counter(
    "waggle_requests",
    "Requests that were answered, by route, method and status.",
    ["route", "method", "status"],
    registry=COUNTS,
)
REQUEST_SECONDS = Histogram(
    "waggle_request_seconds",
    "Seconds from the begin of a request's handling to its answer, without the body of a streamed one.",
    ["route"],
    buckets=SECONDS,
    registry=COUNTS,
)
ERRORS = Counter(
    "waggle_errors",
    "Lines of the log at the level ERROR and above, by where they come from.",
    ["room"],
    registry=COUNTS,
)
CLAIMS = Counter(
    "waggle_claims",
    "Claims of tasks: given, nothing (no task for that worker now), refused.",
    ["outcome"],
    registry=COUNTS,
)
SUBMITS = Counter("waggle_submits", "Answers handed in: accepted, repeated, refused.", ["outcome"], registry=COUNTS)
MESSAGES = Counter(
    "waggle_queue_messages",
    "Messages of the queue that were worked on, by function and outcome: done, failed.",
    ["function", "outcome"],
    registry=COUNTS,
)
MESSAGE_SECONDS = Counter(
    "waggle_queue_message_seconds",
    "Seconds spent on messages of the queue, by function.",
    ["function"],
    registry=COUNTS,
)
PROGRAMS_ENDED = Counter(
    "waggle_programs_ended",
    "Runs of programs that are over, by kind and final status.",
    ["kind", "status"],
    registry=COUNTS,
)
COUNTED = (
    REQUESTS,
    REQUEST_SECONDS,
    ERRORS,
    CLAIMS,
    SUBMITS,
    MESSAGES,
    MESSAGE_SECONDS,
    PROGRAMS_ENDED,
)
"""What processes count. On `/metrics` each has the label `process` too: web, queue or learner."""


@dataclass(frozen=True)
class Figure:
    """A metric that is read from the database when it is asked for. `kind`: gauge or counter."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    kind: str = "gauge"
    learning: bool = False


PART_UP = Figure("waggle_part_up", "Whether a part of the installation works: 1 or 0.", ("part",))
QUEUE_DEPTH = Figure(
    "waggle_queue_depth",
    "Messages in the queue: due, later (delivered to a worker, or due at a time to come).",
    ("state",),
)
QUEUE_OLDEST = Figure("waggle_queue_oldest_seconds", "For how long the oldest message that is due has been.")
LEASES = Figure("waggle_leases", "Tasks that workers hold: live, expired (not yet taken back).", ("state",))
JOBS = Figure("waggle_work_queues_open", "Work queues whose tasks workers can claim.")
FAILING = Figure(
    "waggle_failing_targets", "Webhooks and event targets of which no attempt succeeds any more.", ("kind",)
)
HEARTBEAT = Figure(
    "waggle_heartbeat_seconds",
    "Seconds since the last heartbeat of a queue or a learner, by machine.",
    ("kind", "place"),
)
LEDGER_MICROS = Figure(
    "waggle_ledger_micros", "Micro-dollars that entries of the ledger have moved, by kind.", ("kind",), "counter"
)
LEDGER_ENTRIES = Figure("waggle_ledger_entries", "Entries of the ledger, by kind.", ("kind",), "counter")
STUCK = Figure("waggle_stuck", "Things that do not go on by themselves, as the operator's page lists them.", ("what",))
PROGRAMS = Figure(
    "waggle_programs",
    "Runs of programs that are not over: waiting, running, stopping.",
    ("kind", "state"),
    learning=True,
)
PROGRAM_OLDEST = Figure(
    "waggle_program_oldest_waiting_seconds",
    "For how long the oldest run that waits for a learner has waited, by kind.",
    ("kind",),
    learning=True,
)
ENDPOINTS = Figure("waggle_endpoints", "Endpoints, by status.", ("status",), learning=True)
REPLICAS = Figure("waggle_endpoint_replicas", "Instances of endpoints, by status.", ("status",), learning=True)
GPU_USE = Figure(
    "waggle_gpu_use_ratio", "How busy a GPU of a learner is, from 0 to 1.", ("place", "gpu"), learning=True
)
GPU_MEMORY = Figure(
    "waggle_gpu_memory_bytes", "Memory of a GPU of a learner: used, total.", ("place", "gpu", "of"), learning=True
)
GPU_CELSIUS = Figure("waggle_gpu_celsius", "Temperature of a GPU of a learner.", ("place", "gpu"), learning=True)
FIGURES = (
    PART_UP,
    QUEUE_DEPTH,
    QUEUE_OLDEST,
    LEASES,
    JOBS,
    FAILING,
    HEARTBEAT,
    LEDGER_MICROS,
    LEDGER_ENTRIES,
    STUCK,
    PROGRAMS,
    PROGRAM_OLDEST,
    ENDPOINTS,
    REPLICAS,
    GPU_USE,
    GPU_MEMORY,
    GPU_CELSIUS,
)

Values = dict[tuple[str, ...], float]
"""The values of one figure by the values of its labels, in the order of `Figure.labels`."""

Found = list[tuple[Figure, Values]]


def count_request(route: str, method: str, status: int, seconds: float) -> None:
    """Count a request that was answered."""
    REQUESTS.labels(route, method if method in METHODS else OTHER, str(status)).inc()
    REQUEST_SECONDS.labels(route).observe(seconds)


def count_error(logger: str) -> None:
    """Count a line of the log by its logger."""
    room = logger.partition(".")[0]
    ERRORS.labels(room if room in ROOMS else OTHER).inc()


def count_message(function: str, *, done: bool, seconds: float) -> None:
    """Count a message that was worked on."""
    MESSAGES.labels(function, "done" if done else "failed").inc()
    MESSAGE_SECONDS.labels(function).inc(max(0.0, seconds))


def count_program(kind: str, status: str) -> None:
    """Count a run of a program that is over."""
    PROGRAMS_ENDED.labels(kind, status).inc()


def count_claim(outcome: str) -> None:
    """Count a claim."""
    CLAIMS.labels(outcome).inc()


def count_submit(outcome: str) -> None:
    """Count an answer that was handed in."""
    SUBMITS.labels(outcome).inc()
