"""What every front end shows of endpoints: what they serve, how an update goes, how their variants do."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from learning.models import Deployment, Endpoint, EndpointReplica
from learning.services.hosting import traffic
from learning.services.hosting.replicas import LIVE

SHOWN = timedelta(hours=1)
"""The figures are of so much time."""
UPDATING = ("Starting", "Shifting")


def endpoint_views(endpoints: Sequence[Endpoint]) -> list[dict[str, Any]]:
    """Each endpoint: {"name", "status", "failure_reason", "config", "variants", "update", "created_at", "updated_at"}.

    `variants` of what is served: {"name", "model", "weight", "share" (percent of the endpoint's requests),
    "instance_count", "instances": [{"status", "failure_reason", "url"}], "ready", "requests", "errors", "refused",
    "p50_ms", "p99_ms"}, the figures of the last hour. `update`, None without one: {"config", "status", "share",
    "strategy", "next_step_at", "variants"}. The number of queries does not depend on the number of endpoints.
    """
    deployments = list(
        Deployment.objects.filter(endpoint__in=endpoints, status__in=("Serving", *UPDATING))
        .select_related("config")
        .prefetch_related("variants__model")
        .order_by("pk")
    )
    variant_ids = [variant.pk for deployment in deployments for variant in deployment.variants.all()]
    counts = traffic.totals(variant_ids, since=timezone.now() - SHOWN)
    replicas: dict[int, list[EndpointReplica]] = {}
    for row in EndpointReplica.objects.filter(variant__in=variant_ids, retire_at=None).order_by("pk"):
        if row.status in (*LIVE, "Failed"):
            replicas.setdefault(row.variant_id, []).append(row)
    by_endpoint: dict[int, list[Deployment]] = {}
    for deployment in deployments:
        by_endpoint.setdefault(deployment.endpoint_id, []).append(deployment)
    return [_endpoint(endpoint, by_endpoint.get(endpoint.pk, []), counts, replicas) for endpoint in endpoints]


def endpoint_view(endpoint: Endpoint) -> dict[str, Any]:
    """One endpoint, see `endpoint_views`."""
    return endpoint_views([endpoint])[0]


def _endpoint(
    endpoint: Endpoint,
    deployments: list[Deployment],
    counts: dict[int, traffic.Counts],
    replicas: dict[int, list[EndpointReplica]],
) -> dict[str, Any]:
    served = next((one for one in reversed(deployments) if one.status == "Serving"), None)
    new = next((one for one in reversed(deployments) if one.status in UPDATING), None)
    update = None
    if new is not None:
        update = {
            "config": new.config.name if new.config else None,
            "status": new.status,
            "share": new.share,
            "strategy": new.strategy,
            "next_step_at": new.next_step_at,
            "variants": _variants(new, counts, replicas),
        }
    return {
        "name": endpoint.name,
        "status": endpoint.status,
        "failure_reason": endpoint.failure_reason or None,
        "config": endpoint.config.name,
        "created_at": endpoint.created_at,
        "updated_at": endpoint.updated_at,
        "variants": _variants(served, counts, replicas) if served else [],
        "update": update,
    }


def _variants(
    deployment: Deployment, counts: dict[int, traffic.Counts], replicas: dict[int, list[EndpointReplica]]
) -> list[dict[str, Any]]:
    variants = sorted(deployment.variants.all(), key=lambda variant: variant.pk)
    total = sum(variant.weight for variant in variants)
    found = []
    for variant in variants:
        rows, seen = replicas.get(variant.pk, []), counts.get(variant.pk, traffic.Counts())
        found.append(
            {
                "name": variant.name,
                "model": variant.model.name if variant.model else None,
                "model_id": variant.model_id,
                "weight": variant.weight,
                "share": round(deployment.share * variant.weight / total, 2) if total else 0.0,
                "instance_count": variant.instance_count,
                "instances": [
                    {"status": row.status, "failure_reason": row.failure_reason or None, "url": row.url or None}
                    for row in rows
                ],
                "ready": sum(row.status == "InService" for row in rows),
                "requests": seen.requests,
                "errors": seen.errors,
                "refused": seen.refused,
                "p50_ms": seen.latency_ms(0.5),
                "p99_ms": seen.latency_ms(0.99),
            }
        )
    return found
