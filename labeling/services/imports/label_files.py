"""Opens a label file, whatever its format, and reads from it images or texts with what is on them as the file has it.

Knows neither which objects there are nor what becomes of the labels.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from posixpath import splitext
from typing import Any, BinaryIO

from labeling.formats.interchange import class_tables, conll, detection, kinds, text_lines
from labeling.formats.interchange.archives import ArchiveReader
from labeling.formats.interchange.coco_reading import CocoFile, read_coco
from labeling.formats.interchange.cvat import CvatFile
from labeling.formats.interchange.items import BadItem, FoundImage
from labeling.formats.interchange.label_studio import LabelStudioFile
from labeling.formats.interchange.mask_files import MaskArchive
from labeling.formats.interchange.voc import find_voc
from labeling.formats.interchange.yolo import YoloArchive
from labeling.services.imports import label_manifests
from labeling.services.imports.limits import AUTO
from labeling.task_types.base import TEXT, TaskType
from marketplace.errors import Invalid
from marketplace.models import Account

Found = Iterator[FoundImage | BadItem]
Kind = TaskType[Any, Any]


@dataclass(frozen=True)
class LabelFile:
    """A label file: its format, the classes it declares in their order, and a way to read its objects from the start.

    `total` is how many there will be, 0 when that is not known. `archive`: whether it is a zip, which may have the
    images, too. `others` are its members that look like images and are masks.
    """

    format: str
    labels: tuple[str, ...]
    found: Callable[[], Found]
    total: int = 0
    archive: bool = False
    others: frozenset[str] = frozenset()


def open_file(stream: BinaryIO, *, kind: Kind, account: Account, asked: str = AUTO, attribute: str = "") -> LabelFile:
    """The label file in a seekable stream, read as the format asked for, or as what it shows to be.

    What is read of it is what labels of the task type `kind` hold. `attribute` is that of a manifest's labels, "" for
    the only one there is; files that it names must be the account's to read. Raises Invalid that says what was found
    and what to do.
    """
    try:
        form = detection.of_file(stream)
        if form == "zip":
            return _of_archive(ArchiveReader(stream), kind, account, asked, attribute)
        if asked not in (AUTO, form):
            raise ValueError(f"is a {form} file by its content, {asked} was asked for")
        _require_fit(form, kind)
        if form == kinds.MANIFEST:
            given = label_manifests.Reading(kind, account, attribute)
            return _of_manifest(lambda: _lines(stream), given, "")
        return _of_document(form, stream, kind, "")
    except ValueError as error:
        raise Invalid(f"the label file {error}", field="uri") from None


def open_archive(
    archive: ArchiveReader, *, kind: Kind, account: Account, asked: str = AUTO, attribute: str = ""
) -> LabelFile:
    """As open_file, for the members of an archive that is open. Raises Invalid."""
    try:
        return _of_archive(archive, kind, account, asked, attribute)
    except ValueError as error:
        raise Invalid(f"the label archive {error}", field="uri") from None


def _require_fit(form: str, kind: Kind) -> None:
    if form not in kind.imports:
        raise ValueError(
            f"is a {form} file, but labels of the type {kind.name} are read from {', '.join(kind.imports)}"
        )


def _of_archive(archive: ArchiveReader, kind: Kind, account: Account, asked: str, attribute: str) -> LabelFile:
    there = detection.in_archive(archive)
    fit = {form: members for form, members in there.items() if form in kind.imports}
    if asked == AUTO and len(fit) > 1:
        said = " and ".join(f"{form} ({members[0]})" for form, members in fit.items() if members)
        raise ValueError(f"holds labels of several formats, {said}: choose the one to read")
    form = next(iter(fit), "") if asked == AUTO else asked
    if form not in there:
        *most, last = [kinds.TITLES[one] for one in kind.imports if one != kinds.MANIFEST]
        listed = f"{', '.join(most)} or {last}" if most else last
        looked = f"{listed} labels, or a manifest" if asked == AUTO else f"labels of the format {asked}"
        has = f"; it has {', '.join(there)}" if there else ""
        raise ValueError(f"holds no {looked}{has}. {_hints(kind)}")
    members = there[form]
    if form == "coco":
        return replace(_coco_members(archive, members, kind), archive=True)
    if form == "voc":
        return LabelFile("voc", (), lambda: find_voc(archive), len(members), True)
    if form == "yolo":
        yolo = YoloArchive(archive, wanted=kind.part)
        return LabelFile("yolo", yolo.labels, yolo.found, len(members), True)
    if form == "masks":
        masks = MaskArchive(archive, wanted=kind.part)
        return LabelFile("masks", masks.labels, masks.found, len(masks.members), True, frozenset(masks.members))
    if len(members) > 1:
        what = "manifests" if form == kinds.MANIFEST else f"{form} files"
        raise ValueError(f"holds several {what} ({', '.join(members[:3])}): import them one by one")
    raw = archive.read(members[0], detection.MAX_COCO)
    if form == kinds.MANIFEST:
        lines = raw.splitlines(keepends=True)
        given = label_manifests.Reading(kind, account, attribute)
        return replace(_of_manifest(lambda: iter(lines), given, f"{members[0]} "), archive=True)
    return replace(_of_document(form, io.BytesIO(raw), kind, members[0]), archive=True)


_FILES = {
    "coco": "COCO is a .json",
    "voc": "VOC has .xml files",
    "yolo": "YOLO .txt files with a data.yaml, classes.txt or obj.names",
    "csv": "CSV has the columns file or text, and label or labels",
    "conll": "CoNLL is a .conll with a token and its tag in each line",
    "jsonl": "JSON Lines are a .jsonl with 'text' in each line",
    "masks": "masks are PNGs in the folder masks, with a classes.csv, labelmap.txt or classes.txt",
    "labelstudio": "Label Studio's is a .json",
    "cvat": "CVAT's is an annotations.xml",
}


def _hints(kind: Kind) -> str:
    return ", ".join(_FILES[form] for form in kind.imports if form in _FILES)


def _of_document(form: str, stream: BinaryIO, kind: Kind, member: str) -> LabelFile:
    """A single file of a format that needs no others; `member` is its name in an archive."""
    name = f"{member} " if member else ""
    if form == "coco":
        stream.seek(0)
        return _of_coco([("", read_coco(stream, max_bytes=detection.MAX_COCO, wanted=kind.part))])
    if form == "labelstudio":
        stream.seek(0)
        raw = stream.read(detection.MAX_COCO + 1)
        if len(raw) > detection.MAX_COCO:
            raise ValueError(f"has more than {detection.MAX_COCO:,} bytes: split it by tasks")
        tasks = LabelStudioFile(raw, wanted=kind.part, texts=kind.medium == TEXT, name=member)
        return LabelFile(form, tasks.labels, tasks.found, tasks.total)
    if form == "cvat":
        document = CvatFile(stream, wanted=kind.part, name=member)
        return LabelFile(form, document.labels, document.found)
    read: dict[str, Callable[[], Found]] = {
        "csv": lambda: class_tables.find_csv(stream, name),
        "conll": lambda: conll.find_conll(stream, name),
        "jsonl": lambda: text_lines.find_jsonl(stream, wanted=kind.part, name=name),
    }
    return LabelFile(form, (), read[form])


# --- COCO ----------------------------------------------------------------------------------------------------------


def _coco_members(archive: ArchiveReader, members: Sequence[str], kind: Kind) -> LabelFile:
    """The COCO files of an archive, one for each split as a rule; of several, one that cannot be read fails alone."""

    def read(member: str) -> CocoFile:
        raw = archive.read(member, detection.MAX_COCO)
        return read_coco(raw, name=member if len(members) > 1 else "", wanted=kind.part)

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


def _of_manifest(
    lines: Callable[[], Iterator[bytes] | BinaryIO], reading: label_manifests.Reading, name: str
) -> LabelFile:
    chosen = reading.with_attribute(lines())
    labels, total = chosen.classes(lines())
    return LabelFile(kinds.MANIFEST, labels, lambda: chosen.found(lines(), name), total)
