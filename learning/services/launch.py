"""Launching a labeling job together with its learning loop: what every front end calls. Knows no request."""

from typing import Any

from django.db import transaction

from labeling import task_types
from labeling.models import LabelingJob
from labeling.services.jobs import creation
from learning.services.active import loops
from marketplace.models import Account


def launch_job(*, account: Account, by: str, **design: Any) -> LabelingJob:
    """Create a labeling job, and start its loop when it has automated labeling; either both exist or neither.

    `design` as for `creation.create_job`. Raises as that does, and Invalid or NotFound for settings of automated
    labeling that cannot be used.
    """
    automated_labeling = design.get("automated_labeling") or {}
    with transaction.atomic():
        if automated_labeling.get("enabled"):
            # One that is not known is named by what checks the design.
            named = design.get("task_type", task_types.DEFAULT)
            kind = named if named in task_types.names() else task_types.DEFAULT
            loops.check_settings(account=account, automated_labeling=automated_labeling, task_type=kind)
        job = creation.create_job(account=account, by=by, **design)
        loops.start_loop(job=job)
    return job
