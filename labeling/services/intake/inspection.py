"""Inspects every image once, after ingestion: decodes, measures, checks limits, stores an upright copy if needed.

Texts are read and measured likewise; their width is their length in code points, their height 1. An unusable object is
reported with its reason. An unreachable store raises, because it tells nothing about the object. Threads read and
decode; only the caller's thread uses the database.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from labeling.formats import images
from labeling.models import DataObject
from labeling.services.intake import decoding, loading, texts
from marketplace import fetch, storage
from marketplace.errors import DomainError, Unavailable
from marketplace.services import boundaries

THREADS = 8
CHUNK = 100
SUFFIX = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "BMP": "bmp", "GIF": "gif"}


@dataclass(frozen=True)
class Inspection:
    """The result for one image."""

    object_id: int
    info: images.ImageInfo
    upright_uri: str = ""


def inspect_objects(
    object_ids: Iterable[int],
    *,
    progress: Callable[[int], None] | None = None,
    patient: bool = True,
    stated: bool = False,
) -> dict[int, str]:
    """Inspect the images of these objects; returns {object id: reason} for those that cannot be used.

    The others get width, height and depth in displayed pixels and, when the stored image is rotated or on another
    server, the address of an upright copy in the store. Objects that were measured before are skipped and each chunk is
    stored as soon as it is done, so a call after a crash continues. With `stated` an object is measured too whose size
    is only what its label says. `progress` is called after each chunk with the number of objects done. Raises
    StoreUnavailable when the store cannot be reached and, unless `patient`, Busy when other large images are being
    decoded.
    """
    failures: dict[int, str] = {}
    wanted = Q(width=None) | Q(inspected_at=None) if stated else Q(width=None)
    done = 0
    stream = iter(object_ids)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="inspect") as pool:
        while chunk := list(islice(stream, CHUNK)):
            # The account is loaded here, because the threads make no queries.
            rows = DataObject.objects.filter(wanted, pk__in=chunk).select_related("job__account").order_by("pk")
            inline = texts.inline_texts([row.pk for row in rows if texts.is_text(row)])
            results = list(pool.map(partial(_inspect_or_unavailable, patient=patient, inline=inline), rows))
            _store([result for result in results if isinstance(result, Inspection) and result.info.ok])
            for result in results:
                if isinstance(result, Unavailable):
                    raise result
                if result.info.problem is not None:
                    failures[result.object_id] = result.info.problem
            done += len(chunk)
            if progress is not None:
                progress(done)
    return failures


def inspect_labeled(row: DataObject) -> None:
    """Measure the image of an object that was ingested with a label, so that it can be shown and adjudicated.

    Nothing changes when the image was inspected before or cannot be used. Raises StoreUnavailable, Busy.
    """
    stated = row.inspected_at is None and row.label is not None and row.label.algorithm == loading.IMPORTED
    if stated or (row.width is None and row.label_id is not None):
        inspect_objects([row.pk], stated=True, patient=False)
        row.refresh_from_db(fields=["width", "height", "depth", "upright_uri", "inspected_at"])


def _store(inspections: list[Inspection]) -> None:
    now = timezone.now()
    DataObject.objects.bulk_update(
        [
            DataObject(
                pk=inspection.object_id,
                width=inspection.info.width,
                height=inspection.info.height,
                depth=inspection.info.depth,
                upright_uri=inspection.upright_uri,
                inspected_at=now,
            )
            for inspection in inspections
        ],
        ["width", "height", "depth", "upright_uri", "inspected_at"],
    )


def _inspect_or_unavailable(row: DataObject, *, patient: bool, inline: dict[int, str]) -> Inspection | Unavailable:
    """`_inspect`, but returns what may be gone later, so that the rest of the chunk is stored before it is raised."""
    try:
        return _inspect(row, patient, inline.get(row.pk))
    except (storage.StoreUnavailable, decoding.Busy) as error:
        return error


def _inspect(row: DataObject, patient: bool, inline: str | None) -> Inspection:
    # The name is derived from the object, so that a repeat writes the same copy again.
    base = storage.join(boundaries.base_of(row.job.account), "upright", str(row.job_id))
    copy = storage.join(base, str(row.index))
    if texts.is_text(row):
        return Inspection(row.pk, *texts.examine(row.source_ref, inline, copy=copy))
    return Inspection(row.pk, *examine(row.source_ref, copy=copy, patient=patient))


def examine(source_ref: str, *, copy: str, patient: bool) -> tuple[images.ImageInfo, str]:
    """Decode and measure one image; the second value is the address of its upright copy, "" where none is needed.

    `copy` is that address without its suffix. May be called from threads. Raises StoreUnavailable and, unless
    `patient`, Busy.
    """
    remote = source_ref.startswith(("http://", "https://"))
    try:
        data = _fetch(source_ref) if remote else storage.read(source_ref, limit=settings.IMAGE_MAX_BYTES)
    except storage.StoreUnavailable:
        raise
    except DomainError as error:
        return images.ImageInfo(problem=error.message), ""
    info = decoding.inspect(data, patient=patient)
    if not info.ok or (info.orientation == 1 and not remote):
        return info, ""
    try:
        upright = decoding.upright(data, patient=patient)
    except images.ImageError as error:
        return replace(info, problem=str(error)), ""
    uri = f"{copy}.{SUFFIX[info.format]}"
    storage.write(uri, upright, content_type=info.content_type)
    return info, uri


def measure(uri: str) -> images.ImageInfo:
    """Size and orientation of a stored image, without decoding it; `problem` says why it cannot be used.

    May be called from threads. Raises StoreUnavailable.
    """
    try:
        return decoding.measure(storage.read(uri, limit=settings.IMAGE_MAX_BYTES), patient=True)
    except storage.StoreUnavailable:
        raise
    except DomainError as error:
        return images.ImageInfo(problem=error.message)


def _fetch(url: str) -> bytes:
    response = fetch.fetch(url, max_bytes=settings.IMAGE_MAX_BYTES, seconds=60)
    if response.status != 200:
        raise fetch.FetchFailed(f"{url}: the server answered {response.status}")
    return response.body
