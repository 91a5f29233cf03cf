"""A label's stored explanation in plain words for the object page. The task type tells it for people's labels."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext

from frontend import formats
from labeling.models import Label, LabelSource
from labeling.services.results import class_changes
from labeling.task_types.base import TaskType
from labeling.task_types.told import Story

_SHOWN = 500
"""Characters that are quoted of what a function made."""


def story(label: Label | None, kind: TaskType[Any, Any]) -> Story:
    """A sentence on the whole label, and for a label by people what became of each thing that an answer named."""
    if label is None:
        return Story(gettext("Nobody has labeled this object yet."))
    if "class_changes" in label.explanation:
        return _renamed(label, kind)
    if label.source == LabelSource.ADJUDICATED:
        decided = gettext("A member of your account decided this object.")
        return Story(f"{decided} {gettext(kind.words.decided)}")
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
    said = "; ".join(map(_class_change, label.explanation["class_changes"]))
    changed = gettext("Classes have changed since: {changes}.").format(changes=said)
    return replace(told, lead=f"{formats.told(told.lead)} {changed}", findings=findings)


def _class_change(one: Mapping[str, Any]) -> str:
    text = (
        gettext("{before} renamed to {after}") if one["kind"] == "renamed" else gettext("{before} merged into {after}")
    )
    return text.format(before=one["from"], after=one["to"])


def _function(label: Label, kind: TaskType[Any, Any]) -> Story:
    """What a function made, and the answers that it was given where the label holds them."""
    made = json.dumps(label.content, ensure_ascii=False)
    text = gettext("The function {function} made this label of people's answers: {made}").format(
        function=label.explanation.get("function", ""), made=f"{made[:_SHOWN]}{' …' if len(made) > _SHOWN else ''}"
    )
    return Story(text, () if kind.merges else kind.story(label.value, label.explanation).findings)


def _machine(label: Label, why: dict[str, Any]) -> str:
    if why.get("round") is not None:
        said = gettext("The model {model} labeled this object in round {number}.")
    else:
        said = gettext("The model {model} labeled this object.")
    said = said.format(model=label.model_name, number=why.get("round"))
    if why.get("expected_quality") is None:
        return said
    if why.get("threshold") is None:
        expected = gettext("It expected a quality of {expected:.2f}.")
    else:
        expected = gettext("It expected a quality of {expected:.2f}, and {threshold:.2f} was enough.")
    filled = formats.filled(expected, expected=why["expected_quality"], threshold=why.get("threshold"))
    return f"{said} {filled}"
