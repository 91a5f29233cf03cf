"""`manage.py database start|keep|stop|url|ping`: the embedded PostgreSQL, or whether the database answers."""

import signal
import time

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection

from marketplace import database
from marketplace.postmaster import DatabaseUnavailable

KEEP_SECONDS = 1
"""How often `keep` looks whether the server runs."""


class Command(BaseCommand):
    """Start or stop the embedded server, or print where it is."""

    help = "Start or stop the embedded PostgreSQL, or print its URL"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """One word."""
        parser.add_argument("action", choices=["start", "keep", "stop", "url", "ping"])

    def handle(self, *args: object, action: str, **options: object) -> None:
        """Do it. Raises CommandError when WAGGLE_DATABASE_URL names another server, or nobody answers a ping."""
        if action == "ping":
            try:
                connection.ensure_connection()
            except OperationalError as error:
                raise CommandError(f"the database does not answer: {error}") from error
            return
        if action == "keep":
            self._keep()
        if url := settings.SECRET_DATABASE_URL:
            if action == "url":
                self.stdout.write(url)
                return
            raise CommandError("WAGGLE_DATABASE_URL is set: the server it names is not ours to start or stop")
        if action == "stop":
            database.stop_embedded(settings.DATABASE_DIR)
            self.stdout.write("stopped")
        else:
            self.stdout.write(database.start_embedded(settings.DATABASE_DIR))

    def _keep(self) -> None:
        """Start the embedded server again whenever it is gone, until this process is ended; never returns.

        It runs beside web and queue also where there is no embedded server.
        """
        said = ""
        while settings.SECRET_DATABASE_URL:
            signal.pause()
        while True:
            try:
                database.start_embedded(settings.DATABASE_DIR)
                said = ""
            except DatabaseUnavailable as error:
                # Tried again: somebody may free the disk or end what holds the folder.
                if str(error) != said:
                    said = str(error)
                    self.stderr.write(said)
            time.sleep(KEEP_SECONDS)
