"""Labels of custom jobs in augmented manifests: all answers side by side, as Ground Truth gives them to a function.

Knows nothing of what the answers mean. They are read by augmented_reading.read_form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from labeling.formats.augmented import JOB_PREFIX, TYPE_CUSTOM, creation_date

ANSWERS = "annotationsFromAllWorkers"
"""The member of a label that holds the answers."""


def form_label(
    given: Sequence[tuple[str, Mapping[str, Any]]],
    *,
    human_annotated: bool,
    job_name: str,
    created: datetime | str | None = None,
    model_name: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(value, metadata): `given` has (worker, answer) of each worker; `content` of an annotation is JSON as text."""
    value = {
        ANSWERS: [
            {"workerId": worker, "annotationData": {"content": orjson.dumps(dict(answer)).decode()}}
            for worker, answer in given
        ]
    }
    metadata = {
        "job-name": job_name if "/" in job_name else JOB_PREFIX + job_name,
        "type": TYPE_CUSTOM,
        "human-annotated": "yes" if human_annotated else "no",
        "creation-date": creation_date(created),
    }
    return value, metadata if model_name is None else {**metadata, "model-name": model_name}
