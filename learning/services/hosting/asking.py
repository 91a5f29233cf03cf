"""What an endpoint predicted, put before a person: a data set of the one picture with the predicted boxes as its label.

A labeling job over it that adjusts boxes shows them to people. Knows no request and no job.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from labeling.formats.augmented import box_label, label_line
from labeling.formats.images import measure
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import ImageSize
from labeling.models import Dataset
from labeling.services.intake import datasets
from learning.models import Endpoint, Variant
from learning.services.hosting import hosting
from learning.services.hosting.invoke import Answer
from learning.services.hosting.reviewing import names_of
from learning.services.review_loops import predicted_boxes
from marketplace import storage
from marketplace.errors import Invalid, WrongState
from marketplace.ranges import Range
from marketplace.services import boundaries

ATTRIBUTE = "predicted"
"""The label attribute of the predicted boxes."""
LOWEST_SCORE = 0.5
"""From which score a box is shown to people where nobody has said otherwise."""
SCORES_LENGTH = Range(0, 50_000)
"""Characters of the least scores of all classes, as JSON."""


@dataclass(frozen=True)
class Question:
    """A data set of one object, and the classes of the model that labeled it, in the order of their numbers."""

    dataset: Dataset
    labels: list[str]


def classes(endpoint: Endpoint) -> dict[str, dict[str, str]]:
    """The names of the classes by their number as text, for each variant that is served."""
    deployment = hosting.serving(endpoint)
    rows = Variant.objects.filter(deployment=deployment).select_related("model").order_by("pk")
    return {row.name: names_of(row.model) for row in rows}


def make_question(
    *, endpoint: Endpoint, image: bytes, answer: Answer, least_scores: Mapping[str, float], by: str
) -> Question:
    """A data set of the picture, labeled with the boxes of the answer.

    `least_scores`: for each class, by name, the score from which its boxes are taken; LOWEST_SCORE for the others.
    Raises Invalid for what is no picture or a picture that the model refused, WrongState when the variant that answered
    is not served any more, and what `datasets.create_dataset` raises.
    """
    if answer.status != 200:
        raise Invalid(answer.message, field="image")
    info = measure(image)
    if not info.ok:
        raise Invalid(str(info.problem), field="image")
    names = classes(endpoint).get(answer.variant)
    if not names:
        raise WrongState(f"the variant {answer.variant!r} is not served any more; try again")
    found = predicted_boxes(answer.body, names=names, width=info.width, height=info.height)
    boxes = [box for box in found if (box.confidence or 0.0) >= least_scores.get(box.label, LOWEST_SCORE)]
    base = storage.join(boundaries.base_of(endpoint.account), "endpoints", endpoint.name, uuid.uuid4().hex)
    picture = storage.join(base, f"picture.{info.format.lower()}")
    storage.write(picture, image, content_type=info.content_type)
    about = LabelContext(
        labels=list(names.values()),
        image_size=ImageSize(info.width, info.height, info.depth),
        human_annotated=False,
        job_name=f"endpoint/{endpoint.name}",
        model_name=answer.variant,
    )
    value, metadata = box_label(boxes, about)
    line = label_line(orjson.dumps({"source-ref": picture}), ATTRIBUTE, value, metadata)
    manifest = storage.join(base, "picture.manifest")
    storage.write(manifest, line + b"\n", content_type="application/jsonl")
    name = f"{endpoint.name[:40].rstrip('-')}-{uuid.uuid4().hex[:8]}"
    source = {"kind": "manifest", "uri": manifest}
    dataset = datasets.create_dataset(account=endpoint.account, name=name, source=source, by=by)
    # One line is read in no time, and the wizard can go on with it at once; the message that is queued finds it done.
    datasets.advance_dataset(dataset.pk)
    dataset.refresh_from_db()
    return Question(dataset, list(names.values()))
