"""Requests of endpoints that people are asked about: noted while they are answered, then made into human loops.

The answer of a request waits for one short transaction at most, and only when it meets the conditions: that keeps the
picture until it is in the store, so that no loop is lost by a process that ends. All else is done in the background.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from hashlib import blake2b
from typing import Any

import orjson
from django.db import DatabaseError, transaction
from django.utils import timezone

from labeling.formats import conditions as activation
from labeling.formats.images import measure
from labeling.models import HumanLoop
from labeling.services import attempts
from labeling.services.review import loops
from learning import transitions
from learning.models import Endpoint, EndpointReview, ReviewRequest, Variant
from learning.services import run_notices
from learning.services.hosting import reviewing, traffic
from learning.services.review_loops import predicted_boxes, prediction_input
from marketplace import storage
from marketplace.errors import DomainError, Invalid
from marketplace.queue import enqueue

log = logging.getLogger(__name__)

BY = "endpoints"
START = "learning.background.start_review"
WINDOW = timedelta(hours=1)
"""Over so much time requests are counted that an endpoint takes at most."""
TRIED_FOR = timedelta(days=1)
"""For how long the picture of a request is tried to be stored."""
KEPT = timedelta(days=90)
"""For how long it is remembered that people were asked about a request; a repeat of it after that is a new one."""
SWEPT = 200


@dataclass(frozen=True)
class Plan:
    """What a process knows of the human review of one variant: all that decides about a request."""

    review_id: int
    conditions: Mapping[str, Any]
    names: Mapping[str, str]
    model_name: str


def plan_of(review: EndpointReview, variant: Variant) -> Plan:
    """The plan of a variant of the reviewed endpoint."""
    model_name = variant.model.name if variant.model is not None else ""
    return Plan(review.pk, reviewing.holding(review), reviewing.names_of(variant.model), model_name)


def consider(
    *, plan: Plan, endpoint: Endpoint, variant_id: int, image: bytes, answer: bytes, inference_id: str
) -> ReviewRequest | None:
    """Note an answered request for people when it meets the conditions; returns what was noted, None otherwise.

    An inference id that was seen before, and without one the same picture by the same model, is the same request, which
    is noted once. Nothing that happens here keeps the answer from its caller: errors of the database are logged.
    """
    digest = blake2b(image, digest_size=16).hexdigest()
    needed, results = activation.evaluate(plan.conditions, facts(endpoint, answer, digest, plan.names))
    if not needed:
        return None
    identity = f"id {inference_id}" if inference_id else f"picture {digest} {plan.model_name}"
    key = blake2b(f"{endpoint.pk} {identity}".encode(), digest_size=16).hexdigest()
    try:
        if ReviewRequest.objects.filter(endpoint=endpoint, key=key).exists():
            return None
        values = {
            "key": key,
            "inference_id": inference_id,
            "model_name": plan.model_name,
            "class_names": dict(plan.names),
            "picture": image,
            "answer": answer.decode(),
            "results": results,
            "loop_name": loop_name(endpoint.name, key),
        }
        noted = _note(plan, endpoint, values)
    except DatabaseError:
        log.exception("a request of the endpoint %s could not be noted for human review", endpoint.name)
        return None
    if noted is None:
        traffic.leave_out(variant_id)
    return noted


def facts(endpoint: Endpoint, answer: bytes, digest: str, names: Mapping[str, str]) -> activation.Facts:
    """What conditions are evaluated on: scores of 0 to 100, and a name by which equal pictures are sampled alike."""
    rows = orjson.loads(answer)["prediction"]
    labels = tuple((names.get(str(int(row[0])), ""), 100 * row[1]) for row in rows)
    return activation.Facts(f"{endpoint.name} {digest}", labels=labels)


def loop_name(endpoint_name: str, key: str) -> str:
    """The name of the loop of a request: the endpoint's in small letters, and the beginning of the key."""
    stem = re.sub(r"[^a-z0-9]+", "-", endpoint_name.lower())[:40].strip("-")
    return f"{stem or 'endpoint'}-{key[:16]}"


def _note(plan: Plan, endpoint: Endpoint, values: dict[str, Any]) -> ReviewRequest | None:
    """The row of the request; None when the endpoint has taken as many as it may, or is not reviewed any more."""
    most = EndpointReview.objects.filter(pk=plan.review_id).values_list("most_per_hour", flat=True).first()
    if most is None or _taken(endpoint, most) >= most:
        return None
    with transaction.atomic():
        # One at a time, so that no more are taken than may be.
        review = EndpointReview.objects.select_for_update(no_key=True).filter(pk=plan.review_id).first()
        if review is None or _taken(endpoint, review.most_per_hour) >= review.most_per_hour:
            return None
        now = timezone.now()
        noted, made = ReviewRequest.objects.get_or_create(
            endpoint=endpoint,
            key=values["key"],
            defaults={
                **values,
                "account_id": endpoint.account_id,
                "flow_id": review.flow_id,
                "least_score": review.least_score,
                "content_classifiers": review.content_classifiers,
                "created_at": now,
                "status_changed_at": now,
            },
        )
        if made:
            enqueue(START, noted.pk)
    return noted


def _taken(endpoint: Endpoint, most: int) -> int:
    """The requests of the last hour that people are or were to be asked about, counted up to `most`."""
    rows = ReviewRequest.objects.filter(endpoint=endpoint, created_at__gt=timezone.now() - WINDOW)
    return rows.order_by("-created_at")[:most].count()


# --- in the background ---------------------------------------------------------------------------------------------


def start_or_give_up(request_id: int) -> None:
    """Start the human loop of a request. What is in the way for now is tried again by the sweep, for TRIED_FOR."""
    give_up = partial(_give_up, request_id)
    attempts.attempt("start_review", request_id, lambda: start(request_id=request_id), give_up=give_up)


def start(*, request_id: int) -> None:
    """Put the picture into the store and start the loop. Safe to repeat, and to be killed anywhere.

    A flow definition that is not Active, a wallet that cannot pay and the like end the request as Failed with the
    reason, of which the account is told once until a loop can be started again.
    """
    rows = ReviewRequest.objects.select_related("endpoint", "flow")
    row = rows.filter(pk=request_id, status="Waiting").first()
    if row is None or row.picture is None:
        return
    picture = bytes(row.picture)
    info = measure(picture)
    if not info.ok:
        _fail(row, f"the picture cannot be shown: {info.problem}")
        return
    suffix = info.content_type.rpartition("/")[2]
    uri = storage.join(row.flow.output_uri, row.flow.name, "pictures", f"{row.loop_name}.{suffix}")
    try:
        # Written again by whoever does this twice, with the same content.
        storage.write(uri, picture, content_type=info.content_type)
    except (DomainError, OSError) as error:
        _wait_or_fail(row, f"the picture cannot be stored: {error}")
        return
    try:
        boxes = predicted_boxes(row.answer.encode(), names=row.class_names, width=info.width, height=info.height)
    except KeyError as error:
        _fail(row, f"the model has no name for its class {error}")
        return
    said = prediction_input(
        picture=uri,
        boxes=boxes,
        model_name=row.model_name,
        endpoint=row.endpoint.name,
        inference_id=row.inference_id,
        least_score=row.least_score,
        condition_results=row.results,
    )
    try:
        with transaction.atomic():
            locked = ReviewRequest.objects.select_for_update(no_key=True).get(pk=row.pk)
            if locked.status == "Waiting":
                _begin(row, content=orjson.dumps(said).decode(), uri=uri)
    except DomainError as error:
        _fail(row, error.errors[0][1] if isinstance(error, Invalid) and error.errors else error.message)


def _begin(row: ReviewRequest, *, content: str, uri: str) -> None:
    certified = row.content_classifiers
    loop = loops.start_loop(flow=row.flow, name=row.loop_name, content=content, content_classifiers=certified, by=BY)
    changes = {"loop": loop, "picture_uri": uri, "picture": None, "answer": "", "failure_reason": ""}
    transitions.REVIEW_REQUEST.advance(row, "InProgress", by=BY, because=f"started {loop.name}", **changes)
    EndpointReview.objects.filter(endpoint=row.endpoint_id).exclude(trouble="").update(trouble="")


def _fail(row: ReviewRequest, reason: str) -> None:
    with transaction.atomic():
        changes = {"picture": None, "answer": "", "failure_reason": reason[:1024]}
        if not transitions.REVIEW_REQUEST.advance(row, "Failed", by=BY, because=reason[:500], **changes):
            return
        # Locked, so that of several that fail at once one tells.
        review = EndpointReview.objects.select_for_update(no_key=True).filter(endpoint=row.endpoint_id).first()
        if review is None:
            return
        if not review.trouble:
            run_notices.endpoint_settled(row.endpoint, f"cannot ask people about its predictions: {reason}")
        review.trouble = reason[:1024]
        review.save(update_fields=["trouble"])


def _wait_or_fail(row: ReviewRequest, reason: str) -> None:
    """What is in the way may pass: the sweep asks again every minute, for TRIED_FOR."""
    if row.created_at > timezone.now() - TRIED_FOR:
        ReviewRequest.objects.filter(pk=row.pk, status="Waiting").update(failure_reason=reason[:1024])
    else:
        _fail(row, reason)


def _give_up(request_id: int, reason: str, passing: bool) -> None:
    row = ReviewRequest.objects.select_related("endpoint").get(pk=request_id)
    if row.status == "Waiting":
        (_wait_or_fail if passing else _fail)(row, reason)


def follow_loop(*, loop_id: int) -> None:
    """A human loop is over: so is the request that it was about, if it was started by an endpoint."""
    loop = HumanLoop.objects.filter(pk=loop_id).first()
    row = ReviewRequest.objects.filter(loop=loop_id).first()
    if loop is None or row is None or loop.status not in transitions.REVIEW_REQUEST.final:
        return
    with transaction.atomic():
        transitions.REVIEW_REQUEST.advance(row, loop.status, by=BY, because=loop.failure_reason[:500])


def sweep() -> None:
    """Every minute: ask again for the loops that have not started, so that none is lost with a message; forget old
    requests."""
    waiting = ReviewRequest.objects.filter(status="Waiting").order_by("created_at")
    for request_id in waiting.values_list("pk", flat=True)[:SWEPT]:
        enqueue(START, request_id)
    begun = ReviewRequest.objects.filter(status="InProgress")
    over = begun.filter(loop__status__in=transitions.REVIEW_REQUEST.final)
    for loop_id in over.values_list("loop", flat=True)[:SWEPT]:
        follow_loop(loop_id=loop_id)
    for row in begun.filter(loop=None)[:SWEPT]:
        with transaction.atomic():
            transitions.REVIEW_REQUEST.advance(row, "Stopped", by=BY, because="its human loop was deleted")
    over_long = {"created_at__lt": timezone.now() - KEPT, "status__in": transitions.REVIEW_REQUEST.final}
    old = ReviewRequest.objects.filter(**over_long)
    ReviewRequest.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:SWEPT])).delete()
