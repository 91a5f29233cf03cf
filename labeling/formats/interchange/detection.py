"""Which format the labels in an archive or a file have, judged by its members and their first bytes.

It must not know what is done with the labels.
"""

from __future__ import annotations

from typing import BinaryIO

import orjson

from labeling.formats.interchange.archives import INDEX, ArchiveReader

FORMATS = ("coco", "voc", "yolo", "manifest")
NAMES_FILES = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names")
"""Files that list YOLO's classes."""

LABEL_ENDINGS = (".json", ".xml", ".txt", ".yaml", ".yml", ".names", ".data", ".manifest", ".jsonl", ".csv", ".md")
"""Files of a label archive that are not images, and not missed as such."""

MANIFEST_ENDINGS = (".manifest", ".jsonl")
MOST_LOOKED_AT = 50
"""XML files that are looked into for one with annotations."""

MAX_COCO = 500_000_000
"""Bytes of a COCO file, which is read whole: it takes about eight times as much memory."""

_START = 1 << 16


def in_archive(archive: ArchiveReader) -> dict[str, list[str]]:
    """{format: the members that hold its labels}, for each format that the archive has."""
    found: dict[str, list[str]] = {}
    if coco := [name for name in archive.names(".json") if _is_coco(archive, name)]:
        found["coco"] = coco
    if any(_is_voc(archive, name) for name in archive.names(".xml")[:MOST_LOOKED_AT]):
        found["voc"] = archive.names(".xml")
    named = [name for name in archive.names("") if name.rpartition("/")[2].lower() in NAMES_FILES]
    texts = [name for name in archive.names(".txt") if name not in named]
    if named and texts:
        found["yolo"] = texts
    lines = [name for ending in MANIFEST_ENDINGS for name in archive.names(ending) if name != INDEX]
    if lines:
        found["manifest"] = lines
    return found


def of_file(stream: BinaryIO) -> str:
    """The format of a single file: "zip", "coco" or "manifest". Raises ValueError that says what to send instead."""
    stream.seek(0)
    start = stream.read(_START).removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"PK"):
        return "zip"
    if start.startswith(b"<"):
        raise ValueError("is a single XML file: pack the XML files, with their images or without, into one zip")
    if start.startswith(b"\x1f\x8b"):
        raise ValueError("is compressed with gzip: unpack it first, or pack it as a zip")
    if not start.startswith((b"{", b"[")):
        raise ValueError(
            "is neither a zip, a COCO file (JSON) nor a manifest (JSON Lines): YOLO and VOC labels are sent as one zip"
        )
    first = start.partition(b"\n")[0]
    try:
        record = orjson.loads(first)
    except orjson.JSONDecodeError:
        record = None
    if record is None:
        # A line longer than what was looked at, or the first line of a document that goes on below it.
        return "manifest" if b'"source-ref"' in start and b'"images"' not in start else "coco"
    return "coco" if not isinstance(record, dict) or "images" in record else "manifest"


def _is_coco(archive: ArchiveReader, name: str) -> bool:
    # Written as lists of images and annotations; other tools' JSON files in an archive have neither.
    try:
        raw = archive.read(name, MAX_COCO)
    except ValueError:
        return archive.size(name) > MAX_COCO  # Reading it says so by name.
    return b'"images"' in raw


def _is_voc(archive: ArchiveReader, name: str) -> bool:
    try:
        raw = archive.read(name)
    except ValueError:
        return False
    return b"<annotation" in raw.replace(b"\x00", b"")
