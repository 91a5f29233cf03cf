"""Every status has a colour and a text on the portal's badges, so that none is forgotten when one is added."""

import re
from pathlib import Path

import pytest
from django.apps import apps

from frontend.templatetags.waggle import badge
from labeling import transitions as labeling_transitions
from learning import transitions as learning_transitions
from marketplace.states import Machine

STYLES = Path(__file__).parents[2] / "frontend" / "elements" / "src" / "styles" / "components.css"
ROOMS = ("marketplace", "labeling", "learning")


def every_status() -> set[str]:
    """The states of every state machine and the choices of every model's `status` or `state` field."""
    machines = [m for room in (labeling_transitions, learning_transitions) for m in vars(room).values()]
    found = {state for machine in machines if isinstance(machine, Machine) for state in machine.states}
    for room in ROOMS:
        for model in apps.get_app_config(room).get_models():
            for field in model._meta.get_fields():
                if getattr(field, "name", "") in ("status", "state"):
                    found |= {value for value, _ in getattr(field, "choices", None) or ()}
    return found


def rules_of_colour() -> list[set[str]]:
    """For each CSS rule that sets a badge's colours, the statuses that its selectors name."""
    rules = re.findall(r"([^{}]*)\{([^{}]*)\}", re.sub(r"/\*.*?\*/", "", STYLES.read_text(), flags=re.S))
    coloured = [selector for selector, body in rules if "--_text" in body and "--_back" in body]
    return [set(re.findall(r'\[data-status="(\w+)"\]', selector)) for selector in coloured]


def test_statuses_of_every_room_are_found():
    assert {"Stopping", "AutoLabeling", "MachineLabeled", "Leased", "Suspended", "Expired"} <= every_status()


@pytest.mark.parametrize("status", sorted(every_status()))
def test_every_status_has_one_colour(status):
    assert sum(status in named for named in rules_of_colour()) == 1, status


@pytest.mark.parametrize("status", sorted(every_status()))
def test_every_status_has_a_text(status):
    said = re.sub("<[^>]*>", "", badge(status))
    assert f'data-status="{status}"' in badge(status)
    assert not re.search(r"[a-z][A-Z]", said), said
