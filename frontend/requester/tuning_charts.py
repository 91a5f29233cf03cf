"""The charts of a tuning job, as JSON for the kit's elements."""

from typing import Any

from django.utils.translation import gettext

from learning.models import HyperParameterTuningJob
from learning.services.tuning import definitions, describing, ranges
from learning.services.tuning.config import TuningConfig
from learning.services.tuning.definitions import Definition

Chart = dict[str, Any]
PARALLEL = "parallel"
"""How the names of charts of parallel coordinates begin."""


def charts(tuning: HyperParameterTuningJob, asked: TuningConfig) -> dict[str, Chart]:
    """Every chart by its name: history of the best, importance, parallel coordinates. Without data they are empty.

    With several definitions each has parallel coordinates of its own: they search other hyperparameters.
    """
    return {"history": history(tuning, asked), "importance": importance(tuning), **parallels(tuning)}


def parallels(tuning: HyperParameterTuningJob) -> dict[str, Chart]:
    """The parallel coordinates of each definition by the chart's name."""
    parts = definitions.of(tuning)
    return {f"{PARALLEL}-{one.index}" if one.name else PARALLEL: parallel(tuning, one) for one in parts}


def history(tuning: HyperParameterTuningJob, asked: TuningConfig) -> Chart:
    """The objective of each training, and the best so far."""
    points = describing.history(tuning)
    best: list[tuple[int, float]] = []
    for at, value in points:
        best.append((at, value if not best or asked.better(value, best[-1][1]) else best[-1][1]))
    return {
        "type": "line",
        "title": gettext("Best objective so far"),
        "x": {"label": gettext("training"), "min": 1},
        "y": {"label": asked.metric if len(tuning.definitions) < 2 else gettext("objective")},
        "series": [
            {"name": gettext("Best so far"), "points": [list(point) for point in best]},
            {"name": gettext("Each training"), "points": [list(point) for point in points], "dashed": True},
        ],
        "marks": [{"label": gettext("target"), "y": asked.target}] if asked.target is not None else [],
    }


def importance(tuning: HyperParameterTuningJob) -> Chart:
    """How much of the differences between trainings each hyperparameter explains."""
    return {
        "type": "bar",
        "title": gettext("What matters"),
        "x": {"label": ""},
        "y": {"label": gettext("share in the differences"), "min": 0, "max": 1, "format": "percent"},
        "series": [
            {
                "name": gettext("Importance"),
                "points": [[name, share] for name, share in sorted(tuning.importance.items(), key=lambda one: -one[1])],
            }
        ],
    }


def parallel(tuning: HyperParameterTuningJob, part: Definition) -> Chart:
    """One axis for each searched hyperparameter and one for the objective, one line for each training."""
    asked = part.asked
    axes: list[Chart] = [_axis(one) for one in asked.searched]
    lines = []
    for trial in describing.trials(tuning).filter(definition=part.index):
        if trial.objective_value is not None:
            values = [one.number(trial.hyperparameters.get(one.name, "")) for one in asked.searched]
            if None not in values:
                lines.append({"name": trial.name, "values": [*values, trial.objective_value]})
    objectives = [line["values"][-1] for line in lines]
    axes.append(
        {
            "label": asked.metric,
            "low": min(objectives, default=0.0),
            "high": max(objectives, default=1.0),
            "scale": ranges.LINEAR,
        }
    )
    title = gettext("Trainings of %(name)s") % {"name": part.name} if part.name else gettext("All trainings")
    return {"title": title, "axes": axes, "lines": lines, "maximize": asked.maximizes}


def _axis(one: ranges.Searched) -> Chart:
    if one.values is not None:
        return {"label": one.name, "values": list(one.values)}
    return {"label": one.name, "low": one.low, "high": one.high, "scale": one.scaling}
