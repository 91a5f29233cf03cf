"""The keys that workers have chosen in the tools they work with, kept so that they are the same on every machine.

What a command or a key means is known to the element, which reads them again with care: here their form is checked.
"""

import re
from typing import Any

from django.db import transaction
from django.utils import timezone

from marketplace.errors import Invalid, LimitExceeded
from marketplace.models import ChosenKeys, Worker
from marketplace.ranges import Range

ELEMENT = re.compile(r"crowd-[a-z]+(-[a-z]+)*")
ELEMENT_LENGTH = Range(7, 60)
"""Characters of an element's name."""

COMMAND = re.compile(r"[a-z]+(-[a-z]+)*")
COMMAND_LENGTH = Range(1, 30)
"""Characters of a command's name."""

KEY_LENGTH = Range(1, 20)
"""Characters of a key's name, such as "q", "⇧h" or "PageDown"."""

COMMANDS = Range(0, 60)
"""Commands of an element that have another key."""

MOST_ELEMENTS = 40
"""Elements for which a worker can choose keys."""


def of(worker: Worker) -> dict[str, dict[str, str]]:
    """What the worker has chosen, by element and command."""
    return dict(ChosenKeys.objects.filter(worker=worker).order_by("element").values_list("element", "keys"))


def keep(*, worker: Worker, element: str, keys: dict[str, Any]) -> dict[str, str]:
    """Keep the keys for one element in place of those before; {} for the usual ones. Safe to repeat.

    Raises Invalid naming the command whose key is none, LimitExceeded for too many elements.
    """
    if len(element) not in ELEMENT_LENGTH or not ELEMENT.fullmatch(element):
        raise Invalid(f"{element[:100]!r} found, the name of a crowd element expected", field="element")
    if len(keys) not in COMMANDS:
        raise Invalid(f"{len(keys)} found, {COMMANDS} commands expected", field="keys")
    for command, key in keys.items():
        if len(command) not in COMMAND_LENGTH or not COMMAND.fullmatch(command):
            raise Invalid(f"{command[:100]!r} found, the name of a command expected", field="keys")
        if not isinstance(key, str) or len(key) not in KEY_LENGTH or not key.isprintable():
            raise Invalid(f"a key of {KEY_LENGTH} characters expected", field=f"keys.{command}")
    if len(set(keys.values())) < len(keys):
        raise Invalid("one key is chosen for two commands", field="keys")
    with transaction.atomic():
        # Locked, so that two requests at once do not go beyond the limit, nor insert a row twice.
        Worker.objects.select_for_update(no_key=True).get(pk=worker.pk)
        others = ChosenKeys.objects.filter(worker=worker).exclude(element=element)
        if others.count() >= MOST_ELEMENTS:
            raise LimitExceeded(f"keys can be chosen for at most {MOST_ELEMENTS} elements")
        ChosenKeys.objects.update_or_create(
            worker=worker, element=element, defaults={"keys": keys, "changed_at": timezone.now()}
        )
    return keys
