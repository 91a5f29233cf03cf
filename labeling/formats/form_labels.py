"""Labels of custom jobs in augmented manifests: all answers side by side, as Ground Truth gives them to a function, and
what they come to.

Knows nothing of what the answers mean. They are read by form_reading.read_form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from labeling.formats import augmented
from labeling.formats.label_context import LabelContext

ANSWERS = "annotationsFromAllWorkers"
"""The member of a label that holds the answers."""

MERGED = "consolidatedAnnotation"
"""The member of a label that holds what the answers come to, named as in what a function gives back."""


def form_label(
    given: Sequence[tuple[str, Mapping[str, Any]]],
    about: LabelContext,
    *,
    merged: Mapping[str, Any] | None = None,
    confidences: Mapping[str, float] | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(value, metadata): `given` has (worker, answer) of each worker; `content` of an annotation is JSON as text.

    `merged` is what the answers come to, with the `confidences` of its fields by name; nothing of it is written where
    it is empty.
    """
    value: dict[str, Any] = {
        ANSWERS: [
            {"workerId": worker, "annotationData": {"content": orjson.dumps(dict(answer)).decode()}}
            for worker, answer in given
        ]
    }
    metadata: dict[str, Any] = {
        "job-name": augmented.job_of(about),
        "type": augmented.TYPE_CUSTOM,
        "human-annotated": augmented.yes_no(about),
        "creation-date": augmented.creation_date(about.created),
    }
    if merged:
        value[MERGED] = {"content": dict(merged)}
        metadata["confidence-map"] = dict(confidences or {})
    return value, augmented.with_model(metadata, about)
