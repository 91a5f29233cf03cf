"""A job's labeled objects as interchange formats take them: images or texts with what is on them.

An object that does not fit any format is left out with its reason; so is one whose image or text cannot be read.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import orjson
from django.db.models import Q

from labeling import task_types
from labeling.formats.interchange import kinds
from labeling.formats.interchange.fitting import fitted_part
from labeling.formats.interchange.items import LabeledImage, LabeledText, labeled_image
from labeling.formats.shapes import ImageSize, Part, Span, Tag
from labeling.models import DataObject, Export
from labeling.services.intake import inspection, loading, source_names, texts
from labeling.services.one_by_one import OF_ONE_OBJECT, reason_of
from labeling.services.output import rows
from labeling.services.output.export_images import Images, Unreadable
from labeling.task_types.base import TEXT
from marketplace import storage
from marketplace.errors import DomainError


class LabeledObjects:
    """The labeled objects of an export. `left_out` and `note` are told (object's index, reason) of each that is left
    out, or that is used with a change; `step` is called after each one."""

    def __init__(
        self,
        export: Export,
        *,
        left_out: Callable[[int, str], None],
        note: Callable[[int, str], None],
        step: Callable[[], None],
    ) -> None:
        self._export, self._job = export, export.job
        self._kind = task_types.get(export.job.task_type)
        self._left_out, self._note, self._step = left_out, note, step
        self._wanted = Q(job=export.job, label__source__in=rows.WHICH[export.which])

    def __iter__(self) -> Iterator[Any]:
        """LabeledText for jobs about texts, LabeledImage for all others."""
        of_texts = self._kind.medium == TEXT
        if not of_texts:
            # A label that came with the input may lack the size of its image, or have another one's.
            imported = DataObject.objects.filter(self._wanted, label__algorithm=loading.IMPORTED, inspected_at=None)
            inspection.inspect_objects(imported.order_by("pk").values_list("pk", flat=True).iterator(), stated=True)
        for row, content in self._rows():
            try:
                if isinstance(content, Unreadable):
                    raise ValueError(content.reason)
                one = self._text(row) if of_texts else replace(self._image(row), content=content)
            except OF_ONE_OBJECT as error:
                self._left_out(row.line_index, reason_of(error))
                continue
            yield one
            self._step()

    def _rows(self) -> Iterator[tuple[rows.Row, bytes | Unreadable | None]]:
        """The labeled rows, with their images if these are wanted."""
        labeled = (row for row in rows.stream(self._job, self._export.which) if row.value is not None)
        if self._export.images:
            yield from Images(self._job.account).of(labeled)
        else:
            yield from ((row, None) for row in labeled)

    def _label(self, row: rows.Row) -> Any:
        """Raises ValueError for a label that no format could hold."""
        label = self._kind.read_value(row.value or {})
        if unknown := sorted(self._kind.classes(label) - set(self._job.labels)):
            raise ValueError(f"the class {unknown[0]!r} is not one of the job's")
        if problem := self._kind.unwritable(label, labels=self._job.labels):
            raise ValueError(problem)
        return label

    def _parts(self, label: Any) -> list[Part]:
        return [replace(part, confidence=part.confidence or 0.0) for part in self._kind.parts(label)]

    def _image(self, row: rows.Row) -> LabeledImage:
        """Raises ValueError, or another error of OF_ONE_OBJECT, for a label that no format could hold."""
        if not row.width or not row.height or min(row.width, row.height) < 0:
            raise ValueError("the size of the image is not known")
        label = self._label(row)
        size = rows.image_size(row)
        if problem := self._kind.misfit(label, (size.width, size.height)):
            raise ValueError(problem)
        parts = self._parts(label)
        if row.algorithm == loading.IMPORTED and not self._kind.label_is_file:
            parts = self._inside(row, parts, size)
        whole = getattr(label, "confidence", None)
        return labeled_image(row.source_ref, size, parts, name=self._name(row), confidence=whole)

    def _text(self, row: rows.Row) -> LabeledText:
        """Raises ValueError for a text that cannot be read, or a label that no format could hold."""
        text = None if row.source_ref else texts.of_line(row.line)
        if text is None:
            try:
                text = texts.stored(row.upright_uri or row.source_ref)
            except storage.StoreUnavailable:
                raise
            except DomainError as error:
                raise ValueError(f"the text cannot be read: {error.message}") from None
        found = self._parts(self._label(row))
        parts = [fitted_part(part, ImageSize(len(text), 1, 1))[0] for part in found]
        return LabeledText(
            text,
            spans=tuple(part for part in parts if isinstance(part, Span)),
            tags=tuple(part for part in parts if isinstance(part, Tag)),
            source=row.source_ref,
            name=self._name(row) if row.source_ref else row.source_name,
            index=row.line_index,
        )

    def _inside(self, row: rows.Row, parts: list[Part], size: ImageSize) -> list[Part]:
        """The parts of a label that came with the input, inside their image; what is wrong with them is noted."""
        stated = self._kind.read_manifest(orjson.loads(row.line), self._job.label_attribute_name).image_size
        one, many = kinds.WORDS[self._kind.part]
        if stated is not None and (stated.width, stated.height) != (size.width, size.height):
            said = f"{stated.width} x {stated.height} pixels, the image has {size.width} x {size.height}"
            self._note(row.line_index, f"the label says {said}: the {many} are taken as pixels of the image")
        kept: list[Part] = []
        for place, part in enumerate(parts, start=1):
            try:
                inside, said = fitted_part(part, size)
            except ValueError as error:
                self._note(row.line_index, f"{one} {place}: {error}: it is left out")
                continue
            kept.append(inside)
            if said:
                self._note(row.line_index, f"{one} {place}: {said}")
        return kept

    def _name(self, row: rows.Row) -> str:
        return source_names.without_our_folders(self._job.account, row.source_ref, row.source_name)
