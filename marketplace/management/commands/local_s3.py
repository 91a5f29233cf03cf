"""`manage.py local_s3`: prints how boto3 reaches the S3 server of this machine; `--serve` runs that server.

`--admit ID` lets it accept a further access key, whose secret is read from standard input, `--dismiss ID` no longer.
"""

import json
import os
import shlex
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace import local_s3, storage
from marketplace.models import Account
from marketplace.storage_files import FileStore


class Command(BaseCommand):
    """Prints lines for a shell, or JSON; with `--serve` it becomes the server and does not return."""

    help = "Print the address and keys of the local S3 server (WAGGLE_LOCAL_S3) as exports; --serve runs it"

    def add_arguments(self, parser: CommandParser) -> None:
        """Print or serve."""
        parser.add_argument("--serve", action="store_true", help="run the server, as the process s3 of the Procfile")
        parser.add_argument("--admit", metavar="ID", help="accept this access key too; its secret is read from stdin")
        parser.add_argument("--dismiss", metavar="ID", help="no longer accept it")
        parser.add_argument("--json", action="store_true", help="print JSON in place of exports")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError when the server is turned off, or rclone is missing."""
        if not settings.LOCAL_S3:
            raise CommandError("the local S3 server is off: set WAGGLE_LOCAL_S3=1 (docs/local-s3.md)")
        if options["serve"]:
            self._serve()
        if options["admit"]:
            self._admit(options["admit"])
        elif options["dismiss"]:
            self._dismiss(options["dismiss"])
        else:
            self._show(as_json=options["json"])

    def _serve(self) -> None:
        folder = FileStore.key_path(settings.STORE_URL)
        try:
            command = local_s3.command(port=settings.LOCAL_S3_PORT, var=settings.VAR_DIR)
        except local_s3.NoRclone as error:
            raise CommandError(str(error)) from error
        storage.prepare(settings.STORE_URL)
        self.stdout.write(f"S3 at {settings.S3_ENDPOINT_URL}; `manage.py local_s3` prints its keys")
        self.stdout.flush()
        os.execve(command[0], command, local_s3.environment(folder=folder, var=settings.VAR_DIR))

    def _admit(self, access_key_id: str) -> None:
        try:
            local_s3.admit(settings.VAR_DIR, local_s3.Keys(access_key_id, sys.stdin.readline().strip()))
        except ValueError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{access_key_id} is accepted")

    def _dismiss(self, access_key_id: str) -> None:
        if not local_s3.dismiss(settings.VAR_DIR, access_key_id):
            raise CommandError(f"{access_key_id} was not admitted")
        self.stdout.write(f"{access_key_id} is no longer accepted, within five minutes")

    def _show(self, *, as_json: bool) -> None:
        variables = local_s3.exports(
            port=settings.LOCAL_S3_PORT, region=settings.S3_REGION, given=settings.LOCAL_S3_KEYS
        )
        buckets = {
            account.number: local_s3.default_bucket(account.number, settings.S3_REGION)
            for account in Account.objects.order_by("pk")
        }
        if as_json:
            self.stdout.write(json.dumps({"environment": variables, "buckets": buckets}, indent=2))
            return
        for name, value in variables.items():
            self.stdout.write(f"export {name}={shlex.quote(value)}")
        for number, bucket in buckets.items():
            self.stdout.write(
                f"# the account {number} reads and writes s3://{bucket} and every bucket ending in -{number}"
            )
