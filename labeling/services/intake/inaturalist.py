"""Data sets of the images of an iNaturalist export, chosen by their licences.

Images are downloaded through the one outbound door into the data set's own folder, under the line of their row: a call
continues where an earlier one ended. What could not be downloaded is noted beside, so that it is asked for once.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import orjson
from django.conf import settings

from labeling.formats import inaturalist, manifest
from labeling.formats.inaturalist import BadRow, Observation
from labeling.services.intake import source_names
from labeling.services.intake.rejected_lines import RejectedLines
from marketplace import fetch, storage
from marketplace.errors import DomainError, Invalid, NotFound
from marketplace.ranges import Range

KIND = "inaturalist"
LICENSES_COUNT = Range(1, len(inaturalist.LICENSES))
"""Licences that are chosen."""
MOST_ROWS = 200_000
"""Rows of an export that are taken; iNaturalist itself makes no larger ones."""
THREADS = 4
"""Downloads at a time."""
SECONDS = 60
"""For one image."""
TRIES = 3
PAUSE_SECONDS = 1.0
"""Before the second try; each further one waits as much longer."""
BYTES_A_SECOND = 1_250_000
"""iNaturalist blocks who takes more than 5 GB of media in an hour; this is 4.5 GB."""
SLICE_SECONDS = 600
"""Time for one call, well below the time limit of a message; the next call continues."""
FAILED = ".failed"
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers after which it is worth to ask again."""


@dataclass
class Preview:
    """What an export holds, before anything is downloaded. `licenses` counts rows with an image, by licence."""

    rows: int = 0
    licenses: Counter[str] = field(default_factory=Counter)
    bad: list[BadRow] = field(default_factory=list)
    bad_rows: int = 0

    def counted(self) -> list[dict[str, Any]]:
        """Every licence that occurs, in the order of LICENSES."""
        return [
            {"license": name, "count": self.licenses[name], "usual": name in inaturalist.USUAL}
            for name in inaturalist.LICENSES
            if self.licenses[name]
        ]


def preview(stream: Any, *, most: int = 20) -> Preview:
    """Counts of a seekable export, with its first bad rows. Raises Invalid for a file that is none."""
    found = Preview()
    for row in _read(stream):
        found.rows += 1
        if isinstance(row, BadRow):
            found.bad_rows += 1
            found.bad += [row] if found.bad_rows <= most else []
        else:
            found.licenses[row.license] += 1
    return found


def check_licenses(given: Any) -> list[str]:
    """The licences to take, each once. Raises Invalid for none, or an unknown one: nobody is assumed to agree."""
    known = ", ".join(inaturalist.LICENSES)
    if not isinstance(given, list | tuple) or not given:
        raise Invalid(f"choose the licenses whose images are taken, of {known}", field="licenses")
    for name in given:
        if name not in inaturalist.LICENSES:
            raise Invalid(f"{name!r} found, one of {known} expected", field="licenses")
    return [name for name in inaturalist.LICENSES if name in given]


def lines(
    stream: Any, *, into: str, licenses: Sequence[str], rejected: RejectedLines, progress: Any
) -> Iterator[bytes | None]:
    """A manifest line for each image of these licences, downloaded below `into`; a None at the end: call again.

    Rows of other licences are left out, what is broken or cannot be downloaded is rejected with its line. Raises
    Invalid for a file that is no export.
    """
    total = sum(isinstance(row, Observation) and row.license in licenses for row in _read(stream))
    if not total:
        raise Invalid(f"the iNaturalist export has no image of the licenses {', '.join(licenses)}", field="licenses")
    progress.start("find", total=total)
    work = _Downloads(into)
    wanted = _wanted(_read(stream), licenses, rejected)
    done = 0
    with ThreadPoolExecutor(THREADS) as pool:
        while chunk := list(islice(wanted, THREADS)):
            if work.over():
                yield None
                return
            for row, (reason, size) in zip(chunk, pool.map(work.take, chunk), strict=True):
                done += 1
                work.size += size
                progress.report(done)
                if reason:
                    rejected.add(row.line, reason, row.image_url)
                else:
                    yield orjson.dumps({manifest.SOURCE_REF: work.uri(row), **_named(row), **row.members()})
            work.wait()


def _read(stream: Any) -> Iterator[Observation | BadRow]:
    try:
        for number, row in enumerate(inaturalist.read(stream)):
            if number == MOST_ROWS:
                raise Invalid(f"the export has more than {MOST_ROWS:,} rows: divide it", field="uri")
            yield row
    except ValueError as error:
        raise Invalid(f"the iNaturalist export {error}", field="uri") from None


def _wanted(
    rows: Iterator[Observation | BadRow], licenses: Sequence[str], rejected: RejectedLines
) -> Iterator[Observation]:
    for row in rows:
        if isinstance(row, BadRow):
            rejected.add(row.line, row.reason, row.excerpt)
        elif row.license in licenses:
            yield row


def _named(row: Observation) -> dict[str, str]:
    """The name of the image for people and exports: observations have numbers, photos are all called medium.jpg."""
    return {manifest.SOURCE_NAME: f"{row.id}{_ending(row)}"} if row.id else {}


def _ending(row: Observation) -> str:
    found = source_names.ending(urlsplit(row.image_url).path)
    return found if found in source_names.SUFFIXES else ".jpg"


class _Downloads:
    """Downloads into one folder, at a limited rate. `take` may be called from threads."""

    def __init__(self, into: str):
        self._into = into
        self._started = time.monotonic()
        self.size = 0
        self._there = _there(into)

    def uri(self, row: Observation) -> str:
        """Where the image of a row is stored: the same in every call."""
        return storage.join(self._into, f"{row.line:07d}{_ending(row)}")

    def take(self, row: Observation) -> tuple[str, int]:
        """Store the image of a row unless it is there; returns why that is impossible, else "", and its bytes."""
        uri = self.uri(row)
        name = uri.rpartition("/")[2]
        if name in self._there:
            return "", 0
        if name + FAILED in self._there:
            return storage.read(uri + FAILED).decode(), 0
        data, reason = _download(row.image_url)
        if reason:
            storage.write(uri + FAILED, reason.encode(), content_type="text/plain")
        else:
            storage.write(uri, data, content_type="application/octet-stream")
        return reason, len(data)

    def over(self) -> bool:
        """Whether the time of this call is over."""
        return time.monotonic() - self._started > SLICE_SECONDS

    def wait(self) -> None:
        """Keep to the rate."""
        ahead = self.size / BYTES_A_SECOND - (time.monotonic() - self._started)
        if ahead > 0:
            time.sleep(ahead)


def _there(into: str) -> frozenset[str]:
    """The names of what earlier calls have stored."""
    try:
        return frozenset(item.uri.rpartition("/")[2] for item in storage.list(into.rstrip("/") + "/"))
    except NotFound:
        return frozenset()


def _download(url: str) -> tuple[bytes, str]:
    """The image behind an address, and why there is none, else ""; what may pass is tried again."""
    reason = ""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(attempt * PAUSE_SECONDS)
        try:
            answer = fetch.fetch(url, max_bytes=settings.IMAGE_MAX_BYTES, seconds=SECONDS)
        except fetch.FetchFailed as error:
            reason = f"cannot be downloaded, tried {TRIES} times: {error.message}"
            continue
        except DomainError as error:
            return b"", f"cannot be downloaded: {error.message}"
        if answer.status == 200:
            return answer.body, source_names.not_an_image("", answer.body[:512])
        reason = f"cannot be downloaded: the server answered {answer.status}"
        if answer.status not in PASSING:
            break
    return b"", reason
