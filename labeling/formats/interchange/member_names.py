"""File names inside an export: made from object keys, safe to unpack anywhere, unique, the same every time.

A key is text a stranger may have chosen: no name made here is absolute, climbs out of its folder, holds control
characters or is one that Windows reserves. Knows nothing of what the files hold.
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b
from posixpath import splitext

MAX_SEGMENT = 80
MAX_DEPTH = 8
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^/]*/?")
_UNSAFE = re.compile(r"[^\w.\-+=@()\[\],~! ]")
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,5}")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def safe_name(source: str) -> str:
    """A relative path with forward slashes for an object's URI or name; keys that are safe already stay as they are.

    A name that had to be changed carries a short hash of the whole source, so that two keys never meet by cleaning.
    """
    key = _URI.sub("", source, count=1)
    segments = [part for part in (_segment(raw) for raw in key.split("/")) if part][-MAX_DEPTH:]
    name = "/".join(segments)
    if name and name == key:
        return name
    return _marked(name or "image", source)


class Names:
    """Hands out unique names for one export; asking in the same order gives the same names."""

    def __init__(self) -> None:
        # hashes of folded names, since file systems may not tell A from a; eight bytes each keep a million small
        self._taken: set[int] = set()

    def take(self, source: str, *, suffix: str | None = None) -> str:
        """A name nobody has yet; with `suffix` ('.txt') it takes the place of the key's own ending."""
        name = safe_name(source)
        plain = name if suffix is None else splitext(name)[0] + suffix
        if self._free(plain):
            return plain
        marked = _marked(name, source)
        marked = marked if suffix is None else splitext(marked)[0] + suffix
        stem, ending = splitext(marked)
        attempt = 1
        while not self._free(marked):
            attempt += 1
            marked = f"{stem}-{attempt}{ending}"
        return marked

    def take_pair(self, source: str) -> tuple[str, str]:
        """(unique stem, the same with the key's ending): the stem decides, else a.jpg and a.png would share a.xml."""
        stem = self.take(source, suffix="")
        ending = splitext(source)[1]
        return stem, stem + ending if _ENDING.fullmatch(ending) else stem

    def _free(self, name: str) -> bool:
        folded = int.from_bytes(blake2b(name.casefold().encode(), digest_size=8).digest(), "big")
        if folded in self._taken:
            return False
        self._taken.add(folded)
        return True


def _segment(raw: str) -> str:
    text = _UNSAFE.sub("_", unicodedata.normalize("NFC", raw)).strip(" ").rstrip(".")
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
