"""Builders of panels, their jobs and the participants who come."""

import itertools
from decimal import Decimal
from typing import Any

from labeling.models import DataObject, LabelingJob
from labeling.services import panel_sessions
from labeling.services.jobs.batches import open_batch
from labeling.services.panel_sessions import Arrival
from marketplace.models import Account, Panel, Worker
from marketplace.services import panels
from marketplace.services.panels import Visit
from tests.labeling import stories

_numbers = itertools.count(1)


def a_panel(account: Account, **changes: Any) -> Panel:
    """A panel at Prolific: two tasks a session, 1.50 dollars and a third of it for the provider."""
    values: dict[str, Any] = {
        "name": f"panel-{next(_numbers)}",
        "provider": "Prolific",
        "exits": {
            "completed": {"code": "DONE1", "url": ""},
            "screened_out": {"code": "OUT1", "url": ""},
            "no_consent": {"code": "NOPE1", "url": ""},
        }
        if changes.get("provider", "Prolific") == "Prolific"
        else {"completed": {"code": "DONE1", "url": "https://panel.example/done"}},
        "tasks_per_session": 2,
        "session_minutes": 30,
        "sessions_wanted": 20,
        "consent": "You will draw boxes. You may stop at any time.",
        "reward_micros": 1_500_000,
        "provider_fee_percent": Decimal("33.33"),
    }
    return panels.create_panel(account=account, by="system", **(values | changes))


def a_job_of(panel: Panel, *, objects: int, pictures: bool = False, **changes: Any) -> LabelingJob:
    """A job of the panel with an open task for each object, two answers each."""
    design = {"price_micros": 0, "workers_per_object": 2} | changes
    job = stories.a_job(panel.account, panel.workteam, objects=objects, **design)
    if pictures:
        return stories.open_pictures(job)
    rows = DataObject.objects.filter(job=job).order_by("index")
    open_batch(job=job, object_ids=list(rows.values_list("pk", flat=True)), by="system")
    return job


def begin(
    panel: Panel, job: LabelingJob, who: str, *, study: str = "S1", visit: str = "", worker: Worker | None = None
) -> Arrival:
    """Somebody agrees and begins, or goes on."""
    told = visit or (f"visit-{who}" if panel.session_parameter else "")
    return panel_sessions.begin(panel=panel, queue=job.queue, visit=Visit(who, study, told), worker=worker)
