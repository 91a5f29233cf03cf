"""What a label's manifest attributes say beside the label itself: its classes, its picture, its job, who made it, when.

Knows no kind of label, and nothing of how the attributes are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from labeling.formats.shapes import ImageSize


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelContext:
    """The same for every kind of label; a kind that has no use for a part leaves it out of what it writes."""

    labels: Sequence[str]
    """The classes of the job in their order, which gives the class index."""
    image_size: ImageSize = ImageSize(1, 1)
    """Displayed pixels of the picture; only labels that say how large it is need it."""
    human_annotated: bool = True
    job_name: str
    """With or without the kind of job before it: "bees" is written as "labeling-job/bees"."""
    created: datetime | str | None = None
    """When the label was made, or the text to write; None for now."""
    model_name: str | None = None
    """The model that made it, None for people."""
