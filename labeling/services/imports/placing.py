"""Lays what a label file has onto the image as it was measured, or into the text. Pure: knows neither rows nor stores.

The image says how large it is. Where the file says something else, this is reported; where the file means the pixels
as they are stored while people see the image turned by EXIF, everything is turned with it.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from labeling.formats.images import ImageInfo
from labeling.formats.interchange.fitting import turned
from labeling.formats.interchange.items import CROWD, SKIPPED, BadItem, FoundImage, fitted_parts
from labeling.formats.shapes import ImageSize, Part, Segment

_SIDEWAYS = (5, 6, 7, 8)


@dataclass
class Placed:
    """An object with what is on it, in displayed pixels; `note` says how the size was settled, "" for as the file said.

    `problems` are parts that were clipped or could not be used, `aside` those that were not wanted. `answer` is the
    label that the parts make, once a task type has made it.
    """

    size: ImageSize
    parts: list[Part] = field(default_factory=list)
    crowds: list[Part] = field(default_factory=list)
    problems: list[BadItem] = field(default_factory=list)
    aside: list[BadItem] = field(default_factory=list)
    note: str = ""
    answer: Any = None

    @property
    def complete(self) -> bool:
        """Whether the parts are all that was wanted of the object."""
        return not any(missing(problem) for problem in self.problems)


def missing(problem: BadItem) -> bool:
    """Whether something that was wanted could not be used."""
    return problem.done in (SKIPPED, CROWD) and not problem.aside


def place(found: FoundImage, info: ImageInfo | None) -> Placed:
    """The parts of an image that was measured; `info` None for one that cannot be, whose file must say its size.

    Raises ValueError when the size is not known, or when masks are of another image's size.
    """
    if info is None:
        if found.size is None:
            raise ValueError(
                f"the image cannot be measured from here, and {found.size_problem or 'its size is missing'}"
            )
        size, note = found.size, ""
    else:
        size = ImageSize(info.width, info.height, info.depth or 3)
        note = "" if found.relative or found.size is None and not found.size_problem else _note(found, info, size)
        if turned_by_exif(found, info):
            parts = tuple(replace(one, part=turned(one.part, info.orientation, size)) for one in found.parts)
            found = replace(found, parts=parts)
        elif found.size is not None and found.size[:2] != size[:2] and _has_masks(found):
            raise ValueError(
                f"its masks are of {found.size.width} x {found.size.height} pixels, the image has {size.width} x "
                f"{size.height}"
            )
    parts_, crowds, problems = fitted_parts(found, size)
    return Placed(size, parts_, crowds, problems, note=note)


def place_text(found: FoundImage, length: int) -> Placed:
    """The parts of a text with so many characters."""
    size = ImageSize(length, 1, 1)
    parts, _, problems = fitted_parts(found, size)
    return Placed(size, parts, [], problems)


def turned_by_exif(found: FoundImage, info: ImageInfo) -> bool:
    """Whether the file speaks of the pixels as they are stored: its size is that of the image before it is turned."""
    if found.relative or found.size is None or info.orientation not in _SIDEWAYS or info.width == info.height:
        return False
    return found.size[:2] == (info.height, info.width)


def _has_masks(found: FoundImage) -> bool:
    return any(isinstance(one.part, Segment) for one in found.parts)


def _note(found: FoundImage, info: ImageInfo, size: ImageSize) -> str:
    measured = f"{size.width} x {size.height}"
    if found.size is None:
        return f"the file has no usable size ({found.size_problem}): the image has {measured}"
    if found.size[:2] == size[:2]:
        return ""
    said = f"the file says {found.size.width} x {found.size.height}, the image has {measured}"
    if turned_by_exif(found, info):
        return f"{said} when turned as its EXIF says: its labels were turned with it"
    if found.size[:2] == (size.height, size.width):
        return f"{said}, width and height are swapped: the image's size was used"
    return f"{said}: the image's size was used, the file's numbers are taken as its pixels"
