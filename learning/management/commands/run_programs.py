"""`manage.py run_programs`, the learner: runs trainings, predictions and other programs until it is told to stop."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from learning.services.programs import executors
from learning.services.programs.executor import NotRun
from learning.services.programs.supervisor import Supervisor
from marketplace.errors import InUse


class Command(BaseCommand):
    """Claims waiting runs of programs and runs them, on this machine or on a cluster (WAGGLE_EXECUTOR)."""

    help = "Run trainings, predictions and other programs, as child processes or on a cluster (the learner)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--slots`: how many programs at once."""
        parser.add_argument("--slots", type=int, default=settings.LEARNER_SLOTS, help="programs at once")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or SIGINT."""
        try:
            executor, serving = executors.of_settings()
        except NotRun as error:
            raise CommandError(str(error)) from error
        supervisor = Supervisor(
            executor=executor,
            slots=options["slots"],
            serving=serving,
            serving_slots=settings.LEARNER_SERVING_SLOTS,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: supervisor.stopping.set())
        where = "" if settings.EXECUTOR == executors.LOCAL else f", programs run at {settings.EXECUTOR}"
        self.stdout.write(f"learner {supervisor.identity}: {options['slots']} slots in {supervisor.root}{where}")
        try:
            supervisor.run()
        except InUse as error:
            raise CommandError(error.message) from error
