"""Classes of images or texts as a table (CSV), out and in: a row for each object.

Several classes stand in one cell, `a|b`; an empty cell says that none of them fits. It must not know jobs or storage.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from labeling.formats.augmented_reading import BLANKS
from labeling.formats.interchange.archives import ArchiveWriter
from labeling.formats.interchange.items import BadItem, FoundImage, FoundPart, LabeledImage, LabeledText, found_text
from labeling.formats.interchange.member_names import Names
from labeling.formats.shapes import Tag

MEMBER = "labels.csv"
IMAGES = "images/"
FILE = ("file", "filename", "file_name", "image", "image_name", "path", "name")
TEXT = ("text", "sentence", "document", "content")
ADDRESS = ("source-ref", "uri", "url")
ONE = ("label", "class", "category")
SEVERAL = ("labels", "classes", "categories", "tags")
SURE = ("confidence", "confidences", "score", "scores")
"""What the columns may be called."""

MAX_LINE = 131_072
"""Characters of a cell, more than a text may have."""

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_ESCAPED = re.compile(r"\\(.)|\|", re.DOTALL)
_DELIMITERS = ",;\t"


def write_csv(
    objects: Iterable[LabeledImage | LabeledText], out: BinaryIO, *, several: bool, texts: bool, images: bool = False
) -> int:
    """Write the table, in a zip with the images if `images`, and return the number of rows."""
    if not images:
        return _write_rows(objects, out, several, texts, None)
    with ArchiveWriter(out) as archive, SpooledTemporaryFile(max_size=8_000_000) as spool:
        count = _write_rows(objects, cast(BinaryIO, spool), several, texts, archive)
        archive.add_stream(MEMBER, spool)
    return count


def _write_rows(
    objects: Iterable[Any], out: BinaryIO, several: bool, texts: bool, archive: ArchiveWriter | None
) -> int:
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    table = csv.writer(text)
    labels = ["labels", "confidences"] if several else ["label", "confidence"]
    table.writerow([*(["text"] if texts else []), "file", *labels, "source-ref"])
    names, count = Names(), 0
    for one in objects:
        # A text that is written in its manifest line has no file.
        name = one.name if texts else names.take(one.file_name)
        if archive is not None:
            archive.add_image(IMAGES + name, one)
        row = [*([one.text] if texts else []), name, *_cells(one.tags, several), one.source]
        table.writerow([_plain(cell) for cell in row])
        count += 1
    text.detach()
    return count


def _cells(tags: Sequence[Tag], several: bool) -> list[str]:
    sure = ["" if tag.confidence is None else repr(float(tag.confidence)) for tag in tags]
    if not several:
        return [tags[0].label, sure[0]]
    return ["|".join(re.sub(r"[|\\]", r"\\\g<0>", tag.label) for tag in tags), "|".join(sure) if any(sure) else ""]


def _plain(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; `_given` takes the mark away again."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _given(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


# --- in ------------------------------------------------------------------------------------------------------------


def looks_like_table(start: bytes) -> bool:
    """Whether the first line of a file names columns of such a table."""
    try:
        line = start.decode("utf-16" if start.startswith(_UTF16) else "utf-8-sig", "ignore").splitlines()[0]
        return bool(_columns(next(csv.reader([line], delimiter=_delimiter(line)))))
    except (IndexError, ValueError, UnicodeError, csv.Error):
        return False


def find_csv(stream: BinaryIO, name: str = "") -> Iterator[FoundImage | BadItem]:
    """Every row of a table, streamed; `name` stands before the lines in messages.

    Raises ValueError for a table without the columns that are needed, or with other characters than UTF-8 or UTF-16.
    """
    stream.seek(0)
    encoding = "utf-16" if stream.read(2).startswith(_UTF16) else "utf-8-sig"
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    try:
        head = text.readline(MAX_LINE)
        delimiter = _delimiter(head)
        columns = _columns(next(csv.reader([head], delimiter=delimiter), []))
        rows = csv.reader(text, delimiter=delimiter)
        while True:
            try:
                row = next(rows, None)
            except csv.Error as error:
                yield BadItem(f"{name}line {rows.line_num + 1}", f"cannot be read ({error}): the rest is left out")
                return
            if row is None:
                return
            if any(cell.strip() for cell in row):
                yield _found(dict(zip(columns, row, strict=False)), f"{name}line {rows.line_num + 1}")
    except UnicodeError:
        raise ValueError(f"{name}is no UTF-8 text: save the table as CSV with the encoding UTF-8") from None
    finally:
        text.detach()


_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def _delimiter(head: str) -> str:
    return max(_DELIMITERS, key=head.count)


def _columns(head: Sequence[str]) -> list[str]:
    """What each column is, "" for others. Raises ValueError where one that is needed is missing."""
    known = (("file", FILE), ("text", TEXT), ("address", ADDRESS), ("one", ONE), ("several", SEVERAL), ("sure", SURE))
    columns = [next((what for what, names in known if title.strip().casefold() in names), "") for title in head]
    # Of two columns of a kind the first one counts.
    columns = [what if columns.index(what) == place else "" for place, what in enumerate(columns)]
    if not {"one", "several"} & set(columns) or not {"file", "text", "address"} & set(columns):
        raise ValueError(f"has the columns {', '.join(head)[:200]}: expected label or labels, and file or text")
    return columns


def _found(row: dict[str, str], where: str) -> FoundImage | BadItem:
    cells = {what: _given(cell) for what, cell in row.items()}
    labels = _split(cells["several"]) if "several" in cells else [cells.get("one", "")]
    labels = [label.strip(BLANKS) for label in labels if label.strip(BLANKS)]
    try:
        sure = _confidences(cells.get("sure", ""), len(labels))
    except ValueError as error:
        return BadItem(where, str(error))
    tags = [FoundPart(where, Tag(label, one)) for label, one in zip(labels, sure, strict=True)]
    labeled = bool(labels) or "several" in cells
    name, address = cells.get("file", "").strip(), cells.get("address", "").strip()
    if cells.get("text"):
        return found_text(where, cells["text"], tags, name=name, address=address, labeled=labeled)
    if not name and not address:
        return BadItem(where, "names no file and no text")
    return FoundImage(where, (name or address,), uri=address, parts=tuple(tags), labeled=labeled)


def _split(cell: str) -> list[str]:
    """The classes of a cell: `a|b`, where a backslash stands before a bar or a backslash of a name."""
    parts, at = [""], 0
    for match in _ESCAPED.finditer(cell):
        parts[-1] += cell[at : match.start()]
        if match[1] is None:
            parts.append("")
        else:
            parts[-1] += match[1] if match[1] in "|\\" else match[0]
        at = match.end()
    parts[-1] += cell[at:]
    return parts


def _confidences(cell: str, number: int) -> list[float | None]:
    """One for each class, None where there is none. Raises ValueError for what is no confidence."""
    given = [part.strip() for part in cell.split("|")] if cell.strip() else []
    if not given:
        return [None] * number
    if len(given) != number:
        raise ValueError(f"has {len(given)} confidences for {number} classes")
    try:
        sure = [float(part) if part else None for part in given]
    except ValueError:
        raise ValueError(f"a confidence must be a number, found {cell[:40]!r}") from None
    if any(one is not None and not 0 <= one <= 1 for one in sure):
        raise ValueError(f"a confidence lies between 0 and 1, found {cell[:40]!r}")
    return sure
