"""Endpoints that put predictions before people: on which conditions, by which flow definition, and how many.

What happens to a request that meets them is in review_requests.py.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from labeling.formats import conditions as activation
from labeling.models import FlowDefinition
from labeling.services.review.loops import classifier_errors
from learning.models import Endpoint, EndpointReview, Model, ReviewRequest, Variant
from learning.services import registry
from learning.services.hosting import traffic
from learning.services.hosting.endpoint_view import SHOWN
from learning.services.review_loops import SHOWN_SCORE
from marketplace.errors import Invalid, WrongState
from marketplace.ranges import Range
from marketplace.services import audit

LEAST_SCORE = Range(0.0, 1.0)
MOST_PER_HOUR = Range(1, 10_000)
DEFAULT_PER_HOUR = 100
"""Requests of an endpoint that people are asked about in an hour at most, unless its owner says otherwise."""


def of(endpoint: Endpoint) -> EndpointReview | None:
    """The endpoint's human review; None when people are asked about none of its requests."""
    return EndpointReview.objects.filter(endpoint=endpoint).select_related("flow").first()


def set_review(
    *,
    endpoint: Endpoint,
    flow: FlowDefinition,
    conditions: str = "",
    content_classifiers: Sequence[str] = (),
    least_score: float = SHOWN_SCORE,
    most_per_hour: int = DEFAULT_PER_HOUR,
    by: str,
) -> EndpointReview:
    """From now on requests that meet the conditions become human loops of `flow`; holds within a second.

    `conditions`: the JSON text of activation conditions for own models, "" for those of the flow definition.
    `content_classifiers`: what is certified of all pictures. Boxes of at least `least_score` (0 to 1) are shown. At
    most `most_per_hour` requests are taken in an hour, so that a bad model does not empty the wallet. Raises Invalid
    naming every field that is wrong, WrongState for an endpoint that is going.
    """
    errors: list[tuple[str, str]] = []
    tree: dict[str, Any] = {}
    try:
        tree = activation.parse(conditions) if conditions else {}
    except activation.ConditionsError as error:
        errors.append((f"conditions.{error.field}", error.problem))
    if flow.account_id != endpoint.account_id or flow.status != "Active":
        errors.append(("flow_definition", f"the account has no active flow definition {flow.name!r}"))
    elif flow.request_source:
        errors.append(("flow_definition", f"{flow.name} is for {flow.request_source}, not for own models"))
    elif not conditions and not flow.conditions:
        errors.append(("conditions", f"needed, because {flow.name} has none"))
    if least_score not in LEAST_SCORE:
        errors.append(("least_score", f"{least_score!r} found, {LEAST_SCORE} expected"))
    if most_per_hour not in MOST_PER_HOUR or int(most_per_hour) != most_per_hour:
        errors.append(("most_per_hour", f"{most_per_hour!r} found, {MOST_PER_HOUR} expected"))
    errors += classifier_errors(content_classifiers, public=bool(flow.queue.workteam.public))
    if errors:
        raise Invalid("the human review of the endpoint cannot be set", errors=errors)
    values = {
        "flow": flow,
        "conditions": tree,
        "least_score": float(least_score),
        "content_classifiers": list(content_classifiers),
        "most_per_hour": int(most_per_hour),
        "changed_by": by,
        "trouble": "",
    }
    with transaction.atomic():
        locked = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
        if locked.status == "Deleting":
            raise WrongState(f"the endpoint is {locked.status}", field="status")
        review, made = EndpointReview.objects.update_or_create(endpoint=locked, defaults=values)
        said = f"human review {'set' if made else 'changed'}: {flow.name}, at most {most_per_hour} an hour, "
        audit.record(endpoint, by=by, because=said + (orjson.dumps(tree).decode() if tree else "its conditions"))
    return review


def clear_review(*, endpoint: Endpoint, by: str) -> None:
    """Ask people about no more requests; loops that run go on. Safe to repeat."""
    with transaction.atomic():
        deleted, _ = EndpointReview.objects.filter(endpoint=endpoint).delete()
        if deleted:
            audit.record(endpoint, by=by, because="human review ended")


def asking_model(flow: FlowDefinition) -> str:
    """The name of the model whose endpoint asked last by this flow definition; "" when none did."""
    rows = ReviewRequest.objects.filter(flow=flow).order_by("-created_at")
    return rows.values_list("model_name", flat=True).first() or ""


def names_of(model: Model | None) -> dict[str, str]:
    """The names of a model's classes by their number as text; none for a model that is gone."""
    return {} if model is None else {str(number): name for number, name in registry.class_names(model).items()}


def view(endpoint: Endpoint) -> dict[str, Any] | None:
    """The human review of an endpoint as front ends show it, None without one.

    {"flow_definition", "flow_status", "conditions" (those that hold), "least_score", "content_classifiers",
    "most_per_hour", "trouble", "waiting", "in_progress", "completed", "failed", "stopped": its requests by status,
    "taken": those of the last hour, "left_out": requests of the last hour that met the conditions when the endpoint had
    taken as many as it may}.
    """
    review = of(endpoint)
    if review is None:
        return None
    rows = ReviewRequest.objects.filter(endpoint=endpoint)
    by_status = dict(rows.order_by().values_list("status").annotate(n=Count("pk")))
    since = timezone.now() - SHOWN
    variants = list(Variant.objects.filter(deployment__endpoint=endpoint).values_list("pk", flat=True))
    return {
        "flow_definition": review.flow.name,
        "flow_status": review.flow.status,
        "conditions": holding(review),
        "least_score": review.least_score,
        "content_classifiers": review.content_classifiers,
        "most_per_hour": review.most_per_hour,
        "trouble": review.trouble,
        "waiting": by_status.get("Waiting", 0),
        "in_progress": by_status.get("InProgress", 0),
        "completed": by_status.get("Completed", 0),
        "failed": by_status.get("Failed", 0),
        "stopped": by_status.get("Stopped", 0),
        "taken": rows.filter(created_at__gt=since).count(),
        "left_out": traffic.together(list(traffic.totals(variants, since=since).values())).left_out,
    }


def holding(review: EndpointReview) -> Mapping[str, Any]:
    """The conditions that hold: the endpoint's own, or those of its flow definition."""
    found: Mapping[str, Any] = review.conditions or review.flow.conditions
    return found
