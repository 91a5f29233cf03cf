"""A learning loop in words and figures: what happens now, what it has saved, and why it saves less than it might.

Reads the loop's view, never its tables.
"""

from collections.abc import Mapping
from typing import Any

STEPS = (
    ("Labeling", "People label a batch"),
    ("Training", "A model is trained"),
    ("Predicting", "It predicts what is left"),
    ("AutoLabeling", "It labels what it is sure of"),
    ("Audit", "People look at a sample"),
)
"""The steps of a loop in the order of their states; the last one comes once, when nothing else is left to do."""

LEAST_SHARE = 0.1
"""The part of the objects that a cut-off must let pass for its quality to say something."""


def steps(view: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The steps of the current round: {"title", "here", "done", "note"}; none between rounds and at the end."""
    states = [state for state, _ in STEPS]
    live = next((row for row in view["rounds"] if row["status"] in states), None)
    audit = next((one for one in view["audits"] if one["status"] in ("Labeling", "Withdrawing")), None)
    if view["status"] != "InProgress" or (live is None and audit is None):
        return []
    at = states.index(live["status"] if live is not None else "Audit")
    return [
        {
            "title": title,
            "here": place == at,
            "done": place < at,
            "note": _note(live, audit, state) if place == at else "",
        }
        for place, (state, title) in enumerate(STEPS)
        if state != "Audit" or live is None
    ]


def _note(live: Mapping[str, Any] | None, audit: Mapping[str, Any] | None, state: str) -> str:
    if live is None:
        return f"{audit['asked']} of {audit['labels']} labels" if audit else ""
    progress = {"Training": live["training_progress"], "Predicting": live["prediction_progress"]}.get(state)
    return f"{live['objects']} objects" if state == "Labeling" else "" if progress is None else f"{progress:.0%}"


def saving(view: Mapping[str, Any], money: Mapping[str, int]) -> dict[str, Any]:
    """What the job has cost against people labeling everything, in micro-dollars: {"spent", "all_human", "saved",
    "share"}.

    `saved` and `share` are known when the loop is over, None before.
    """
    spent, everything = money["spent_micros"], money["all_human_micros"]
    over = view["status"] != "InProgress" and everything > 0
    saved = everything - spent if over and _all_labeled(view) else None
    return {
        "spent": spent,
        "all_human": everything,
        "saved": saved,
        "share": None if saved is None else saved / everything,
    }


def _all_labeled(view: Mapping[str, Any]) -> bool:
    """A job that ended early has not saved what it has not labeled."""
    return not view["counters"]["Unlabeled"]


def reasons(view: Mapping[str, Any]) -> list[str]:
    """Why the model labels less than it might, in plain words; none where there is nothing to say."""
    said: list[str] = []
    evaluated = [row for row in view["rounds"] if row["curve"]]
    if evaluated and evaluated[-1]["threshold"] is None:
        said.append(_no_cut_off(view, evaluated[-1]))
    plan = next((row["figures"]["plan"] for row in reversed(view["rounds"]) if row["figures"].get("plan")), None)
    if plan and plan.get("text"):
        said.append(str(plan["text"]))
    said += [_short_training(row) for row in view["rounds"] if row["figures"].get("short_training")]
    if view["status"] != "InProgress" and not view["counters"]["MachineLabeled"] and evaluated:
        said.append("No label of the model is in use: in this job automated labeling has saved nothing.")
    return said


def _no_cut_off(view: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    figures, target = row["figures"], view["target_quality"]
    if view.get("target_error") and figures.get("error_all") is not None:
        return _too_wrong(view, row)
    images, found = figures.get("validation_images"), figures.get("quality_all")
    if found is None or images is None or target is None:
        return f"No cut-off keeps the promise in round {row['number']}."
    best = max((one["quality"] for one in row["curve"] if one["coverage"] >= LEAST_SHARE), default=found)
    said = (
        f"No cut-off keeps the promise in round {row['number']}: on {images} validation images all labels of the model "
        f"together have a {view['measure']} of {found:.2f}, its surest ones {best:.2f}, and {target:.2f} is promised."
    )
    if best < target:
        return f"{said} The model has to become better: it learns from more labels, or needs a longer training."
    return f"{said} So few validation images cannot prove that they are good enough; each round adds some."


def _too_wrong(view: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    figures, needed = row["figures"], row["figures"].get("validation_needed")
    said = (
        f"No cut-off keeps the promise in round {row['number']}: of {figures.get('validation_images')} validation "
        f"images {figures['error_all']:.0%} would have got a wrong label, and at most {100 * view['target_error']:g} % "
        "is promised."
    )
    return f"{said} To prove that takes at least {needed} validation images with right labels." if needed else said


def _short_training(row: Mapping[str, Any]) -> str:
    short = row["figures"]["short_training"]
    longer = f" even after {short['longer_seconds']:.0f} seconds more than planned" if short["longer_seconds"] else ""
    return (
        f"The model of round {row['number']} was trained for {short['steps']} steps only{longer}; {short['least']} are "
        "the least that one needs. This computer is slow or busy: set a longer training, or train on another one."
    )
