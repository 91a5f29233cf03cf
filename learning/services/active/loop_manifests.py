"""The manifests of a loop's trainings and predictions: labeled objects, and objects without their labels.

Knows how objects are written; neither which of them are chosen nor what is done with the files.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson
from django.db.models import QuerySet

from labeling import task_types
from labeling.formats.augmented import label_line
from labeling.formats.label_context import LabelContext
from labeling.formats.manifest import SOURCE, SOURCE_REF
from labeling.formats.shapes import ImageSize
from labeling.models import DataObject, LabelingJob
from labeling.services.intake import images, texts
from labeling.task_types.base import TEXT
from learning.contract import OBJECT_ID_KEY
from learning.services.active import loop_objects
from marketplace import storage

CHUNK = 1000
Row = tuple[DataObject, bytes]


def write_labeled(uri: str, *, job: LabelingJob, objects: QuerySet[DataObject]) -> int:
    """An augmented manifest of labeled objects at `uri`, label files beside it; returns the number of lines."""
    rows = _lines(job, objects.select_related("label"))
    return _write(uri, (_labeled(job, row, line, folder=f"{uri}-labels") for row, line in rows))


def write_unlabeled(uri: str, job: LabelingJob, *querysets: QuerySet[DataObject]) -> int:
    """A manifest of objects only; returns the number of lines."""
    return _write(uri, (line for rows in querysets for _, line in _lines(job, rows)))


def _write(uri: str, lines: Iterator[bytes]) -> int:
    count = 0
    with storage.writer(uri, content_type="application/jsonlines") as out:
        for line in lines:
            out.write(line + b"\n")
            count += 1
    return count


def _lines(job: LabelingJob, objects: QuerySet[DataObject]) -> Iterator[Row]:
    """Each object with its line: the address of an image or a text, or the text itself where its line has it."""
    of_texts = task_types.get(job.task_type).medium == TEXT
    stream = objects.iterator(CHUNK)
    while rows := list(islice(stream, CHUNK)):
        inline = texts.inline_texts([row.pk for row in rows]) if of_texts else {}
        for row in rows:
            where: dict[str, Any] = (
                {SOURCE: inline[row.pk]} if row.pk in inline else {SOURCE_REF: images.image_uri(row)}
            )
            yield row, orjson.dumps(where | {OBJECT_ID_KEY: row.pk})


def _labeled(job: LabelingJob, row: DataObject, line: bytes, *, folder: str) -> bytes:
    kind, label = task_types.get(job.task_type), loop_objects.label(job, row)
    size = ImageSize(row.width or 0, row.height or 0, row.depth or 3)
    value, metadata = kind.manifest_label(label, LabelContext(labels=job.labels, image_size=size, job_name=job.name))
    if kind.label_is_file:
        value = storage.join(folder, f"{row.label_id}.png")
        storage.write(value, kind.label_file(label, labels=job.labels), content_type="image/png")
    return label_line(line, job.label_attribute_name, value, metadata)
