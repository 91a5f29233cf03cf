"""Data sets: create, advance in the background, stop. What they are created from is read by sources.py.

An advance is safe to repeat and to kill: only complete files are published, under names derived from the data set.
"""

import tempfile
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from django.db import IntegrityError, transaction

from labeling import transitions
from labeling.formats import manifest
from labeling.formats.selection_query import compile_where
from labeling.models import BadLine, Dataset, LabelingJob
from labeling.services.intake import inaturalist, source_names, sources
from labeling.services.intake.progress import Progress, Stopped
from labeling.services.intake.rejected_lines import RejectedLines
from labeling.services.intake.selection import check_selection
from labeling.services.queue import advance_requests
from marketplace import addresses, locks, queue, storage
from marketplace.errors import DomainError, Invalid, NameTaken
from marketplace.models import Account
from marketplace.names import check_name
from marketplace.services import boundaries, store_addresses, workload

ADVANCE = "labeling.background.advance_dataset"
BY = "system"
"""The actor in the audit log for steps that no person took."""


def create_dataset(*, account: Account, name: str, source: dict[str, Any], by: str, admitted: bool = False) -> Dataset:
    """Create a data set and queue its first step.

    `admitted`: work that counts already, and ends in the same transaction, makes it.
    `source` is {"kind": folder|zip|prefix|manifest|inaturalist, "uri": ..., "selection": {...}}, for inaturalist with
    "licenses": [...], whose images are taken. Raises Invalid, Forbidden or
    NotFound for a source that cannot be used, NameTaken for a name that the account uses, BackgroundLimit when it has
    too much under way.
    """
    check_name(name)
    kind, uri = source.get("kind"), source.get("uri")
    if kind not in sources.KINDS:
        raise Invalid(f"{kind!r} found, one of {', '.join(sources.KINDS)} expected", field="kind")
    if not isinstance(uri, str) or len(uri) not in boundaries.URI_LENGTH:
        raise Invalid(f"an address of {boundaries.URI_LENGTH} characters expected", field="uri")
    try:
        boundaries.require_readable(account=account, uri=uri)
    except DomainError as error:
        raise type(error)(error.message, field="uri") from None
    kept = {"kind": kind, "uri": uri, "selection": check_selection(source.get("selection"))}
    if kind == inaturalist.KIND:
        kept["licenses"] = inaturalist.check_licenses(source.get("licenses"))
    try:
        with transaction.atomic():
            if not admitted:
                workload.admit(account=account)
            dataset = Dataset.objects.create(account=account, name=name, source=kept, created_by=by)
            queue.enqueue(ADVANCE, dataset.pk)
    except IntegrityError:
        raise NameTaken(f"the account has a data set {name!r} already", field="name") from None
    return dataset


def selected(
    stream: BinaryIO,
    selection: dict[str, Any],
    *,
    account: Account,
    on_line: Callable[[int], None] | None = None,
    **options: Any,
) -> Iterator[manifest.Line | manifest.BadLine]:
    """The selected lines of a manifest in a seekable file, and every bad line; what the account may not read is bad.

    A random percentage is taken of the good lines. `on_line` is called with the number of each line that is read,
    selected or not; `options` are those of `manifest.parse`.
    """
    reader, former = boundaries.Reader(account), store_addresses.former()

    def lines() -> Iterator[manifest.Line | manifest.BadLine]:
        stream.seek(0)
        for line in manifest.parse(addresses.MovedLines(stream, former=former), **options):
            if on_line is not None:
                on_line(line.number)
            yield readable(line, reader)

    kind = selection.get("kind", "full")
    if kind == "random":
        good = sum(isinstance(line, manifest.Line) for line in lines())
        return manifest.sample(lines(), percent=selection["percent"], seed=int(selection.get("seed") or 0), total=good)
    return manifest.select(lines(), compile_where(selection["where"])) if kind == "filter" else lines()


def readable(line: manifest.Line | manifest.BadLine, reader: boundaries.Reader) -> manifest.Line | manifest.BadLine:
    """The line, or a bad one where it names an object that the account may not read."""
    if isinstance(line, manifest.Line) and line.source_ref and (reason := reader.refusal(line.source_ref)):
        return manifest.BadLine(line.number, reason, line.source_ref)
    return line


def preview_inaturalist(*, account: Account, uri: str) -> inaturalist.Preview:
    """What an iNaturalist export holds, by licence. Nothing is stored. Raises Invalid, Forbidden or NotFound."""
    boundaries.require_readable(account=account, uri=uri)
    with sources.local_copy(uri) as stream:
        return inaturalist.preview(stream)


def stop_dataset(*, dataset: Dataset, by: str) -> None:
    """Stop creating it; its lines so far are discarded. Safe to repeat; raises WrongState when it is over already."""
    with transaction.atomic():
        transitions.DATASET.advance(dataset, "Stopped", by=by, because="stopped by its owner")
        _advance_waiting_jobs(dataset)


def advance_dataset(dataset_id: int) -> None:
    """Create the data set, or continue; does nothing when it is over or another process is creating it."""
    with locks.only_one(f"make-dataset:{dataset_id}") as acquired:
        dataset = Dataset.objects.select_related("account").filter(pk=dataset_id).first() if acquired else None
        if dataset is None or dataset.status in transitions.DATASET.final:
            return
        try:
            with transaction.atomic():
                transitions.DATASET.advance(dataset, "InProgress", by=BY)
            _create(dataset)
        except Stopped:
            return
        except storage.StoreUnavailable:
            # The data set does not fail: the message is delivered again, and later the sweep sends a new one.
            raise
        except DomainError as error:
            _end(dataset, "Failed", because=error.message, failure_reason=error.message[:1024])


def give_up(dataset_id: int, reason: str) -> None:
    """Fail a data set that ended with an unexpected error again and again."""
    dataset = Dataset.objects.filter(pk=dataset_id).first()
    if dataset is not None:
        _end(dataset, "Failed", because=reason, failure_reason=reason[:1024])


def sweep() -> None:
    """Send a message for every data set that is not over; it has no effect while a process creates that data set."""
    live = Dataset.objects.filter(status__in=["Initializing", "InProgress"])
    for dataset_id in live.order_by("pk").values_list("pk", flat=True):
        queue.enqueue(ADVANCE, dataset_id)


def preview_manifest(*, account: Account, uri: str, selection: dict[str, Any] | None = None, most: int = 20) -> dict:
    """A preview of a manifest: counts, the first selected lines, the first rejected ones. Nothing is stored."""
    boundaries.require_readable(account=account, uri=uri)
    choice = check_selection(selection)
    lines: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    objects = bad = 0
    with sources.local_copy(uri) as stream:
        for line in selected(stream, choice, account=account):
            if isinstance(line, manifest.BadLine):
                bad += 1
                refused += [{"number": line.number, "reason": line.reason}] if bad <= most else []
            else:
                objects += 1
                lines += [line.attributes] if objects <= most else []
    return {"objects_total": objects, "bad_lines": bad, "lines": lines, "refused": refused}


def _create(dataset: Dataset) -> None:
    progress = _Progress(Dataset, dataset.pk)
    rejected = RejectedLines()
    with tempfile.TemporaryFile() as every_line:
        complete = sources.write_lines(dataset, every_line, rejected, progress)
        if not complete:
            # A slice of a large zip is unpacked; the next message unpacks the rest.
            queue.enqueue(ADVANCE, dataset.pk)
            return
        uri = sources.manifest_uri(dataset)
        counts = _publish(dataset, every_line, uri, rejected, progress)
    if counts == 0:
        first = f"; the first: {rejected.rows[0].reason}" if rejected.rows else ""
        named = source_names.given(dataset.source["uri"])
        raise Invalid(f"{named}: holds no object that can be labeled ({rejected.count} rejected{first})")
    with transaction.atomic():
        rejected.save(dataset=dataset)
        _end(
            dataset,
            "Completed",
            because=f"{counts} objects",
            manifest_uri=uri,
            objects_total=counts,
            bad_lines=rejected.count,
            lines_read=progress.lines,
            progress=1.0,
        )


def _publish(dataset: Dataset, every_line: Any, uri: str, rejected: RejectedLines, progress: "_Progress") -> int:
    """Write the selected lines under `uri`; returns how many. Bad lines go to `rejected`."""
    counts = 0
    choice = dataset.source.get("selection") or {"kind": "full"}
    progress.start("lines", total=every_line.seek(0, 2))
    with storage.writer(uri, content_type="application/jsonl") as out:
        for line in selected(every_line, choice, account=dataset.account, on_line=progress.line_read):
            if isinstance(line, manifest.BadLine):
                rejected.add(line.number, line.reason, line.excerpt)
            else:
                out.write(line.original + b"\n")
                counts += 1
            progress.report(every_line.tell(), objects_total=counts, bad_lines=rejected.count)
    return counts


def _end(dataset: Dataset, to: str, *, because: str, **changes: Any) -> None:
    with transaction.atomic():
        locked = Dataset.objects.select_for_update(no_key=True).get(pk=dataset.pk)
        if locked.status not in transitions.DATASET.final:
            if to == "Failed":
                BadLine.objects.filter(dataset=dataset).delete()
            transitions.DATASET.advance(dataset, to, by=BY, because=because[:500], **changes)
            _advance_waiting_jobs(dataset)


def _advance_waiting_jobs(dataset: Dataset) -> None:
    """Request an advance of the jobs that wait for this data set."""
    for job in LabelingJob.objects.filter(dataset=dataset, status="Initializing").order_by("pk"):
        advance_requests.request_advance(job.queue_id)


class _Progress(Progress):
    """Stores how many lines were read, too."""

    lines = 0

    def line_read(self, number: int) -> None:
        """Line `number` was read."""
        self.lines = number

    def report(self, done: int, **changes: Any) -> None:
        """See Progress."""
        super().report(done, lines_read=self.lines, **changes)
