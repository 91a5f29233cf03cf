"""Routing rules: small functions, allowed by the operator, that decide which worker may see which object.

A rule is `module:function` and is called with a RoutedWorker and a RoutedTask; True lets the worker have the task. It
must be quick: a claim waits for it. A rule that raises, returns anything but True or False, or is not allowed any more
lets nobody see anything.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from labeling.models import Assignment, AssignmentStatus, ObjectLine, Task
from marketplace.errors import RoutingFailed
from marketplace.models import Worker
from marketplace.services import qualifications

log = logging.getLogger(__name__)

MOST_TRIES = 50
"""Tasks that one claim asks the rule about; after so many refusals the worker gets none, and claims again later."""


@dataclass(frozen=True)
class RoutedWorker:
    """What a rule is told of a worker: the public id, the groups (team names by key) and the values of the
    qualifications that count now, by the key of their type."""

    public_id: str
    teams: Mapping[int, str]
    qualifications: Mapping[int, int]


@dataclass(frozen=True)
class RoutedTask:
    """What a rule is told of a task: its queue, the object's address and place in the manifest, and its whole line."""

    queue_id: int
    task_id: int
    index: int | None
    source_ref: str
    line: Mapping[str, Any]


Rule = Callable[[RoutedWorker, RoutedTask], bool]


def allowed() -> list[str]:
    """The rules that jobs may name."""
    rules: list[str] = settings.ROUTING_RULES
    return rules


def admits(*, rule: str, worker: Worker, queue_id: int, task_id: int) -> bool:
    """Whether the rule lets the worker see the task. Raises RoutingFailed when it gives no answer."""
    function = _function(rule)
    task = Task.objects.select_related("data_object").get(pk=task_id)
    row = task.data_object
    line = ObjectLine.objects.filter(data_object=row).values_list("text", flat=True).first() if row else None
    shown = RoutedTask(
        queue_id=queue_id,
        task_id=task_id,
        index=row.index if row else None,
        source_ref=row.source_ref if row else "",
        line=json.loads(line) if line else {},
    )
    try:
        found = function(_worker(worker), shown)
    except Exception as error:
        log.exception("the routing rule %s failed for task %s", rule, task_id)
        raise RoutingFailed(
            f"the routing rule {rule} failed with {type(error).__name__}; no task is given out until it works"
        ) from error
    if not isinstance(found, bool):
        raise RoutingFailed(f"the routing rule {rule} returned {type(found).__name__}, True or False expected")
    return found


def _worker(worker: Worker) -> RoutedWorker:
    held = qualifications.held_by(worker)
    return RoutedWorker(
        public_id=Worker.objects.values_list("public_id", flat=True).get(pk=worker.pk),
        teams=dict(worker.workteams.values_list("pk", "name")),
        qualifications={one.qualification_type_id: one.value for one in held if qualifications.holds(one)},
    )


def _function(rule: str) -> Rule:
    if rule not in allowed():
        raise RoutingFailed(f"the routing rule {rule} is not among WAGGLE_ROUTING_RULES; no task is given out")
    module, _, name = rule.partition(":")
    try:
        found: Rule = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        log.exception("the routing rule %s cannot be loaded", rule)
        raise RoutingFailed(f"the routing rule {rule} cannot be loaded: {error}") from error
    return found


def withhold(*, assignment_id: int, task_id: int, now: datetime | None = None) -> None:
    """Take back a seat that was claimed in this very transaction; its worker is not offered the task again.

    Nobody has seen the seat taken, so the task keeps its place in the queue, and this is no decline.
    """
    Task.objects.filter(pk=task_id).update(seats_free=F("seats_free") + 1)
    Assignment.objects.filter(pk=assignment_id).update(
        state=AssignmentStatus.WITHHELD, ended_at=now or timezone.now(), claim_key=""
    )
