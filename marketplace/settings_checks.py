"""What can be wrong with an environment as a whole: earlier names, unknown names, values that contradict each other.

Pure: it judges a mapping of variables and knows nothing of Django.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from marketplace import settings_cluster
from marketplace import settings_declared as declared
from marketplace.settings_kinds import Setting

PREFIX = "WAGGLE_"

INTERNAL = ("WAGGLE_TEST_", "WAGGLE_JOB_FOLDER")
"""Beginnings of variables that Waggle's own processes and tests set for each other."""

_ONLY_THE_PREFIX_IS_NEW = (
    "ALLOWED_HOSTS",
    "API_RATE_PER_USER",
    "DATABASE_TRIES",
    "DEBUG",
    "FETCH_ALLOWED_HOSTS",
    "IMAGE_MAX_BYTES",
    "IMAGE_MAX_PIXELS",
    "LEARNER_NICENESS",
    "LEARNER_SLOTS",
    "LEARNER_THREADS",
    "LOG_LEVEL",
    "PLATFORM_FEE_PERCENT",
    "PUBLIC_URL",
    "QUEUE_POLL_SECONDS",
    "QUEUE_RETRY_SECONDS",
    "QUEUE_TIMEOUT_SECONDS",
    "QUEUE_WORKERS",
    "S3_ACCESS_KEY_ID",
    "S3_ADDRESSING_STYLE",
    "S3_ENDPOINT_URL",
    "S3_INPUT_BUCKETS",
    "S3_PRESIGN",
    "S3_PUBLIC_ENDPOINT_URL",
    "S3_REGION",
    "S3_SECRET_ACCESS_KEY",
    "SECRET_KEY",
    "SIGN_UP_ENABLED",
    "STORE_FILE_ROOTS",
    "STORE_URL",
    "WEB_THREADS",
    "WEIGHTS_DIR",
)

EARLIER_NAMES = {name: PREFIX + name for name in _ONLY_THE_PREFIX_IS_NEW} | {
    "CONN_MAX_AGE": "WAGGLE_DATABASE_CONNECTION_SECONDS",
    "S3_SECRET": "WAGGLE_S3_SECRET_ACCESS_KEY",
}
"""Names of version 0.1.0 -> names of today."""


def every() -> Iterator[Setting[Any]]:
    """All settings, in the order of docs/settings.md."""
    for group in declared.GROUPS.values():
        yield from group


def complaints(environment: Mapping[str, str]) -> list[str]:
    """Why the system must not start with this environment, a sentence each. Raises SettingError for a wrong value."""
    found = [
        f"{earlier} is now called {name}: set {name} instead"
        for earlier, name in EARLIER_NAMES.items()
        if environment.get(earlier) and not environment.get(name)
    ]
    timeout, retry = declared.QUEUE_TIMEOUT_SECONDS, declared.QUEUE_RETRY_SECONDS
    if retry.read(environment) <= timeout.read(environment):
        found.append(
            f"{retry.name}: {retry.read(environment)} found, more than {timeout.name} ({timeout.read(environment)}) "
            "expected, or a function that still runs would be started a second time"
        )
    host, sender = declared.EMAIL_HOST, declared.EMAIL_FROM
    if host.read(environment) and not sender.read(environment):
        found.append(f"{sender.name} is not set: {host.name} needs the address from which its letters come")
    if declared.LOCAL_S3.read(environment):
        found += [
            f"{other.name} is set and {declared.LOCAL_S3.name} is on: the local S3 server serves {what}; unset one"
            for other, what in (
                (declared.S3_ENDPOINT_URL, "in place of another one"),
                (declared.STORE_URL, "a folder, not a bucket of another server"),
            )
            if other.read(environment) and not other.read(environment).startswith("file://")
        ]
    executor, store = settings_cluster.EXECUTOR, declared.STORE_URL
    if executor.read(environment) != settings_cluster.LOCAL and not store.read(environment).startswith("s3://"):
        found.append(
            f"{executor.name} is {executor.read(environment)}, and {store.name} is no s3:// address: the nodes of a "
            "cluster fetch what programs need from a store that they reach over the network"
        )
    key, signing = declared.STRIPE_SECRET_KEY, declared.STRIPE_WEBHOOK_SECRET
    if bool(key.read(environment)) != bool(signing.read(environment)):
        found.append(f"{key.name} and {signing.name} are set together or not at all: one of them is not set")
    return found


def unknown(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that begin like ours and are none of ours -> the setting with the most similar name, or ''."""
    known = {one.name for one in every()}
    strange = [name for name in environment if name.startswith(PREFIX) and not name.startswith(INTERNAL)]
    return {
        name: next(iter(get_close_matches(name, known, n=1, cutoff=0.8)), "")
        for name in sorted(strange)
        if name not in known
    }
