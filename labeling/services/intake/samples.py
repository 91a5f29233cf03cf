"""Sample pictures and texts of a data set, before any job has ingested it."""

from dataclasses import dataclass
from typing import Any

from labeling.formats import manifest, texts
from labeling.models import Dataset
from labeling.services.intake import decoding
from labeling.services.intake import texts as stored_texts
from marketplace import addresses, storage
from marketplace.errors import Invalid, NotFound
from marketplace.services import store_addresses

MOST = 20
"""How many samples a data set has."""


@dataclass(frozen=True)
class Sample:
    """A picture of a data set, with its displayed size in pixels."""

    uri: str
    width: int
    height: int


def sample(*, dataset: Dataset, number: int) -> Sample:
    """The picture of the data set's good line `number` (from zero, below MOST), decoded and measured.

    Raises NotFound when there is none, Invalid when the picture cannot be shown, Busy.
    """
    uri = sample_uri(dataset=dataset, number=number)
    info = decoding.inspect(storage.read(uri, limit=decoding.limits().max_bytes))
    if not info.ok:
        raise Invalid(f"{uri}: {info.problem}")
    return Sample(uri, info.width, info.height)


def sample_uri(*, dataset: Dataset, number: int) -> str:
    """The address alone of that picture, which may be anything. Raises NotFound when there is none."""
    uri = _line(dataset, number).source_ref
    if uri is None:
        raise NotFound(f"the data set has no picture as sample {number}")
    return uri


def sample_text(*, dataset: Dataset, number: int) -> str:
    """The text of the data set's good line `number` (from zero, below MOST).

    Raises NotFound when there is none, Invalid when it is no text.
    """
    line = _line(dataset, number)
    if line.source is None:
        return stored_texts.stored(line.source_ref or "")
    try:
        return texts.check(line.source)
    except texts.TextError as error:
        raise Invalid(f"line {line.number}: the text {error}") from None


def sample_line(*, dataset: Dataset, number: int) -> dict[str, Any]:
    """The members of the data set's good line `number` (from zero, below MOST). Raises NotFound when there is none."""
    return dict(_line(dataset, number).attributes)


def holds_texts(*, dataset: Dataset) -> bool:
    """Whether the first good line holds a text or names a file like one; no while it cannot be read."""
    try:
        line = _line(dataset, 0)
    except (NotFound, storage.StoreUnavailable):
        return False
    return line.source is not None or (line.source_ref or "").lower().endswith(texts.SUFFIX)


def _line(dataset: Dataset, number: int) -> manifest.Line:
    if not dataset.manifest_uri or not 0 <= number < MOST:
        raise NotFound(f"the data set has no sample {number}")
    with storage.open(dataset.manifest_uri) as stream:
        lines = manifest.parse(addresses.MovedLines(stream, former=store_addresses.former()))
        good = (line for line in lines if isinstance(line, manifest.Line))
        line = next((line for place, line in enumerate(good) if place == number), None)
    if line is None:
        raise NotFound(f"the data set has no sample {number}")
    return line
