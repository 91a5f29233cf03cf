"""`manage.py run_programs`, the learner: runs trainings, predictions and other programs until it is told to stop."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from learning.services.programs.executor import LocalExecutor
from learning.services.programs.supervisor import Supervisor
from marketplace.errors import InUse


class Command(BaseCommand):
    """Claims waiting runs of programs and runs them on this machine."""

    help = "Run trainings, predictions and other programs as child processes (the learner)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--slots`: how many programs at once."""
        parser.add_argument("--slots", type=int, default=settings.LEARNER_SLOTS, help="programs at once")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or SIGINT."""
        given: dict[str, Any] = {"threads": settings.LEARNER_THREADS, "inherited": settings.LEARNER_ENVIRONMENT}
        supervisor = Supervisor(
            executor=LocalExecutor(niceness=settings.LEARNER_NICENESS, **given),
            slots=options["slots"],
            # Callers wait for what they answer, as they do for the web.
            serving=LocalExecutor(**given),
            serving_slots=settings.LEARNER_SERVING_SLOTS,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: supervisor.stopping.set())
        self.stdout.write(f"learner {supervisor.identity}: {options['slots']} slots in {supervisor.root}")
        try:
            supervisor.run()
        except InUse as error:
            raise CommandError(error.message) from error
