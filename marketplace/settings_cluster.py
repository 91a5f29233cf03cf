"""The settings of a cluster that runs programs; settings_declared.py lists them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from marketplace.settings_kinds import Setting, number, text, url, whole

LOCAL = "local"


@dataclass(frozen=True)
class Resources:
    """What one program needs of a node; `others` are the cluster's own resources by name."""

    cpus: float = 1.0
    gpus: float = 0.0
    memory_gib: float = 0.0
    others: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def parse(cls, value: str) -> "Resources":
        """From `cpus=4 gpus=1 memory_gib=16 fast-disk=1`. Raises ValueError for anything else."""
        found: dict[str, float] = {}
        for part in value.replace(",", " ").split():
            name, equals, amount = part.partition("=")
            if not name or not equals or name in found:
                raise ValueError(part)
            found[name] = float(amount)
            if not 0 <= found[name] < 1_000_000:
                raise ValueError(part)
        own = {name: found.pop(name) for name in ("cpus", "gpus", "memory_gib") if name in found}
        resources = cls(**own, others=found)
        if not resources.cpus:
            # A job without any goes to the cluster's head, however busy that is.
            raise ValueError(value)
        return resources


def _executor(value: str) -> str:
    parts = urlsplit(value)
    if value != LOCAL and (parts.scheme != "ray" or not parts.hostname or parts.port is None or parts.path.strip("/")):
        raise ValueError(value)
    return value.rstrip("/")


def _needs(name: str, what: str, default: Resources, words: str) -> Setting[Resources]:
    return Setting(
        name,
        f"What {what} needs of a node of the Ray cluster; names other than `cpus`, `gpus` and `memory_gib` are the "
        "cluster's own resources.",
        Resources.parse,
        "`cpus=4 gpus=1 memory_gib=16`, with cpus above 0",
        default,
        default_in_words=words,
    )


EXECUTOR = Setting(
    "WAGGLE_EXECUTOR",
    "Where programs run: `local`, as child processes of the learner, or a Ray cluster, by the address of its dashboard "
    "(docs/ray.md); that needs a store in S3.",
    _executor,
    "local or ray://HOST:PORT",
    LOCAL,
)
RAY_TRAINING = _needs("WAGGLE_RAY_TRAINING", "a training", Resources(), "cpus=1")
RAY_PREDICTION = _needs("WAGGLE_RAY_PREDICTION", "a prediction, or an import of a model,", Resources(), "cpus=1")
RAY_SERVING = _needs("WAGGLE_RAY_SERVING", "one replica of an endpoint", Resources(), "cpus=1")
RAY_TRAINING_NODES = whole(
    "WAGGLE_RAY_TRAINING_NODES",
    "On how many nodes of the Ray cluster at once one training may run that asks for several (`num_nodes`); each of "
    "them has what WAGGLE_RAY_TRAINING says.",
    default=1,
    low=1,
    high=64,
)
RAY_PREDICTION_LINES = whole(
    "WAGGLE_RAY_PREDICTION_LINES",
    "Over how many lines of a manifest one job of the Ray cluster predicts; a longer manifest is divided into jobs of "
    "so many lines each.",
    default=5000,
    low=1,
    high=10_000_000,
)
RAY_PREDICTION_JOBS = whole(
    "WAGGLE_RAY_PREDICTION_JOBS",
    "How many jobs of one divided prediction run on the Ray cluster at once.",
    default=8,
    low=1,
    high=1024,
)
RAY_LOST_SECONDS = number(
    "WAGGLE_RAY_LOST_SECONDS",
    "After how long without an answer the Ray cluster counts as lost, and its programs are started again.",
    default=60.0,
    low=1,
    high=86_400,
    unit="seconds",
)
RAY_PYTHON = text(
    "WAGGLE_RAY_PYTHON",
    "The Python interpreter on the nodes of the Ray cluster, with the packages that programs need.",
    expects="a command",
    default="python",
)
RAY_SERVE_URL = url(
    "WAGGLE_RAY_SERVE_URL",
    "Where Ray Serve answers over HTTP on the cluster's head, as the web reaches it; its port is the one that Serve "
    "listens at.",
    ("http",),
    default="http://127.0.0.1:8001",
)
RAY_SERVE_REPLICAS = whole(
    "WAGGLE_RAY_SERVE_REPLICAS",
    "To how many replicas Ray Serve lets each instance of an endpoint grow while many requests wait.",
    default=1,
    low=1,
    high=1024,
)
CLUSTER = (
    EXECUTOR,
    RAY_TRAINING,
    RAY_PREDICTION,
    RAY_SERVING,
    RAY_TRAINING_NODES,
    RAY_PREDICTION_LINES,
    RAY_PREDICTION_JOBS,
    RAY_LOST_SECONDS,
    RAY_PYTHON,
    RAY_SERVE_URL,
    RAY_SERVE_REPLICAS,
)
