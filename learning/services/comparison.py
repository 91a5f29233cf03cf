"""Two models side by side: their average precision by class, and the images of a data set where they disagree.

The images are found by a prediction of each model over the same data set. Knows no pages.
"""

import heapq
from collections.abc import Iterator
from typing import Any

import orjson

from labeling.models import Dataset
from learning.contract import PREDICT, PredictedBox, Prediction
from learning.models import Model, TransformJob
from learning.models.training import LIVE
from learning.selection.model_differences import unmatched
from learning.selection.quality import Detections
from learning.services import registry, transforms
from learning.services.programs import staging
from marketplace import storage
from marketplace.errors import Invalid, NotFound, WrongState
from marketplace.models import Account
from marketplace.names import free_name
from marketplace.services import boundaries

SHOWN = 24
LEAST_SCORE = 0.5
"""Boxes of lower scores are no part of the comparison."""
MOST_IMAGES = 20_000
BY_CLASS = "AP_50:"
WHOLE = ("mAP", "mAP_50")


def figures(left: Model, right: Model) -> list[dict[str, Any]]:
    """[{"name", "left", "right", "difference"}]: both mAPs, then AP at IoU 0.5 of each class; None where unknown.

    Each model's own figures: they are comparable when both were evaluated on the same validation images.
    """
    classes = sorted({name for one in (left, right) for name in one.metrics if name.startswith(BY_CLASS)})
    rows = []
    for name in (*WHOLE, *classes):
        before, after = left.metrics.get(name), right.metrics.get(name)
        known = before is not None and after is not None
        difference = after - before if known else None
        shown = name.removeprefix(BY_CLASS)
        rows.append({"name": shown, "left": before, "right": after, "difference": difference})
    return rows


def start(*, account: Account, left: Model, right: Model, dataset: Dataset, by: str) -> list[TransformJob]:
    """A prediction of each model over the data set, but those that there are already. Raises as create_transform does.

    Raises Invalid for a model and itself.
    """
    if left.pk == right.pk:
        raise Invalid("two different models are compared", field="right")
    if dataset.status != "Completed":
        raise WrongState(f"the data set {dataset.name} is {dataset.status}", field="dataset")
    return [_run(model, dataset) or _predict(account, model, dataset, by) for model in (left, right)]


def found(left: Model, right: Model, dataset: Dataset) -> tuple[TransformJob | None, TransformJob | None]:
    """The predictions of both models over the data set, as far as there are any that work or have worked."""
    return _run(left, dataset), _run(right, dataset)


def _run(model: Model, dataset: Dataset) -> TransformJob | None:
    rows = TransformJob.objects.filter(model=model, dataset=dataset, status__in=[*LIVE, "Completed"])
    # A prediction that left out boxes which count here is of no use.
    return next((run for run in rows.order_by("-pk") if _least_score(run) <= LEAST_SCORE), None)


def _least_score(run: TransformJob) -> float:
    return float(run.hyperparameters.get("score_threshold", 0))


def _predict(account: Account, model: Model, dataset: Dataset, by: str) -> TransformJob:
    taken = set(TransformJob.objects.filter(account=account).values_list("name", flat=True))
    name = free_name(f"{model.name[:40].rstrip('-')}-on-{dataset.pk}", taken)
    return transforms.predict_dataset(account=account, name=name, model=model, dataset=dataset, by=by)


def differences(left: TransformJob, right: TransformJob) -> dict[str, Any]:
    """Where two Completed predictions over one data set disagree, computed once and kept in the store.

    {"images", "differ", "boxes": boxes without a partner, "worst": [{"index", "image_uri", "width", "height", "differ",
    "left": [[class name, left, top, width, height, score]], "right"}]}, the images that differ most first. Raises
    WrongState while one is not Completed, Invalid for predictions of different manifests.
    """
    for run in (left, right):
        if run.status != "Completed":
            raise WrongState(f"the transform job {run.name} is {run.status}")
    if left.channels[PREDICT] != right.channels[PREDICT]:
        raise Invalid("the two transform jobs have predicted different manifests", field="right")
    kept = _kept_uri(left, right)
    if not storage.exists(kept):
        storage.write(kept, orjson.dumps(_differences(left, right)), content_type="application/json")
    answer: dict[str, Any] = orjson.loads(storage.read(kept))
    return answer


def image_of(left: Model, right: Model, dataset: Dataset, place: int) -> str:
    """The address of the `place`th of the worst images, from zero.

    Raises NotFound when there is none, Forbidden for one that the account may not read any more.
    """
    before, after = found(left, right, dataset)
    worst = differences(before, after)["worst"] if before and after else []
    if not 0 <= place < len(worst):
        raise NotFound(f"there is no image {place} in this comparison")
    uri = str(worst[place]["image_uri"])
    boundaries.require_readable(account=left.account, uri=uri)
    return uri


def _kept_uri(left: TransformJob, right: TransformJob) -> str:
    # Beside the predictions it is made of, and gone with them.
    return storage.join(left.output_uri.rpartition("/")[0], f"differences-from-{right.pk}.json")


def _differences(left: TransformJob, right: TransformJob) -> dict[str, Any]:
    """The worst images are kept in a heap, so that memory does not grow with the data set."""
    names = [registry.class_names(run.model) for run in (left, right)]
    labels = sorted({name for some in names for name in some.values()})
    index = {name: place for place, name in enumerate(labels)}
    images = differ = boxes = 0
    worst: list[tuple[int, int, Prediction, Prediction]] = []
    for first, second in _both(left, right):
        if first.error is not None or second.error is not None:
            continue
        images += 1
        many = unmatched(_detections(first, names[0], index), _detections(second, names[1], index))
        if not many:
            continue
        differ, boxes = differ + 1, boxes + many
        # A row's place decides between equals: those that come first in the manifest are kept.
        heapq.heappush(worst, (many, -first.index, first, second))
        if len(worst) > SHOWN:
            heapq.heappop(worst)
    ordered = sorted(worst, key=lambda row: (-row[0], -row[1]))
    uris = _uris(left, {first.index for _, _, first, _ in ordered})
    return {
        "images": images,
        "differ": differ,
        "boxes": boxes,
        "worst": [
            {
                "index": first.index,
                "image_uri": uris[first.index],
                "width": (first.image_size or {}).get("width"),
                "height": (first.image_size or {}).get("height"),
                "differ": many,
                "left": _rows(first, names[0]),
                "right": _rows(second, names[1]),
            }
            for many, _, first, second in ordered
        ],
    }


def _both(left: TransformJob, right: TransformJob) -> Iterator[tuple[Prediction, Prediction]]:
    pairs = zip(transforms.predictions(left), transforms.predictions(right), strict=True)
    for place, pair in enumerate(pairs):
        if place == MOST_IMAGES:
            return
        yield pair


def _sure(found: Prediction) -> list[PredictedBox]:
    return [box for box in found.boxes if box.score >= LEAST_SCORE]


def _detections(found: Prediction, names: dict[int, str], index: dict[str, int]) -> Detections:
    # By name: the same class may have another number in the other model.
    rows = [(index[names[box.class_id]], box.left, box.top, box.width, box.height, box.score) for box in _sure(found)]
    return Detections.of(rows)


def _rows(found: Prediction, names: dict[int, str]) -> list[list[Any]]:
    return [[names[box.class_id], box.left, box.top, box.width, box.height, box.score] for box in _sure(found)]


def _uris(run: TransformJob, wanted: set[int]) -> dict[int, str]:
    """The addresses of these lines' images; predictions only know where the images lay while they were predicted."""
    found = {}
    if wanted:
        for place, line in enumerate(staging.manifest_lines(run.channels[PREDICT]["manifest_uri"])):
            if place in wanted:
                found[place] = str(orjson.loads(line)["source-ref"])
            if place >= max(wanted):
                break
    return found
