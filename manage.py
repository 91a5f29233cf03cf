#!/usr/bin/env python
"""The command line of the project: `python manage.py <command>`."""

import os
import sys

COUNTING = {"qcluster": "queue", "run_programs": "learner"}
"""Commands that run on, and what kind of process they are for the metrics."""


def main() -> None:
    """Run one management command with the project's settings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
    kind = COUNTING.get(sys.argv[1]) if len(sys.argv) > 1 else None
    if kind is not None:
        # Before anything is imported that imports prometheus-client.
        from marketplace import metric_folders

        metric_folders.begin(kind, os.environ)
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
