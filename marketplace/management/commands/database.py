"""`manage.py database start|stop|url`: the embedded PostgreSQL under var/."""

import os

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser

from marketplace import database


class Command(BaseCommand):
    """Start or stop the embedded server, or print where it is."""

    help = "Start or stop the embedded PostgreSQL, or print its URL"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """One word."""
        parser.add_argument("action", choices=["start", "stop", "url"])

    def handle(self, *args: object, action: str, **options: object) -> None:
        """Do it. Raises CommandError when DATABASE_URL names another server."""
        if url := os.environ.get("DATABASE_URL"):
            if action == "url":
                self.stdout.write(url)
                return
            raise CommandError("DATABASE_URL is set: the server it names is not ours to start or stop")
        if action == "stop":
            database.stop_embedded(settings.DATABASE_DIR)
            self.stdout.write("stopped")
        else:
            self.stdout.write(database.start_embedded(settings.DATABASE_DIR))
