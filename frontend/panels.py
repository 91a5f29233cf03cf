"""What pages and REST share about panels: their fields as people write them, the links, and the lists for providers."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse

from labeling.models import PanelSession, WorkQueue
from marketplace import money
from marketplace.errors import NotFound
from marketplace.models import Panel
from marketplace.services import panels

PLAIN = ("provider", "tasks_per_session", "session_minutes", "sessions_wanted", "consent")
PARAMETERS = ("participant_parameter", "study_parameter", "session_parameter")
EXIT_FIELDS = tuple(f"{kind}_{part}" for kind in panels.EXITS for part in ("code", "url"))
LISTS = {"approve": "Completed", "reject": "Rejected"}
"""The lists that a provider takes, by what it is to do; sessions with which status are in them."""


def link(panel: Panel, queue: WorkQueue) -> str:
    """The link of a job that participants open, with the provider's placeholders as it writes them."""
    address = settings.PUBLIC_URL + reverse("study:join", args=[panel.link, queue.pk])
    query = panels.query_of(panel)
    return f"{address}?{query}" if query else address


def values(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a form or a body as the panels service takes them; a missing one stays missing.

    Names of the query that are left empty are the provider's. Raises Invalid for a reward that is no amount.
    """
    made = {name: given[name] for name in PLAIN if name in given}
    preset = panels.PRESETS.get(str(given.get("provider")))
    for place, name in enumerate(PARAMETERS):
        if name in given:
            made[name] = given[name] or (preset.parameters[place] if preset is not None else "")
    if any(name in given for name in EXIT_FIELDS):
        made["exits"] = {
            kind: {part: str(given.get(f"{kind}_{part}") or "").strip() for part in ("code", "url")}
            for kind in panels.EXITS
        }
    if "reward" in given:
        made["reward_micros"] = money.read(given["reward"], field="reward", zero=True)
    if "provider_fee_percent" in given:
        made["provider_fee_percent"] = round(Decimal(str(given["provider_fee_percent"])), 2)
    return made


def fields(panel: Panel) -> dict[str, Any]:
    """A panel as forms and the API show it, the other way round."""
    shown = {name: getattr(panel, name) for name in (*PLAIN, *PARAMETERS)}
    for kind in panels.EXITS:
        shown |= {f"{kind}_{part}": (panel.exits.get(kind) or {}).get(part, "") for part in ("code", "url")}
    return {
        "name": panel.name,
        **shown,
        "reward": money.text(panel.reward_micros),
        "provider_fee_percent": float(panel.provider_fee_percent),
    }


def status_of(decision: str) -> str:
    """The status of the sessions in a list for the provider. Raises NotFound for a list that does not exist."""
    if decision not in LISTS:
        raise NotFound(f"there is no list {decision!r}; there are: {', '.join(LISTS)}")
    return LISTS[decision]


def participants_file(panel: Panel, decision: str, sessions: Iterable[PanelSession]) -> HttpResponse:
    """The ids of these participants as a file, one a line without a heading, as Prolific's bulk actions take them."""
    ids = dict.fromkeys(session.worker.participant for session in sessions)
    response = HttpResponse("".join(f"{one}\n" for one in ids), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{panel.name}-{decision}.csv"'
    return response
