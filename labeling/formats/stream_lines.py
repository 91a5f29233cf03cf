"""Objects that a topic sends to a streaming labeling job: what tells them apart, and what their lines get beside it.

As Ground Truth has it. Pure; it must not know topics or jobs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

OBJECT_ID_ATTRIBUTE = "dataset-objectid-attribute-name"
"""Names the member of a line that tells objects apart."""

SEQUENCER = "$sequencer"
"""Of an object that S3 told of: the number by which S3 orders the events of one key."""

ID_LENGTH = 1024
"""Characters of an object's id."""

_OBJECT_ID = re.compile(r"\$.{1,127}-object-id", re.DOTALL)
_NAME = re.compile(r"[$a-zA-Z0-9](-*[a-zA-Z0-9])*")
_NAME_LENGTH = 140


def identity(attributes: Mapping[str, Any]) -> str | None:
    """The id of a line that says itself what tells objects apart, None for one that does not.

    Raises ValueError for one that says it wrongly.
    """
    if OBJECT_ID_ATTRIBUTE not in attributes:
        return None
    name = attributes[OBJECT_ID_ATTRIBUTE]
    if not isinstance(name, str) or len(name) > _NAME_LENGTH or _NAME.fullmatch(name) is None:
        raise ValueError(
            f"{OBJECT_ID_ATTRIBUTE!r} must be the name of an attribute, of at most {_NAME_LENGTH} letters, digits and "
            "inner hyphens"
        )
    found = attributes.get(name)
    if not isinstance(found, str) or not 1 <= len(found) <= ID_LENGTH:
        raise ValueError(f"{name!r} must hold the object's id, a text of 1 to {ID_LENGTH:,} characters")
    return found


def given(label_attribute_name: str, object_id: str) -> dict[str, str]:
    """The members that the line of an object gets that does not say itself what tells it apart."""
    name = f"${label_attribute_name}-object-id"
    return {OBJECT_ID_ATTRIBUTE: name, name: object_id}


def is_given(name: str) -> bool:
    """Whether a member has a name that only streaming jobs give: lines of their output can be read again."""
    return name == SEQUENCER or _OBJECT_ID.fullmatch(name) is not None
