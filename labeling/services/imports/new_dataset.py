"""Labels become a new data set: the manifest of its objects, with their labels under the label attribute.

A job that uses the attribute as its own takes these labels over and asks people for the rest (chaining).
"""

import tempfile
from typing import IO, Any

import orjson

from labeling.formats import augmented
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import Box, ImageSize
from labeling.models import Dataset, LabelImport
from labeling.services.imports import pictures
from labeling.services.imports.limits import MAX_LINE_BYTES
from labeling.services.imports.pictures import Pictures
from labeling.services.imports.placing import Placed
from labeling.services.imports.reports import base
from labeling.services.intake import datasets
from labeling.task_types.base import TaskType
from marketplace import storage

CROWDS = "crowd-regions"
"""The member of a label's metadata that has the regions of crowds, which are no boxes of single objects."""


class NewDataset:
    """Collects the labels of images in a temporary file, then writes the manifest; use as a context manager."""

    def __init__(self, label_import: LabelImport, labels: list[str], kind: TaskType[Any, Any]):
        self._import, self._labels, self._kind = label_import, labels, kind
        self._spool: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - __exit__ closes it
        self._where: dict[int, tuple[int, int]] = {}  # place of the image -> offset and length in the file

    def __enter__(self) -> "NewDataset":
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()

    def take(self, place: int, placed: Placed) -> str:
        """Note an image's label; returns why it cannot be kept, else ""."""
        attribute = self._import.label_attribute_name
        about = LabelContext(
            labels=self._labels,
            image_size=ImageSize(*placed.size),
            job_name=f"label-import/{self._import.pk}",
            created=self._import.created_at,
        )
        try:
            value, metadata = self._kind.manifest_label(placed.answer, about)
            if self._kind.label_is_file:
                value = self._file(place, placed)
        except ValueError as error:
            return str(error)
        if regions := [self._region(box) for box in placed.crowds if isinstance(box, Box)]:
            metadata[CROWDS] = regions
        line = orjson.dumps({attribute: value, f"{attribute}-metadata": metadata})
        if len(line) > MAX_LINE_BYTES:
            return (
                f"its label has {len(line):,} bytes, at most {MAX_LINE_BYTES:,} fit into a line of a manifest: "
                "divide the object into smaller ones"
            )
        self._where[place] = (self._spool.seek(0, 2), len(line))
        self._spool.write(line)
        return ""

    def _file(self, place: int, placed: Placed) -> str:
        """Store the label's file, under the same address in every run, and return it."""
        uri = storage.join(base(self._import), "masks", f"{place:07d}.png")
        content = self._kind.label_file(placed.answer, labels=self._labels)
        storage.write(uri, content, content_type="image/png")
        return uri

    def flush(self) -> dict[int, str]:
        """Nothing waits: labels are written when all are known."""
        return {}

    def write(self, images: Pictures) -> str:
        """Write the manifest and return its address; images without a label are in it, too."""
        uri = storage.join(base(self._import), "labels.manifest")
        with storage.writer(uri, content_type="application/jsonl") as out:
            for place, original in pictures.originals(images):
                line = original
                if place in self._where:
                    offset, length = self._where[place]
                    self._spool.seek(offset)
                    line = augmented.put_members(original, orjson.loads(self._spool.read(length)))
                out.write(line + b"\n")
        return uri

    def create(self, uri: str) -> Dataset:
        """The data set of a manifest that `write` wrote; needs the transaction that ends the import."""
        return datasets.create_dataset(
            account=self._import.account,
            name=self._import.name,
            source={"kind": "manifest", "uri": uri},
            by=self._import.created_by,
            admitted=True,
        )

    def _region(self, box: Box) -> dict[str, Any]:
        sides = {"left": box.left, "top": box.top, "width": box.width, "height": box.height}
        return {"class_id": self._labels.index(box.label), **sides}
