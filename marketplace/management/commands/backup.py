"""`manage.py backup FOLDER`: a backup of database and store, made while the system works. docs/backup.md."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management import BaseCommand, CommandError

from marketplace.errors import DomainError
from marketplace.services.backups import making, restoring
from marketplace.services.backups.layout import Folder


class Command(BaseCommand):
    """Back up, or check or list what there is."""

    help = "Back database and store up into a folder, copying only what no earlier backup there has"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The folder, and what else to do with it."""
        parser.add_argument("folder", help="a path, or an address: file:///path, s3://bucket/prefix")
        parser.add_argument("--keep", type=int, default=0, help="afterwards delete all but the newest so many")
        parser.add_argument("--programs", type=Path, help="the folder of pg_dump (default: the embedded server's)")
        only = parser.add_mutually_exclusive_group()
        only.add_argument("--list", action="store_true", help="list the backups of the folder, and make none")
        only.add_argument("--check", action="store_true", help="read the newest backup, compare digests, and make none")

    def handle(
        self, folder: str, keep: int, programs: Path | None, list: bool, check: bool, *args: object, **options: object
    ) -> None:
        """Raises CommandError with the reason when there is no backup in the end."""
        if keep < 0:
            raise CommandError(f"--keep: {keep} found, 1 or more expected (0 keeps all)")
        try:
            place = Folder(folder)
            if list:
                for backup in place.backups():
                    self.stdout.write(_line(backup, place.manifest(backup)))
            elif check:
                backup = restoring.chosen(place, "")
                self.stdout.write(f"{_line(backup, restoring.check(place, backup))}: every digest is right")
            else:
                made = making.make(place, programs=programs)
                self.stdout.write(_line(made.id, made.manifest))
                self.stdout.write(f"{made.contents_written:,} new contents, {made.bytes_written:,} bytes written")
                if keep:
                    backups, contents = restoring.thin(place, keep=keep)
                    self.stdout.write(f"{backups:,} earlier backups and {contents:,} contents deleted")
        except DomainError as error:
            raise CommandError(error.message) from error


def _line(backup: str, manifest: making.Manifest) -> str:
    return (
        f"{backup}: Waggle {manifest.version}, database of {manifest.database.bytes:,} bytes dumped, "
        f"{manifest.objects:,} objects of {manifest.objects_bytes:,} bytes"
    )
