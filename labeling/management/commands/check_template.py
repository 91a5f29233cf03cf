"""`manage.py check_template FILE --input sample.json`: what in a worker template will not work here, and why."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labeling.formats.task_input import task_input
from labeling.formats.template_check import Report, check_template
from marketplace import strict
from marketplace.errors import DomainError


class Command(BaseCommand):
    """Prints one line for each finding, `file:line: level: what`, and exits with 1 when the template will not work."""

    help = "Say what in a worker template will not work here, and why."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, a sample, and the hosts that are allowed."""
        parser.add_argument("file", type=Path, help="the template")
        parser.add_argument("--input", type=Path, help="a sample: JSON of task.input, or a line of a manifest")
        parser.add_argument("--labels", default="", help="labels of the job, with commas between; for a manifest line")
        parser.add_argument(
            "--script-host", action="append", default=[], metavar="HOST", help="scripts and styles may come from it"
        )
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        """See the help."""
        sample = _sample(options["input"], options["labels"])
        report = check_template(_text(file), task_input=sample, script_hosts=options["script_host"])
        if options["json"]:
            self.stdout.write(json.dumps({"works": report.works, "findings": report.rows()}, indent=2))
        else:
            self._print(file, report)
        if not report.works:
            sys.exit(1)

    def _print(self, file: Path, report: Report) -> None:
        for one in report.findings:
            place = str(file) if one.line is None else f"{file}:{one.line}"
            self.stdout.write(f"{place}: {one.level}: {one.message}")
        if not report.findings:
            self.stdout.write(f"{file}: nothing found that would not work")


def _sample(file: Path | None, labels: str) -> Any:
    if file is None:
        return None
    try:
        found = strict.read_json(_text(file))
    except (ValueError, DomainError) as error:
        raise CommandError(f"{file}: {error}") from None
    if isinstance(found, dict) and ("source-ref" in found or "source" in found) and "taskObject" not in found:
        return task_input(found, [label.strip() for label in labels.split(",") if label.strip()])
    return found


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}") from None
