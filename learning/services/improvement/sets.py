"""The sets of labeled images that a policy trains and tests on, as augmented manifests with one numbering of classes.

Knows manifests and boxes; neither models nor what is decided by them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from labeling import task_types
from labeling.formats import manifest
from labeling.formats.augmented import label_line
from labeling.formats.label_context import LabelContext
from labeling.formats.manifest import SOURCE_REF
from labeling.formats.shapes import Box, ImageSize
from labeling.models import Dataset
from labeling.services.review import retraining
from labeling.services.scope import import_of
from learning.models import Detection
from learning.services.programs import staging
from marketplace import storage
from marketplace.errors import Invalid, WrongState
from marketplace.ranges import Range

ATTRIBUTE = retraining.ATTRIBUTE
KIND = task_types.get(retraining.TASK_TYPE)
TEST_IMAGES = Range(1, 2_000)
"""Images of the fixed test set: every new model and its predecessor predict them all."""

TRAINING_IMAGES = Range(0, 20_000)
"""Images of the training set that is given at creation."""


@dataclass(frozen=True)
class Labeled:
    """An image with its true boxes."""

    uri: str
    boxes: list[Box]
    size: ImageSize
    job_name: str = "improvement"


def read_dataset(dataset: Dataset, attribute: str, *, most: Range, field: str) -> list[Labeled]:
    """The images of a data set that have boxes under the attribute, or where it is "" under that of its import.

    Raises WrongState for a data set that is not Completed, Invalid naming `field` for a line that cannot be read and
    for another number of images than `most`.
    """
    if dataset.status != "Completed":
        raise WrongState(f"the data set {dataset.name} is {dataset.status}", field=field)
    name = attribute or _attribute_of(dataset, field)
    found: list[Labeled] = []
    for number, line in enumerate(staging.manifest_lines(dataset.manifest_uri), start=1):
        if len(found) >= most.longest:
            raise Invalid(f"the data set {dataset.name} has more than {most.longest:,} labeled images", field=field)
        if (one := _read(line, name, f"the data set {dataset.name}, line {number}", field)) is not None:
            found.append(one)
    if len(found) not in most:
        raise Invalid(f"no line of the data set {dataset.name} has boxes under {name!r}", field=field)
    return found


def _attribute_of(dataset: Dataset, field: str) -> str:
    labeled = import_of(dataset)
    if labeled is None:
        raise Invalid(f"say under which label attribute the data set {dataset.name} has its boxes", field=field)
    return labeled.label_attribute_name


def _read(line: bytes, attribute: str, where: str, field: str) -> Labeled | None:
    try:
        attributes = manifest.parse_line(line).attributes
        if attribute not in attributes:
            return None
        label = KIND.read_manifest(attributes, attribute)
    except ValueError as error:
        raise Invalid(f"{where}: {error}", field=field) from None
    if label.image_size is None:
        raise Invalid(f"{where}: the label does not say how large the image is", field=field)
    return Labeled(str(attributes[SOURCE_REF]), label.answer, label.image_size)


def classes_of(images: Iterable[Labeled]) -> set[str]:
    """The names of the classes that occur."""
    return {box.label for one in images for box in one.boxes}


def of_detection(row: Detection) -> Labeled:
    """An answered image."""
    boxes = [Box(*values) for values in row.truth or ()]
    name = f"a2i/{row.human_loop.name}" if row.human_loop else "a2i"
    return Labeled(row.uri, boxes, ImageSize(row.width or 0, row.height or 0), name)


def write(uri: str, images: Iterable[Labeled], *, labels: Sequence[str], before: str = "") -> int:
    """An augmented manifest of the images, after the lines of the manifest `before`; returns how many lines it has."""
    count = 0
    with storage.writer(uri, content_type="application/jsonlines") as out:
        for line in (*(staging.manifest_lines(before) if before else ()), *_lines(images, labels)):
            out.write(line + b"\n")
            count += 1
    return count


def _lines(images: Iterable[Labeled], labels: Sequence[str]) -> Iterator[bytes]:
    for one in images:
        about = LabelContext(labels=labels, image_size=one.size, job_name=one.job_name)
        plain = [replace(box, attributes=(), confidence=1.0) for box in one.boxes]
        value, metadata = KIND.manifest_label(plain, about)
        yield label_line(orjson.dumps({SOURCE_REF: one.uri}), ATTRIBUTE, value, metadata)


def read(uri: str) -> list[Labeled]:
    """The images of a manifest that `write` has made."""
    found = [_read(line, ATTRIBUTE, uri, "manifest") for line in staging.manifest_lines(uri)]
    return [one for one in found if one is not None]


def rows_of(boxes: Iterable[Box]) -> list[list[Any]]:
    """Boxes as a detection's `truth` keeps them."""
    return [[box.label, box.left, box.top, box.width, box.height] for box in boxes]
