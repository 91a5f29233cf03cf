"""A job's objects with their newest labels, streamed in manifest order: what every output and export reads."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from django.db.models import QuerySet

from labeling import task_types
from labeling.formats.augmented import EXPIRED, failure_line, put_members
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import ImageSize
from labeling.formats.worker_responses import mask_key
from labeling.models import DataObject, LabelingJob, LabelSource, ObjectState
from labeling.services.intake import loading, texts
from labeling.services.one_by_one import OF_ONE_OBJECT, reason_of
from marketplace import storage

CHUNK = 2000
"""Rows that are read at a time."""

WHICH: dict[str, tuple[str, ...]] = {
    "all": tuple(LabelSource.values),
    "human": (LabelSource.HUMAN, LabelSource.ADJUDICATED),
    "machine": (LabelSource.MACHINE,),
}


class Row(NamedTuple):
    """One object: its input line, its state, and its label if it has one."""

    pk: int
    line_index: int
    state: str
    failure_reason: str
    source_ref: str
    source_name: str
    upright_uri: str
    width: int | None
    height: int | None
    depth: int | None
    line: str
    source: str | None
    model_name: str | None
    algorithm: str | None
    labeled_at: datetime | None
    value: dict[str, Any] | None
    label_id: int | None
    content: dict[str, Any] | None = None


def from_object(data_object: DataObject) -> Row:
    """The row of an object that was read with its label; its input line is left out."""
    label = data_object.label
    return Row(
        data_object.pk,
        data_object.index,
        data_object.state,
        data_object.failure_reason,
        data_object.source_ref,
        data_object.source_name,
        data_object.upright_uri,
        data_object.width,
        data_object.height,
        data_object.depth,
        "",
        label.source if label else None,
        label.model_name if label else None,
        label.algorithm if label else None,
        label.created_at if label else None,
        label.value if label else None,
        data_object.label_id,
        label.content if label else None,
    )


def stream(job: LabelingJob, which: str = "all") -> Iterator[Row]:
    """Every object of the job in manifest order; unless `which` is "all", only those with such a label.

    Memory does not grow with the job: rows come in chunks, each by a query of its own, as a cursor on the server does
    not get through a PgBouncer in transaction mode.
    """
    rows = DataObject.objects.filter(job=job).order_by("index")
    if which != "all":
        rows = rows.filter(label__source__in=WHICH[which])
    columns, last = _columns(rows), -1
    while chunk := [Row(*row) for row in columns.filter(index__gt=last)[:CHUNK]]:
        yield from chunk
        last = chunk[-1].line_index


def of_ids(job: LabelingJob, ids: Collection[int]) -> list[Row]:
    """These objects of the job, in manifest order."""
    return [Row(*row) for row in _columns(DataObject.objects.filter(job=job, pk__in=ids).order_by("index"))]


def _columns(rows: "QuerySet[DataObject]") -> Any:
    return rows.values_list(
        "pk",
        "index",
        "state",
        "failure_reason",
        "source_ref",
        "source_name",
        "upright_uri",
        "width",
        "height",
        "depth",
        "line__text",
        "label__source",
        "label__model_name",
        "label__algorithm",
        "label__created_at",
        "label__value",
        "label_id",
        "label__content",
    )


def image_size(row: Row) -> ImageSize:
    """Displayed pixels of a labeled row."""
    return ImageSize(row.width or 0, row.height or 0, row.depth or 3)


def manifest_line(row: Row, job: LabelingJob) -> bytes:
    """The line of the output manifest: labeled, failed, or the input line.

    A line that came with its label and got no other goes out byte for byte as it came in: its job, its date, its class
    ids and what else stands beside them belong to whoever labeled it.
    """
    if row.state == ObjectState.FAILED and row.value is None:
        return failure_line(row.line, job.label_attribute_name, reason=row.failure_reason or EXPIRED)
    if row.value is None or row.algorithm == loading.IMPORTED:
        return row.line.encode()
    return put_members(row.line, members(row, job))


def line_or_failure(row: Row, job: LabelingJob) -> tuple[bytes, str]:
    """`manifest_line` and ""; for an object that cannot be written, the line of a failed object and the reason."""
    try:
        return manifest_line(row, job), ""
    except OF_ONE_OBJECT as error:
        reason = f"the label cannot be written: {reason_of(error)}"
    try:
        return failure_line(row.line, job.label_attribute_name, reason=reason), reason
    except OF_ONE_OBJECT:
        # The input line itself cannot be extended; only what the object is known by is kept of it.
        known = orjson.dumps({"source-ref": row.source_ref} if row.source_ref else {"source": texts.of_line(row.line)})
        return failure_line(known, job.label_attribute_name, reason=reason), reason


def label(row: Row, job: LabelingJob) -> tuple[Any, dict[str, Any]]:
    """Value and metadata of a labeled row, as the output manifest holds them. A label that is a file is stored first,
    among the job's output."""
    kind = task_types.get(job.task_type)
    answer = kind.read_value(row.value or {})
    value, metadata = kind.manifest_label(
        answer,
        LabelContext(
            labels=job.labels,
            image_size=image_size(row),
            human_annotated=row.source != LabelSource.MACHINE,
            job_name=job.name,
            created=row.labeled_at,
            model_name=row.model_name or None,
        ),
    )
    if kind.label_is_file and row.labeled_at is not None:
        uri = storage.join(job.output_uri, job.name, mask_key(object_id=row.line_index, moment=row.labeled_at))
        if not storage.exists(uri):  # A revision of a label never changes, and its time is part of the name.
            storage.write(uri, kind.label_file(answer, labels=job.labels), content_type="image/png")
        value = uri
    if row.content is not None and not kind.merges:
        attribute = job.label_attribute_name
        return row.content[attribute], row.content.get(f"{attribute}-metadata") or metadata
    return value, metadata


def members(row: Row, job: LabelingJob) -> dict[str, Any]:
    """The members that a labeled row's line of the output manifest has beside those of the input line.

    As in Ground Truth that is whatever a function made; a label of a type that merges answers is written by the type.
    """
    value, metadata = label(row, job)
    made = {job.label_attribute_name: value, f"{job.label_attribute_name}-metadata": metadata}
    return {**(row.content or {}), **made}
