"""`manage.py restore FOLDER`: a backup into an empty database and an empty store. docs/backup.md."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management import BaseCommand, CommandError, call_command

from marketplace.errors import DomainError
from marketplace.services.backups import restoring
from marketplace.services.backups.layout import Folder


class Command(BaseCommand):
    """Restore, bring up to date, audit."""

    help = "Restore a backup into an empty database and store, bring it up to date, and audit the ledger"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The folder, and which of its backups."""
        parser.add_argument("folder", help="a path, or an address: file:///path, s3://bucket/prefix")
        parser.add_argument("--backup", default="", help="the id of the backup (default: the newest)")
        parser.add_argument("--programs", type=Path, help="the folder of pg_restore (default: the embedded server's)")
        parser.add_argument(
            "--other-key", action="store_true", help="restore although the secret key differs: sealed secrets are lost"
        )

    def handle(
        self, folder: str, backup: str, programs: Path | None, other_key: bool, *args: object, **options: object
    ) -> None:
        """Raises CommandError with the reason; the exit code is 1 when the audit finds something."""
        try:
            place = Folder(folder)
            backup = restoring.chosen(place, backup)
            manifest = restoring.restore(place, backup, programs=programs, other_key=other_key)
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{backup} restored: {manifest.objects:,} objects, {manifest.entries:,} ledger entries")
        # Migrations that came after it, and where the store is now.
        call_command("bootstrap", stdout=self.stdout)
        call_command("audit_ledger", stdout=self.stdout)
