"""Writes the file of one export, object by object, whatever its size; stores its progress and notices a stop.

An object that does not fit the format is left out with its reason, and so is one whose image was wanted but cannot be
read.
"""

import io
import time
from collections.abc import Iterator
from dataclasses import replace
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast
from zipfile import ZIP_DEFLATED, ZipFile

import orjson
from django.db.models import F, Min, Q, Window

from labeling import task_types
from labeling.formats import manifest
from labeling.formats.augmented import put_members
from labeling.formats.interchange import class_tables, conll, huggingface, kinds, mask_files, text_lines
from labeling.formats.interchange.archives import ArchiveWriter
from labeling.formats.interchange.coco import write_coco
from labeling.formats.interchange.items import LabeledImage, LabeledText
from labeling.formats.interchange.member_names import Names
from labeling.formats.interchange.voc import write_voc
from labeling.formats.interchange.yolo import write_yolo
from labeling.formats.worker_responses import answer_record
from labeling.models import DataObject, Export, LabelingJob, Task
from labeling.services.intake import source_names, texts
from labeling.services.output import manifests, rows
from labeling.services.output.export_images import Images, Unreadable
from labeling.services.output.labeled import LabeledObjects
from labeling.task_types.base import TEXT

COCO_MEMBER = "annotations/instances_default.json"
"""The file name that CVAT and Datumaro expect."""

IMAGES_FOLDER = "images/"
"""Where COCO and manifest archives have the images; VOC and YOLO have folders of their own."""

MASKS_FOLDER = "annotations/consolidated-annotation/output/"
"""Where manifest archives have the masks, as Ground Truth's output has them."""

MOST_ERRORS = 1000
"""Objects left out that are stored with their reason."""

REPORT_SECONDS = 1.0
"""How often progress is stored."""

CHUNK = 500
"""Tasks whose answers are read at a time."""

ZIP_BUFFER = 1024 * 1024
SPOOL = 8 * 1024 * 1024
"""Bytes of a part that is kept in memory before it goes to a temporary file."""


class Stopped(Exception):
    """The export was stopped while it was being written."""


class ExportFile:
    """One export while it is written."""

    def __init__(self, export: Export):
        self.export = export
        self.job: LabelingJob = export.job
        self.done = 0
        self.errors: list[dict[str, Any]] = []
        self.task_type = task_types.get(self.job.task_type)
        selected = Q(job=self.job)
        self._labeled_ones = Q(job=self.job, label__source__in=rows.WHICH[export.which])
        if export.which != "all" or export.kind not in ("manifest", "worker-answers"):
            selected = self._labeled_ones
        self.total = max(1, DataObject.objects.filter(selected).count())
        self._reported_at = time.monotonic()
        self._texts = self.task_type.medium == TEXT
        self._several = self.task_type.part == kinds.CLASSES and self.task_type.several
        self._points = self.task_type.part == kinds.POINTS

    def write(self, out: BinaryIO) -> None:
        """Write the whole file. Raises Stopped, Invalid for images above the limits, StoreUnavailable."""
        {
            "manifest": self._manifest_and_images if self.export.images else self._manifest,
            "worker-answers": self._answers,
            "coco": self._coco_and_images if self.export.images else self._coco,
            "voc": self._voc,
            "yolo": self._yolo,
            "csv": self._csv,
            "masks": self._masks,
            "conll": self._conll,
            "jsonl": self._jsonl,
            "huggingface": self._huggingface,
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

    def _left_out(self, row: rows.Row, reason: str) -> None:
        self._left_out_of(row.line_index, reason)

    def _left_out_of(self, index: int, reason: str) -> None:
        if len(self.errors) < MOST_ERRORS:
            self.errors.append({"object": str(index), "reason": reason})

    def _note_of(self, index: int, reason: str) -> None:
        """Something to know of an object that is not left out."""
        if len(self.errors) < MOST_ERRORS:
            self.errors.append({"object": str(index), "reason": reason, "used": True})

    def _note_repeated_images(self) -> None:
        """Say which objects are the same image: in these formats each becomes an image with a name of its own."""
        first = Window(Min("index"), partition_by=["source_ref"])
        found = DataObject.objects.filter(self._labeled_ones).annotate(first=first).filter(index__gt=F("first"))
        for index, before in found.order_by("index").values_list("index", "first")[:MOST_ERRORS]:
            reason = f"is the same image as object {before}; it is an image of its own here, with another name"
            self._note_of(index, reason)

    def _line(self, row: rows.Row) -> bytes:
        line, reason = rows.line_or_failure(row, self.job)
        if reason:
            self._left_out(row, reason)
        return line

    def _manifest(self, out: BinaryIO) -> None:
        for row in rows.stream(self.job, self.export.which):
            out.write(self._line(row) + b"\n")
            self._step()

    def _manifest_and_images(self, out: BinaryIO) -> None:
        """The manifest names the files of the archive, images and masks; one that cannot be read keeps its address."""
        names, images = Names(), Images(self.job.account)
        with ArchiveWriter(out) as archive, SpooledTemporaryFile(max_size=SPOOL) as lines:
            for row, content in images.of(rows.stream(self.job, self.export.which)):
                line = self._with_mask(row, self._line(row), images, archive)
                if isinstance(content, Unreadable):
                    self._left_out(row, content.reason)
                else:
                    name = IMAGES_FOLDER + names.take(self._name(row) or row.source_ref)
                    line = put_members(line, {manifest.SOURCE_REF: name})
                    archive.add_image(name, self._plain_image(row, content))
                lines.write(line + b"\n")
                self._step()
            archive.add_stream(f"{self.job.name}.manifest", lines)

    def _with_mask(self, row: rows.Row, line: bytes, images: Images, archive: ArchiveWriter) -> bytes:
        """The line with the name of its label's file in the archive, where the label is one."""
        attribute = self.job.label_attribute_name
        uri = orjson.loads(line).get(attribute) if self.task_type.label_is_file else None
        if not isinstance(uri, str):
            return line
        content = images.mask(uri)
        if isinstance(content, Unreadable):
            self._left_out(row, content.reason)
            return line
        name = f"{MASKS_FOLDER}{row.line_index}.png"
        archive.add(name, content, packed=False)
        return put_members(line, {attribute: name})

    def _plain_image(self, row: rows.Row, content: bytes) -> LabeledImage:
        return LabeledImage(row.source_ref, rows.image_size(row), name=self._name(row), content=content)

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
            inline = texts.inline_texts([task.data_object.pk for task in tasks if not task.data_object.source_ref])
            for task in tasks:
                for answer in answers.get(task.pk, []):
                    row = task.data_object
                    shown = {"source": inline[row.pk]} if row.pk in inline else {"source-ref": row.source_ref}
                    out.write(orjson.dumps({"objectId": row.index, **shown, **answer_record(answer)}) + b"\n")
                self._step()

    def _objects(self) -> Iterator[Any]:
        """The labeled objects, images or texts."""
        if not self._texts:
            self._note_repeated_images()
        yield from LabeledObjects(self.export, left_out=self._left_out_of, note=self._note_of, step=self._step)

    def _name(self, row: rows.Row) -> str:
        return source_names.without_our_folders(self.job.account, row.source_ref, row.source_name)

    def _info(self) -> dict[str, str]:
        return {"description": self.job.name, "version": self.job.label_attribute_name}

    def _coco(self, out: BinaryIO) -> None:
        with (
            ZipFile(out, "w", ZIP_DEFLATED, compresslevel=1) as archive,
            archive.open(COCO_MEMBER, "w", force_zip64=True) as member,
            io.BufferedWriter(cast(io.RawIOBase, member), ZIP_BUFFER) as buffer,
        ):
            write_coco(self._objects(), buffer, labels=self.job.labels, info=self._info(), points=self._points)

    def _coco_and_images(self, out: BinaryIO) -> None:
        """The document waits in a temporary file, because a zip file is written one member after the other."""
        with ArchiveWriter(out) as archive, SpooledTemporaryFile(max_size=SPOOL) as document:

            def add(name: str, image: LabeledImage) -> None:
                archive.add_image(IMAGES_FOLDER + name, image)

            spool = cast(BinaryIO, document)
            write_coco(
                self._objects(), spool, labels=self.job.labels, info=self._info(), on_image=add, points=self._points
            )
            archive.add_stream(COCO_MEMBER, spool)

    def _voc(self, out: BinaryIO) -> None:
        write_voc(self._objects(), out, labels=self.job.labels)

    def _yolo(self, out: BinaryIO) -> None:
        write_yolo(self._objects(), out, labels=self.job.labels)

    def _csv(self, out: BinaryIO) -> None:
        images = self.export.images
        class_tables.write_csv(self._objects(), out, several=self._several, texts=self._texts, images=images)

    def _masks(self, out: BinaryIO) -> None:
        of_objects = self.task_type.part == kinds.OBJECTS
        mask_files.write_masks(self._objects(), out, labels=self.job.labels, of_objects=of_objects)

    def _conll(self, out: BinaryIO) -> None:
        conll.write_conll(self._taggable(), out)

    def _taggable(self) -> Iterator[LabeledText]:
        """The texts with the spans that tags of tokens can say; others are noted."""
        for one in self._objects():
            spans, reasons = conll.kept(one)
            for reason in reasons:
                self._note_of(one.index, reason)
            yield replace(one, spans=spans)

    def _jsonl(self, out: BinaryIO) -> None:
        text_lines.write_jsonl(self._objects(), out, wanted=self.task_type.part, several=self._several)

    def _huggingface(self, out: BinaryIO) -> None:
        huggingface.write_huggingface(
            self._objects(),
            out,
            labels=self.job.labels,
            part=self.task_type.part,
            several=self._several,
            texts=self._texts,
            images=self.export.images,
            title=self.job.name,
        )
