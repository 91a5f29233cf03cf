"""What lists of jobs leave out, and what a job is doing right now."""

from typing import Any

from django.utils.translation import gettext

from frontend import automation
from labeling.models import LabelingJob

# Columns that may be large and that no list shows.
PAYLOAD = ("queue__instructions",)


def doing(job: LabelingJob) -> dict[str, Any] | None:
    """What a live job is doing, in words, and how far that is (0 to 1, None where not known); None when it is over."""
    if job.status == "Initializing":
        return {"said": gettext("The images are being ingested"), "progress": None}
    if job.status == "Stopping":
        return {
            "said": gettext("The job is stopping: what is done is kept, the rest of the money returns"),
            "progress": None,
        }
    if job.status != "InProgress":
        return None
    view = automation.loop_view(job)
    if view is None:
        return {"said": gettext("People are labeling"), "progress": None}
    rounds = view["rounds"]
    audited = any(one["status"] in ("Labeling", "Withdrawing") for one in view["audits"])
    live = rounds[-1] if rounds and not audited else None
    progress = None
    if live and live["status"] == "Training":
        progress = live["training_progress"]
    elif live and live["status"] == "Predicting":
        progress = live["prediction_progress"]
    activity = _activity(view)
    said = (
        gettext("Round {number}: {activity}").format(number=live["number"], activity=activity)
        if live
        else f"{activity[:1].upper()}{activity[1:]}"
    )
    return {"said": said, "progress": progress}


def _activity(view: dict[str, Any]) -> str:
    text, values = automation.loop_activity(view)
    return gettext(text).format(**values)
