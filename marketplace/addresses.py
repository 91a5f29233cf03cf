"""Addresses in the installation's own store, kept relative to it: `store:accounts/...` for STORE_URL/accounts/...

So an installation whose store was moved, or restored somewhere else, finds everything again. Code has whole addresses
throughout; the fields below translate at the database. Addresses elsewhere are kept as they are.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

from django.conf import settings
from django.db import models

SCHEME = "store:"
_MEMBER = re.compile(r"(^|_)uri$")
_SOURCE_REF = r'("source-ref"\s*:\s*")'


def relative(uri: str) -> str:
    """The form to keep of a whole address."""
    base = _base()
    return SCHEME + uri[len(base) :] if uri.startswith(base) else uri


def absolute(kept: str) -> str:
    """The whole address of a kept form; rows of before there was one hold whole addresses."""
    return _base() + kept[len(SCHEME) :] if kept.startswith(SCHEME) else kept


def relative_line(line: str) -> str:
    """A manifest line to keep: 'source-ref' is relative if it lies in the store, every other byte stays."""
    base = _base()
    if base not in line:
        return line
    return re.sub(_SOURCE_REF + re.escape(base), lambda found: found[1] + SCHEME, line)


def absolute_line(line: str) -> str:
    """The manifest line as it was before `relative_line`."""
    if SCHEME not in line:
        return line
    return re.sub(_SOURCE_REF + SCHEME, lambda found: found[1] + _base(), line)


class MovedLines:
    """The lines of a manifest, in a file opened for bytes, as they would be if the store had always been where it is.

    Manifests are for their readers: they have whole addresses, which stay in the file when the store moves. `former` is
    what STORE_URL was earlier.
    """

    def __init__(self, stream: BinaryIO, *, former: Iterable[str]):
        self._stream, self._base = stream, _base().encode()
        begins = [f"{url.rstrip('/')}/" for url in former]
        self._known = [begin.encode() for begin in begins]
        self._pattern = re.compile(f"{_SOURCE_REF}(?:{'|'.join(map(re.escape, begins))})".encode())

    def readline(self, size: int = -1) -> bytes:
        """The next line, or `size` bytes of it."""
        return self.moved(self._stream.readline(size))

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def moved(self, line: bytes) -> bytes:
        """One line with the present address of its object."""
        if not any(begin in line for begin in self._known):
            return line
        return self._pattern.sub(lambda found: found[1] + self._base, line)


class AddressField(models.CharField):
    """An address, "" for none."""

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        """The whole address."""
        return value if value is None else absolute(value)

    def get_prep_value(self, value: Any) -> Any:
        """The form to keep; also of what rows are compared with."""
        prepared = super().get_prep_value(value)
        return relative(prepared) if isinstance(prepared, str) else prepared


class AddressesField(models.JSONField):
    """JSON whose members `uri` and `..._uri`, however deep, are addresses."""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """The JSON with whole addresses."""
        return _each_address(super().from_db_value(value, expression, connection), absolute)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """The form to keep."""
        return super().get_db_prep_value(_each_address(value, relative), connection, prepared)


class LineField(models.TextField):
    """A manifest line."""

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        """The line with whole addresses."""
        return value if value is None else absolute_line(value)

    def get_prep_value(self, value: Any) -> Any:
        """The form to keep."""
        prepared = super().get_prep_value(value)
        return relative_line(prepared) if isinstance(prepared, str) else prepared


def _base() -> str:
    base: str = settings.STORE_URL
    return base.rstrip("/") + "/"


def _each_address(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [_each_address(item, change) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: change(item) if isinstance(item, str) and _MEMBER.search(name) else _each_address(item, change)
        for name, item in value.items()
    }
