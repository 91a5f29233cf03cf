"""A kind of program that serves, as an endpoint's replica will: its model, its states, its kind."""

import urllib.error
import urllib.request
from typing import Any

from django.db import models

from learning.contract import JobFolder
from learning.models import ProgramRun
from learning.services.programs.kinds.interface import ServingKind
from marketplace.states import Machine

REPLICA = Machine(
    "replica",
    {
        "Creating": {"InService", "Deleting", "Failed"},
        "InService": {"Creating", "Deleting", "Failed"},
        "Deleting": {"Deleted", "Failed"},
        "Deleted": set(),
        "Failed": set(),
    },
)


class Replica(ProgramRun):
    """A row of its own table, which the tests make and drop: its app is not installed."""

    status = models.CharField(max_length=20, choices=REPLICA.choices(), default="Creating")

    class Meta:
        app_label = "tests_learning"


class ReplicaKind(ServingKind[Replica]):
    """Starts tests.learning.programs.pinging; it is ready when GET /ping answers 200."""

    model = Replica
    machine = REPLICA
    module = "tests.learning.programs.pinging"
    priority = 5
    stopping, stopped, starting, ready = "Deleting", "Deleted", "Creating", "InService"

    def stage(self, run: Replica, folder: JobFolder) -> None:
        """See ProgramKind.stage."""
        folder.prepare(hyperparameters=run.hyperparameters, channels=run.channels)
        (folder.output / "port").unlink(missing_ok=True)

    def is_ready(self, run: Replica, folder: JobFolder) -> bool:
        """See ServingKind.is_ready."""
        return ask(folder, "ping") == 200


def ask(folder: JobFolder, path: str) -> Any:
    """The status of the program's answer; None when there is none."""
    port = folder.output / "port"
    if not port.exists():
        return None
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port.read_text()}/{path}", timeout=2) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None
