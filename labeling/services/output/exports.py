"""Downloads of a job's labels, written in the background: manifest, worker answers, COCO, VOC, YOLO.

An export that was interrupted starts again. Objects that do not fit a format are listed with the reason.
"""

import io
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, BinaryIO, cast
from zipfile import ZIP_DEFLATED, ZipFile

import orjson
from django.conf import settings
from django.db import transaction
from django.db.models import Q

from labeling import task_types, transitions
from labeling.formats.interchange.coco import write_coco
from labeling.formats.interchange.items import LabeledImage
from labeling.formats.interchange.voc import write_voc
from labeling.formats.interchange.yolo import write_yolo
from labeling.formats.worker_responses import answer_record
from labeling.models import DataObject, Export, LabelingJob, Task
from labeling.services.intake import inspection, loading
from labeling.services.one_by_one import OF_ONE_OBJECT, reason_of
from labeling.services.output import manifests, rows
from marketplace import queue, storage
from marketplace.errors import DomainError, ExportLimit, Invalid
from marketplace.services import workload

EXTENSION = {"manifest": "manifest", "worker-answers": "jsonl", "coco": "zip", "voc": "zip", "yolo": "zip"}
ALWAYS = ("manifest", "worker-answers")
"""The formats for every task type; each type adds its own."""
COCO_MEMBER = "annotations/instances_default.json"
"""The file name that CVAT and Datumaro expect."""
RUN = "labeling.background.run_export"
MOST_AT_ONCE = 5
"""Exports of one job that may run at a time."""

MOST_ERRORS = 1000
"""Objects left out that are stored with their reason."""

REPORT_SECONDS = 1.0
"""How often progress is stored."""

CHUNK = 500
"""Tasks whose answers are read at a time."""

ZIP_BUFFER = 1024 * 1024


class Stopped(Exception):
    """The export was stopped while it was being written."""


def create_export(*, job: LabelingJob, kind: str, which: str = "all", by: str) -> Export:
    """Start an export. Raises Invalid for an unknown part or a format that cannot hold labels of the job's type,
    ExportLimit while too many are running, BackgroundLimit when the account has too much under way."""
    if kind not in formats(job):
        raise Invalid(f"{kind!r} found, one of {', '.join(formats(job))} expected", field="kind")
    if which not in rows.WHICH:
        raise Invalid(f"{which!r} found, one of {', '.join(rows.WHICH)} expected", field="which")
    with transaction.atomic():
        workload.admit(account=job.account)
        # Requests for exports of one job wait for each other here, so that together they keep the limit.
        LabelingJob.objects.select_for_update(no_key=True, of=("self",)).get(pk=job.pk)
        if Export.objects.filter(job=job, status="InProgress").count() >= MOST_AT_ONCE:
            raise ExportLimit(f"{MOST_AT_ONCE} exports of this job are running; wait until one of them has ended")
        export = Export.objects.create(job=job, kind=kind, which=which, created_by=by)
        queue.enqueue(RUN, export.pk)
    return export


def formats(job: LabelingJob) -> list[str]:
    """The formats that the job's labels can be exported to."""
    supported = {*ALWAYS, *task_types.get(job.task_type).exports}
    return [kind for kind in EXTENSION if kind in supported]


def stop_export(*, export: Export, by: str) -> None:
    """Stop an export; what was written is discarded. Raises WrongState for one that is over."""
    with transaction.atomic():
        transitions.EXPORT.advance(export, "Stopped", by=by)


def give_up(export_id: int, reason: str) -> None:
    """Fail an export that ended with an unexpected error again and again; does nothing for one that is over."""
    export = Export.objects.filter(pk=export_id, status="InProgress").first()
    if export is not None:
        with transaction.atomic():
            transitions.EXPORT.advance(export, "Failed", by="system", failure_reason=reason[:1024])


def run_export(export_id: int) -> None:
    """Write the file and complete the export. Does nothing for one that is over; starts again after a crash."""
    export = Export.objects.select_related("job__account", "job__queue__workteam").get(pk=export_id)
    if export.status != "InProgress":
        return
    work = _Work(export)
    uri = storage.join(
        settings.STORE_URL,
        "accounts",
        export.job.account.number,
        "exports",
        str(export.pk),
        f"{export.job.name}.{EXTENSION[export.kind]}",
    )
    try:
        with storage.writer(uri) as out:
            work.write(out)
    except Stopped:
        return
    except (DomainError, ValueError) as error:
        with transaction.atomic():
            transitions.EXPORT.advance(export, "Failed", by="system", failure_reason=str(error)[:1024])
        return
    with transaction.atomic():
        current = Export.objects.select_for_update().get(pk=export.pk)
        if current.status != "InProgress":
            storage.delete(uri)
            return
        transitions.EXPORT.advance(
            export,
            "Completed",
            by="system",
            uri=uri,
            size_bytes=storage.size(uri),
            progress=1.0,
            objects_done=work.done,
            item_errors=work.errors,
        )


class _Work:
    """One export while it is written: stores its progress and notices when it is stopped."""

    def __init__(self, export: Export):
        self.export = export
        self.job: LabelingJob = export.job
        self.done = 0
        self.errors: list[dict[str, str]] = []
        selected = Q(job=self.job)
        self.task_type = task_types.get(self.job.task_type)
        if export.which != "all" or export.kind not in ALWAYS:
            selected &= Q(label__source__in=rows.WHICH[export.which])
        self.total = max(1, DataObject.objects.filter(selected).count())
        self._reported_at = time.monotonic()

    def write(self, out: BinaryIO) -> None:
        """Write the whole file."""
        {
            "manifest": self._manifest,
            "worker-answers": self._answers,
            "coco": self._coco,
            "voc": self._voc,
            "yolo": self._yolo,
        }[self.export.kind](out)

    def _step(self) -> None:
        self.done += 1
        now = time.monotonic()
        if now - self._reported_at < REPORT_SECONDS:
            return
        self._reported_at = now
        running = Export.objects.filter(pk=self.export.pk, status="InProgress").update(
            progress=min(0.99, self.done / self.total), objects_done=self.done
        )
        if not running:
            raise Stopped

    def _manifest(self, out: BinaryIO) -> None:
        for row in rows.stream(self.job, self.export.which):
            line, reason = rows.line_or_failure(row, self.job)
            out.write(line + b"\n")
            if reason:
                self._left_out(row, reason)
            self._step()

    def _answers(self, out: BinaryIO) -> None:
        last = 0
        while True:
            tasks = list(
                Task.objects.filter(queue=self.job.queue_id, pk__gt=last)
                .select_related("data_object")
                .order_by("pk")[:CHUNK]
            )
            if not tasks:
                return
            last = tasks[-1].pk
            answers = manifests.answers_of_tasks(self.job, tasks)
            for task in tasks:
                for answer in answers.get(task.pk, []):
                    record = {"objectId": task.data_object.index, "source-ref": task.data_object.source_ref}
                    out.write(orjson.dumps({**record, **answer_record(answer)}) + b"\n")
                self._step()

    def _images(self) -> Iterator[LabeledImage]:
        # A label that came with the input may lack the size of its image.
        unmeasured = DataObject.objects.filter(job=self.job, width=None, label__algorithm=loading.IMPORTED)
        inspection.inspect_objects(list(unmeasured.order_by("pk").values_list("pk", flat=True)))
        for row in rows.stream(self.job, self.export.which):
            if row.value is None:
                continue
            try:
                image = self._image(row, row.value)
            except OF_ONE_OBJECT as error:
                self._left_out(row, reason_of(error))
                continue
            yield image
            self._step()

    def _image(self, row: rows.Row, value: dict[str, Any]) -> LabeledImage:
        """Raises ValueError, or another error of OF_ONE_OBJECT, for a label that no format could hold."""
        boxes = [replace(box, confidence=box.confidence or 0.0) for box in self.task_type.read_value(value)]
        if not row.width or not row.height or min(row.width, row.height) < 0:
            raise ValueError("the size of the image is not known")
        if unknown := sorted({box.label for box in boxes} - set(self.job.labels)):
            raise ValueError(f"the class {unknown[0]!r} is not one of the job's")
        if problem := self.task_type.unwritable(boxes, labels=self.job.labels):
            raise ValueError(problem)
        return LabeledImage(row.source_ref, rows.image_size(row), tuple(boxes), row.source_name)

    def _left_out(self, row: rows.Row, reason: str) -> None:
        if len(self.errors) < MOST_ERRORS:
            self.errors.append({"object": str(row.line_index), "reason": reason})

    def _coco(self, out: BinaryIO) -> None:
        info = {"description": self.job.name, "version": self.job.label_attribute_name}
        with (
            ZipFile(out, "w", ZIP_DEFLATED, compresslevel=1) as archive,
            archive.open(COCO_MEMBER, "w", force_zip64=True) as member,
            io.BufferedWriter(cast(io.RawIOBase, member), ZIP_BUFFER) as buffer,
        ):
            write_coco(self._images(), buffer, labels=self.job.labels, info=info)

    def _voc(self, out: BinaryIO) -> None:
        write_voc(self._images(), out, labels=self.job.labels)

    def _yolo(self, out: BinaryIO) -> None:
        write_yolo(self._images(), out, labels=self.job.labels)
