"""The names that files had where they came from. Files are stored under keys of our own, so that names never collide.

The names of an upload stand in small files beside it, one for each request. Names are text for people and for exports:
no file is found, accepted or overwritten by its name. Knows neither archives nor requests.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

import orjson

from labeling.formats import images, manifest
from marketplace import storage
from marketplace.errors import NotFound
from marketplace.models import Account
from marketplace.services import boundaries

NAME_LENGTH = 1024
"""Characters of a name that are kept."""

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"})
"""Endings that are believed until the image is decoded; without one of them the first bytes are read."""

_ENDING = re.compile(r"\.[a-z0-9]{1,8}")
_OUR_FOLDERS = re.compile(r"uploads/[0-9a-f]{32}/|datasets/[0-9]+/images/")
_NAMES_BEGIN = ".names-"
_NAMES_FILE = re.compile(r"\.names-[0-9a-f]{32}\.jsonl")


class SourceFile(NamedTuple):
    """A stored file, with the relative name that it had at its source, or "" where its own name is the only one."""

    uri: str
    name: str = ""

    def manifest_line(self) -> bytes:
        """The line of a manifest for this file, without a line end."""
        named = {manifest.SOURCE_NAME: self.name} if self.name else {}
        return orjson.dumps({manifest.SOURCE_REF: self.uri, **named})


def storable(name: str) -> str:
    """The name as given, except that NUL and lone surrogates, which no store can hold, are replaced, and its length."""
    return name.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")[:NAME_LENGTH]


def without_our_folders(account: Account, uri: str, name: str) -> str:
    """The name of a file for exports: the one it was given, else what its address says below our own folders.

    "" for a file elsewhere, whose whole address is its name.
    """
    base = boundaries.base_of(account) + "/"
    if name or not uri.startswith(base):
        return name
    return _OUR_FOLDERS.sub("", uri.removeprefix(base), count=1)


def ending(name: str) -> str:
    """The file ending with which a file of this name is stored: lower case, "" for an unusual one."""
    found = PurePosixPath(name).suffix.lower()
    return found if _ENDING.fullmatch(found) else ""


def hidden(name: str) -> bool:
    """Whether a file is hidden or one that operating systems create on their own."""
    parts = name.replace("\\", "/").split("/")
    last = parts[-1]
    dotted = last.startswith(".") and last.strip(".") != ""
    return dotted or parts[0] == "__MACOSX" or last in ("Thumbs.db", "desktop.ini")


def not_an_image(name: str, start: bytes) -> str:
    """Why a file with these first bytes cannot be an image, "" when it may be one; only decoding shows whether it is.

    A usual ending is believed, so `start` may be empty for a name that has one (`ending(name) in SUFFIXES`).
    """
    if ending(name) in SUFFIXES or images.format_by_signature(start):
        return ""
    return images.not_shown(start) or f"is not an image by its content ({', '.join(images.FORMATS)})"


def given(uri: str) -> str:
    """What people call a file or a folder: the name with which it was uploaded, else its address."""
    folder, _, key = uri.rpartition("/")
    return (read_names(folder).get(key) if "/uploads/" in uri else None) or uri


def is_names_file(uri: str) -> bool:
    """Whether a stored file holds the names of an upload instead of being a part of it."""
    return _NAMES_FILE.fullmatch(uri.rpartition("/")[2]) is not None


def names_file(folder_uri: str, names: Mapping[str, str]) -> tuple[str, bytes]:
    """Address and content of the file with {key: name} of files in the folder; the same names have the same address."""
    content = b"".join(orjson.dumps([key, name]) + b"\n" for key, name in names.items())
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    return storage.join(folder_uri, f"{_NAMES_BEGIN}{digest}.jsonl"), content


def read_names(folder_uri: str) -> dict[str, str]:
    """{key: name} of the files of a folder that have one; empty for a folder that has no names."""
    names: dict[str, str] = {}
    try:
        for found in list(storage.list(storage.join(folder_uri, _NAMES_BEGIN))):
            if is_names_file(found.uri) and found.uri.rpartition("/")[0] == folder_uri.rstrip("/"):
                names.update(orjson.loads(line) for line in storage.read(found.uri).splitlines())
    except NotFound:
        # A folder that does not exist has no names either; whoever lists it reports that it does not exist.
        return {}
    return names
