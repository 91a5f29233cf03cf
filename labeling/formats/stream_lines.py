"""Objects that a topic sends to a streaming labeling job: what tells them apart, and what their lines get beside it.

As Ground Truth has it. Pure; it must not know topics or jobs.
"""

from __future__ import annotations

import hashlib
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


def digest_of_message(message_id: str) -> str:
    """What is kept to know a message again that says nothing of what tells its object apart."""
    return _digest(f"message:{message_id}")


def digest_of_event(uri: str, order: str) -> str:
    """The same of an event of S3; `order` is its sequencer, else the id of its message."""
    return _digest(f"event:{uri}:{order}")


def digest_of_id(object_id: str) -> str:
    """The same of an object that says its id."""
    return _digest(f"id:{object_id}")


def possible_digests(attributes: Mapping[str, Any]) -> list[str]:
    """What may have been kept of the message from which the line of an object of a job was made."""
    try:
        named = identity(attributes)
    except ValueError:
        # No message: it was in the manifest that the job began with.
        named = None
    if named is None:
        return []
    if not is_given(attributes[OBJECT_ID_ATTRIBUTE]):
        return [digest_of_id(named)]
    order = attributes.get(SEQUENCER, named)
    # A line may have been sent with these members, too: the output of another job.
    return [digest_of_message(named), digest_of_event(attributes.get("source-ref", ""), order), digest_of_id(named)]


def _digest(known_by: str) -> str:
    return hashlib.sha256(known_by.encode()).hexdigest()


def is_given(name: str) -> bool:
    """Whether a member has a name that only streaming jobs give: lines of their output can be read again."""
    return name == SEQUENCER or _OBJECT_ID.fullmatch(name) is not None
