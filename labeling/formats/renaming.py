"""Other names for the classes that shapes name. Two classes that get one name become one.

Knows shapes only: neither what an answer is, nor why a class has another name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from labeling.formats.shapes import Box, Drawing, Keypoint, Polygon, Segment, Segmentation, Span, Vote

Named = Box | Keypoint | Polygon | Segment | Span
Shapes = TypeVar("Shapes")


def renamed(shapes: Shapes, names: Mapping[str, str]) -> Shapes:
    """The same shapes with the classes in `names` (old -> new) under their new name; others keep theirs.

    Takes one shape, or a list or tuple of them. Of shapes that become equal the surest one is kept, of segments all.
    Raises TypeError for anything that is no shape.
    """
    found: Any
    if isinstance(shapes, Vote):
        found = _vote(shapes, names)
    elif isinstance(shapes, Segmentation):
        found = replace(shapes, segments=tuple(renamed(one, names) for one in shapes.segments))
    elif isinstance(shapes, Drawing):
        found = replace(shapes, shapes=tuple(_once(shapes.shapes, names)))
    elif isinstance(shapes, Named):
        found = replace(shapes, label=names.get(shapes.label, shapes.label))
    elif isinstance(shapes, list):
        found = _once(shapes, names)
    elif isinstance(shapes, tuple) and not hasattr(shapes, "_fields"):
        found = tuple(_once(shapes, names))
    else:
        raise TypeError(f"the classes of a {type(shapes).__name__} cannot be renamed")
    return found  # type: ignore[no-any-return]


def _vote(vote: Vote, names: Mapping[str, str]) -> Vote:
    """Whoever chose one of two classes that are one now has chosen that; it is at least as sure as the surer one."""
    sure: dict[str, float] = {}
    for place, label in enumerate(vote.labels):
        name = names.get(label, label)
        sure[name] = max(sure.get(name, 0.0), vote.confidences[place] if vote.confidences else 0.0)
    return replace(vote, labels=tuple(sure), confidences=tuple(sure.values()) if vote.confidences else vote.confidences)


def _once(shapes: Sequence[Any], names: Mapping[str, str]) -> list[Any]:
    kept: dict[Any, Any] = {}
    for place, shape in enumerate(shapes):
        found = renamed(shape, names)
        # Only where a class has got its name: twice the same of another class is what somebody gave.
        key = replace(found, confidence=None) if isinstance(found, Named) and found.label in names.values() else place
        kept[key] = max(kept.get(key, found), found, key=_confidence)
    return list(kept.values())


def _confidence(shape: Any) -> float:
    return getattr(shape, "confidence", None) or 0.0
