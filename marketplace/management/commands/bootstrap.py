"""`manage.py bootstrap`: migrations, the store, the public pool, schedules, the first operator. Safe to repeat."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec

from django.conf import settings
from django.core.management import BaseCommand, call_command
from django.db import connection, transaction

from marketplace import locks, queue, schema_record, storage
from marketplace.models import User
from marketplace.services import accounts, store_addresses, workteams

SWEEP_SECONDS = 60
AGAIN_SECONDS = 0.5


class Command(BaseCommand):
    """Make an empty database ready to work, or bring one up to date."""

    help = "Apply migrations, make the public pool, schedules and (WAGGLE_OPERATOR_EMAIL, _PASSWORD) the first operator"

    def handle(self, *args: object, verbosity: int = 1, **options: object) -> None:
        """Everything, in order; of several machines that start at once one after the other."""
        with alone():
            self._bootstrap(verbosity)

    def _bootstrap(self, verbosity: int) -> None:
        call_command("migrate", verbosity=max(0, verbosity - 1), interactive=False)
        with transaction.atomic():
            for difference in schema_record.mend(connection, installed_rooms()):
                self._say(f"{difference}, defined again", verbosity)
        if storage.prepare(settings.STORE_URL):
            self._say(f"{settings.STORE_URL} made", verbosity)
        if closed := storage.close_to_others(settings.STORE_URL):
            self._say(f"{closed} files and folders of the store were open to other users; closed", verbosity)
        with transaction.atomic():
            store_addresses.note_present()
            workteams.public_pool()
            for path in sweeps():
                queue.every(SWEEP_SECONDS, path)
                self._say(f"{path} runs every {SWEEP_SECONDS} s", verbosity)
            if operator := first_operator():
                self._say(f"operator {operator.email} made", verbosity)
        self._say("ready", verbosity)

    def _say(self, text: str, verbosity: int) -> None:
        if verbosity:
            self.stdout.write(text)


@contextmanager
def alone() -> Iterator[None]:
    """Waits until no other process is in this block: Django's migrations take no lock of their own."""
    while True:
        with locks.only_one("bootstrap") as mine:
            if mine:
                yield
                return
        time.sleep(AGAIN_SECONDS)


def installed_rooms() -> list[str]:
    """The rooms of this installation; it may lack the learning room."""
    return [room for room in schema_record.ROOMS if room in settings.INSTALLED_APPS]


def sweeps() -> list[str]:
    """`<room>.background.sweep` of every installed room that has one."""
    found = []
    for room in installed_rooms():
        if find_spec(f"{room}.background") is not None:
            module = import_module(f"{room}.background")
            if hasattr(module, "sweep"):
                found.append(f"{room}.background.sweep")
    return found


def first_operator() -> User | None:
    """The operator named by the settings, created unless the address is known. None when there is nothing to create."""
    email, password = settings.OPERATOR_EMAIL, settings.OPERATOR_PASSWORD
    if not email or User.objects.filter(email=email.strip().lower()).exists():
        return None
    return accounts.create_user(email=email, password=password, display_name="Operator", is_operator=True)
