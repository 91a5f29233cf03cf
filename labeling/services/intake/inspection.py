"""Inspects every image once, after ingestion: decodes, measures, checks limits, stores an upright copy if needed.

An unusable image is reported with its reason. An unreachable store raises, because it tells nothing about the image.
Threads read and decode; only the caller's thread uses the database.
"""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from labeling.formats import images
from labeling.models import DataObject
from labeling.services.intake import loading
from marketplace import fetch, storage
from marketplace.errors import DomainError
from marketplace.services import boundaries

THREADS = 8
CHUNK = 100
LARGE_PIXELS = 12_000_000
"""Larger images are decoded one at a time: eight of 100 megapixels at once would take gigabytes."""

_LARGE_IMAGE = threading.Lock()
SUFFIX = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "BMP": "bmp", "GIF": "gif"}


@dataclass(frozen=True)
class Inspection:
    """The result for one image."""

    object_id: int
    info: images.ImageInfo
    upright_uri: str = ""


def inspect_objects(
    object_ids: Iterable[int], *, progress: Callable[[int], None] | None = None, stated: bool = False
) -> dict[int, str]:
    """Inspect the images of these objects; returns {object id: reason} for those that cannot be used.

    The others get width, height and depth in displayed pixels and, when the stored image is rotated or on another
    server, the address of an upright copy in the store. Objects that were measured before are skipped and each chunk is
    stored as soon as it is done, so a call after a crash continues. With `stated` an object is measured too whose size
    is only what its label says. `progress` is called after each chunk with the
    number of objects done. Raises StoreUnavailable when the store cannot be reached.
    """
    failures: dict[int, str] = {}
    wanted = Q(width=None) | Q(inspected_at=None) if stated else Q(width=None)
    done = 0
    stream = iter(object_ids)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="inspect") as pool:
        while chunk := list(islice(stream, CHUNK)):
            # The account is loaded here, because the threads make no queries.
            rows = DataObject.objects.filter(wanted, pk__in=chunk).select_related("job__account").order_by("pk")
            results = list(pool.map(_inspect_or_unavailable, rows))
            _store([result for result in results if isinstance(result, Inspection) and result.info.ok])
            for result in results:
                if isinstance(result, storage.StoreUnavailable):
                    raise result
                if result.info.problem is not None:
                    failures[result.object_id] = result.info.problem
            done += len(chunk)
            if progress is not None:
                progress(done)
    return failures


def inspect_labeled(row: DataObject) -> None:
    """Measure the image of an object that was ingested with a label, so that it can be shown and adjudicated.

    Nothing changes when the image was inspected before or cannot be used. Raises StoreUnavailable.
    """
    stated = row.inspected_at is None and row.label is not None and row.label.algorithm == loading.IMPORTED
    if stated or (row.width is None and row.label_id is not None):
        inspect_objects([row.pk], stated=True)
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


def _inspect_or_unavailable(row: DataObject) -> Inspection | storage.StoreUnavailable:
    """`_inspect`, but returns StoreUnavailable, so that the rest of the chunk is stored before it is raised."""
    try:
        return _inspect(row)
    except storage.StoreUnavailable as error:
        return error


def _inspect(row: DataObject) -> Inspection:
    remote = row.source_ref.startswith(("http://", "https://"))
    try:
        if remote:
            data = _fetch(row.source_ref)
        else:
            data = storage.read(row.source_ref, limit=settings.IMAGE_MAX_BYTES)
    except storage.StoreUnavailable:
        raise
    except DomainError as error:
        return Inspection(row.pk, images.ImageInfo(problem=error.message))
    info = _measure(data)
    if not info.ok or (info.orientation == 1 and not remote):
        return Inspection(row.pk, info)
    try:
        upright = images.normalise(data, limits())
    except images.ImageError as error:
        return Inspection(row.pk, replace(info, problem=str(error)))
    # The name is derived from the object, so that a repeat writes the same copy again.
    base = storage.join(boundaries.base_of(row.job.account), "upright", str(row.job_id))
    uri = storage.join(base, f"{row.index}.{SUFFIX[info.format]}")
    storage.write(uri, upright, content_type=info.content_type)
    return Inspection(row.pk, info, uri)


def _measure(data: bytes) -> images.ImageInfo:
    allowed = limits()
    info = images.inspect(data, replace(allowed, max_pixels=min(LARGE_PIXELS, allowed.max_pixels)))
    if info.ok or allowed.max_pixels <= LARGE_PIXELS:
        return info
    with _LARGE_IMAGE:
        return images.inspect(data, allowed)


def limits() -> images.Limits:
    """The operator's limits on images, for every image that people are shown."""
    return images.Limits(max_bytes=settings.IMAGE_MAX_BYTES, max_pixels=settings.IMAGE_MAX_PIXELS)


def _fetch(url: str) -> bytes:
    response = fetch.fetch(url, max_bytes=settings.IMAGE_MAX_BYTES, seconds=60)
    if response.status != 200:
        raise fetch.FetchFailed(f"{url}: the server answered {response.status}")
    return response.body
