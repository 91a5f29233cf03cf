"""Reads the labels of an augmented manifest, for any task type whose labels files can bring.

Knows neither which objects there are nor what becomes of the labels.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from labeling.formats import augmented_reading, manifest
from labeling.formats.augmented_reading import BLANKS
from labeling.formats.interchange import kinds
from labeling.formats.interchange.items import BadItem, FoundImage, FoundPart, found_text
from labeling.formats.mask_labels import BACKGROUND
from labeling.services.intake import label_files
from labeling.task_types.base import TEXT, TaskType
from marketplace.models import Account

Lines = Iterator[bytes] | BinaryIO

LINES_LOOKED_AT = 1000
"""Lines of a manifest in which its label attribute is looked for."""


@dataclass(frozen=True)
class Reading:
    """What is read of a manifest: labels of this type under this attribute, "" for the only one there is."""

    kind: TaskType[Any, Any]
    account: Account
    attribute: str = ""

    def with_attribute(self, lines: Lines) -> "Reading":
        """The same with the attribute, looked for where none is named. Raises ValueError for none, or several."""
        if self.attribute:
            return self
        seen: dict[str, None] = {}
        for number, line in enumerate(self._parsed(lines)):
            if number == LINES_LOOKED_AT:
                break
            if isinstance(line, manifest.Line):
                seen.update(dict.fromkeys(name for name in line.attributes if self._fits(line.attributes, name)))
        what = kinds.WORDS[self.kind.part][1]
        if len(seen) == 1:
            return replace(self, attribute=next(iter(seen)))
        if not seen:
            raise ValueError(f"is a manifest without {what}: no attribute has the form of labels of {self.kind.name}")
        raise ValueError(f"has {what} under several attributes ({', '.join(seen)}): name the one to read")

    def classes(self, lines: Lines) -> tuple[tuple[str, ...], int]:
        """(the classes in the order of their ids, as far as the labels say them, the number of lines)."""
        labels: dict[str, None] = {}
        total = 0
        for line in self._parsed(lines):
            total += 1
            if isinstance(line, manifest.Line):
                labels.update(dict.fromkeys(self._classes(line.attributes)))
        return tuple(labels), total

    def found(self, lines: Lines, name: str) -> Iterator[FoundImage | BadItem]:
        """Every line as it is; `name` stands before the lines in messages."""
        for line in self._parsed(lines):
            where = f"{name}line {line.number}"
            if isinstance(line, manifest.BadLine):
                yield BadItem(where, line.reason)
            else:
                yield self._line(line, where)

    def _parsed(self, lines: Lines) -> Iterator[manifest.Line | manifest.BadLine]:
        sources = manifest.KINDS if self.kind.medium == TEXT else (manifest.SOURCE_REF,)
        return manifest.parse(lines, kinds=sources, schemes=None)

    def _fits(self, attributes: Mapping[str, Any], name: str) -> bool:
        """Whether a member is a label of the type. Files are not read for it."""
        metadata = attributes.get(f"{name}-metadata")
        if not isinstance(metadata, Mapping) and (metadata is not None or self.kind.part != kinds.BOXES):
            return False
        if self.kind.label_is_file:
            return isinstance(metadata, Mapping) and "internal-color-map" in metadata
        try:
            self.kind.read_manifest(attributes, name)
        except ValueError:
            return False
        return True

    def _classes(self, attributes: Mapping[str, Any]) -> list[str]:
        metadata = attributes.get(f"{self.attribute}-metadata")
        listed = metadata if isinstance(metadata, Mapping) else {}
        if isinstance(colors := listed.get("internal-color-map"), Mapping):
            named = {key: one.get("class-name") for key, one in colors.items() if isinstance(one, Mapping)}
            return [name for name in _by_id(named) if name.upper() != BACKGROUND]
        found = _by_id(listed["class-map"]) if isinstance(listed.get("class-map"), Mapping) else []
        if self.kind.label_is_file or augmented_reading.label_state(attributes, self.attribute) != "labeled":
            return found
        try:
            label = self.kind.read_manifest(attributes, self.attribute)
        except ValueError:
            return []  # Reading the line says so by its number.
        return found + [part.label for part in self.kind.parts(label.answer)]

    def _line(self, line: manifest.Line, where: str) -> FoundImage:
        ref, given = line.source_ref or "", manifest.source_name(line.attributes)
        names = tuple(dict.fromkeys(part for part in (given, manifest.path_of(ref) if ref else "") if part))
        labeled = augmented_reading.label_state(line.attributes, self.attribute) == "labeled"
        found = FoundImage(where, names, uri=ref, labeled=labeled)
        if line.source is not None:
            found = found_text(where, line.source, name=given, labeled=labeled)
        if not labeled:
            return found
        try:
            attributes = label_files.with_file(line.attributes, self.attribute, kind=self.kind, account=self.account)
            label = self.kind.read_manifest(attributes, self.attribute)
        except ValueError as error:
            return replace(found, problems=(BadItem(where, str(error)),))
        word = kinds.WORDS[self.kind.part][0]
        parts = self.kind.parts(label.answer)
        return replace(
            found,
            size=label.image_size,
            size_problem=f"{self.attribute!r} has no image_size",
            parts=tuple(FoundPart(f"{where} {word} {n}", part) for n, part in enumerate(parts, start=1)),
            confidence=getattr(label.answer, "confidence", None),
        )


def _by_id(named: Mapping[Any, Any]) -> list[str]:
    """The names in the order of their ids."""
    ids = {
        int(key): name.strip(BLANKS) for key, name in named.items() if str(key).isdecimal() and isinstance(name, str)
    }
    return [ids[number] for number in sorted(ids)]
