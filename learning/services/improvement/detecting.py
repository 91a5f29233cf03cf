"""What happens with a new image: the endpoint detects it, and where it is not sure, people are asked.

The solution's branch Rekognition Detection -> Check Confidence -> Pass Confidence | Check A2I -> Create HumanLoop | A2I
Off. The result and what follows from it are written together, so that a kill in between repeats the whole.
"""

from collections.abc import Sequence
from typing import Any

import orjson
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from labeling.formats.shapes import Box
from labeling.services.review import loops
from learning import transitions
from learning.models import Detection, ImprovementPolicy, Model
from learning.services import review_loops
from learning.services.hosting.invoke import MAX_BODY_BYTES
from learning.services.improvement import features
from learning.services.improvement import parameters as known
from learning.services.improvement.creating import live_model
from learning.services.improvement.runs import BY
from marketplace import storage
from marketplace.errors import DomainError, Forbidden, Invalid, NotFound, WrongState
from marketplace.services import boundaries

AT_ONCE = 10
"""Images of one step; a step is short, because others wait for the queue."""

KEPT_BOXES = 100
LOWEST_SCORE = review_loops.SHOWN_SCORE
"""Boxes of lower scores are neither kept nor shown to people."""

Rows = QuerySet[Detection]
WORKFLOW, SAMPLING = "A2I Workflow", "Human Sampling"


def detect_some(policy: ImprovementPolicy) -> bool:
    """Detect the next images; whether there are more. Raises what the endpoint raises; then the images wait.

    One that people cannot be asked about, as without money, waits too, and the others go before it the next time; what
    kept it is raised in the end.
    """
    if policy.endpoint is not None and policy.endpoint.status != "InService":
        # While requests go over to another model nobody knows which one has answered.
        return False
    in_turn = (F("detected_at").asc(nulls_first=True), "pk")
    waiting = list(policy.detections.filter(status="Found").order_by(*in_turn)[: AT_ONCE + 1])
    if not waiting:
        return False
    model, problem = live_model(policy), None
    for row in waiting[:AT_ONCE]:
        if (seen := _look(policy, model, row)) is None:
            continue
        try:
            record(policy, model, row, seen)
        except DomainError as error:
            problem = problem or error
            Detection.objects.filter(pk=row.pk).update(detected_at=timezone.now())
    if problem is not None:
        raise problem
    return len(waiting) > AT_ONCE


def _look(policy: ImprovementPolicy, model: Model, row: Detection) -> features.Seen | None:
    """What the endpoint says of an image; None for one that cannot be read, which has failed then."""
    if policy.endpoint is None:
        raise WrongState("the endpoint was deleted")
    try:
        boundaries.require_readable(account=policy.account, uri=row.uri)
        image = storage.read(row.uri, limit=MAX_BODY_BYTES)
        return features.look(policy.endpoint, model, image)
    except (Invalid, NotFound, Forbidden) as error:
        with transaction.atomic():
            transitions.DETECTION.advance(row, "Failed", by=BY, because=error.message[:500], reason=error.message[:500])
        return None


def record(policy: ImprovementPolicy, model: Model, row: Detection, seen: features.Seen) -> None:
    """Keep what the endpoint said of an image, and ask people if it was not sure. Raises as `ask` does."""
    best = seen.boxes[0] if seen.boxes else None
    confidence = 100 * (best.confidence or 0.0) if best else 0.0
    shown = [box for box in seen.boxes if (box.confidence or 0.0) >= LOWEST_SCORE][:KEPT_BOXES]
    said: dict[str, Any] = {
        "model": model,
        "label": best.label[:256] if best else "",
        "confidence": round(confidence, 4),
        "width": seen.width,
        "height": seen.height,
        "boxes": [[b.label, *(round(v, 2) for v in (b.left, b.top, b.width, b.height)), b.confidence] for b in shown],
        "features": dict(zip(features.FEATURES, seen.features, strict=True)),
        "detected_at": timezone.now(),
    }
    sure = confidence >= policy.parameters[known.LEAST_CONFIDENCE]
    with transaction.atomic():
        if sure or not policy.parameters[known.ENABLE_A2I]:
            to = "PassConfidence" if sure else "A2IOff"
            transitions.DETECTION.advance(row, to, by=BY, **said)
            return
        row.model, row.label, row.confidence, row.boxes = model, said["label"], said["confidence"], said["boxes"]
        ask(policy, row, WORKFLOW, **said)


def ask(policy: ImprovementPolicy, row: Detection, source: str, **said: Any) -> None:
    """Put a detection before the people of the flow definition. Needs a transaction.

    Raises WrongState for a flow definition that is not Active, LimitExceeded when the wallet cannot pay.
    """
    name = f"{policy.name.lower()[:40].strip('-')}-{row.pk}"
    content = orjson.dumps(_input(policy, row, source)).decode()
    loop = loops.start_loop(flow=policy.flow, name=name, content=content, by=BY)
    transitions.DETECTION.advance(
        row, "HumanLoop", by=BY, because=source, human_loop=loop, source=source, sampled=source == SAMPLING, **said
    )


def _input(policy: ImprovementPolicy, row: Detection, source: str) -> dict[str, Any]:
    """InputContent with the members of AWS's solution beside those of every prediction."""
    form = review_loops.prediction_input(
        picture=row.uri,
        boxes=boxes_of(row),
        model_name=row.model.name if row.model else "",
        endpoint=policy.endpoint.name if policy.endpoint else "",
        inference_id=str(row.pk),
        least_score=LOWEST_SCORE,
    )
    return form | {
        "source": source,
        "detectLabelRequestId": str(row.pk),
        "detectedConfidenceLevel": row.confidence,
        "detectedLabel": row.label,
        "labels": policy.labels,
    }


def boxes_of(row: Detection) -> list[Box]:
    """The predicted boxes of a detection."""
    return [Box(label, left, top, width, height, score) for label, left, top, width, height, score in row.boxes]


def try_again(*, policy: ImprovementPolicy, by: str) -> int:
    """Detect the images again that failed; returns how many there are."""
    rows: Sequence[Detection] = list(policy.detections.filter(status="Failed"))
    with transaction.atomic():
        for row in rows:
            transitions.DETECTION.advance(row, "Found", by=by, because="tried again", reason="")
    return len(rows)


def sample(policy: ImprovementPolicy) -> bool:
    """Put every Human-Sampling-Interval-th detection since the last sample before people; always False: no more to do.

    The solution's branch Human Sampling -> Check Last Sample -> Check Sampling Interval -> Create Human Sample | No New
    Sample. One that people are asked about already counts as a sample as it is.
    """
    asked = policy.parameters
    if not asked[known.ENABLE_SAMPLING] or not due(policy.sampled_at, asked[known.SAMPLING_MINUTES]):
        return False
    rows = policy.detections.filter(pk__gt=policy.sampled_up_to).exclude(status__in=("Found", "Failed"))
    with transaction.atomic():
        for row in rows.select_related("model").order_by("pk").iterator(500):
            policy.since_sample += 1
            policy.sampled_up_to = row.pk
            if policy.since_sample < asked[known.SAMPLING_INTERVAL]:
                continue
            policy.since_sample = 0
            if row.status in ("PassConfidence", "A2IOff"):
                ask(policy, row, SAMPLING)
            else:
                Detection.objects.filter(pk=row.pk).update(sampled=True)
        policy.sampled_at = timezone.now()
        policy.save(update_fields=["sampled_at", "sampled_up_to", "since_sample"])
    return False


def due(last: Any, minutes: int) -> bool:
    """Whether so many minutes have passed since the moment; None for never before."""
    return last is None or (timezone.now() - last).total_seconds() >= 60 * minutes
