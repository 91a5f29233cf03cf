"""Launching a labeling job, for pages and REST alike, with or without the learning app.

The only place where launching depends on that app: where it is not installed, people label everything.
"""

from typing import Any

from django.apps import apps

from labeling.models import LabelingJob
from labeling.services.jobs import creation
from marketplace.errors import Invalid
from marketplace.models import Account


def launch_job(*, account: Account, by: str, **design: Any) -> LabelingJob:
    """Create a labeling job and whatever belongs to it. `design` as for `creation.create_job`.

    Raises as that does, and Invalid or NotFound for settings of automated labeling that cannot be used.
    """
    if apps.is_installed("learning"):
        # Imported here because its models cannot be loaded where the app is not installed.
        from learning.services import launch

        return launch.launch_job(account=account, by=by, **design)
    if (design.get("automated_labeling") or {}).get("enabled"):
        raise Invalid("automated labeling is not installed here", field="automated_labeling.enabled")
    return creation.create_job(account=account, by=by, **design)
