"""What the requester's pages tell of a label and of its workers, in plain words and figures, for any task type.

Pure values: they know neither a type nor a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sentence:
    """A text with places for `values`, as Python's `format` fills them; `several`: the text where `number` is not 1."""

    text: str
    values: Mapping[str, Any]
    several: str = ""

    def __str__(self) -> str:
        several = self.several and self.values["number"] != 1
        return (self.several if several else self.text).format(**self.values)


class Told(str):
    """A text in English that remembers its sentences, so that a front end can tell them in another language.

    Values of sentences may be such texts themselves.
    """

    sentences: tuple[Sentence, ...]

    @classmethod
    def of(cls, *sentences: Sentence) -> Told:
        """The sentences, one after the other."""
        made = cls(" ".join(map(str, sentences)))
        made.sentences = sentences
        return made


def told(text: str, /, **values: Any) -> Told:
    """A sentence with its values."""
    return Told.of(Sentence(text, values))


def counted(number: int, text: str, several: str, /, **values: Any) -> Told:
    """A sentence about a number of things, as it is for one and for several of them."""
    return Told.of(Sentence(text, {"number": number, **values}, several))


def together(*parts: str) -> Told:
    """Several texts, one after the other."""
    each = ((part.sentences if isinstance(part, Told) else (Sentence("{text}", {"text": part}),)) for part in parts)
    return Told.of(*(sentence for sentences in each for sentence in sentences))


def answered(people: int) -> Told:
    """How many people answered."""
    return counted(people, "{number} person answered.", "{number} people answered.")


def kept_of(kept: Told, dropped: Told | int = 0) -> Told:
    """How much became part of the label, and how much did not."""
    if not dropped:
        return told("{kept} kept.", kept=kept)
    return told("{kept} kept, {dropped} dropped.", kept=kept, dropped=dropped)


@dataclass(frozen=True)
class Column:
    """A figure of a worker's skill as tables show it; `form` is "percent" or "fixed"."""

    key: str
    title: str
    form: str


@dataclass(frozen=True)
class SkillFigures:
    """How good a worker is at objects of one class, for tables; `label` "" stands for all classes together."""

    worker: str
    label: str
    figures: dict[str, float | None]


@dataclass(frozen=True)
class Said:
    """What one worker said about a finding; `cells` fill the finding's columns. `note` replaces all of it."""

    worker: str
    label: str = ""
    outvoted: bool = False
    cells: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing that answers named, whether it became part of the label, and who said what about it."""

    label: str
    kept: bool
    confidence: float | None
    said: str
    columns: tuple[str, ...]
    members: tuple[Said, ...]


@dataclass(frozen=True)
class Story:
    """How a label by people came about, in plain words. `ignored` are {"worker", "reason"}."""

    lead: str
    findings: tuple[Finding, ...] = ()
    ignored: tuple[Mapping[str, Any], ...] = ()
