"""`manage.py aws_compatibility`: writes docs/aws-compatibility.md from the registry of operations."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from frontend.aws import reference


class Command(BaseCommand):
    """Writes the page, or prints it without a path."""

    help = "Write what the AWS wire answers as a page of the documentation."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument("path", nargs="?", type=Path, help="the file to write (default: standard output)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write or print it."""
        if options["path"] is None:
            self.stdout.write(reference.text(), ending="")
        else:
            options["path"].write_text(reference.text())
