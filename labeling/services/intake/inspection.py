"""Images are looked at once, when they are taken in: decoded, measured, checked against limits, turned upright.

An image that cannot be used is reported with its reason and never an exception; a store that is away is one, because
that says nothing about the image. Threads read and decode, the database is touched by the caller's thread only.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice

from django.conf import settings
from django.utils import timezone

from labeling.formats import images
from labeling.models import DataObject
from marketplace import fetch, storage
from marketplace.errors import DomainError
from marketplace.services import boundaries

THREADS = 8
CHUNK = 100
# Above this an image waits for its turn: eight of 100 megapixels at once would take gigabytes.
MANY_PIXELS = 12_000_000
_LARGE = threading.Lock()
SUFFIX = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "BMP": "bmp", "GIF": "gif"}


@dataclass(frozen=True)
class Found:
    """What one image turned out to be."""

    object_id: int
    info: images.ImageInfo
    upright_uri: str = ""


def inspect_objects(object_ids: Iterable[int], *, progress: Callable[[int], None] | None = None) -> dict[int, str]:
    """Look at the images of these objects; returns {object id: reason} for those that cannot be used.

    Good ones get width, height and depth in displayed pixels and, when the stored image lies turned or on a foreign
    server, the address of an upright copy in the store. Objects that were measured before are left alone, each chunk is
    kept as soon as it is done: killed and called again, it goes on. `progress` hears the number done after each chunk.
    Raises StoreUnavailable when the store cannot be reached.
    """
    failures: dict[int, str] = {}
    done = 0
    stream = iter(object_ids)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="inspect") as pool:
        while some := list(islice(stream, CHUNK)):
            # Owners come along: threads make no queries.
            rows = DataObject.objects.filter(pk__in=some, width=None).select_related("job__account").order_by("pk")
            found = list(pool.map(_look_or_unavailable, rows))
            _keep([one for one in found if isinstance(one, Found) and one.info.ok])
            for one in found:
                if isinstance(one, storage.StoreUnavailable):
                    raise one
                if one.info.problem is not None:
                    failures[one.object_id] = one.info.problem
            done += len(some)
            if progress is not None:
                progress(done)
    return failures


def uninspected(*, job_id: int, most: int) -> Iterator[int]:
    """Ids of the next unlabeled objects that nobody looked at, in the order of the manifest."""
    rows = DataObject.objects.filter(job_id=job_id, state="Unlabeled", width=None).order_by("index")
    return iter(rows.values_list("pk", flat=True)[:most])


def inspect_labeled(row: DataObject) -> None:
    """Measure the image of an object that was labeled before it came here, so that it can be shown and decided.

    Nothing changes when the image was inspected before or cannot be used. Raises StoreUnavailable.
    """
    if row.width is None and row.label_id is not None:
        inspect_objects([row.pk])
        row.refresh_from_db(fields=["width", "height", "depth", "upright_uri", "inspected_at"])


def _keep(found: list[Found]) -> None:
    now = timezone.now()
    DataObject.objects.bulk_update(
        [
            DataObject(
                pk=one.object_id,
                width=one.info.width,
                height=one.info.height,
                depth=one.info.depth,
                upright_uri=one.upright_uri,
                inspected_at=now,
            )
            for one in found
        ],
        ["width", "height", "depth", "upright_uri", "inspected_at"],
    )


def _look_or_unavailable(row: DataObject) -> Found | storage.StoreUnavailable:
    """`_look`, with an unreachable store as a value: the good ones of the chunk are kept before it is raised."""
    try:
        return _look(row)
    except storage.StoreUnavailable as error:
        return error


def _look(row: DataObject) -> Found:
    foreign = row.source_ref.startswith(("http://", "https://"))
    try:
        if foreign:
            data = _fetched(row.source_ref)
        else:
            data = storage.read(row.source_ref, limit=settings.IMAGE_MAX_BYTES)
    except storage.StoreUnavailable:
        raise
    except DomainError as error:
        return Found(row.pk, images.ImageInfo(problem=error.message))
    info = _inspected(data)
    if not info.ok or (info.orientation == 1 and not foreign):
        return Found(row.pk, info)
    try:
        upright = images.normalise(data, _limits())
    except images.ImageError as error:
        return Found(row.pk, replace(info, problem=str(error)))
    # The name follows from the object: a repeat writes the same copy again.
    base = storage.join(boundaries.base_of(row.job.account), "upright", str(row.job_id))
    uri = storage.join(base, f"{row.index}.{SUFFIX[info.format]}")
    storage.write(uri, upright, content_type=info.content_type)
    return Found(row.pk, info, uri)


def _inspected(data: bytes) -> images.ImageInfo:
    limits = _limits()
    info = images.inspect(data, replace(limits, max_pixels=min(MANY_PIXELS, limits.max_pixels)))
    if info.ok or limits.max_pixels <= MANY_PIXELS:
        return info
    with _LARGE:
        return images.inspect(data, limits)


def _limits() -> images.Limits:
    return images.Limits(max_bytes=settings.IMAGE_MAX_BYTES, max_pixels=settings.IMAGE_MAX_PIXELS)


def _fetched(url: str) -> bytes:
    answer = fetch.fetch(url, max_bytes=settings.IMAGE_MAX_BYTES, seconds=60)
    if answer.status != 200:
        raise fetch.FetchFailed(f"{url}: the server answered {answer.status}")
    return answer.body
