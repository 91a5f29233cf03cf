"""Does a label import in the background: opens the file, finds its images, and takes their boxes over one by one.

Safe to repeat and to kill: until the end only files under names derived from the import are written, and golds, which
a repeat leaves as they are.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from typing import Any, BinaryIO

from django.conf import settings
from django.db import transaction

from labeling import transitions
from labeling.formats.interchange.items import REPAIRED, SKIPPED, BadItem, FoundBox, FoundImage
from labeling.formats.interchange.matching import NoMatch
from labeling.formats.label_categories import UNWRITABLE_CHARACTERS
from labeling.models import ImportOutcome, LabelImport
from labeling.services.imports import label_files, pictures, placing
from labeling.services.imports.creating import ADVANCE
from labeling.services.imports.golds import Golds
from labeling.services.imports.label_files import LabelFile
from labeling.services.imports.limits import GOLDS, MAX_CLASSES
from labeling.services.imports.new_dataset import NewDataset
from labeling.services.imports.pictures import Pictures
from labeling.services.imports.placing import Placed
from labeling.services.imports.reports import Report
from labeling.services.intake import sources
from labeling.services.intake.progress import Progress, Stopped
from labeling.services.jobs.limits import LABEL_LENGTH
from labeling.task_types.base import count
from marketplace import locks, queue, storage
from marketplace.errors import DomainError, Invalid
from marketplace.services import boundaries

BY = "system"
"""The actor in the audit log for steps that no person took."""

IMPORTED = "imported"
SHARE_OF_TIMEOUT = 0.7
"""Of the time after which a background function is ended, what reading labels may take: it could never end later."""

CHUNK = 200
"""Images that are measured and stored together."""


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
        file = label_files.open_file(stream, asked=row.asked_format, attribute=row.read_attribute)
        LabelImport.objects.filter(pk=row.pk).update(format=file.format)
        packed = stream if file.archive else None
        images = pictures.of_import(row, archive=packed, report=report, progress=progress)
        if images is None:
            # A slice of a large archive is unpacked; the next message unpacks the rest.
            queue.enqueue(ADVANCE, row.pk)
            return
        labels = list(file.labels)
        job = row.job
        target: Any = Golds(row, images) if job is not None else open_files.enter_context(NewDataset(row, labels))
        work = _Work(row, file, images, target, labels, report)
        progress.start("labels", total=file.total)
        latest = time.monotonic() + SHARE_OF_TIMEOUT * settings.Q_CLUSTER["timeout"]
        for done in work.run():
            progress.report(done, counts=work.counts())
            if time.monotonic() > latest:
                raise Invalid(_too_long(done, file))
        _end(row, work)


def _too_long(done: int, file: LabelFile) -> str:
    known = f" of {file.total:,}" if file.total else ""
    minutes = SHARE_OF_TIMEOUT * settings.Q_CLUSTER["timeout"] / 60
    return (
        f"{done:,}{known} images were read in {minutes:.0f} minutes, which is as long as an import may take: divide "
        "the file by images and import the parts, or have the operator raise WAGGLE_QUEUE_TIMEOUT_SECONDS"
    )


def _without_images(row: LabelImport, file: LabelFile) -> str:
    if row.purpose == GOLDS:
        return "the labeling job has no objects yet: import its golds when it has read its input"
    if row.images is not None:
        return f"the data set {row.images.name} has no images"
    packed = "the zip holds no images: choose the data set that has them, or pack them into the zip"
    return packed if file.archive else "the file has labels only: choose the data set that has the images"


def _end(row: LabelImport, work: "_Work") -> None:
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
            reason = _nothing(report)
            transitions.LABEL_IMPORT.advance(
                row, "Failed", by=BY, because=reason[:500], failure_reason=reason[:1024], **ended
            )
            return
        dataset = work.target.create(uri) if uri else None
        transitions.LABEL_IMPORT.advance(
            row, "Completed", by=BY, because=f"{work.labeled} images labeled", dataset=dataset, **ended
        )


def _nothing(report: Report) -> str:
    first = next((line for line in report.rows() if line[2] == SKIPPED), None)
    said = f"; the first: {first[1]}: {first[3]}" if first else ""
    return f"no image got a label ({report.counts[SKIPPED]:,} lines were skipped{said})"


class _Work:
    """One import while its label file is read."""

    def __init__(
        self, row: LabelImport, file: LabelFile, images: Pictures, target: Any, labels: list[str], report: Report
    ):
        self.row, self.file, self.images = row, file, images
        self.target, self.labels, self.report = target, labels, report
        self.labeled = self.boxes = 0
        self._seen: dict[int, str] = {}  # place of the image -> where its label stands
        self._known = set(labels)
        self._said: list[list[BadItem]] = []  # of each image of a chunk
        self._allowed = frozenset([*row.job.labels, *row.job.earlier_labels]) if row.job is not None else None
        # A manifest names its images by their addresses, so it needs no others.
        self._direct = file.format == "manifest" and not images.keys and row.job is None
        self._reader = boundaries.Reader(row.account)
        if self._direct:
            images.manifest_uri = row.uri
        elif not images.keys:
            raise Invalid(_without_images(row, file), field="images")

    def counts(self) -> dict[str, int]:
        """What the import shows: images, labeled ones, boxes, and the lines of the report by outcome."""
        known = {"images": len(self.images.keys), "labeled": self.labeled, "boxes": self.boxes}
        return {**known, **{outcome: self.report.counts[outcome] for outcome in ImportOutcome.values}}

    def run(self) -> Iterator[int]:
        """Take over every image of the file; yields how many were read after each chunk."""
        done = 0
        stream = iter(self.file.found())
        while chunk := list(islice(stream, CHUNK)):
            self._take(chunk)
            done += len(chunk)
            yield done

    def _take(self, chunk: list[FoundImage | BadItem]) -> None:
        """Take over some images; what is said of them goes into the report in the order of the file."""
        self._said = [[] for _ in chunk]
        places = [self._place(at, item) if isinstance(item, FoundImage) else None for at, item in enumerate(chunk)]
        entries = self.images.index.entries
        infos = pictures.measured([entries[place].uri for place in places if place is not None])
        waiting: list[tuple[int, int, FoundImage, Placed]] = []
        for at, (item, place) in enumerate(zip(chunk, places, strict=True)):
            if isinstance(item, BadItem):
                self._said[at].append(item)
            elif place is not None and (placed := self._placed(at, item, infos[entries[place].uri])) is not None:
                if reason := self.target.take(place, placed):
                    self._skip(at, item.where, reason, placed.problems)
                else:
                    waiting.append((at, place, item, placed))
        refused = self.target.flush()
        for at, place, item, placed in waiting:
            if place in refused:
                self._skip(at, item.where, f"{entries[place].name}: {refused[place]}", placed.problems)
            else:
                self._taken(at, item, entries[place].name, placed)
        for problem in (one for some in self._said for one in some):
            self.report.add(problem.where, ImportOutcome(problem.done), problem.reason)

    def _place(self, at: int, found: FoundImage) -> int | None:
        """The place of the image that is meant; None, with a line in the report, when there is none to label."""
        try:
            place = self._direct_place(found) if self._direct else self.images.index.find(found)
        except NoMatch as error:
            self._skip(at, found.where, str(error), found.problems)
            return None
        if not found.labeled:
            return None
        if place in self._seen:
            name = self.images.index.entries[place].name
            self._skip(at, found.where, f"the image {name} has its label already, from {self._seen[place]}", ())
            return None
        self._seen[place] = found.where
        return place

    def _direct_place(self, found: FoundImage) -> int:
        """The image of a manifest's line. Raises NoMatch when the account may not read it, or it came before."""
        if reason := self._reader.refusal(found.uri):
            raise NoMatch(reason)
        if "://" not in found.uri:
            raise NoMatch(f"'source-ref' is no address ({found.uri[:100]!r}): choose the data set that has the images")
        if (known := self.images.index.at(found.uri)) is not None:
            return known
        self.images.add(found.names[0], found.uri, int(found.where.rpartition(" ")[2]))
        return len(self.images.keys) - 1

    def _placed(self, at: int, found: FoundImage, info: Any) -> Placed | None:
        """What is on the image; None, with lines in the report, when it stays without a label."""
        if info is not None and not info.ok:
            self._skip(at, found.where, f"the image cannot be used: {info.problem}", found.problems)
            return None
        boxes, others = self._of_usable_classes(found)
        try:
            placed = placing.place(replace(found, boxes=boxes), info)
        except ValueError as error:
            self._skip(at, found.where, str(error), found.problems)
            return None
        # Boxes of classes that a job does not ask about are no part of its golds, which are whole without them.
        unusable = bool(found.problems or boxes or (others and self._allowed is None))
        if not placed.boxes and unusable:
            problems = [*placed.problems, *others]
            self._skip(at, found.where, "none of its boxes could be used: it stays without a label", problems)
            return None
        if not placed.boxes and self.row.without_boxes == "unlabeled":
            self._skip(at, found.where, "is listed without boxes: it stays without a label, as was asked for", others)
            return None
        placed.aside = others
        return placed

    def _of_usable_classes(self, found: FoundImage) -> tuple[tuple[FoundBox, ...], list[BadItem]]:
        kept, others = [], []
        for one in found.boxes:
            if reason := self._class_problem(one.box.label):
                others.append(BadItem(one.where, reason))
            else:
                kept.append(one)
        return tuple(kept), others

    def _class_problem(self, label: str) -> str:
        if self._allowed is not None:
            return "" if label in self._allowed else f"{label!r} is not one of the job's labels"
        if label in self._known:
            return ""
        if len(label) not in LABEL_LENGTH or UNWRITABLE_CHARACTERS.search(label):
            return f"the class {label[:60]!r} cannot be used: {LABEL_LENGTH} characters expected"
        if len(self._known) == MAX_CLASSES:
            return f"the file has more than {MAX_CLASSES:,} different classes: its class names are no classes"
        self._known.add(label)
        self.labels.append(label)
        return ""

    def _taken(self, at: int, found: FoundImage, name: str, placed: Placed) -> None:
        self.labeled += 1
        self.boxes += len(placed.boxes)
        said = f"{name}: {count(len(placed.boxes), 'box', 'boxes')}"
        how = REPAIRED if placed.note else IMPORTED
        self._said[at] += [BadItem(found.where, f"{said}; {placed.note}" if placed.note else said, how)]
        self._said[at] += [*placed.problems, *placed.aside]

    def _skip(self, at: int, where: str, reason: str, problems: Iterable[BadItem]) -> None:
        self._said[at] += [BadItem(where, reason), *problems]
