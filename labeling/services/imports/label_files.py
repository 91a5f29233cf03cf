"""Opens a label file, whatever its format, and reads from it images with boxes as the file has them.

Knows neither which images there are nor what becomes of the labels.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from posixpath import splitext
from typing import BinaryIO

from labeling.formats import augmented, augmented_reading, manifest
from labeling.formats.interchange import detection
from labeling.formats.interchange.archives import ArchiveReader
from labeling.formats.interchange.coco import CocoFile, read_coco
from labeling.formats.interchange.items import BadItem, FoundBox, FoundImage
from labeling.formats.interchange.voc import find_voc
from labeling.formats.interchange.yolo import YoloArchive
from labeling.services.imports.limits import AUTO
from marketplace.errors import Invalid

Found = Iterator[FoundImage | BadItem]

LINES_LOOKED_AT = 1000
"""Lines of a manifest in which its label attribute is looked for."""


@dataclass(frozen=True)
class LabelFile:
    """A label file: its format, the classes it declares in their order, and a way to read its images from the start.

    `total` is how many images there will be, 0 when that is not known. `archive`: whether it is a zip, which may have
    the images, too. `attribute`: of a manifest, what its labels are under.
    """

    format: str
    labels: tuple[str, ...]
    found: Callable[[], Found]
    total: int = 0
    archive: bool = False
    attribute: str = ""


def open_file(stream: BinaryIO, *, asked: str = AUTO, attribute: str = "") -> LabelFile:
    """The label file in a seekable stream, read as the format asked for, or as what it shows to be.

    `attribute` is that of a manifest's labels, "" for the only one there is. Raises Invalid that says what was found
    and what to do.
    """
    try:
        kind = detection.of_file(stream)
        if kind == "zip":
            return _of_archive(ArchiveReader(stream), asked, attribute)
        if asked not in (AUTO, kind):
            raise ValueError(f"is a {kind} file by its content, {asked} was asked for")
        if kind == "coco":
            stream.seek(0)
            return _of_coco([("", read_coco(stream, max_bytes=detection.MAX_COCO))])
        return _of_manifest(lambda: _lines(stream), attribute, "")
    except ValueError as error:
        raise Invalid(f"the label file {error}", field="uri") from None


def _of_archive(archive: ArchiveReader, asked: str, attribute: str) -> LabelFile:
    there = detection.in_archive(archive)
    if asked == AUTO and len(there) > 1:
        said = " and ".join(f"{kind} ({members[0]})" for kind, members in there.items())
        raise ValueError(f"holds labels of several formats, {said}: choose the one to read")
    kind = next(iter(there), "") if asked == AUTO else asked
    if kind not in there:
        looked = "COCO, VOC or YOLO labels, or a manifest" if asked == AUTO else f"labels of the format {asked}"
        has = f"; it has {', '.join(there)}" if there else ""
        raise ValueError(
            f"holds no {looked}{has}. COCO is a .json, VOC has .xml files, YOLO .txt files with a data.yaml, "
            "classes.txt or obj.names"
        )
    members = there[kind]
    if kind == "coco":
        return replace(_coco_members(archive, members), archive=True)
    if kind == "voc":
        return LabelFile("voc", (), lambda: find_voc(archive), len(members), True)
    if kind == "yolo":
        yolo = YoloArchive(archive)
        return LabelFile("yolo", yolo.labels, yolo.found, len(members), True)
    if len(members) > 1:
        raise ValueError(f"holds several manifests ({', '.join(members[:3])}): import them one by one")
    raw = archive.read(members[0], detection.MAX_COCO)
    lines = raw.splitlines(keepends=True)
    return replace(_of_manifest(lambda: iter(lines), attribute, f"{members[0]} "), archive=True)


# --- COCO ----------------------------------------------------------------------------------------------------------


def _coco_members(archive: ArchiveReader, members: Sequence[str]) -> LabelFile:
    """The COCO files of an archive, one for each split as a rule; of several, one that cannot be read fails alone."""

    def read(member: str) -> CocoFile:
        raw = archive.read(member, detection.MAX_COCO)
        return read_coco(raw, name=member if len(members) > 1 else "")

    if len(members) == 1:
        return _of_coco([(members[0], read(members[0]))])
    labels: list[str] = []
    total = 0
    problems: dict[str, str] = {}
    for member in members:
        # One after the other, because each may take much memory.
        try:
            document = read(member)
        except ValueError as error:
            problems[member] = str(error)
            continue
        labels += document.used_labels()
        total += document.images_total
    if len(problems) == len(members):
        raise ValueError(f"{members[0]}: {problems[members[0]]}")

    def found() -> Found:
        for member in members:
            if member in problems:
                yield BadItem(member, problems[member])
            else:
                yield from _named_by_file(member, read(member).found())

    return LabelFile("coco", tuple(dict.fromkeys(labels)), found, total)


def _of_coco(documents: list[tuple[str, CocoFile]]) -> LabelFile:
    ((member, document),) = documents
    found = document.found if not member else lambda: _named_by_file(member, document.found())
    return LabelFile("coco", document.used_labels(), found, document.images_total)


def _named_by_file(member: str, items: Found) -> Found:
    """The images of a COCO file in an archive: their names may be relative to its folder, or to one named like it."""
    folder, _, name = member.rpartition("/")
    split = splitext(name)[0].removeprefix("instances_")
    for item in items:
        if isinstance(item, FoundImage) and not item.names[0].startswith("/"):
            own = item.names[0]
            beside = f"{folder}/{own}" if folder else own
            item = replace(item, names=tuple(dict.fromkeys((beside, own, f"{split}/{own}"))))
        yield item


# --- manifests -----------------------------------------------------------------------------------------------------


def _lines(stream: BinaryIO) -> BinaryIO:
    stream.seek(0)
    return stream


def _of_manifest(lines: Callable[[], Iterator[bytes] | BinaryIO], attribute: str, name: str) -> LabelFile:
    attribute = attribute or _only_attribute(lines())
    labels: dict[str, None] = {}
    total = 0
    for line in manifest.parse(lines(), kinds=(manifest.SOURCE_REF,), schemes=None):
        total += 1
        if isinstance(line, manifest.Line):
            labels.update(dict.fromkeys(_classes(line, attribute)))
    return LabelFile("manifest", tuple(labels), lambda: _found_lines(lines(), attribute, name), total, False, attribute)


def _only_attribute(lines: Iterator[bytes] | BinaryIO) -> str:
    """The attribute with boxes. Raises ValueError when there is none, or several."""
    seen: dict[str, None] = {}
    for number, line in enumerate(manifest.parse(lines, kinds=(manifest.SOURCE_REF,), schemes=None)):
        if number == LINES_LOOKED_AT:
            break
        if isinstance(line, manifest.Line):
            seen.update(dict.fromkeys(name for name, value in line.attributes.items() if _is_boxes(line, name, value)))
    if len(seen) == 1:
        return next(iter(seen))
    if not seen:
        raise ValueError("is a manifest without boxes: no attribute has the form of bounding-box labels")
    raise ValueError(f"has boxes under several attributes ({', '.join(seen)}): name the one to read")


def _is_boxes(line: manifest.Line, name: str, value: object) -> bool:
    metadata = line.attributes.get(f"{name}-metadata")
    kind = metadata.get("type") if isinstance(metadata, dict) else None
    has_boxes = isinstance(value, dict) and isinstance(value.get("annotations"), list)
    return has_boxes and kind in (None, augmented.TYPE_BOXES)


def _classes(line: manifest.Line, attribute: str) -> list[str]:
    """The classes of a line in the order of their ids."""
    try:
        label = augmented_reading.read_boxes(line.attributes, attribute)
    except ValueError:
        return []  # Reading the line says so by its number.
    return [label.class_map[number] for number in sorted(label.class_map)] + [box.label for box in label.boxes]


def _found_lines(lines: Iterator[bytes] | BinaryIO, attribute: str, name: str) -> Found:
    for line in manifest.parse(lines, kinds=(manifest.SOURCE_REF,), schemes=None):
        where = f"{name}line {line.number}"
        if isinstance(line, manifest.BadLine):
            yield BadItem(where, line.reason)
            continue
        ref, given = line.source_ref or "", manifest.source_name(line.attributes)
        names = tuple(dict.fromkeys(part for part in (given, manifest.path_of(ref)) if part))
        if augmented_reading.label_state(line.attributes, attribute) != "labeled":
            yield FoundImage(where, names, uri=ref, labeled=False)
            continue
        try:
            label = augmented_reading.read_boxes(line.attributes, attribute)
        except ValueError as error:
            yield FoundImage(where, names, uri=ref, problems=(BadItem(where, str(error)),))
            continue
        yield FoundImage(
            where,
            names,
            uri=ref,
            size=label.image_size,
            size_problem=f"{attribute!r} has no image_size",
            boxes=tuple(FoundBox(f"{where} box {n + 1}", box) for n, box in enumerate(label.boxes)),
        )
