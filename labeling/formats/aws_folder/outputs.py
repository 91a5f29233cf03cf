"""Output folders of Ground Truth jobs, and manifests that stand alone: which labels they hold, and what reads them.

Pure; a manifest is read line by line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from labeling.formats import augmented_reading, manifest
from labeling.formats.aws_folder.things import DIFFERS, MANIFEST, OUTPUT, RUNS, STOPS, Known, Thing, counted

OUTPUT_MANIFEST = Path("manifests/output/output.manifest")
RESPONSES = Path("annotations/worker-response")
ACTIVE_LEARNING = ("activelearning", "active-learning", "inference", "training")
MASKS = "annotations/consolidated-annotation/output/"
PARTS = ("manifests", "annotations", *ACTIVE_LEARNING)
"""Folders of a job's output; what they hold is read through the manifest."""

METADATA = "-metadata"
VERIFICATION = "groundtruth/label-verification"
CUSTOM = "groundtruth/custom"
MOST_BAD = 5


class _Seen:
    """What the lines of a manifest have in common."""

    def __init__(self) -> None:
        self.lines = 0
        self.bad: list[manifest.BadLine] = []
        self.bad_lines = 0
        self.states: dict[str, Counter[str]] = {}
        self.types: dict[str, Counter[str]] = {}
        self.reasons: Counter[str] = Counter()
        self.places: Counter[str] = Counter()
        self.files: dict[str, list[str]] = {}

    def add(self, line: manifest.Line) -> None:
        """Count a good line."""
        self.lines += 1
        if line.source_ref:
            self.places["/".join(line.source_ref.split("/")[:3])] += 1
        for name, value in line.attributes.items():
            if not name.endswith(METADATA) or not isinstance(value, dict):
                continue
            attribute = name.removesuffix(METADATA)
            state = augmented_reading.label_state(line.attributes, attribute)
            self.states.setdefault(attribute, Counter())[state] += 1
            if state == "failed":
                self.reasons[str(augmented_reading.failure_reason(line.attributes, attribute))[:200]] += 1
            if state == "labeled":
                self.types.setdefault(attribute, Counter())[str(value.get("type", ""))] += 1
                found = line.attributes[attribute]
                if isinstance(found, str) and MASKS in found:
                    self.files.setdefault(attribute, []).append(found)


def read_output(folder: Path, root: Path, known: Known) -> Thing:
    """The output folder of one job."""
    thing = _read(folder / OUTPUT_MANIFEST, root, Thing(OUTPUT, folder.name, folder.relative_to(root)), known, folder)
    answers = sum(1 for _ in (folder / RESPONSES).rglob("*.json")) if (folder / RESPONSES).is_dir() else 0
    if answers:
        thing.says(
            RUNS,
            f"{counted(answers, 'file')} of workers' answers left where they are: labels are imported, answers not",
        )
    if any((folder / name).is_dir() for name in ACTIVE_LEARNING):
        thing.says(RUNS, "the folders of automated labeling are not needed: a model is trained anew from the labels")
    return thing


def read_manifest(path: Path, root: Path, known: Known) -> Thing:
    """A manifest that stands alone."""
    return _read(path, root, Thing(MANIFEST, path.stem, path.relative_to(root)), known, path.parent)


def is_manifest(start: bytes) -> bool:
    """Whether a file that begins so is a manifest: its first line is an object that names its data object."""
    line = next(iter(start.splitlines()), b"").removeprefix(b"\xef\xbb\xbf")
    try:
        first = orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return isinstance(first, dict) and any(name in first for name in manifest.KINDS)


def _read(path: Path, root: Path, thing: Thing, known: Known, folder: Path) -> Thing:
    seen = _Seen()
    with path.open("rb") as stream:
        for line in manifest.parse(stream):
            if isinstance(line, manifest.BadLine):
                seen.bad_lines += 1
                seen.bad += [line] if len(seen.bad) < MOST_BAD else []
            else:
                seen.add(line)
    thing.data = {"manifest": path, "folder": folder, "labels": {}}
    for bad in seen.bad:
        thing.says(DIFFERS, f"is left out: {bad.reason}", f"{path.name}:{bad.number}")
    if seen.bad_lines > len(seen.bad):
        thing.says(DIFFERS, f"{seen.bad_lines:,} lines in all are left out")
    if not seen.lines:
        thing.says(STOPS, "holds no data object")
    for attribute in seen.states:
        _attribute(thing, attribute, seen, known)
    if not thing.data["labels"] and seen.lines:
        thing.says(RUNS, f"{counted(seen.lines, 'data object')} for a data set without labels")
    for reason, count in seen.reasons.most_common(MOST_BAD):
        thing.says(RUNS, f"{counted(count, 'object')} failed there, unlabeled here: {reason}")
    for place, count in seen.places.most_common():
        if place.startswith("s3://"):
            thing.says(DIFFERS, _lies_at(place, count))
    return thing


def _lies_at(place: str, count: int) -> str:
    return (
        f"{counted(count, 'data object')} in {place}: this installation has to reach that bucket and the operator to "
        f"grant it (WAGGLE_S3_INPUT_BUCKETS), or copy them and name the copy (--map {place}/=...)"
    )


def _attribute(thing: Thing, attribute: str, seen: _Seen, known: Known) -> None:
    counts = seen.states[attribute]
    types = seen.types.get(attribute, Counter())
    if not types:
        thing.says(RUNS, f"no object has a label under {attribute!r}")
        return
    kind = types.most_common(1)[0][0]
    if len(types) > 1:
        found = ", ".join(f"{name or 'none'} ({count:,})" for name, count in types.most_common())
        thing.says(DIFFERS, f"labels of several types stand under {attribute!r}, the commonest is read: {found}")
    reader = known.label_types.get(kind)
    number = counted(counts["labeled"], "label")
    if reader is not None:
        thing.data["labels"][attribute] = reader
        thing.says(RUNS, f"{number} of the type {reader} under {attribute!r}, read here")
        _masks(thing, seen.files.get(attribute, ()))
    elif kind in (VERIFICATION, CUSTOM):
        what = "judgments of other labels" if kind == VERIFICATION else "labels of a form of one's own"
        thing.says(DIFFERS, f"{number} under {attribute!r}: {what} ({kind}), which stay in the lines, unread")
    else:
        thing.says(STOPS, f"{number} under {attribute!r} of the type {kind or 'none'}, which nothing here reads")


def _masks(thing: Thing, addresses: Iterable[str]) -> None:
    """Find the files of masks, which a manifest names by their addresses in S3, in the folder."""
    found: dict[str, Path] = {}
    missing: list[str] = []
    for address in addresses:
        path = thing.data["folder"] / (MASKS + address.rpartition(MASKS)[2])
        if path.is_file():
            found[address] = path
        else:
            missing.append(address)
    files: dict[str, Any] = thing.data.setdefault("masks", {})
    files.update(found)
    if missing:
        thing.says(DIFFERS, f"{counted(len(missing), 'mask')} missing in the folder, read where it lies: {missing[0]}")
