"""The report of a label import: a line for every image and for every part that was not taken as it stands.

It waits in a file until the import is done; then it becomes rows, for pages and REST, and two files for download.
"""

import csv
import io
import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from typing import IO, Any

from django.db import connection

from labeling.models import ImportedLine, LabelImport
from labeling.services.imports.limits import MOST_LINES
from marketplace import storage
from marketplace.services import boundaries

KINDS = {"jsonl": "application/jsonl", "csv": "text/csv"}
"""The forms in which a report can be downloaded, with their media types."""

COLUMNS = ("number", "place", "outcome", "reason")
MOST_CHARACTERS = {"place": 300, "reason": 500}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Report:
    """Collects lines in a temporary file; use as a context manager. The first MOST_LINES are kept, all are counted."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.lines = 0
        self._spool: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - __exit__ closes it

    def __enter__(self) -> "Report":
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()

    def add(self, place: str, outcome: str, reason: str) -> None:
        """One line; texts are cut to what a row holds."""
        self.counts[outcome] += 1
        if self.lines == MOST_LINES:
            return
        self.lines += 1
        row = (self.lines, _clean(place, "place"), str(outcome), _clean(reason, "reason"))
        self._spool.write(json.dumps(row).encode() + b"\n")

    def rows(self) -> Iterator[list[Any]]:
        """[number, place, outcome, reason] of each line that was kept."""
        self._spool.seek(0)
        for line in self._spool:
            yield json.loads(line)

    def write_files(self, label_import: LabelImport) -> None:
        """Store the files for download, in place of those of an earlier run."""
        with storage.writer(uri(label_import, "jsonl"), content_type=KINDS["jsonl"]) as out:
            for row in self.rows():
                out.write(json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False).encode() + b"\n")
        with storage.writer(uri(label_import, "csv"), content_type=KINDS["csv"]) as out:
            text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
            table = csv.writer(text)
            table.writerow(COLUMNS)
            for row in self.rows():
                table.writerow([_cell(value) for value in row])
            text.detach()

    def save(self, label_import: LabelImport) -> None:
        """Store the rows in place of those of an earlier run; needs the transaction that ends the import."""
        ImportedLine.objects.filter(label_import=label_import).delete()
        command = "COPY labeling_importedline (label_import_id, number, place, outcome, reason) FROM STDIN"
        with connection.cursor() as cursor, cursor.cursor.copy(command) as copy:
            for row in self.rows():
                copy.write_row((label_import.pk, *row))


def uri(label_import: LabelImport, kind: str) -> str:
    """Where the report of an import is stored in this form."""
    return storage.join(base(label_import), f"report.{kind}")


def base(label_import: LabelImport) -> str:
    """The folder of an import's own files."""
    return storage.join(boundaries.base_of(label_import.account), "imports", str(label_import.pk))


def _clean(text: str, column: str) -> str:
    # PostgreSQL's text cannot hold NUL, UTF-8 no half of a surrogate pair.
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")[: MOST_CHARACTERS[column]]


def _cell(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula: names in files are anybody's text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
