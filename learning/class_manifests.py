"""From a channel's manifest to the images or texts that a classifier or a segmenter learns from or looks at.

It must not know pixels, torch, scikit-learn or Django: nothing is opened here but the manifest.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from labeling.formats import mask_labels, texts
from labeling.formats.augmented_reading import (
    ClassLabel,
    label_metadata,
    label_state,
    label_value,
    read_class,
    read_classes,
    read_masks,
)
from labeling.formats.manifest import KINDS, SOURCE_REF, BadLine, Line, parse
from labeling.formats.masks import MAX_PNG_BYTES
from labeling.formats.shapes import Segmentation
from learning.contract import OBJECT_ID_KEY, BadInput

MAX_LINE = 10_000_000  # staged by our own supervisor: a label may be longer than AWS lets a user send
CUT_OFF = 0.5
"""Of several classes those count that are more likely right than this, as everywhere labels with confidences are."""


class Unreadable(ValueError):
    """An object that cannot be read; the message says why."""


@dataclass(frozen=True)
class Mask:
    """The label of an image that is a PNG: its file, and what the metadata of its attribute say of it."""

    path: Path
    attribute: str
    metadata: Mapping[str, Any]

    def read(self) -> Segmentation:
        """The masks of the classes. Raises Unreadable."""
        try:
            with self.path.open("rb") as stream:
                data = stream.read(MAX_PNG_BYTES + 1)
            label = read_masks({self.attribute: data, f"{self.attribute}-metadata": self.metadata}, self.attribute)
            return mask_labels.read_classes(label, self.attribute)
        except (OSError, ValueError) as error:
            raise Unreadable(str(error)) from error


@dataclass(frozen=True)
class Item:
    """One manifest line: an image or a text, by its address or as it is, and its classes when it is labeled."""

    index: int  # zero-based place in the manifest
    source_ref: str
    path: Path | None
    source: str | None
    object_id: int | None
    classes: tuple[str, ...] = ()
    mask: Mask | None = None

    @property
    def number(self) -> int:
        return self.index + 1

    def text(self) -> str:
        """The text. Raises Unreadable."""
        try:
            if self.source is not None:
                return texts.check(self.source)
            assert self.path is not None  # a line has one or the other
            with self.path.open("rb") as stream:
                data = stream.read(texts.MAX_BYTES + 1)
            return texts.read(data)
        except (OSError, texts.TextError) as error:
            raise Unreadable(f"the text {error}" if isinstance(error, texts.TextError) else str(error)) from error


@dataclass(frozen=True)
class Labels:
    """The labeled lines of a manifest, the class names it mentions, and how many lines carry no label."""

    items: list[Item]
    class_map: dict[int, str]
    unlabeled: int


class Read(NamedTuple):
    """The label of a line: its classes, its mask, and the classes that it says have ids."""

    classes: tuple[str, ...]
    mask: Mask | None
    class_map: Mapping[int, str]


def read_items(manifest: Path, *, of_texts: bool) -> Iterator[Item]:
    """Every line's object, streamed; raises BadInput naming the first line that cannot be used."""
    for line in read_lines(manifest, KINDS if of_texts else (SOURCE_REF,)):
        yield _item(line, manifest)


def read_class_labels(manifest: Path, attribute: str, *, several: bool, of_texts: bool) -> Labels:
    """The lines with a class under `attribute`, or with any number of them.

    Lines without it, or failed ones, are counted. Raises BadInput naming the line that is wrong, or when no line is
    labeled.
    """

    def read(line: Line, name: str) -> Read:
        label = (read_classes if several else read_class)(line.attributes, name)
        return Read(_likely(label) if several else label.vote.labels, None, label.class_map)

    return _read_labels(manifest, attribute, read, of_texts=of_texts)


def read_mask_labels(manifest: Path, attribute: str) -> Labels:
    """The lines with a mask under `attribute`; the classes of an item are those that its metadata name."""

    def read(line: Line, name: str) -> Read:
        file, metadata = label_value(line.attributes, name), label_metadata(line.attributes, name)
        if not isinstance(file, str):
            raise ValueError(f"{name!r} is not a segmentation label: the address of a PNG was expected")
        return Read(_mask_classes(metadata, name), Mask(_local(file, manifest), name, metadata), {})

    return _read_labels(manifest, attribute, read, of_texts=False)


def _read_labels(manifest: Path, attribute: str, read: Callable[[Line, str], Read], *, of_texts: bool) -> Labels:
    channel = manifest.parent.name
    items: list[Item] = []
    class_map: dict[int, str] = {}
    unlabeled, keys = 0, set[str]()
    for line in read_lines(manifest, KINDS if of_texts else (SOURCE_REF,)):
        if label_state(line.attributes, attribute) != "labeled":
            unlabeled += 1
            keys.update(line.attributes)
            continue
        where = f"{channel} channel, line {line.number}"
        try:
            classes, mask, named = read(line, attribute)
        except ValueError as error:
            raise BadInput(f"{where}: {error}") from error
        for number, name in named.items():
            if (known := class_map.setdefault(number, name)) != name:
                raise BadInput(f"{where}: class {number} is {name!r}, but {known!r} in an earlier line")
        items.append(_item(line, manifest, classes, mask))
    if not items:
        seen = f"; keys found: {', '.join(sorted(keys)[:8])}" if keys else " (the manifest is empty)"
        raise BadInput(f"{channel} channel: no line has a label under {attribute!r}{seen}")
    return Labels(items, class_map, unlabeled)


def resolve_class_map(given: Mapping[str, str], num_classes: int, channels: Mapping[str, Labels]) -> dict[str, str]:
    """Class id (text) -> name in the order of the model's outputs.

    `given` (a hyperparameter) rules; else the ids that the manifests name; else the names in alphabetical order, from 0
    on. Raises BadInput naming the line whose class is not among them, or when there is no class at all.
    """
    named: dict[int, str] = {int(number): name for number, name in given.items()}
    if not named:
        for labels in channels.values():
            named = labels.class_map | named
        used = {name for labels in channels.values() for item in labels.items for name in item.classes}
        if used - set(named.values()):
            named = dict(enumerate(sorted(used | set(named.values()))))
    if not named:
        raise BadInput("no line names a class: there is nothing to learn (give 'class_map' to say the classes)")
    if num_classes and num_classes != len(named):
        raise BadInput(f"hyperparameter 'num_classes' is {num_classes}, but there are {len(named)} classes")
    names = set(named.values())
    for channel, labels in channels.items():
        for item in labels.items:
            if unknown := [name for name in item.classes if name not in names]:
                known = ", ".join(sorted(names)[:20])
                raise BadInput(
                    f"{channel} channel, line {item.number}: {unknown[0]!r} is not one of the classes ({known})"
                )
    return {str(number): named[number] for number in sorted(named)}


def _likely(label: ClassLabel) -> tuple[str, ...]:
    """The classes that a label with several says; confidences that are all 0 are unknown ones."""
    sure = label.vote.confidences
    if not sure or not any(sure):
        return label.vote.labels
    return tuple(name for name, one in zip(label.vote.labels, sure, strict=True) if one > CUT_OFF)


def _mask_classes(metadata: Mapping[str, Any], attribute: str) -> tuple[str, ...]:
    """The classes in a mask's metadata, without the background."""
    given = metadata.get("internal-color-map")
    if not isinstance(given, Mapping) or not all(isinstance(entry, Mapping) for entry in given.values()):
        raise ValueError(f"{attribute}-metadata.internal-color-map is missing or not an object of objects")
    names = dict.fromkeys(str(entry.get("class-name", "")) for entry in given.values())
    return tuple(name for name in names if name.upper() != mask_labels.BACKGROUND)


def read_lines(manifest: Path, kinds: Sequence[str] = (SOURCE_REF,)) -> Iterator[Line]:
    """The lines of a channel's manifest; raises BadInput naming the first that is not one."""
    try:
        stream = manifest.open("rb")
    except FileNotFoundError as error:
        raise BadInput(f"{manifest.parent.name} channel: {manifest.name} is missing") from error
    with stream:
        for line in parse(stream, kinds=kinds, schemes=None, max_line=MAX_LINE, max_attribute=MAX_LINE):
            if isinstance(line, BadLine):
                raise BadInput(f"{manifest.parent.name} channel, {line}")
            yield line


def object_of(line: Line, manifest: Path) -> tuple[int | None, Path | None]:
    """The number of a line's object and the file that its source-ref names, as far as it has them; raises BadInput
    naming the line where that is no file of this machine."""
    where = f"{manifest.parent.name} channel, line {line.number}"
    object_id = line.attributes.get(OBJECT_ID_KEY)
    if object_id is not None and not isinstance(object_id, int):
        raise BadInput(f"{where}: {OBJECT_ID_KEY!r} must be a whole number, found {object_id!r}")
    try:
        return object_id, _local(line.source_ref, manifest) if line.source_ref else None
    except ValueError as error:
        raise BadInput(f"{where}: 'source-ref' {error}") from error


def _item(line: Line, manifest: Path, classes: tuple[str, ...] = (), mask: Mask | None = None) -> Item:
    object_id, path = object_of(line, manifest)
    return Item(line.index, line.source_ref or "", path, line.source, object_id, classes, mask)


def _local(reference: str, manifest: Path) -> Path:
    """The file that is meant: an absolute path, one relative to the channel's folder, or a file:// URI."""
    parts = urlsplit(reference)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return Path(unquote(parts.path))
    if "://" in reference:
        raise ValueError(f"must be a local file here, found {reference[:120]!r}")
    return manifest.parent / reference
