"""Does a label import in the background: opens the file, finds its objects, and takes their labels over one by one.

Safe to repeat and to kill: until the end only files under names derived from the import are written, and golds, which
a repeat leaves as they are.
"""

import time
from contextlib import ExitStack
from typing import Any, BinaryIO

from django.conf import settings
from django.db import transaction

from labeling import task_types, transitions
from labeling.formats.interchange.items import SKIPPED
from labeling.formats.interchange.kinds import MANIFEST
from labeling.models import LabelImport
from labeling.services.imports import label_files, pictures
from labeling.services.imports.creating import ADVANCE
from labeling.services.imports.golds import Golds
from labeling.services.imports.label_files import LabelFile
from labeling.services.imports.limits import GOLDS
from labeling.services.imports.new_dataset import NewDataset
from labeling.services.imports.pictures import Pictures
from labeling.services.imports.reports import Report
from labeling.services.imports.work import Work
from labeling.services.intake import sources
from labeling.services.intake.progress import Progress, Stopped
from labeling.task_types.base import TEXT, TaskType
from marketplace import locks, queue, storage
from marketplace.errors import DomainError, Invalid

BY = "system"
"""The actor in the audit log for steps that no person took."""

SHARE_OF_TIMEOUT = 0.7
"""Of the time after which a background function is ended, what reading labels may take: it could never end later."""


def advance_import(import_id: int) -> None:
    """Do the import, or continue; does nothing when it is over or another process is doing it."""
    with locks.only_one(f"import-labels:{import_id}") as acquired:
        rows = LabelImport.objects.select_related("account", "images", "job__account", "job__queue")
        row = rows.filter(pk=import_id).first() if acquired else None
        if row is None or row.status in transitions.LABEL_IMPORT.final:
            return
        try:
            with transaction.atomic():
                transitions.LABEL_IMPORT.advance(row, "InProgress", by=BY)
            _import(row)
        except Stopped:
            return
        except storage.StoreUnavailable:
            # The import does not fail: the message is delivered again, and later the sweep sends a new one.
            raise
        except DomainError as error:
            _fail(row, error.message)


def give_up(import_id: int, reason: str) -> None:
    """Fail an import that ended with an unexpected error again and again."""
    row = LabelImport.objects.filter(pk=import_id).first()
    if row is not None:
        _fail(row, reason)


def sweep() -> None:
    """Send a message for every import that is not over; it has no effect while a process is doing that import."""
    live = LabelImport.objects.filter(status__in=["Initializing", "InProgress"])
    for import_id in live.order_by("pk").values_list("pk", flat=True):
        queue.enqueue(ADVANCE, import_id)


def _fail(row: LabelImport, reason: str) -> None:
    with transaction.atomic():
        locked = LabelImport.objects.select_for_update(no_key=True).get(pk=row.pk)
        if locked.status not in transitions.LABEL_IMPORT.final:
            transitions.LABEL_IMPORT.advance(row, "Failed", by=BY, because=reason[:500], failure_reason=reason[:1024])


def _import(row: LabelImport) -> None:
    progress = Progress(LabelImport, row.pk)
    with ExitStack() as open_files:
        # A copy is read, because two readers (labels and images) seek in the file, and a store may close a stream.
        stream: BinaryIO = open_files.enter_context(sources.local_copy(row.uri))
        report = open_files.enter_context(Report())
        job = row.job
        kind = task_types.get(row.task_type if job is None else job.task_type)
        file = label_files.open_file(
            stream, kind=kind, account=row.account, asked=row.asked_format, attribute=row.read_attribute
        )
        LabelImport.objects.filter(pk=row.pk).update(format=file.format)
        images = _objects(row, kind, file, stream, report, progress)
        if images is None:
            # A slice of a large archive is unpacked; the next message unpacks the rest.
            queue.enqueue(ADVANCE, row.pk)
            return
        labels = list(file.labels)
        target: Any = Golds(row, images) if job is not None else open_files.enter_context(NewDataset(row, labels, kind))
        work = Work(row, kind, file, images, target, labels, report)
        progress.start("labels", total=file.total)
        latest = time.monotonic() + SHARE_OF_TIMEOUT * settings.Q_CLUSTER["timeout"]
        for done in work.run():
            progress.report(done, counts=work.counts())
            if time.monotonic() > latest:
                raise Invalid(_too_long(done, file))
        _end(row, work)


def _objects(
    row: LabelImport, kind: TaskType[Any, Any], file: LabelFile, stream: BinaryIO, report: Report, progress: Progress
) -> Pictures | None:
    """What the labels may be for; None when a later call must unpack the rest of an archive. Raises Invalid."""
    own = kind.medium == TEXT and row.job is None and row.images is None and file.format != MANIFEST
    if own and (texts := pictures.of_texts(row, file.found())).keys:
        return texts
    packed = stream if file.archive else None
    images = pictures.of_import(
        row, medium=kind.medium, archive=packed, others=file.others, report=report, progress=progress
    )
    # A manifest names its objects by their addresses, so it needs no others; but it is read again as it stands.
    direct = file.format == MANIFEST and row.job is None and not file.archive
    if images is not None and not images.keys and not direct:
        raise Invalid(_without_objects(row, kind, file), field="images")
    return images


def _too_long(done: int, file: LabelFile) -> str:
    known = f" of {file.total:,}" if file.total else ""
    minutes = SHARE_OF_TIMEOUT * settings.Q_CLUSTER["timeout"] / 60
    return (
        f"{done:,}{known} images were read in {minutes:.0f} minutes, which is as long as an import may take: divide "
        "the file by images and import the parts, or have the operator raise WAGGLE_QUEUE_TIMEOUT_SECONDS"
    )


def _without_objects(row: LabelImport, kind: TaskType[Any, Any], file: LabelFile) -> str:
    what = "texts" if kind.medium == TEXT else "images"
    if row.purpose == GOLDS:
        return "the labeling job has no objects yet: import its golds when it has read its input"
    if row.images is not None:
        return f"the data set {row.images.name} has no {what}"
    if file.archive and file.format == MANIFEST:
        return f"the zip holds a manifest without {what}: import the manifest itself, or choose the data set"
    packed = f"the zip holds no {what}: choose the data set that has them, or pack them into the zip"
    return packed if file.archive else f"the file has labels only: choose the data set that has the {what}"


def _end(row: LabelImport, work: Work) -> None:
    """Complete the import, or fail it when no image got a label; either way its report is kept."""
    report = work.report
    report.write_files(row)
    uri = work.target.write(work.images) if work.labeled and row.purpose != GOLDS else ""
    with transaction.atomic():
        locked = LabelImport.objects.select_for_update(no_key=True).get(pk=row.pk)
        if locked.status in transitions.LABEL_IMPORT.final:
            return
        report.save(row)
        counts = {**work.counts(), "lines": report.lines}
        ended: dict[str, Any] = {"labels": work.labels, "counts": counts, "progress": 1.0}
        if not work.labeled:
            reason = _nothing(report, "text" if work.kind.medium == TEXT else "image")
            transitions.LABEL_IMPORT.advance(
                row, "Failed", by=BY, because=reason[:500], failure_reason=reason[:1024], **ended
            )
            return
        dataset = work.target.create(uri) if uri else None
        transitions.LABEL_IMPORT.advance(
            row, "Completed", by=BY, because=f"{work.labeled} objects labeled", dataset=dataset, **ended
        )


def _nothing(report: Report, what: str) -> str:
    first = next((line for line in report.rows() if line[2] == SKIPPED), None)
    said = f"; the first: {first[1]}: {first[3]}" if first else ""
    return f"no {what} got a label ({report.counts[SKIPPED]:,} lines were skipped{said})"
