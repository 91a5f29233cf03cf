"""Things that do not go on by themselves, as every room finds them and the operator's page lists them. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Stuck:
    """One thing: what kind it is (a value of KINDS), what exactly, since when if that is known, and what to do."""

    what: str
    about: str
    remedy: str
    since: datetime | None = None


QUEUE, TARGET, WORKERS, ATTEMPTS, LEARNER, RUN, ENDPOINT, PART = KINDS = (
    "queue",
    "target",
    "workers",
    "attempts",
    "learner",
    "run",
    "endpoint",
    "part",
)
"""The message queue, a webhook or event target, a job without workers, background work that fails again and again, a
learner, a run of a program, an endpoint, and a part of the installation (database, store, web)."""

MOST = 50
"""Things of one kind that are listed."""
