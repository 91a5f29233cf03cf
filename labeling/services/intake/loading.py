"""Ingests the manifest of a job: one object a line, by COPY in one transaction, so that all objects are there or none.

Everything is read before that transaction, also labels that are files of their own, and waits in a temporary file.
Images are inspected later, in chunks, by inspection.py.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO, Any

import orjson
from django.db import connection, transaction

from labeling import task_types
from labeling.formats import manifest
from labeling.models import DataObject, Label, LabelingJob, LabelSource, ObjectState
from labeling.services import one_by_one
from labeling.services.intake import audited, datasets, label_files, source_names, sources
from labeling.services.intake.rejected_lines import RejectedLines
from labeling.services.intake.selection import JOB_KINDS, check_selection
from labeling.services.output import stale
from labeling.services.results import likely_errors
from labeling.task_types.base import TEXT, ImportedLabel
from marketplace import addresses
from marketplace.errors import Invalid
from marketplace.services import boundaries

CHUNK_ROWS = 10_000
"""Lines after which a chunk is written."""
CHUNK_BYTES = 16 * 1024 * 1024
"""Bytes after which a chunk is written, so that long lines do not fill the memory."""
SPOOL = 8 * 1024 * 1024
"""Bytes of chunks that wait in memory; more of them wait on disk."""
IMPORTED = "imported"
REASON_LENGTH = 500
"""Characters that are kept of the reason why an object failed."""


@dataclass
class Chunk:
    """Lines that are written to the database together."""

    # index, state, failure reason, source-ref, name, line
    rows: list[tuple[int, str, str, str, str, str]] = field(default_factory=list)
    # place in rows, and JSON, which is read again where the chunk is written: see _stored
    labels: list[tuple[int, Any]] = field(default_factory=list)
    size: int = 0

    @property
    def full(self) -> bool:
        return len(self.rows) >= CHUNK_ROWS or self.size >= CHUNK_BYTES


def load_objects(job: LabelingJob, *, ranked: Mapping[int, likely_errors.Ranked] | None = None) -> None:
    """Read the job's manifest into objects, chosen by its selection; bad lines are reported and counted.

    `ranked`: for a job that looks at likely errors, what is known of the earlier labels, by the places of their lines.
    Where the job wants a number of them, it gets those lines alone.

    Safe to repeat: nothing happens for a job that has its objects. Lines that have the job's own label attribute
    become labeled objects (chaining), their label is the first revision. Where people look at earlier labels, an object
    whose line has none that can be shown has failed. Raises NotFound, Forbidden or Invalid for a manifest that cannot
    be read.
    """
    uri = job.dataset.manifest_uri if job.dataset is not None else job.input_manifest_uri
    if not uri:
        raise Invalid("the labeling job has no input manifest", field="input_manifest_uri")
    boundaries.require_readable(account=job.account, uri=uri)
    selection = check_selection(job.selection, kinds=JOB_KINDS)
    kinds = manifest.KINDS if task_types.get(job.task_type).medium == TEXT else (manifest.SOURCE_REF,)
    if DataObject.objects.filter(job=job).exists():
        return
    rejected, options = RejectedLines(), {"label_attribute_name": job.label_attribute_name, "kinds": kinds}
    with SpooledTemporaryFile(max_size=SPOOL) as spool:
        with sources.local_copy(uri) as stream:
            lines = datasets.selected(stream, selection, account=job.account, **options)
            if ranked is not None and selection.get("count") is not None:
                lines = (line for line in lines if isinstance(line, manifest.BadLine) or line.index in ranked)
            for chunk in chunks(job, lines, rejected):
                spool.write(orjson.dumps([chunk.rows, chunk.labels]) + b"\n")
        spool.seek(0)
        _store(job, spool, rejected, uri=uri, ranked=ranked or {})


def _store(
    job: LabelingJob,
    spool: IO[bytes],
    rejected: RejectedLines,
    *,
    uri: str,
    ranked: Mapping[int, likely_errors.Ranked],
) -> None:
    """Write the chunks that wait, all or none; nothing where another process was faster."""
    # The advance lock is enough to load a job once; its row stays unlocked, so that it can be stopped meanwhile.
    with transaction.atomic():
        if DataObject.objects.filter(job=job).exists():
            return
        total = 0
        for line in spool:
            chunk = Chunk(*orjson.loads(line))
            _copy(job, chunk)
            total += len(chunk.rows)
        rejected.save(job=job)
        likely_errors.hand_on(job, ranked)
        LabelingJob.objects.filter(pk=job.pk).update(
            objects_total=total, bad_lines=rejected.count, input_manifest_uri=uri
        )


def append(job: LabelingJob, prepared: Iterable[Chunk]) -> int:
    """Add objects to a job, and say how many; needs a transaction. The places of their lines are not taken yet."""
    added = 0
    for chunk in prepared:
        _copy(job, Chunk(*orjson.loads(orjson.dumps([chunk.rows, chunk.labels]))))
        added += len(chunk.rows)
    return added


def chunks(
    job: LabelingJob, lines: Iterable[manifest.Line | manifest.BadLine], rejected: RejectedLines
) -> Iterator[Chunk]:
    """What becomes objects of these lines, to be written together; lines that cannot be used go to `rejected`."""
    chunk = Chunk()
    for line in lines:
        if isinstance(line, manifest.BadLine):
            rejected.add(line.number, line.reason, line.excerpt)
            continue
        ref = line.source_ref or ""
        if len(ref) > 1024:
            rejected.add(line.number, "'source-ref' is longer than 1,024 characters", ref)
            continue
        if b"\\u0000" in line.original:
            rejected.add(line.number, "holds a NUL character", ref)
            continue
        try:
            label = _label(job, line) if line.labeled else None
            stored = _stored(job, label) if label is not None else b""
        except one_by_one.OF_ONE_OBJECT as error:
            rejected.add(line.number, one_by_one.reason_of(error), ref)
            continue
        reason = audited.refusal(job, line.attributes) if label is None else ""
        state = str(_state(label) if label is not None else ObjectState.FAILED if reason else ObjectState.UNLABELED)
        if label is not None:
            chunk.labels.append((len(chunk.rows), orjson.Fragment(stored)))
        name = manifest.source_name(line.attributes)[: source_names.NAME_LENGTH]
        chunk.rows.append((line.index, state, reason[:REASON_LENGTH], ref, name, line.original.decode()))
        chunk.size += len(line.original) + len(stored)
        if chunk.full:
            yield chunk
            chunk = Chunk()
    if chunk.rows:
        yield chunk


def _label(job: LabelingJob, line: manifest.Line) -> ImportedLabel[Any]:
    """The label that a line of another job's output has. Raises ValueError when this job cannot use it."""
    kind = task_types.get(job.task_type)
    attributes = label_files.with_file(line.attributes, job.label_attribute_name, kind=kind, account=job.account)
    label = kind.read_manifest(attributes, job.label_attribute_name)
    if unknown := sorted(kind.classes(label.answer) - set(job.labels)):
        raise ValueError(f"{job.label_attribute_name!r} has a class the job does not have: {', '.join(unknown)}")
    if problem := kind.unwritable(label.answer, labels=job.labels):
        raise ValueError(f"{job.label_attribute_name!r} cannot be stored: {problem}")
    return label


def _stored(job: LabelingJob, label: ImportedLabel[Any]) -> bytes:
    """Source, model, value and explanation of the label, and [width, height, depth] of the image where it has them, as
    JSON. Raises TypeError for a label that is too deep for it."""
    source = LabelSource.MACHINE if _state(label) == ObjectState.MACHINE else LabelSource.HUMAN
    size = label.image_size
    sides = [size.width, size.height, size.depth] if size else [None, None, None]
    value = task_types.get(job.task_type).value(label.answer)
    return orjson.dumps([source, (label.origin.model_name or "")[:63], value, _explanation(label), sides])


def _state(label: ImportedLabel[Any]) -> str:
    return ObjectState.MACHINE if label.origin.human_annotated is False else ObjectState.HUMAN


def _copy(job: LabelingJob, chunk: Chunk) -> None:
    """Write both tables by COPY; ids are drawn first, because the lines refer to them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('labeling_dataobject', 'id')) FROM generate_series(1, %s)",
            [len(chunk.rows)],
        )
        ids = [row[0] for row in cursor.fetchall()]
        objects = (
            "COPY labeling_dataobject (id, job_id, index, state, failure_reason, source_ref, source_name, upright_uri)"
            " FROM STDIN"
        )
        with cursor.cursor.copy(objects) as copy:
            for pk, (index, state, reason, ref, name, _) in zip(ids, chunk.rows, strict=True):
                copy.write_row((pk, job.pk, index, state, reason, addresses.relative(ref), name, ""))
        with cursor.cursor.copy("COPY labeling_objectline (data_object_id, text) FROM STDIN") as copy:
            for pk, (*_, text) in zip(ids, chunk.rows, strict=True):
                copy.write_row((pk, addresses.relative_line(text)))
    if chunk.labels:
        _import_labels(chunk, ids)


def _import_labels(chunk: Chunk, ids: list[int]) -> None:
    """Store the first revision of objects that have a label, and the size of the image where the label contains it."""
    labels = Label.objects.bulk_create(
        [
            Label(
                data_object_id=ids[place],
                revision=1,
                source=source,
                algorithm=IMPORTED,
                model_name=model,
                value=value,
                explanation=explanation,
            )
            for place, (source, model, value, explanation, _) in chunk.labels
        ],
        batch_size=1000,
    )
    sides = [stored[-1] for _, stored in chunk.labels]
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE labeling_dataobject o SET label_id = n.label, width = n.width, height = n.height, depth = n.depth
               FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::int[], %s::int[])
                    AS n(id, label, width, height, depth) WHERE o.id = n.id""",
            [
                [label.data_object_id for label in labels],
                [label.pk for label in labels],
                *([each[part] for each in sides] for part in range(3)),
            ],
        )
    stale.note([label.data_object_id for label in labels])


def _explanation(label: ImportedLabel[Any]) -> dict[str, Any]:
    origin = label.origin
    return {"imported": {"job-name": origin.job_name, "creation-date": origin.creation_date}}
