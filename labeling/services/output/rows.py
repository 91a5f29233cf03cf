"""A job's objects with their newest labels, streamed in manifest order: what every output and export reads."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from labeling import task_types
from labeling.formats.augmented import EXPIRED, failure_line, label_line
from labeling.formats.shapes import ImageSize
from labeling.models import DataObject, LabelingJob, LabelSource, ObjectState

CHUNK = 2000
WHICH: dict[str, tuple[str, ...]] = {
    "all": tuple(LabelSource.values),
    "human": (LabelSource.HUMAN, LabelSource.ADJUDICATED),
    "machine": (LabelSource.MACHINE,),
}


class Row(NamedTuple):
    """One object: its line as it came, where it stands, and its label if it has one."""

    pk: int
    line_index: int
    state: str
    failure_reason: str
    source_ref: str
    width: int | None
    height: int | None
    depth: int | None
    line: str
    source: str | None
    model_name: str | None
    labeled_at: datetime | None
    value: dict[str, Any] | None


def of(found: DataObject) -> Row:
    """An object that was read with its label; its line is left out."""
    made = found.label
    return Row(
        found.pk,
        found.index,
        found.state,
        found.failure_reason,
        found.source_ref,
        found.width,
        found.height,
        found.depth,
        "",
        made.source if made else None,
        made.model_name if made else None,
        made.created_at if made else None,
        made.value if made else None,
    )


def stream(job: LabelingJob, which: str = "all") -> Iterator[Row]:
    """Every object of the job in manifest order; with `which` not "all" only those with such a label.

    Memory does not grow with the job: rows come through a server-side cursor.
    """
    rows = DataObject.objects.filter(job=job).order_by("index")
    if which != "all":
        rows = rows.filter(label__source__in=WHICH[which])
    columns = rows.values_list(
        "pk",
        "index",
        "state",
        "failure_reason",
        "source_ref",
        "width",
        "height",
        "depth",
        "line__text",
        "label__source",
        "label__model_name",
        "label__created_at",
        "label__value",
    )
    for row in columns.iterator(chunk_size=CHUNK):
        yield Row(*row)


def image_size(row: Row) -> ImageSize:
    """Displayed pixels of a labeled row."""
    return ImageSize(row.width or 0, row.height or 0, row.depth or 3)


def manifest_line(row: Row, job: LabelingJob) -> bytes:
    """The line of the output manifest: labeled, failed, or as it came."""
    if row.state == ObjectState.FAILED and row.value is None:
        return failure_line(row.line, job.label_attribute_name, reason=row.failure_reason or EXPIRED)
    if row.value is None:
        return row.line.encode()
    return label_line(row.line, job.label_attribute_name, *label(row, job))


def label(row: Row, job: LabelingJob) -> tuple[Any, dict[str, Any]]:
    """Value and metadata of a labeled row, as the output manifest holds them."""
    kind = task_types.get(job.task_type)
    return kind.manifest_label(
        kind.read_value(row.value or {}),
        labels=job.labels,
        image_size=image_size(row),
        human_annotated=row.source != LabelSource.MACHINE,
        job_name=job.name,
        created=row.labeled_at,
        model_name=row.model_name or None,
    )
