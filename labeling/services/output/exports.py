"""Downloads of a job's labels, written in the background: the manifest, workers' answers, and formats of other tools.

An export that was interrupted starts again. What is written is in export_files.py.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from labeling import task_types, transitions
from labeling.models import Export, LabelingJob
from labeling.services.output import rows
from labeling.services.output.export_files import ExportFile, Stopped
from labeling.task_types.base import TEXT
from marketplace import locks, queue, storage
from marketplace.errors import DomainError, ExportLimit, Invalid
from marketplace.services import stored_deletion, workload

EXTENSION = {
    "manifest": "manifest",
    "worker-answers": "jsonl",
    "coco": "zip",
    "voc": "zip",
    "yolo": "zip",
    "masks": "zip",
    "csv": "csv",
    "conll": "conll",
    "jsonl": "jsonl",
    "huggingface": "zip",
}
"""Every format, with the ending of its file when that is no archive with the images."""

ALWAYS = ("manifest", "worker-answers")
"""The formats for every task type; each type adds its own."""
WITHOUT_IMAGES = ("worker-answers", "conll", "jsonl")
"""The formats that have no place for the images."""
RUN = "labeling.background.run_export"
DELETED_AT_ONCE = 200
MOST_AT_ONCE = 5
"""Exports of one job that may run at a time."""


def create_export(*, job: LabelingJob, kind: str, which: str = "all", images: bool = False, by: str) -> Export:
    """Start an export, with the images themselves if `images`. Raises Invalid for an unknown part or a format that
    cannot hold labels of the job's type or images, ExportLimit while too many are running, BackgroundLimit when the
    account has too much under way."""
    if kind not in formats(job):
        raise Invalid(f"{kind!r} found, one of {', '.join(formats(job))} expected", field="kind")
    if which not in rows.WHICH:
        raise Invalid(f"{which!r} found, one of {', '.join(rows.WHICH)} expected", field="which")
    if images and kind in without_images(job):
        raise Invalid(f"{kind!r} cannot hold images: choose another format, or leave them out", field="images")
    with transaction.atomic():
        workload.admit(account=job.account)
        # Requests for exports of one job wait for each other here, so that together they keep the limit.
        LabelingJob.objects.select_for_update(no_key=True, of=("self",)).get(pk=job.pk)
        if Export.objects.filter(job=job, status="InProgress").count() >= MOST_AT_ONCE:
            raise ExportLimit(f"{MOST_AT_ONCE} exports of this job are running; wait until one of them has ended")
        export = Export.objects.create(job=job, kind=kind, which=which, images=images, created_by=by)
        queue.enqueue(RUN, export.pk)
    return export


def formats(job: LabelingJob) -> list[str]:
    """The formats that the job's labels can be exported to."""
    supported = {*ALWAYS, *task_types.get(job.task_type).exports}
    return [kind for kind in EXTENSION if kind in supported]


def without_images(job: LabelingJob) -> list[str]:
    """The formats of the job that cannot hold images; of texts only the manifest takes their files along."""
    texts = task_types.get(job.task_type).medium == TEXT
    return [kind for kind in formats(job) if kind in WITHOUT_IMAGES or (texts and kind not in ALWAYS)]


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


def file_name(export: Export) -> str:
    """The name of the file as it is downloaded."""
    images = "-images" if export.images else ""
    return f"{export.job.name}-{export.which}-{export.kind}{images}.{_ending(export)}"


def sweep() -> None:
    """Send a message for every export that is not over; it has no effect while a process works on that export."""
    for export_id in Export.objects.filter(status="InProgress").order_by("pk").values_list("pk", flat=True):
        queue.enqueue(RUN, export_id)


def forget_old() -> None:
    """Delete exports that ended WAGGLE_EXPORTS_KEPT_DAYS ago, with their files; none while that is 0. For the sweep."""
    if not settings.EXPORTS_KEPT_DAYS:
        return
    before = timezone.now() - timedelta(days=settings.EXPORTS_KEPT_DAYS)
    ended = Export.objects.filter(status__in=transitions.EXPORT.final, status_changed_at__lt=before).order_by("pk")
    with transaction.atomic():
        rows = list(ended.select_for_update(of=("self",), skip_locked=True)[:DELETED_AT_ONCE])
        stored_deletion.delete_later(row.uri for row in rows if row.uri)
        Export.objects.filter(pk__in=[row.pk for row in rows]).delete()


def run_export(export_id: int) -> None:
    """Write the file and complete the export. Does nothing for one that is over; starts again after a crash.

    One export with images is written at a time, so that reading them leaves the queue's other processes to the jobs;
    the next one begins when it has ended.
    """
    export = Export.objects.select_related("job__account", "job__queue__workteam").get(pk=export_id)
    if export.status != "InProgress":
        return
    if not export.images:
        _run(export)
        return
    with locks.only_one("export-images") as mine:
        if not mine:
            return
        _run(export)
    waiting = Export.objects.filter(status="InProgress", images=True).exclude(pk=export_id).order_by("pk").first()
    if waiting is not None:
        queue.enqueue(RUN, waiting.pk)


def _run(export: Export) -> None:
    file = ExportFile(export)
    uri = storage.join(
        settings.STORE_URL,
        "accounts",
        export.job.account.number,
        "exports",
        str(export.pk),
        f"{export.job.name}.{_ending(export)}",
    )
    try:
        with storage.writer(uri) as out:
            file.write(out)
    except Stopped:
        return
    except storage.StoreUnavailable:
        # The export does not fail yet: it is tried again.
        raise
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
            objects_done=file.done,
            item_errors=file.errors,
        )


def _ending(export: Export) -> str:
    return "zip" if export.images else EXTENSION[export.kind]
