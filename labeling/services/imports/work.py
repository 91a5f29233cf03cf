"""Takes the labels of a file over, object by object: finds the object, lays the label onto it, and hands it on.

What is handed on becomes golds or a new data set; what is said of each object goes into the report.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from labeling.formats import texts
from labeling.formats.images import ImageInfo
from labeling.formats.interchange import kinds
from labeling.formats.interchange.items import CLIPPED, REPAIRED, BadItem, FoundImage, FoundPart, text_key
from labeling.formats.interchange.matching import NoMatch
from labeling.formats.label_categories import UNWRITABLE_CHARACTERS
from labeling.models import ImportOutcome, LabelImport
from labeling.services.imports import pictures, placing
from labeling.services.imports.label_files import LabelFile
from labeling.services.imports.limits import MAX_CLASSES
from labeling.services.imports.pictures import Occurrences, Pictures
from labeling.services.imports.placing import Placed
from labeling.services.imports.reports import Report
from labeling.services.jobs.limits import LABEL_LENGTH
from labeling.task_types.base import IMAGE, TEXT, TaskType, count
from marketplace.services import boundaries

IMPORTED = "imported"
CERTAIN = 1.0
"""The confidence of a part whose file has none: it was somebody's decision."""

CHUNK = 200
"""Objects that are measured and stored together."""


class Work:
    """One import while its label file is read. `labels` are the classes so far, in the order of their ids."""

    def __init__(
        self,
        row: LabelImport,
        kind: TaskType[Any, Any],
        file: LabelFile,
        images: Pictures,
        target: Any,
        labels: list[str],
        report: Report,
    ):
        self.row, self.kind, self.file, self.images = row, kind, file, images
        self.target, self.labels, self.report = target, labels, report
        self.labeled = self.parts = 0
        self._seen: dict[int, str] = {}  # place of the image -> where its label stands
        self._known = set(labels)
        self._said: list[list[BadItem]] = []  # of each image of a chunk
        self._allowed = frozenset([*row.job.labels, *row.job.earlier_labels]) if row.job is not None else None
        # A manifest names its objects by their addresses, so it needs no others.
        self._direct = not images.keys
        if self._direct:
            images.manifest_uri = row.uri
        self._reader = boundaries.Reader(row.account)
        self._texts = Occurrences()

    def counts(self) -> dict[str, int]:
        """What the import shows: objects, labeled ones, what they have, and the lines of the report by outcome."""
        known = {"images": len(self.images.keys), "labeled": self.labeled, "parts": self.parts}
        return {**known, **{outcome: self.report.counts[outcome] for outcome in ImportOutcome.values}}

    def run(self) -> Iterator[int]:
        """Take over every object of the file; yields how many were read after each chunk."""
        done = 0
        stream = iter(self.file.found())
        while chunk := list(islice(stream, CHUNK)):
            self._take(chunk)
            done += len(chunk)
            yield done

    def _take(self, chunk: list[FoundImage | BadItem]) -> None:
        """Take over some objects; what is said of them goes into the report in the order of the file."""
        self._said = [[] for _ in chunk]
        places = [self._place(at, item) if isinstance(item, FoundImage) else None for at, item in enumerate(chunk)]
        entries = self.images.index.entries
        wanted = [entries[place].uri for place in places if place is not None]
        infos = pictures.measured(wanted) if self.kind.medium == IMAGE else {}
        waiting: list[tuple[int, int, FoundImage, Placed]] = []
        for at, (item, place) in enumerate(zip(chunk, places, strict=True)):
            if isinstance(item, BadItem):
                self._said[at].append(item)
            elif place is not None and (placed := self._placed(at, item, place, infos)) is not None:
                if reason := self.target.take(place, placed):
                    self._skip(at, item.where, reason, placed.problems)
                else:
                    waiting.append((at, place, item, placed))
        refused = self.target.flush()
        for at, place, item, placed in waiting:
            if place in refused:
                self._skip(at, item.where, f"{entries[place].name}: {refused[place]}", placed.problems)
            else:
                self._taken(at, item, entries[place].name, placed)
        for problem in (one for some in self._said for one in some):
            self.report.add(problem.where, ImportOutcome(problem.done), problem.reason)

    def _place(self, at: int, found: FoundImage) -> int | None:
        """The place of the image that is meant; None, with a line in the report, when there is none to label."""
        try:
            place = self._direct_place(found) if self._direct else self._find(found)
        except NoMatch as error:
            self._skip(at, found.where, str(error), found.problems)
            return None
        if not found.labeled:
            return None
        if place in self._seen:
            name = self.images.index.entries[place].name
            what = "text" if self.kind.medium == TEXT else "image"
            self._skip(
                at,
                found.where,
                f"the {what} {name} has its label already, from {self._seen[place]}".replace("  ", " "),
                (),
            )
            return None
        self._seen[place] = found.where
        return place

    def _find(self, found: FoundImage) -> int:
        """The object that is meant: a text by where it stands, its address, or what it says. Raises NoMatch."""
        if found.text is None:
            return self.images.index.find(found)
        if (own := self.images.index.at(pictures.own_key(found))) is not None:
            return own
        key = self._texts.key(found.text)
        if found.uri != text_key(found.text) and self.images.index.at(found.uri) is not None:
            return self.images.index.find(found)
        return self.images.index.find(replace(found, uri=key))

    def _direct_place(self, found: FoundImage) -> int:
        """The object of a manifest's line. Raises NoMatch when the account may not read it, or it came before."""
        uri = found.uri
        if found.text is not None:
            uri = pictures.own_key(found)
        elif reason := self._reader.refusal(uri):
            raise NoMatch(reason)
        elif "://" not in uri:
            raise NoMatch(f"'source-ref' is no address ({uri[:100]!r}): choose the data set that has the images")
        if (known := self.images.index.at(uri)) is not None:
            return known
        self.images.add(found.names[0] if found.names else "", uri, int(found.where.rpartition(" ")[2]))
        return len(self.images.keys) - 1

    def _placed(self, at: int, found: FoundImage, place: int, infos: dict[str, ImageInfo | None]) -> Placed | None:
        """What is on the object; None, with lines in the report, when it stays without a label."""
        parts, others = self._of_usable_classes(found)
        try:
            wanted = replace(found, parts=parts)
            placed = self._text(wanted, place) if self.kind.medium == TEXT else self._image(wanted, place, infos)
        except ValueError as error:
            self._skip(at, found.where, str(error), found.problems)
            return None
        # Parts of classes that a job does not ask about are no part of its golds, which are whole without them.
        unusable = bool(any(map(placing.missing, found.problems)) or parts or (others and self._allowed is None))
        one, many = kinds.WORDS[self.kind.part]
        if not placed.parts and unusable:
            problems = [*placed.problems, *others]
            self._skip(at, found.where, f"none of its {many} could be used: it stays without a label", problems)
            return None
        if not placed.parts and self.row.without_boxes == "unlabeled":
            said = f"is listed without {many}: it stays without a label, as was asked for"
            self._skip(at, found.where, said, [*placed.problems, *others])
            return None
        sure = [part if part.confidence is not None else replace(part, confidence=CERTAIN) for part in placed.parts]
        try:
            placed.answer, said = self.kind.of_parts(sure, size=placed.size[:2], confidence=found.confidence)
        except ValueError as error:
            self._skip(at, found.where, str(error), [*placed.problems, *others])
            return None
        if said:
            placed.problems.append(BadItem(found.where, said, CLIPPED))
        placed.aside = others
        return placed

    def _image(self, found: FoundImage, place: int, infos: dict[str, ImageInfo | None]) -> Placed:
        info = infos[self.images.index.entries[place].uri]
        if info is not None and not info.ok:
            raise ValueError(f"the image cannot be used: {info.problem}")
        return placing.place(found, info)

    def _text(self, found: FoundImage, place: int) -> Placed:
        """Spans lie in the very text that the object has; for classes it does not matter."""
        uri = self.images.index.entries[place].uri
        text = found.text
        if self.kind.part == kinds.SPANS and not uri.startswith(("text:", "place:", "http://", "https://")):
            stored = pictures.text_at(uri)
            if text is not None and text != stored:
                raise ValueError("the text in the file is not the text of the object")
            text = stored
        if text is None and self.kind.part == kinds.SPANS:
            raise ValueError("the text cannot be read from here")
        try:
            return placing.place_text(found, len(texts.check(text or " ?")))
        except texts.TextError as error:
            raise ValueError(f"the text {error}") from None

    def _of_usable_classes(self, found: FoundImage) -> tuple[tuple[FoundPart, ...], list[BadItem]]:
        kept, others = [], []
        for one in found.parts:
            if reason := self._class_problem(one.part.label):
                others.append(BadItem(one.where, reason))
            else:
                kept.append(one)
        return tuple(kept), others

    def _class_problem(self, label: str) -> str:
        if label in self.kind.reserved_labels:
            return f"no class may be called {label!r}"
        if self._allowed is not None:
            return "" if label in self._allowed else f"{label!r} is not one of the job's labels"
        if label in self._known:
            return ""
        if len(label) not in LABEL_LENGTH or UNWRITABLE_CHARACTERS.search(label):
            return f"the class {label[:60]!r} cannot be used: {LABEL_LENGTH} characters expected"
        if len(self._known) == MAX_CLASSES:
            return f"the file has more than {MAX_CLASSES:,} different classes: its class names are no classes"
        self._known.add(label)
        self.labels.append(label)
        return ""

    def _taken(self, at: int, found: FoundImage, name: str, placed: Placed) -> None:
        self.labeled += 1
        self.parts += len(placed.parts)
        said = f"{name}: {count(len(placed.parts), *kinds.WORDS[self.kind.part])}".removeprefix(": ")
        how = REPAIRED if placed.note else IMPORTED
        self._said[at] += [BadItem(found.where, f"{said}; {placed.note}" if placed.note else said, how)]
        self._said[at] += [*placed.problems, *placed.aside]

    def _skip(self, at: int, where: str, reason: str, problems: Iterable[BadItem]) -> None:
        self._said[at] += [BadItem(where, reason), *problems]
