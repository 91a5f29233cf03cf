"""The progress of background work on one row, stored about once a second; notices when the row was stopped."""

import math
import time
from typing import Any

from django.db import models

REPORT_SECONDS = 1.0
"""How often progress is stored."""


class Stopped(Exception):
    """The row was stopped while it was being worked on."""


class Progress:
    """Progress of a row that has a `status` and a `progress` from 0 to 1.

    The work has two stages: "find", the first half, and any other, the second.
    """

    def __init__(self, model: type[models.Model], pk: int):
        self._live = model._default_manager.filter(pk=pk, status="InProgress")
        self._next = time.monotonic() + REPORT_SECONDS
        self._from, self._total = 0.0, 0

    def start(self, stage: str, *, total: int) -> None:
        """A stage of `total` units begins; 0 when the total is unknown."""
        self._from, self._total = (0.0 if stage == "find" else 0.5), total

    def report(self, done: int, **changes: Any) -> None:
        """`done` units of the stage are done; `changes` are stored beside. Raises Stopped when the row was stopped."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + REPORT_SECONDS
        # Without a known total the bar approaches the end of its half and never reaches it.
        share = min(1.0, done / self._total) if self._total else 1 - math.exp(-done / 5000)
        if not self._live.update(progress=round(self._from + share / 2, 4), **changes):
            raise Stopped
