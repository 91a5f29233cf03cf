"""docs/metrics.md, made from marketplace/metrics.py.

`python -m marketplace.metrics_reference docs/metrics.md` writes the page; with `--check` it only compares.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from marketplace import metrics

HEAD = """\
# Metrics

<!-- Made from marketplace/metrics.py by `make docs`; change it there. -->

What `/metrics` tells, in Prometheus' text format. [Monitoring](monitoring.md) says who may read it and which alerts to
begin with. No label holds a key of a row, an address or a name that somebody chose, so the number of series does not
grow with use.

## Counted in processes

By the web, the queue and the learner of one machine (one `WAGGLE_VAR`), which is the label `process`, since they were
started. A web server on another machine is scraped by itself.

"""
READ = """
## Read from the database

At each scrape, and the same whichever web process answers. No query grows with history: the queue, leases, and runs
that are not over are counted by indexes of just these, and the ledger has running totals.

"""
TABLE = "| Metric | Kind | Labels | What it is |\n|---|---|---|---|\n"


def page() -> str:
    """The whole page, in Markdown."""
    counted = [
        (_exposed(one._name, one._type), one._type, (*one._labelnames, "process"), one._documentation)
        for one in metrics.COUNTED
    ]
    read = [
        (
            _exposed(one.name, one.kind),
            one.kind,
            one.labels,
            one.help + (" Only where learning is installed." if one.learning else ""),
        )
        for one in metrics.FIGURES
    ]
    return HEAD + TABLE + _rows(counted) + READ + TABLE + _rows(read)


def _exposed(name: str, kind: str) -> str:
    return f"{name}_total" if kind == "counter" else name


def _rows(rows: Iterable[tuple[str, str, Iterable[str], str]]) -> str:
    return "".join(
        f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in labels) or 'none'} | {text} |\n"
        for name, kind, labels, text in rows
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write docs/metrics.md, or check that it is up to date.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    if not given.check:
        given.file.write_text(page())
    elif not given.file.exists() or given.file.read_text() != page():
        sys.exit(f"{given.file} is not what the code says: run `make docs`")
