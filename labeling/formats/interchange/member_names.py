"""File names inside an export: made from object keys, safe to unpack anywhere, unique, the same every time.

Keys are untrusted text: no name made here is absolute, leads out of its folder, contains control characters or is
reserved by Windows. It must not know what is in the files.
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b
from posixpath import splitext

MAX_SEGMENT = 80
MAX_DEPTH = 32
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^/]*/?")
_UNSAFE = re.compile(r"[^\w.\-+=@()\[\],~! ]")
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
    """Hands out unique names for one export; asking in the same order gives the same names."""

    def __init__(self) -> None:
        # Hashes of names in lower case, since some file systems do not distinguish case; eight bytes a name.
        self._taken: set[int] = set()

    def take(self, source: str, *, suffix: str | None = None) -> str:
        """A name that was not given yet; `suffix` ('.txt') replaces the key's own extension."""
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
