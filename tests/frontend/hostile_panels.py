"""The forms and bodies of panels and studies, for hostile.py."""

from collections.abc import Iterator
from typing import Any

from marketplace.services.panels import EXITS
from tests.frontend.world import World


def a_panel() -> dict[str, Any]:
    """The fields of a panel, in forms and in bodies."""
    return {
        "name": "crowd", "provider": "Prolific", "participant_parameter": "PID", "study_parameter": "S",
        "session_parameter": "V", "tasks_per_session": 3, "session_minutes": 20, "sessions_wanted": 5,
        "consent": "You agree.", "reward": "1.50", "provider_fee_percent": 33.3,
        **{f"{kind}_code": "C1" for kind in EXITS}, **{f"{kind}_url": "https://x.example/" for kind in EXITS},
    }  # fmt: skip


def panel_bodies() -> dict[str, dict[str, Any]]:
    """The bodies of operations on panels and sessions."""
    return {
        "create_panel": a_panel(),
        "change_panel": {name: value for name, value in a_panel().items() if name != "name"},
        "reject_panel_session": {"reason": "no care"},
    }


def panel_forms(world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """The forms of panels, and those of their participants."""
    ids = world.ids
    panel, study = f"/panels/{ids['panel_id']}/", f"/study/{ids['session_id']}/"
    yield from [
        ("/panels/new/", a_panel()),
        (f"{panel}edit/", a_panel()),
        (f"{panel}sessions/{ids['session_id']}/accept/", {}),
        (f"{panel}sessions/{ids['session_id']}/reject/", {"reason": "no care"}),
        (f"{study}finish/", {}),
        (f"{study}return/", {}),
        (f"/study/join/{ids['link']}/{ids['work_id']}/?PROLIFIC_PID=p1&STUDY_ID=s&SESSION_ID=v", {"agree": "yes"}),
    ]
