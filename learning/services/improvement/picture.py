"""The state machine of a policy as a picture: branches of states, where the run is, and the path that it took.

The states and their words are those of AWS's solution where it has them. Knows rows; neither HTML nor requests.
"""

import re
from typing import Any

from learning.models import PolicyRun

TRAINING = (
    "CheckNewTraining", "InitiateTraining", "CreateManifest", "CreateProjectVersion", "WaitForTraining",
    "TrainingCompleted", "Evaluation", "StartModel", "WaitForStart", "ModelStarted", "DeployEndpoint", "Watching",
    "Completed",
)  # fmt: skip
"""The way of a run that ends well."""

TURNINGS = {
    "FailedF1Score": "Evaluation",
    "Regression": "Evaluation",
    "RollingBack": "Watching",
    "RolledBack": "Watching",
    "Failed": "",
    "Stopped": "",
}
"""The other ends, and from where they are reached; "" from anywhere."""

OURS = {"Evaluation", "Regression", "Watching", "RollingBack", "RolledBack", "Completed", "Stopped"}
"""What AWS's solution does not have."""

WORDS = {"PassConfidence": "Pass Confidence", "A2IOff": "A2I Off", "HumanLoop": "Create HumanLoop"}


def title(state: str) -> str:
    """A state in words, as the solution spells them: "Wait for Training", "Failed F1 Score"."""
    if state in WORDS:
        return WORDS[state]
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", state)
    return spaced.replace("Failed F1Score", "Failed F1 Score").replace("Wait For", "Wait for")


def branches(run: PolicyRun | None, counted: dict[str, int], samples: int) -> list[dict[str, Any]]:
    """[{"title", "states": [{"name", "title", "mark", "count", "ours"}]}]: `mark` is "", "taken", "here" or "refused".

    `counted`: the detections by state; `samples`: how many were put before people as a sample.
    """
    return [
        {"title": "Training", "states": _training(run)},
        {"title": "Detection", "states": _detection(counted)},
        {"title": "People's answers", "states": _answers(counted)},
        {
            "title": "Sampling",
            "states": [_counted("Human Sampling", samples), _counted("Create Human Sample", samples)],
        },
    ]


def _training(run: PolicyRun | None) -> list[dict[str, Any]]:
    taken = {step.state for step in run.steps.all()} if run is not None else set()
    here = run.status if run is not None else ""
    states = [_state(name, here, taken | {"CheckNewTraining"} if taken else taken) for name in TRAINING]
    for name, after in TURNINGS.items():
        if name not in taken:
            continue
        turned = _state(name, here, taken)
        if name not in ("RollingBack",):
            turned["mark"] = "refused"
        places = [place for place, state in enumerate(states) if state["name"] in taken or state["name"] == after]
        states.insert(max(places, default=-1) + 1, turned)
    if run is None:
        states[0]["mark"] = "here"
    return states


def _state(name: str, here: str, taken: set[str]) -> dict[str, Any]:
    mark = "here" if name == here else "taken" if name in taken else ""
    return {"name": name, "title": title(name), "mark": mark, "count": None, "ours": name in OURS}


def _counted(words: str, count: int, mark: str = "taken") -> dict[str, Any]:
    return {"name": words, "title": words, "mark": mark if count else "", "count": count, "ours": False}


def _detection(counted: dict[str, int]) -> list[dict[str, Any]]:
    everything = sum(counted.values())
    asked = sum(counted[state] for state in ("HumanLoop", "Answered", "Unanswered"))
    return [
        _counted("Detection", everything),
        _counted("Check Confidence", everything - counted["Found"] - counted["Failed"]),
        _counted("Pass Confidence", counted["PassConfidence"]),
        _counted("Check A2I", asked + counted["A2IOff"]),
        _counted("A2I Off", counted["A2IOff"]),
        _counted("Create HumanLoop", asked),
        *([_counted("Failed", counted["Failed"], "refused")] if counted["Failed"] else []),
    ]


def _answers(counted: dict[str, int]) -> list[dict[str, Any]]:
    over = counted["Answered"] + counted["Unanswered"]
    return [
        _counted("Waiting for people", counted["HumanLoop"], "here"),
        _counted("A2I HumanLoop Data", over),
        _counted("Add Training Image", counted["Answered"]),
        *([_counted("Unanswered", counted["Unanswered"], "refused")] if counted["Unanswered"] else []),
    ]
