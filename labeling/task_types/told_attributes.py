"""What the requester's pages tell of the attributes of a merged shape: how each was settled, and who said what."""

from collections.abc import Mapping
from typing import Any

from labeling.formats import label_attributes
from labeling.formats.label_attributes import KEY
from labeling.task_types.told import Told, told


def sentence(cluster: Mapping[str, Any]) -> tuple[Told, ...]:
    """ "Attributes: caste queen (majority, 2 of 3)."; none for a cluster without any."""
    found: Mapping[str, Any] = cluster.get("attributes", {})
    each = [f"{name} {one['value']} ({one['how']}, {one['agreed']} of {one['of']})" for name, one in found.items()]
    return (told("Attributes: {each}.", each=", ".join(each)),) if each else ()


def column(cluster: Mapping[str, Any]) -> tuple[str, ...]:
    """The title of the column about them, where any member has some."""
    return ("Attributes",) if any(KEY in member for member in cluster.get("members", [])) else ()


def cell(member: Mapping[str, Any], cluster: Mapping[str, Any]) -> tuple[str, ...]:
    """What the member said, in words, where there is such a column."""
    return tuple(label_attributes.in_words(tuple(sorted(member.get(KEY, {}).items()))) for _ in column(cluster))
