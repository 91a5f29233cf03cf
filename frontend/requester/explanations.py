"""A label's stored explanation in plain words for the object page. The task type tells it for people's labels."""

import json
from dataclasses import replace
from typing import Any

from labeling.models import Label, LabelSource
from labeling.services.results import class_changes
from labeling.task_types.base import TaskType
from labeling.task_types.told import Story

_SHOWN = 500
"""Characters that are quoted of what a function made."""


def story(label: Label | None, kind: TaskType[Any, Any]) -> Story:
    """A sentence on the whole label, and for a label by people what became of each thing that an answer named."""
    if label is None:
        return Story("Nobody has labeled this object yet.")
    if "class_changes" in label.explanation:
        return _renamed(label, kind)
    if label.source == LabelSource.ADJUDICATED:
        return Story(f"A member of your account decided this object. {kind.words.decided}")
    if label.source == LabelSource.MACHINE:
        return Story(_machine(label, label.explanation))
    if label.content is not None:
        return _function(label, kind)
    return kind.story(label.value, label.explanation)


def _renamed(label: Label, kind: TaskType[Any, Any]) -> Story:
    """The story of the revision that this one says with other names, with those names."""
    names = class_changes.names_since(label.explanation)
    told = story(label.data_object.labels.filter(revision=label.explanation["of_revision"]).first(), kind)
    findings = tuple(
        replace(
            finding,
            label=names.get(finding.label, finding.label),
            members=tuple(replace(one, label=names.get(one.label, one.label)) for one in finding.members),
        )
        for finding in told.findings
    )
    said = "; ".join(
        f"{one['from']} {'renamed to' if one['kind'] == 'renamed' else 'merged into'} {one['to']}"
        for one in label.explanation["class_changes"]
    )
    return replace(told, lead=f"{told.lead} Classes have changed since: {said}.", findings=findings)


def _function(label: Label, kind: TaskType[Any, Any]) -> Story:
    """What a function made, and the answers that it was given where the label holds them."""
    made = json.dumps(label.content, ensure_ascii=False)
    text = f"The function {label.explanation.get('function', '')} made this label of people's answers: "
    text += f"{made[:_SHOWN]}{' …' if len(made) > _SHOWN else ''}"
    return Story(text, () if kind.merges else kind.story(label.value, label.explanation).findings)


def _machine(label: Label, why: dict[str, Any]) -> str:
    text = f"The model {label.model_name} labeled this object"
    if why.get("round") is not None:
        text += f" in round {why['round']}"
    if why.get("expected_quality") is not None:
        text += f": it expected a quality of {why['expected_quality']:.2f}"
        if why.get("threshold") is not None:
            text += f", and {why['threshold']:.2f} was enough"
    return f"{text}."
