"""Lays the boxes of a label file onto the image as it was measured. Pure: knows neither rows nor stores.

The image says how large it is. Where the file says something else, this is reported; where the file means the pixels
as they are stored while people see the image turned by EXIF, the boxes are turned with it.
"""

from dataclasses import dataclass, field, replace

from labeling.formats.images import ImageInfo
from labeling.formats.interchange.items import CROWD, SKIPPED, BadItem, FoundImage, fitted_boxes
from labeling.formats.shapes import Box, ImageSize

_SIDEWAYS = (5, 6, 7, 8)


@dataclass
class Placed:
    """An image with what is on it, in displayed pixels; `note` says how the size was settled, "" when as the file said.

    `problems` are boxes that were clipped or could not be used, `aside` those that were not wanted.
    """

    size: ImageSize
    boxes: list[Box] = field(default_factory=list)
    crowds: list[Box] = field(default_factory=list)
    problems: list[BadItem] = field(default_factory=list)
    aside: list[BadItem] = field(default_factory=list)
    note: str = ""

    @property
    def complete(self) -> bool:
        """Whether the boxes are all that was wanted of the image."""
        return not any(problem.done in (SKIPPED, CROWD) for problem in self.problems)


def place(found: FoundImage, info: ImageInfo | None) -> Placed:
    """The boxes of an image that was measured; `info` None for one that cannot be, whose file must say its size.

    Raises ValueError when the size is not known.
    """
    if info is None:
        if found.size is None:
            raise ValueError(
                f"the image cannot be measured from here, and {found.size_problem or 'its size is missing'}"
            )
        size, note = found.size, ""
    else:
        size = ImageSize(info.width, info.height, info.depth or 3)
        note = "" if found.relative else _note(found, info, size)
        if turned_by_exif(found, info):
            found = replace(found, boxes=tuple(replace(one, box=turned(one.box, info)) for one in found.boxes))
    boxes, crowds, problems = fitted_boxes(found, size)
    return Placed(size, boxes, crowds, problems, note=note)


def turned_by_exif(found: FoundImage, info: ImageInfo) -> bool:
    """Whether the file speaks of the pixels as they are stored: its size is that of the image before it is turned."""
    if found.relative or found.size is None or info.orientation not in _SIDEWAYS or info.width == info.height:
        return False
    return found.size[:2] == (info.height, info.width)


def turned(box: Box, info: ImageInfo) -> Box:
    """A box in stored pixels, as it lies in the image that is shown (EXIF orientations 5 to 8)."""
    x1, y1, x2, y2 = box.corners
    # The stored image is as wide as the shown one is high.
    width, height = info.height, info.width
    corners = {
        5: (y1, x1, y2, x2),
        6: (height - y2, x1, height - y1, x2),
        7: (height - y2, width - x2, height - y1, width - x1),
        8: (y1, width - x2, y2, width - x1),
    }[info.orientation]
    return Box.from_corners(box.label, *corners, box.confidence)


def _note(found: FoundImage, info: ImageInfo, size: ImageSize) -> str:
    measured = f"{size.width} x {size.height}"
    if found.size is None:
        return f"the file has no usable size ({found.size_problem}): the image has {measured}"
    if found.size[:2] == size[:2]:
        return ""
    said = f"the file says {found.size.width} x {found.size.height}, the image has {measured}"
    if turned_by_exif(found, info):
        return f"{said} when turned as its EXIF says: the boxes were turned with it"
    if found.size[:2] == (size.height, size.width):
        return f"{said}, width and height are swapped: the image's size was used"
    return f"{said}: the image's size was used, the boxes are taken as its pixels"
