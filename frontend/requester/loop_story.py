"""A learning loop in words and figures: what happens now, what it has saved, and why it saves less than it might.

Reads the loop's view, never its tables.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_noop as word

from frontend import automation, formats

STEPS = (
    ("Labeling", word("People label a batch")),
    ("Training", word("A model is trained")),
    ("Predicting", word("It predicts what is left")),
    ("AutoLabeling", word("It labels what it is sure of")),
    ("Audit", word("People look at a sample")),
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
            "title": gettext(title),
            "here": place == at,
            "done": place < at,
            "note": _note(live, audit, state) if place == at else "",
        }
        for place, (state, title) in enumerate(STEPS)
        if state != "Audit" or live is None
    ]


def _note(live: Mapping[str, Any] | None, audit: Mapping[str, Any] | None, state: str) -> str:
    if live is None:
        return (
            gettext("{asked} of {labels} labels").format(asked=audit["asked"], labels=audit["labels"]) if audit else ""
        )
    progress = {"Training": live["training_progress"], "Predicting": live["prediction_progress"]}.get(state)
    if state == "Labeling":
        return ngettext("{number} object", "{number} objects", live["objects"]).format(number=live["objects"])
    return "" if progress is None else formats.filled("{progress:.0%}", progress=progress)


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
        said.append(plan_text(plan))
    said += [_short_training(row) for row in view["rounds"] if row["figures"].get("short_training")]
    if view["status"] != "InProgress" and not view["counters"]["MachineLabeled"] and evaluated:
        said.append(gettext("No label of the model is in use: in this job automated labeling has saved nothing."))
    return said


def plan_text(plan: Mapping[str, Any]) -> str:
    """Why a plan is as it is, in the reader's language; plans of earlier versions have no sentences, only a text."""
    sentences = plan.get("sentences")
    if not sentences:
        return str(plan["text"])
    return " ".join(formats.filled(gettext(one["text"]), **_measured(one["values"])) for one in sentences)


def _measured(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: gettext(value) if name == "measure" else value for name, value in values.items()}


def note(view: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """Why a step of a round was skipped, in the reader's language where it is not the message of an error."""
    given = str(row["figures"].get("note") or "")
    plans = [one["figures"]["plan"] for one in view["rounds"] if one["figures"].get("plan")]
    if plan := next((one for one in plans if given and one.get("text") == given), None):
        return plan_text(plan)
    trained = sum(one["number"] < row["number"] and bool(one.get("training_job")) for one in view["rounds"])
    if given == automation.loop_words.ENOUGH_MODELS.format(number=trained):
        return gettext(automation.loop_words.ENOUGH_MODELS).format(number=trained)
    return gettext(given) if given else ""


def _no_cut_off(view: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    figures, target = row["figures"], view["target_quality"]
    if view.get("target_error") and figures.get("error_all") is not None:
        return _too_wrong(view, row)
    images, found = figures.get("validation_images"), figures.get("quality_all")
    if found is None or images is None or target is None:
        return gettext("No cut-off keeps the promise in round {number}.").format(number=row["number"])
    best = max((one["quality"] for one in row["curve"] if one["coverage"] >= LEAST_SHARE), default=found)
    text = gettext(
        "No cut-off keeps the promise in round {number}: on {images} validation images all labels of the model "
        "together have a {measure} of {found:.2f}, its surest ones {best:.2f}, and {target:.2f} is promised."
    )
    said = formats.filled(
        text,
        number=row["number"],
        images=images,
        measure=gettext(view["measure"]),
        found=found,
        best=best,
        target=target,
    )
    if best < target:
        why = gettext("The model has to become better: it learns from more labels, or needs a longer training.")
    else:
        why = gettext("So few validation images cannot prove that they are good enough; each round adds some.")
    return f"{said} {why}"


def _too_wrong(view: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    figures, needed = row["figures"], row["figures"].get("validation_needed")
    text = gettext(
        "No cut-off keeps the promise in round {number}: of {images} validation images {wrong:.0%} would have got a "
        "wrong label, and at most {promised:g} % is promised."
    )
    said = formats.filled(
        text,
        number=row["number"],
        images=figures.get("validation_images"),
        wrong=figures["error_all"],
        promised=100 * view["target_error"],
    )
    if not needed:
        return said
    proof = gettext("To prove that takes at least {needed} validation images with right labels.")
    return f"{said} {proof.format(needed=needed)}"


def _short_training(row: Mapping[str, Any]) -> str:
    short = row["figures"]["short_training"]
    if short["longer_seconds"]:
        text = gettext(
            "The model of round {number} was trained for {steps} steps only even after {seconds:.0f} seconds more than "
            "planned; {least} are the least that one needs."
        )
    else:
        text = gettext(
            "The model of round {number} was trained for {steps} steps only; {least} are the least that one needs."
        )
    said = formats.filled(
        text, number=row["number"], steps=short["steps"], seconds=short["longer_seconds"], least=short["least"]
    )
    slow = gettext("This computer is slow or busy: set a longer training, or train on another one.")
    return f"{said} {slow}"
