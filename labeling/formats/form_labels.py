"""Labels of custom jobs in augmented manifests: all answers side by side, as Ground Truth gives them to a function, and
what they come to.

Knows nothing of what the answers mean. They are read by form_reading.read_form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from labeling.formats.augmented import JOB_PREFIX, TYPE_CUSTOM, creation_date

ANSWERS = "annotationsFromAllWorkers"
"""The member of a label that holds the answers."""

MERGED = "consolidatedAnnotation"
"""The member of a label that holds what the answers come to, named as in what a function gives back."""


def form_label(
    given: Sequence[tuple[str, Mapping[str, Any]]],
    *,
    merged: Mapping[str, Any] | None = None,
    confidences: Mapping[str, float] | None = None,
    human_annotated: bool,
    job_name: str,
    created: datetime | str | None = None,
    model_name: str | None = None,
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
        "job-name": job_name if "/" in job_name else JOB_PREFIX + job_name,
        "type": TYPE_CUSTOM,
        "human-annotated": "yes" if human_annotated else "no",
        "creation-date": creation_date(created),
    }
    if merged:
        value[MERGED] = {"content": dict(merged)}
        metadata["confidence-map"] = dict(confidences or {})
    return value, metadata if model_name is None else {**metadata, "model-name": model_name}
