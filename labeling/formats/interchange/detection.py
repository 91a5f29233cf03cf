"""Which format the labels in an archive or a file have, judged by its members and their first bytes.

It must not know what is done with the labels.
"""

from __future__ import annotations

import re
from typing import Any, BinaryIO

import orjson

from labeling.formats.interchange import class_tables, conll, label_studio, mask_files
from labeling.formats.interchange.archives import INDEX, ArchiveReader

NAMES_FILES = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names")
"""Files that list YOLO's classes."""

LABEL_ENDINGS = (
    *(".json", ".xml", ".txt", ".yaml", ".yml", ".names", ".data", ".manifest", ".jsonl", ".csv", ".md"),
    *conll.ENDINGS,
)
"""Files of a label archive that are not images, and not missed as such."""

MANIFEST_ENDINGS = (".manifest", ".jsonl")
MOST_LOOKED_AT = 50
"""XML files that are looked into for one with annotations."""

MAX_COCO = 500_000_000
"""Bytes of a COCO file, which is read whole: it takes about eight times as much memory."""

_START = 1 << 16
_VOC, _CVAT = re.compile(rb"<annotation[\s>]"), re.compile(rb"<annotations[\s>]")


def in_archive(archive: ArchiveReader) -> dict[str, list[str]]:
    """{format: the members that hold its labels}, for each format that the archive has."""
    found: dict[str, list[str]] = {}
    for name in archive.names(".json"):
        if kind := _kind_of_json(archive, name):
            found.setdefault(kind, []).append(name)
    looked_at = archive.names(".xml")[:MOST_LOOKED_AT]
    if any(_has(archive, name, _VOC) for name in looked_at):
        found["voc"] = archive.names(".xml")
    elif cvat := [name for name in looked_at if _has(archive, name, _CVAT)]:
        found["cvat"] = cvat
    masks = mask_files.mask_members(archive)
    if archive.has(mask_files.INDEX) or (masks and any(archive.names(name) for name in mask_files.LISTS)):
        found["masks"] = masks
    if tables := [name for name in archive.names(".csv") if class_tables.looks_like_table(_start(archive, name))]:
        found["csv"] = tables
    if columns := [name for ending in conll.ENDINGS for name in archive.names(ending)]:
        found["conll"] = columns
    named = [name for name in archive.names("") if name.rpartition("/")[2].lower() in NAMES_FILES]
    texts = [name for name in archive.names(".txt") if name not in named]
    if named and texts:
        found["yolo"] = texts
    ours = (INDEX, mask_files.INDEX)
    for name in (name for ending in MANIFEST_ENDINGS for name in archive.names(ending) if name not in ours):
        found.setdefault(_kind_of_lines(_start(archive, name)), []).append(name)
    return found


def of_file(stream: BinaryIO) -> str:
    """The format of a single file, or "zip". Raises ValueError that says what to send instead."""
    stream.seek(0)
    raw = stream.read(_START)
    start = raw.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"PK"):
        return "zip"
    if start.startswith(b"<"):
        if _CVAT.search(start):
            return "cvat"
        raise ValueError("is a single XML file: pack the XML files, with their images or without, into one zip")
    if start.startswith(b"\x1f\x8b"):
        raise ValueError("is compressed with gzip: unpack it first, or pack it as a zip")
    if start.startswith((b"{", b"[")):
        return _kind_of_document(start)
    if class_tables.looks_like_table(raw):
        return "csv"
    if conll.looks_like_columns(raw):
        return "conll"
    raise ValueError(
        "is neither a zip, a COCO file (JSON) nor a manifest (JSON Lines), and no CSV, CoNLL, CVAT or Label Studio "
        "file: YOLO and VOC labels are sent as one zip, and so are masks"
    )


def _kind_of_document(start: bytes) -> str:
    """The format of JSON, or of JSON Lines, by its beginning."""
    first = start.partition(b"\n")[0]
    try:
        record: Any = orjson.loads(first)
    except orjson.JSONDecodeError:
        record = None
    if record is None and start.startswith(b"["):
        return "labelstudio"
    if record is None:
        # A line longer than what was looked at, or the first line of a document that goes on below it.
        if b'"source-ref"' in start and b'"images"' not in start:
            return "manifest"
        return "jsonl" if start.startswith(b'{"text"') else "coco"
    if isinstance(record, list) or "images" in record:
        return "labelstudio" if isinstance(record, list) and label_studio.is_tasks(record) else "coco"
    return _kind_of_lines(first)


def _kind_of_lines(start: bytes) -> str:
    """JSON Lines with texts are ours or another tool's; a manifest has `source` or `source-ref`."""
    try:
        record = orjson.loads(start.partition(b"\n")[0])
    except orjson.JSONDecodeError:
        return "manifest"
    if not isinstance(record, dict) or "source" in record or "source-ref" in record:
        return "manifest"
    if label_studio.is_tasks(record):
        return "labelstudio"
    return "jsonl" if "text" in record else "manifest"


def _start(archive: ArchiveReader, name: str) -> bytes:
    """The first bytes of a member, none of one that cannot be read: reading it later says so by name."""
    try:
        return archive.start(name, _START)
    except ValueError:
        return b""


def _kind_of_json(archive: ArchiveReader, name: str) -> str:
    # Written as lists of images and annotations; other tools' JSON files in an archive have neither.
    try:
        raw = archive.read(name, MAX_COCO)
    except ValueError:
        return "coco" if archive.size(name) > MAX_COCO else ""  # Reading it says so by name.
    if raw.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
        return "labelstudio" if b'"data"' in raw and (b'"annotations"' in raw or b'"predictions"' in raw) else ""
    return "coco" if b'"images"' in raw else ""


def _has(archive: ArchiveReader, name: str, tag: re.Pattern[bytes]) -> bool:
    try:
        raw = archive.start(name, _START)
    except ValueError:
        return False
    return tag.search(raw.replace(b"\x00", b"")) is not None
