"""Endpoints that put their predictions before people: on which conditions, and the requests that met them."""

from django.db import models
from django.db.models import Q

from labeling.models import FlowDefinition, HumanLoop
from learning import transitions
from learning.models.hosting import Endpoint
from marketplace.addresses import AddressField
from marketplace.models import Account


class EndpointReview(models.Model):
    """When requests of an endpoint become human loops of a flow definition.

    `conditions`: checked activation conditions, {} for those of the flow definition. People are shown boxes with at
    least `least_score` (0 to 1). `most_per_hour`: requests that are taken in an hour at most. `trouble`: why the newest
    of them did not become a loop, "" when it did.
    """

    endpoint = models.OneToOneField(Endpoint, models.CASCADE, related_name="review")
    flow = models.ForeignKey(FlowDefinition, models.CASCADE, related_name="+")
    conditions = models.JSONField(default=dict)
    least_score = models.FloatField()
    content_classifiers = models.JSONField(default=list)
    most_per_hour = models.IntegerField()
    trouble = models.CharField(max_length=1024, blank=True)
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.CharField(max_length=120)


class ReviewRequest(models.Model):
    """One request of an endpoint that met the conditions, and what became of it.

    `key` tells requests of an endpoint apart: a repeat has the same. `picture` and `answer`, as they came, are kept
    here until the picture is in the store at `picture_uri` and the loop is started, so that neither is lost. `results`:
    the evaluated conditions.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="review_requests", db_index=False)
    flow = models.ForeignKey(FlowDefinition, models.CASCADE, related_name="+")
    key = models.CharField(max_length=32)
    inference_id = models.CharField(max_length=64, blank=True)
    model_name = models.CharField(max_length=63)
    class_names = models.JSONField()
    least_score = models.FloatField()
    content_classifiers = models.JSONField(default=list)
    picture = models.BinaryField(null=True)
    answer = models.TextField(blank=True)
    results = models.JSONField()
    picture_uri = AddressField(max_length=1024, blank=True)
    loop = models.OneToOneField(HumanLoop, models.SET_NULL, null=True, related_name="review_request")
    loop_name = models.CharField(max_length=63)
    status = models.CharField(max_length=20, choices=transitions.REVIEW_REQUEST.choices(), default="Waiting")
    status_changed_at = models.DateTimeField(null=True)
    failure_reason = models.CharField(max_length=1024, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["endpoint", "key"], name="review_request_once")]
        indexes = [
            models.Index(fields=["endpoint", "-created_at"], name="review_request_by_endpoint"),
            models.Index(
                fields=["status", "created_at"],
                name="review_request_live",
                condition=Q(status__in=["Waiting", "InProgress"]),
            ),
            models.Index(fields=["created_at"], name="review_request_by_age"),
        ]
