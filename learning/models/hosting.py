"""Endpoints: what is to be served, what is being served, by which replicas, and how that goes."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from learning import transitions
from learning.models.registry import Model
from learning.models.training import ProgramRun
from marketplace.addresses import AddressField
from marketplace.models import Account


class EndpointConfig(models.Model):
    """What an endpoint is to serve; never changed once it is made.

    `variants`: [{"name", "model" (a name), "instance_count", "weight"}]. `capture_percent` of the requests and answers
    are kept below `capture_uri`; `capture_modes`: of Input and Output, which. One that was deleted while an endpoint
    had it is shown no more and gives its name free; its row stays as long as an endpoint needs it.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    name = models.CharField(max_length=63)
    variants = models.JSONField()
    capture_percent = models.IntegerField(default=0)
    capture_uri = AddressField(max_length=1024, blank=True)
    capture_modes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "name"],
                condition=models.Q(deleted_at__isnull=True),
                name="endpoint_config_name_of_one_shown",
            )
        ]


class Endpoint(models.Model):
    """An address that answers with the predictions of one or more models.

    `config` is the one that is served, or, while it is created, will be. `looks` numbers the planned looks at an
    endpoint that changes: only the newest is followed.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    name = models.CharField(max_length=63)
    config = models.ForeignKey(EndpointConfig, models.PROTECT, related_name="endpoints")
    status = models.CharField(max_length=20, choices=transitions.ENDPOINT.choices(), default="Creating")
    status_changed_at = models.DateTimeField(null=True)
    failure_reason = models.CharField(max_length=1024, blank=True)
    looks = models.IntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="endpoint_name_once")]


class Deployment(models.Model):
    """One configuration on its way into an endpoint, in it, or out of it again.

    `share`: percent of the endpoint's requests that it gets. `strategy`: hosting/strategies.py. `next_step_at`: when
    its share grows next, or its probation ends.
    """

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="deployments")
    config = models.ForeignKey(EndpointConfig, models.SET_NULL, null=True, related_name="deployments")
    status = models.CharField(max_length=20, choices=transitions.DEPLOYMENT.choices(), default="Starting")
    status_changed_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=1024, blank=True)
    strategy = models.JSONField(default=dict)
    share = models.IntegerField(default=0)
    next_step_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)


class Variant(models.Model):
    """One model of a deployment; its weight and its number of replicas may be changed while it serves."""

    deployment = models.ForeignKey(Deployment, models.CASCADE, related_name="variants")
    name = models.CharField(max_length=63)
    # What is not deployed any more does not keep a model from being deleted.
    model = models.ForeignKey(Model, models.SET_NULL, null=True, related_name="variants")
    weight = models.FloatField()
    instance_count = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["deployment", "name"], name="variant_name_once")]


class EndpointReplica(ProgramRun):
    """One process that serves a variant at `url`. After `retire_at` nobody sends it requests; then it is stopped."""

    variant = models.ForeignKey(Variant, models.CASCADE, related_name="replicas")
    status = models.CharField(max_length=20, choices=transitions.REPLICA.choices(), default="Creating")
    url = models.CharField(max_length=200, blank=True)
    retire_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # For the claim: what is live, and an account's newest start.
            models.Index(
                fields=["account"],
                name="endpoint_replica_live",
                condition=models.Q(status__in=["Creating", "InService", "Deleting"]),
            ),
            models.Index(fields=["account", "-started_at"], name="endpoint_replica_started"),
        ]


class VariantTraffic(models.Model):
    """The requests of one minute to one variant.

    `errors` are the model's or the replica's, `refused` the caller's (no picture, too large). `latencies` counts
    answers by the buckets of hosting/traffic.py. `left_out`: requests that met the conditions of human review, when the
    endpoint had taken as many as it may.
    """

    variant = models.ForeignKey(Variant, models.CASCADE, related_name="traffic", db_index=False)
    minute = models.DateTimeField()
    requests = models.IntegerField(default=0)
    errors = models.IntegerField(default=0)
    refused = models.IntegerField(default=0)
    left_out = models.IntegerField(db_default=0, default=0)
    latencies = ArrayField(models.IntegerField(), default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["variant", "minute"], name="variant_minute_once")]
        indexes = [models.Index(fields=["minute"], name="variant_traffic_by_age")]
