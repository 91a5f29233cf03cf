"""Texts to label: UTF-8 bytes into characters, within limits. Knows no store and no job.

A text is labeled exactly as it is: no line end is changed, because offsets count Unicode code points from its start.
"""

from __future__ import annotations

MAX_CHARACTERS = 100_000
"""Code points of a text, as many as a line of a manifest may have."""

MAX_BYTES = 4 * MAX_CHARACTERS + 3
"""A text in UTF-8, with its byte order mark, is never longer."""

CONTENT_TYPE = "text/plain; charset=utf-8"
SUFFIX = ".txt"
_BOM = b"\xef\xbb\xbf"


class TextError(ValueError):
    """A file or a value that cannot be labeled as a text; the message is the reason a requester reads."""


def read(data: bytes) -> str:
    """The text of a file; a byte order mark is dropped. Raises TextError."""
    try:
        text = data.removeprefix(_BOM).decode()
    except UnicodeDecodeError as error:
        raise TextError(f"is no UTF-8 text (byte {error.start}): save it with the encoding UTF-8") from None
    return check(text)


def check(text: str) -> str:
    """The text, if it can be shown and labeled. Raises TextError."""
    if not text.strip():
        raise TextError("is empty")
    if len(text) > MAX_CHARACTERS:
        raise TextError(f"has {len(text):,} characters, at most {MAX_CHARACTERS:,} are allowed")
    if "\x00" in text:
        raise TextError("holds a NUL character")
    return text
