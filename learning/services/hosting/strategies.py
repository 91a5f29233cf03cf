"""How an endpoint goes from one configuration to the next: in which steps, and what undoes it. Pure."""

from collections.abc import Mapping
from typing import Any

from marketplace.errors import Invalid
from marketplace.ranges import Range

ALL_AT_ONCE, CANARY, LINEAR = "AllAtOnce", "Canary", "Linear"
TYPES = (ALL_AT_ONCE, CANARY, LINEAR)
STEP_PERCENT = Range(1, 50)
BAKE_SECONDS = Range(0, 3600)
START_SECONDS = Range(30, 28_800)
ERROR_PERCENT = Range(0.0, 100.0)
P99_MS = Range(1.0, 600_000.0)
RANGES = {
    "step_percent": STEP_PERCENT,
    "bake_seconds": BAKE_SECONDS,
    "start_seconds": START_SECONDS,
    "max_error_percent": ERROR_PERCENT,
    "max_p99_ms": P99_MS,
}
DEFAULT: dict[str, Any] = {
    "type": ALL_AT_ONCE,
    "step_percent": 10,
    "bake_seconds": 60,
    "start_seconds": 600,
    "max_error_percent": 5.0,
    "max_p99_ms": None,
}
"""`step_percent` is the size of a canary, or of each linear step. After every step, the last one included, the new
configuration is watched for `bake_seconds` before the next; it is rolled back when more than `max_error_percent` of its
requests fail, or its 99th percentile of latency is above `max_p99_ms` (None: not watched), or its replicas have not
started within `start_seconds`."""


def parse(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """A whole strategy, what is missing by default. Raises Invalid naming the member."""
    found = {**DEFAULT, **(given or {})}
    if unknown := sorted(found.keys() - DEFAULT.keys()):
        raise Invalid(f"{unknown[0]!r} is not known; there are {', '.join(DEFAULT)}", field="strategy")
    if found["type"] not in TYPES:
        raise Invalid(f"{found['type']!r} found, one of {', '.join(TYPES)} expected", field="strategy.type")
    for name, allowed in RANGES.items():
        value = found[name]
        if value is None and name in ("max_error_percent", "max_p99_ms"):
            continue
        whole = name not in ("max_error_percent", "max_p99_ms")
        if value not in allowed or (whole and int(value) != value):
            kind = "a whole number" if whole else "a number"
            raise Invalid(f"{value!r} found, {kind} from {allowed} expected", field=f"strategy.{name}")
    return found


def next_share(strategy: Mapping[str, Any], share: int) -> int:
    """The percentage of requests after the next step."""
    if strategy["type"] == LINEAR:
        return min(100, share + int(strategy["step_percent"]))
    if strategy["type"] == CANARY and share == 0:
        return int(strategy["step_percent"])
    return 100
