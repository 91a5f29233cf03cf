"""Reading exports of observations from iNaturalist: a CSV file, or the zip file that iNaturalist packs it into.

Columns are found by their names, in any order. A bad row does not stop the reading: it becomes a BadRow with its line
and the reason. Pure: nothing is downloaded here.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast
from urllib.parse import urlsplit

from labeling.formats import file_kinds

ALL_RIGHTS_RESERVED = "all-rights-reserved"
"""What an empty licence means: nothing is permitted without asking the author."""

LICENSES = (
    "CC0",
    "CC-BY",
    "CC-BY-NC",
    "CC-BY-SA",
    "CC-BY-ND",
    "CC-BY-NC-SA",
    "CC-BY-NC-ND",
    "PD",
    ALL_RIGHTS_RESERVED,
)
"""What an observation can be licensed under, in iNaturalist's words; PD is the public domain."""

USUAL = ("CC0", "CC-BY", "CC-BY-NC")
"""What is offered as chosen; whoever trains a model to be sold takes CC-BY-NC out."""

URL_COLUMN, LICENSE_COLUMN = "image_url", "license"
NEEDED = (URL_COLUMN, LICENSE_COLUMN)
MOST_BYTES = 4 * 1024**3
"""Bytes of the CSV file, also unpacked."""
OBSERVATION = "https://www.inaturalist.org/observations/"

_LICENSE_URL = re.compile(r"creativecommons\.org/(?:licenses/([a-z-]+)|publicdomain/(zero|mark))")
_VERSION = re.compile(r"-?[0-9]+(\.[0-9]+)?(-INT(ERNATIONAL)?)?$")


@dataclass(frozen=True, slots=True)
class Observation:
    """One row with an image. `line` is the line of the file on which it ends; texts are "" where the row has none."""

    line: int
    id: str
    image_url: str
    license: str
    author: str
    url: str
    observed_on: str
    scientific_name: str
    common_name: str

    def members(self) -> dict[str, object]:
        """What a manifest line says of it beside the address of the image."""
        attribution = {"license": self.license, "author": self.author, "url": self.url, "image-url": self.image_url}
        named = {
            "inaturalist-id": self.id,
            "observed-on": self.observed_on,
            "scientific-name": self.scientific_name,
            "common-name": self.common_name,
        }
        given = {name: value for name, value in named.items() if value}
        return {"attribution": {name: value for name, value in attribution.items() if value}, **given}


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used."""

    line: int
    reason: str
    excerpt: str


def license_of(text: str) -> str:
    """One of LICENSES for what a cell says: a name with or without a version, a Creative Commons address, or nothing.

    Raises ValueError for anything else.
    """
    if not text.strip():
        return ALL_RIGHTS_RESERVED
    if found := _LICENSE_URL.search(text.lower()):
        name = {"zero": "CC0", "mark": "PD"}.get(found[2]) or f"CC-{found[1].upper()}"
    else:
        name = re.sub(r"[\s_]+", "-", text.strip().upper())
        name = "CC0" if name.startswith("CC0") or name == "CC-0" else _VERSION.sub("", name)
    known = {one.upper(): one for one in LICENSES}
    if name.upper() not in known:
        raise ValueError(f"the license {text.strip()[:80]!r} is none of {', '.join(LICENSES)}")
    return known[name.upper()]


def read(stream: BinaryIO) -> Iterator[Observation | BadRow]:
    """Every row of a seekable file, in order. Raises ValueError for a file that is no such export."""
    with _csv_file(stream) as plain:
        text = io.TextIOWrapper(plain, encoding="utf-8-sig", errors="replace", newline="")
        try:
            yield from _rows(text)
        finally:
            # The file belongs to the caller.
            text.detach()


def _rows(text: io.TextIOWrapper) -> Iterator[Observation | BadRow]:
    reader = csv.reader(_bounded(text))
    try:
        header = [name.strip().lower() for name in next(reader, [])]
    except csv.Error as error:
        raise ValueError(f"is not CSV: {error}") from None
    if missing := [name for name in NEEDED if name not in header]:
        found = ", ".join(name[:40] for name in header[:20] if name) or "nothing"
        raise ValueError(f"the column {missing[0]!r} is missing in the first line, which has: {found}")
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(reader.line_num, f"is not CSV: {error}", "")
            continue
        if cells:
            yield _row(reader.line_num, header, cells)


def _row(line: int, header: list[str], cells: list[str]) -> Observation | BadRow:
    excerpt = ",".join(cells)[:200]
    if len(cells) != len(header):
        return BadRow(line, f"has {len(cells)} cells, the first line has {len(header)}", excerpt)
    row = {name: cell.replace("\x00", "").strip() for name, cell in zip(header, cells, strict=True)}
    url = row[URL_COLUMN]
    if not url:
        return BadRow(line, f"has no {URL_COLUMN}", excerpt)
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return BadRow(line, f"{URL_COLUMN}: https://host/... expected", url[:200])
        licensed = license_of(row[LICENSE_COLUMN])
    except ValueError as error:
        return BadRow(line, str(error), excerpt)
    return Observation(
        line=line,
        id=row.get("id", ""),
        image_url=url,
        license=licensed,
        author=_first(row, "user_name", "user_login"),
        url=_first(row, "url") or (OBSERVATION + row["id"] if row.get("id", "").isdecimal() else ""),
        observed_on=_first(row, "observed_on", "observed_on_string"),
        scientific_name=_first(row, "scientific_name"),
        common_name=_first(row, "common_name", "species_guess"),
    )


def _first(row: Mapping[str, str], *columns: str) -> str:
    return next((row[name][:1000] for name in columns if row.get(name)), "")


@contextmanager
def _csv_file(stream: BinaryIO) -> Iterator[BinaryIO]:
    """The CSV file itself, taken out of its zip file where it lies in one."""
    stream.seek(0)
    start = stream.read(file_kinds.START_BYTES)
    stream.seek(0)
    if file_kinds.archive_kind(start) != "zip":
        if what := file_kinds.described(start):
            raise ValueError(f"is {what}; a CSV file, or a zip file with one, expected")
        yield stream
        return
    try:
        with zipfile.ZipFile(stream) as archive:
            found = [name for name in archive.namelist() if name.lower().endswith(".csv") and "__MACOSX" not in name]
            if len(found) != 1:
                raise ValueError(f"the zip file holds {len(found)} CSV files, one expected")
            with archive.open(found[0]) as member:
                yield cast(BinaryIO, member)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise ValueError(f"the zip file cannot be unpacked: {error}") from None


def _bounded(text: io.TextIOWrapper) -> Iterator[str]:
    """The lines, which together are no longer than allowed: a zip file can unpack to any size."""
    size = 0
    while line := text.readline(csv.field_size_limit() * 4):
        size += len(line)
        if size > MOST_BYTES:
            raise ValueError(f"has more than {MOST_BYTES:,} characters")
        yield line
