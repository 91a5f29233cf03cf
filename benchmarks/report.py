"""The report that every benchmark prints: one JSON line of figures and the machine they were measured on."""

import json
import os
import platform
from collections.abc import Mapping


def machine() -> dict[str, object]:
    """What figures depend on: cores, memory in GiB, load, kernel, Python."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory, 1),
        "load_before": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def report(
    benchmark: str, figures: Mapping[str, float], *, on: Mapping[str, object] | None = None, **names: str
) -> None:
    """Print the line. `on` is machine() as it was before the work began, so that load_before is the load before it.

    `names` say what was measured where a benchmark measures several things.
    """
    rounded = {name: round(value, 4) for name, value in figures.items()}
    print(json.dumps({"benchmark": benchmark, **names, "figures": rounded, "machine": dict(on or machine())}))
