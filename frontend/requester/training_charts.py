"""The charts of a training, as JSON for the kit's chart element."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.utils.translation import gettext, gettext_noop

from learning.models import TrainingJob
from learning.services import run_figures

Chart = dict[str, Any]
MOST_CLASSES = 6
"""Curves of classes in one chart: so many colours can be told apart."""

WORDS = {
    "train:loss": gettext_noop("Loss"),
    "train:images_per_second": gettext_noop("Images/s"),
    "validation:mAP": gettext_noop("mAP at IoU 0.5 to 0.95"),
    "validation:mAP_50": gettext_noop("mAP at IoU 0.5"),
    "usage:cpu": gettext_noop("Processors"),
    "usage:gpu": gettext_noop("Graphics card"),
}


class Kind(NamedTuple):
    """A chart: what it is called, which metrics it shows, and its axis of values."""

    title: str
    shows: Callable[[str], bool]
    axis: dict[str, Any]


SHARE = {"min": 0, "max": 1, "format": "percent"}
KINDS = {
    "loss": Kind(gettext_noop("Loss"), lambda name: name.startswith("train:loss"), {"min": 0}),
    "quality": Kind(
        gettext_noop("Quality on the validation split"),
        lambda name: name.startswith("validation:") and not name.startswith(run_figures.CLASS),
        SHARE,
    ),
    "classes": Kind(
        gettext_noop("Average precision by class, IoU 0.5"), lambda name: name.startswith(run_figures.CLASS), SHARE
    ),
    "speed": Kind(gettext_noop("Images per second"), lambda name: name == "train:images_per_second", {"min": 0}),
    "usage": Kind(gettext_noop("Use of the machine"), lambda name: name in ("usage:cpu", "usage:gpu"), SHARE),
}


def names(training: TrainingJob, *, every: bool) -> list[str]:
    """The charts that there is something for; `every`: also those that a run which works will fill."""
    ahead = {"loss", "quality", "speed", "usage"} if every else set()
    return [key for key, kind in KINDS.items() if key in ahead or any(map(kind.shows, training.newest))]


def chart(training: TrainingJob, key: str) -> Chart:
    """One chart. Raises KeyError for a chart that there is not."""
    kind = KINDS[key]
    wanted = sorted(name for name in training.newest if kind.shows(name))
    if key == "classes":
        wanted = [f"{run_figures.CLASS}{name}" for name, _ in run_figures.by_class(training)[:MOST_CLASSES]]
    curves = run_figures.thinned(training, names=wanted) if wanted else {}
    return {
        "type": "line",
        "title": gettext(kind.title),
        "x": {"label": gettext("step"), "min": 0},
        "y": kind.axis,
        "series": [_series(name, curves[name]) for name in wanted if name in curves],
    }


def _series(name: str, points: list[dict[str, Any]]) -> dict[str, Any]:
    said = (
        gettext(WORDS[name])
        if name in WORDS
        else name.removeprefix(run_figures.CLASS).removeprefix("validation:").removeprefix("train:")
    )
    return {"name": said, "points": [[point["step"], round(point["value"], 5)] for point in points]}
