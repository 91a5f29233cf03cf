"""What a prediction over a manifest leaves: its predictions and, as labels, an augmented manifest and AWS's JSON lines.

Knows files and formats; neither how predictions are made nor pages.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from labeling.formats import augmented
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import Box, ImageSize
from labeling.models import Dataset
from labeling.services.intake import datasets
from learning.contract import PREDICT, Prediction, read_predictions
from learning.models import TransformJob
from learning.services import registry
from learning.services.programs import staging
from marketplace import storage
from marketplace.errors import Invalid, NotFound, WrongState

PREDICTIONS, MANIFEST, ANNOTATIONS = "predictions.jsonl", "output.manifest", "annotations.jsonl"
JOB_PREFIX = "transform-job/"


def parts(run: TransformJob) -> dict[str, str]:
    """File name -> URI of what a Completed prediction left; empty before."""
    if run.status != "Completed":
        return {}
    names = (PREDICTIONS, MANIFEST, ANNOTATIONS) if run.label_attribute_name else (PREDICTIONS,)
    return {name: part_uri(run, name) for name in names}


def part_uri(run: TransformJob, part: str) -> str:
    """Where a file of the output is, or will be."""
    return storage.join(run.output_uri.rpartition("/")[0], part)


def found_part(run: TransformJob, part: str) -> str:
    """The URI of a file of the output. Raises NotFound for one that it does not have."""
    there = parts(run)
    if part not in there:
        said = f"there are {', '.join(there)}" if there else f"it is {run.status}"
        raise NotFound(f"the transform job has no part {part[:60]!r}; {said}")
    return there[part]


def keep(run: TransformJob, predictions: Path) -> None:
    """Put the predictions, and the labels made of them when the run wants any, into the store. Safe to repeat.

    `output.manifest` has the input's lines with the label; `annotations.jsonl` one line an image, in the same order, as
    the built-in algorithm answers `application/jsonlines`.
    """
    if run.label_attribute_name:
        with tempfile.TemporaryDirectory() as scratch:
            manifest, annotations = Path(scratch) / MANIFEST, Path(scratch) / ANNOTATIONS
            with manifest.open("wb") as labeled, annotations.open("wb") as answers:
                for original, found in _together(run, predictions):
                    labeled.write(labeled_line(run, original, found) + b"\n")
                    answers.write(orjson.dumps(annotation(found)) + b"\n")
            for path in (manifest, annotations):
                with path.open("rb") as stream:
                    storage.write(part_uri(run, path.name), stream, content_type="application/jsonl")
    with predictions.open("rb") as stream:
        storage.write(run.output_uri, stream, content_type="application/jsonl")


def _together(run: TransformJob, predictions: Path) -> Iterator[tuple[bytes, Prediction]]:
    """Each line of the input as it was given, with what was predicted for it."""
    lines = staging.manifest_lines(run.channels[PREDICT]["manifest_uri"])
    # The program has refused a manifest with lines that it cannot use, so both have the same number of lines.
    yield from zip(lines, read_predictions(predictions), strict=True)


def labeled_line(run: TransformJob, original: bytes, found: Prediction) -> bytes:
    """The manifest line with the predicted boxes as its label, or with the reason why there is none."""
    if found.error is not None or found.image_size is None:
        return augmented.failure_line(original, run.label_attribute_name, reason=found.error or "no prediction")
    names = registry.class_names(run.model)
    boxes = [
        Box(names[one.class_id], one.left, one.top, one.width, one.height, one.score)
        for one in found.boxes
        if one.width > 0 and one.height > 0
    ]
    about = LabelContext(
        labels=run.model.labels,
        image_size=ImageSize(**found.image_size),
        human_annotated=False,
        job_name=JOB_PREFIX + run.name,
        created=run.created_at,
        model_name=run.model.name,
    )
    return augmented.box_line(original, run.label_attribute_name, boxes, about)


def annotation(found: Prediction) -> dict[str, Any]:
    """A prediction as the built-in algorithm's batch answer: {"image_size": [...], "annotations": [...]}, whole pixels.

    An image that could not be read has neither, and "failure-reason".
    """
    if found.error is not None or found.image_size is None:
        return {"image_size": [], "annotations": [], "failure-reason": found.error or "no prediction"}
    annotations = [
        {
            "class_id": one.class_id,
            "score": one.score,
            "left": round(one.left),
            "top": round(one.top),
            "width": round(one.width),
            "height": round(one.height),
        }
        for one in found.boxes
    ]
    return {"image_size": [found.image_size], "annotations": annotations}


def make_dataset(*, run: TransformJob, name: str, by: str) -> Dataset:
    """A data set of the output, whose labels an adjustment or a verification job can show to people.

    Raises WrongState before the prediction is Completed, Invalid for one without labels, and as create_dataset does.
    """
    if not run.label_attribute_name:
        raise Invalid("the transform job has no label attribute, so there are no labels", field="transform")
    if run.status != "Completed":
        raise WrongState(f"the transform job is {run.status}; its labels are there once it is Completed")
    source = {"kind": "manifest", "uri": part_uri(run, MANIFEST)}
    return datasets.create_dataset(account=run.account, name=name, source=source, by=by)
