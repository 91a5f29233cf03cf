"""File names inside an export: made from object keys, safe to unpack anywhere, unique, the same every time.

Keys are untrusted text: no name made here is absolute, leads out of its folder, contains control characters or is
reserved by Windows. It must not know what is in the files.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from hashlib import blake2b
from itertools import count
from posixpath import splitext

MAX_SEGMENT = 200
"""Bytes: file systems hold 255, of which a hash, a number and an ending need some."""
MAX_DEPTH = 32
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^/]*/?")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f\\:*?"<>|\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]')
"""What some file system or list of files cannot hold, and what turns the direction of a text to disguise an ending."""

_ENDING = re.compile(r"\.[A-Za-z0-9]{1,5}")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def safe_name(source: str) -> str:
    """A relative path with forward slashes for an object's URI or name; keys that are safe already stay as they are.

    A name that had to be changed carries a short hash of the whole source, so that two keys never get the same name.
    """
    key = _URI.sub("", source, count=1)
    segments = [part for part in (_segment(raw) for raw in key.split("/")) if part][-MAX_DEPTH:]
    name = "/".join(segments)
    if name and name == key:
        return name
    return _marked(name or "image", source)


class Names:
    """Hands out unique names for one export; asking in the same order gives the same names.

    No name is the folder of another one: such an archive could not be unpacked.
    """

    def __init__(self) -> None:
        # Hashes of names in lower case, since some file systems do not distinguish case; eight bytes a name.
        self._taken: set[int] = set()
        self._folders: set[int] = set()

    def take(self, source: str, *, suffix: str | None = None) -> str:
        """A name that was not given yet; `suffix` ('.txt') replaces the key's own extension."""
        return next(name for name in self._candidates(source, suffix) if self._claim(name))

    def take_pair(self, source: str, *, label: str = ".txt", ending: str | None = None) -> tuple[str, str]:
        """(unique stem, the same with the key's ending): the stem decides, else a.jpg and a.png would share a.xml.

        `label` is the ending of the file of labels beside the image, `ending` another one for the image.
        """
        if ending is None:
            own = splitext(source)[1]
            ending = own if _ENDING.fullmatch(own) else ""
        stems = self._candidates(source, "")
        stem = next(stem for stem in stems if self._claim(stem + label, stem + ending))
        return stem, stem + ending

    def _candidates(self, source: str, suffix: str | None) -> Iterator[str]:
        """Plain, with a hash of the source, then numbered."""
        name = safe_name(source)
        while any(_hash(folder) in self._taken for folder in _folders_of(name)):
            name = f"_{name}"
        yield name if suffix is None else splitext(name)[0] + suffix
        marked = _marked(name, source)
        marked = marked if suffix is None else splitext(marked)[0] + suffix
        yield marked
        stem, ending = splitext(marked)
        for attempt in count(2):
            yield f"{stem}-{attempt}{ending}"

    def _claim(self, *names: str) -> bool:
        """Take all of the names, or none of them if one is not free."""
        hashes = {_hash(name) for name in names}
        if not hashes.isdisjoint(self._taken) or not hashes.isdisjoint(self._folders):
            return False
        self._taken |= hashes
        self._folders.update(_hash(folder) for folder in _folders_of(names[0]))
        return True


def _hash(name: str) -> int:
    # Some file systems take ä in one sign and ä in two for the same name.
    same = unicodedata.normalize("NFC", name).casefold()
    return int.from_bytes(blake2b(same.encode(), digest_size=8).digest(), "big")


def _folders_of(name: str) -> Iterator[str]:
    """'a/b/c.jpg' -> 'a', 'a/b'."""
    at = name.find("/")
    while at >= 0:
        yield name[:at]
        at = name.find("/", at + 1)


def _segment(raw: str) -> str:
    text = _UNSAFE.sub("_", raw).strip(" ").rstrip(".")
    if not text.strip("."):
        return ""  # empty, '.' and '..'
    if _RESERVED.fullmatch(text) or text.startswith(("-", ".")):
        text = f"_{text}"
    if len(text.encode()) > MAX_SEGMENT:
        stem, ending = splitext(text)
        ending = ending if len(ending.encode()) <= 10 else ""
        room = MAX_SEGMENT - len(ending.encode())
        text = stem.encode()[:room].decode("utf-8", "ignore").rstrip(" .") + ending
    return text


def _marked(name: str, source: str) -> str:
    stem, ending = splitext(name)
    return f"{stem}-{blake2b(source.encode('utf-8', 'surrogatepass'), digest_size=5).hexdigest()}{ending}"
