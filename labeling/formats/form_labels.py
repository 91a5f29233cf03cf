"""Labels of custom jobs in augmented manifests: all answers side by side, as Ground Truth gives them to a function.

Knows nothing of what the answers mean. They are read by augmented_reading.read_form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from labeling.formats import augmented
from labeling.formats.label_context import LabelContext

ANSWERS = "annotationsFromAllWorkers"
"""The member of a label that holds the answers."""


def form_label(
    given: Sequence[tuple[str, Mapping[str, Any]]], about: LabelContext
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(value, metadata): `given` has (worker, answer) of each worker; `content` of an annotation is JSON as text."""
    value = {
        ANSWERS: [
            {"workerId": worker, "annotationData": {"content": orjson.dumps(dict(answer)).decode()}}
            for worker, answer in given
        ]
    }
    metadata = {
        "job-name": augmented.job_of(about),
        "type": augmented.TYPE_CUSTOM,
        "human-annotated": augmented.yes_no(about),
        "creation-date": augmented.creation_date(about.created),
    }
    return value, augmented.with_model(metadata, about)
