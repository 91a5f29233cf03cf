"""The replicas of an endpoint's variants: as many as are asked for, started, retired and stopped.

A replica that is to go is retired first: no process sends it requests any more once its routes are read again, and it
is stopped after that. Knows nothing of deployments' steps.
"""

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from learning.models import EndpointReplica, Variant
from learning.services.programs import kinds

Rows = QuerySet[EndpointReplica]
LIVE = ("Creating", "InService", "Deleting")
ROUTES_SECONDS = 1.0
"""For how long a process goes by the routes that it has read."""
RETIRED_FOR = timedelta(seconds=3 * ROUTES_SECONDS)


def wanted(variant: Variant) -> QuerySet[EndpointReplica]:
    """The replicas of a variant that serve or are to serve."""
    return variant.replicas.filter(status__in=LIVE, retire_at=None).exclude(status="Deleting")


def match_count(variant: Variant) -> None:
    """Start the replicas that a variant lacks, retire those that it has too many of. The endpoint is locked."""
    there = list(wanted(variant).order_by("pk"))
    endpoint = variant.deployment.endpoint
    for number in range(len(there), variant.instance_count):
        EndpointReplica.objects.create(
            account=endpoint.account,
            name=f"{endpoint.name[:40]}-{variant.name[:16]}-{number + 1}"[:63],
            variant=variant,
            status_changed_at=timezone.now(),
        )
    # Those that serve stay rather than those that do not yet.
    surplus = sorted(there, key=lambda row: (row.status != "InService", row.pk))[variant.instance_count :]
    retire(EndpointReplica.objects.filter(pk__in=[row.pk for row in surplus]))


def retire(rows: QuerySet[EndpointReplica]) -> None:
    """Let these get no more requests; `stop_retired` stops them a little later."""
    rows.filter(retire_at=None).update(retire_at=timezone.now())


def stop_retired(rows: QuerySet[EndpointReplica], *, by: str, at_once: bool = False) -> bool:
    """Stop those of `rows` that were retired long enough ago, or all retired ones; returns whether any is live."""
    live = rows.filter(status__in=LIVE).exclude(retire_at=None)
    due = live if at_once else live.filter(retire_at__lte=timezone.now() - RETIRED_FOR)
    for replica in due.exclude(status="Deleting"):
        kinds.of(replica).stop(replica, by=by)
    return live.exists()
