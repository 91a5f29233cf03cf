"""Reads labels of custom jobs in augmented manifests, as form_labels.py writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from labeling.formats import form_answers
from labeling.formats.augmented_reading import Origin, label_metadata, label_value, read_origin, read_real
from labeling.formats.form_labels import ANSWERS, MERGED


@dataclass(frozen=True, slots=True)
class FormLabel:
    """The answers of a custom job to one object: (worker, answer). `merged` is what they come to, with the
    `confidences` of its fields; None where the label does not say."""

    given: tuple[tuple[str, dict[str, Any]], ...]
    origin: Origin
    merged: dict[str, Any] | None = None
    confidences: Mapping[str, float] = field(default_factory=dict)


def read_form(attributes: Mapping[str, Any], attr: str) -> FormLabel:
    """A custom job's label. Raises ValueError naming the member that is wrong."""
    value = label_value(attributes, attr)
    rows = value.get(ANSWERS) if isinstance(value, Mapping) else None
    if not isinstance(rows, list) or not rows:
        raise ValueError(f"{attr!r} has no list {ANSWERS!r}")
    given = []
    for place, row in enumerate(rows):
        where = f"{attr}.{ANSWERS}[{place}]"
        data = row.get("annotationData") if isinstance(row, Mapping) else None
        if not isinstance(data, Mapping) or not isinstance(row.get("workerId"), str):
            raise ValueError(f"{where} has no workerId and annotationData")
        try:
            content = form_answers.read_form(orjson.loads(data.get("content", "")))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{where}.annotationData.content is no JSON object of a form: {error}") from None
        given.append((row["workerId"], content))
    metadata = label_metadata(attributes, attr)
    origin = read_origin(metadata)
    merged = value.get(MERGED)
    if not isinstance(merged, Mapping):
        return FormLabel(tuple(given), origin)
    try:
        content = form_answers.read_form(merged.get("content"))
    except ValueError as error:
        raise ValueError(f"{attr}.{MERGED}.content is no JSON object of a form: {error}") from None
    sure = metadata.get("confidence-map")
    known = sure if isinstance(sure, Mapping) else {}
    where = f"{attr}-metadata.confidence-map"
    return FormLabel(
        tuple(given), origin, content, {name: read_real(one, f"{where}.{name}") for name, one in known.items()}
    )
