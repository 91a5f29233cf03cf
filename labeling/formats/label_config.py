"""What a job keeps of a label category configuration beside its labels and instructions: a plain mapping.

{"labels": {"bee": {"categoryAttributes": [...], "shortDisplayName": "b"}}, "categoryGlobalAttributes": [...]}, {} for a
job that was given none. The labels themselves stand beside it. It must not know the job.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labeling.formats import label_attributes, label_categories
from labeling.formats.label_attributes import NONE, Attribute, Declared
from labeling.formats.label_categories import Categories, CategoriesError

OWN, COMMON, SHORT = "categoryAttributes", "categoryGlobalAttributes", "shortDisplayName"

Config = Mapping[str, Any]

_IGNORED = ("annotationType", "auditLabelAttributeName")
"""Members that say what the job's task type and its other fields say."""
_ALLOWED = (COMMON, "instructions", *_IGNORED)


def kept(categories: Categories) -> dict[str, Any]:
    """What a job keeps. Raises CategoriesError for members that no job here can follow."""
    declared = label_categories.declared(categories)
    for member, value in categories.extra.items():
        if member == "frameAttributes" and value:
            raise CategoriesError(member, f"attributes of whole frames are for video; use {COMMON}, of every shape")
        if member == "editsAllowed" and value != "any":
            raise CategoriesError(member, "only 'any' is possible here; attributes have an editsAllowed of their own")
        if member not in (*_ALLOWED, "frameAttributes", "editsAllowed"):
            raise CategoriesError(member[:100], f"is unknown; beside labels there are {', '.join(_ALLOWED)}")
    labels: dict[str, dict[str, Any]] = {}
    for place, label in enumerate(categories.labels):
        for member, value in label.extra.items():
            if member == "editsAllowed" and value == "any":
                continue
            if member != OWN:
                raise CategoriesError(
                    f"labels[{place}].{member[:100]}", f"is unknown; a label has label, {SHORT}, {OWN}"
                )
        own: dict[str, Any] = {SHORT: label.short_name} if label.short_name else {}
        own |= {OWN: [one.document() for one in declared.own[label.name]]} if label.name in declared.own else {}
        if own:
            labels[label.name] = own
    found: dict[str, Any] = {"labels": labels} if labels else {}
    return found | ({COMMON: [one.document() for one in declared.all]} if declared.all else {})


def declared(config: Config) -> Declared:
    """The attributes of the labels of a job that keeps this."""
    if not config:
        return NONE
    own = {label: label_attributes.parse(one.get(OWN), OWN) for label, one in config.get("labels", {}).items()}
    return Declared(label_attributes.parse(config.get(COMMON), COMMON), own)


def of_labels(config: Config, labels: Sequence[str]) -> list[dict[str, Any]]:
    """The labels as a crowd element takes them, each with all of its attributes."""
    if not config:
        return [{"label": label} for label in labels]
    found, own = declared(config), config.get("labels", {})
    return [
        {"label": label}
        | ({SHORT: own[label][SHORT]} if SHORT in own.get(label, {}) else {})
        | ({OWN: [one.document() for one in attributes]} if (attributes := found.of(label)) else {})
        for label in labels
    ]


def document(config: Config, labels: Sequence[str]) -> dict[str, Any] | None:
    """The configuration as a file has it, with every label; None for a job that was given none."""
    if not config:
        return None
    own = config.get("labels", {})
    common = {COMMON: config[COMMON]} if COMMON in config else {}
    listed = [{"label": label, **own.get(label, {})} for label in labels]
    return {"document-version": label_categories.VERSION, "labels": listed, **common}


def renamed(config: Config, old: str, new: str | None) -> dict[str, Any]:
    """After a class got another name, or (None) became a part of a class, which keeps its own attributes."""
    own = config.get("labels", {})
    if old not in own:
        return dict(config)
    left = {label: one for label, one in own.items() if label != old}
    return {**config, "labels": left if new is None else {**left, new: own[old]}}


def in_words(one: Attribute) -> str:
    """ "caste: worker, queen (required)", for people who look at a draft."""
    what = ", ".join(one.choices) if one.choices is not None else f"{one.kind} {one.bounds}".strip()
    return f"{one.name}: {what}{' (required)' if one.required else ''}"
