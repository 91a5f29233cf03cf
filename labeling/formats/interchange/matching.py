"""Finds the image that a label file means among images with names: by address, whole path, end of path, base name.

What fits several images is never guessed. It must not know where images are stored.
"""

from __future__ import annotations

import re
import unicodedata
from posixpath import splitext
from typing import NamedTuple

from labeling.formats.interchange.items import FoundImage

SHOWN = 3
"""How many of the images that fit are named in a message."""

MOST_COMPARED = 1000
"""Images of one base name whose paths are compared; more could make a hostile set take for ever."""

_DRIVE = re.compile(r"[A-Za-z]:/")


class NoMatch(ValueError):
    """No image fits, or several do; the message says which."""


class NamedImage(NamedTuple):
    """An image that can be found: its relative name with folders, and its address."""

    name: str
    uri: str


class ImageIndex:
    """Images by name. Memory grows with their number: about half a kilobyte each."""

    def __init__(self) -> None:
        self.entries: list[NamedImage] = []
        self._by_uri: dict[str, int] = {}
        self._by_path: dict[str, list[int]] = {}
        self._by_stem: dict[str, list[int]] = {}
        self._by_base: dict[str, list[int]] = {}

    def add(self, name: str, uri: str) -> None:
        """An image; `name` as it was given, `uri` for the images that files of our own name by their address."""
        place, path = len(self.entries), normal(name)
        self.entries.append(NamedImage(name, uri))
        self._by_uri.setdefault(uri, place)
        self._by_path.setdefault(path, []).append(place)
        self._by_stem.setdefault(splitext(path)[0], []).append(place)
        self._by_base.setdefault(splitext(_base(path))[0].casefold(), []).append(place)

    def at(self, uri: str) -> int | None:
        """The place in `entries` of the image with this address; None when there is none."""
        return self._by_uri.get(uri)

    def find(self, found: FoundImage) -> int:
        """The place in `entries` of the image that is meant. Raises NoMatch."""
        if found.uri in self._by_uri:
            return self._by_uri[found.uri]
        names, stems = [normal(name) for name in found.names], [normal(stem) for stem in found.stems]
        for wanted, known in ((names, self._by_path), (stems, self._by_stem)):
            for path in wanted:
                if path in known:
                    return self._only(known[path], path)
        for wanted, whole in ((names, True), (stems, False)):
            for path in wanted:
                if places := self._ending_alike(path, whole):
                    return self._only(places, path)
        for wanted, whole in ((names, True), (stems, False)):
            for base in dict.fromkeys(_base(path) for path in wanted):
                if places := self._of_base(base, whole):
                    return self._only(places, base)
        if found.text is not None:
            raise NoMatch("there is no such text")
        said = min(found.names, key=len) if found.names else found.where
        raise NoMatch(f"there is no image for it: none has the name {said[:200]!r}")

    def _only(self, places: list[int], wanted: str) -> int:
        if len(places) == 1:
            return places[0]
        shown = ", ".join(repr(self.entries[place].name) for place in places[:SHOWN])
        more = f" and {len(places) - SHOWN:,} more" if len(places) > SHOWN else ""
        raise NoMatch(f"{wanted[:200]!r} fits {len(places):,} images ({shown}{more}): name it with its folder")

    def _ending_alike(self, path: str, whole: bool) -> list[int]:
        """The images whose path ends with `path`, or with whose path of several parts `path` ends."""
        if "/" not in path:
            return []
        same = self._of_base(_base(path), whole)
        if len(same) > MOST_COMPARED:
            return []
        found = []
        for place in same:
            own = normal(self.entries[place].name)
            own = own if whole else splitext(own)[0]
            if own.endswith(f"/{path}") or ("/" in own and path.endswith(f"/{own}")):
                found.append(place)
        return found

    def _of_base(self, base: str, whole: bool) -> list[int]:
        """The images with this last part of the name, in whatever case when none has it in this one."""
        stem = splitext(base)[0] if whole else base
        same = self._by_base.get(stem.casefold(), [])
        if not whole:
            return same
        names = [(place, _base(normal(self.entries[place].name))) for place in same]
        exact = [place for place, name in names if name == base]
        return exact or [place for place, name in names if name.casefold() == base.casefold()]


def normal(name: str) -> str:
    """A name as names are compared: forward slashes, composed characters, no drive, no leading or empty parts."""
    path = unicodedata.normalize("NFC", name.replace("\\", "/"))
    path = _DRIVE.sub("", path, count=1) if _DRIVE.match(path) else path
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def _base(path: str) -> str:
    return path.rpartition("/")[2]
