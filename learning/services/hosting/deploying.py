"""What an endpoint does by itself: it waits for replicas, shifts requests step by step, rolls back, and goes away.

`advance` looks at the rows and does the next thing or nothing; while an endpoint changes, it plans its own next look.
"""

import logging
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from learning import transitions
from learning.models import Deployment, Endpoint, EndpointReplica
from learning.services import improvement_nudges, run_notices
from learning.services.hosting import hosting, replicas, strategies, traffic
from marketplace.queue import enqueue

log = logging.getLogger(__name__)

BY = "endpoints"
LOOK_SECONDS = 1.0
WATCHED_REQUESTS = 10
"""Before so many requests nothing is said about how many of them fail."""
CHANGING = ("Creating", "Updating", "RollingBack", "Deleting")


def advance(*, endpoint_id: int, look: int = 0) -> None:
    """The next step of an endpoint, if it is time for one.

    `look`: the number of a planned look, of which only the newest is followed; 0 for everybody else.
    """
    with transaction.atomic():
        # Somebody else who looks at it now plans the next look.
        rows = Endpoint.objects.select_for_update(skip_locked=True, of=("self",))
        endpoint = rows.select_related("config").filter(pk=endpoint_id).first()
        if endpoint is None or (look and look != endpoint.looks):
            return
        before = endpoint.status
        if endpoint.status == "Deleting":
            if _deleted(endpoint):
                return
        elif endpoint.status == "Creating":
            _create(endpoint)
        elif endpoint.status == "Updating":
            _update(endpoint)
        elif endpoint.status == "RollingBack":
            _rolled_back(endpoint)
        if endpoint.status != before:
            improvement_nudges.waiting(endpoint.account_id)
        leaving = _stop_what_left(endpoint)
        if leaving or endpoint.status in CHANGING:
            endpoint.looks += 1
            endpoint.save(update_fields=["looks"])
            enqueue(hosting.ADVANCE_LOOK, endpoint.pk, endpoint.looks, after=timedelta(seconds=LOOK_SECONDS))


def sweep() -> None:
    """Every minute: look at every endpoint that changes, so that none stops when a message is lost."""
    changing = Endpoint.objects.filter(status__in=CHANGING).values_list("pk", flat=True)
    leaving = EndpointReplica.objects.filter(status__in=replicas.LIVE).exclude(retire_at=None)
    for pk in {*changing, *leaving.values_list("variant__deployment__endpoint", flat=True)}:
        enqueue(hosting.ADVANCE, pk)
    traffic.forget_old()


def _replicas(endpoint: Endpoint, deployment: Deployment | None = None) -> replicas.Rows:
    rows = EndpointReplica.objects.filter(variant__deployment__endpoint=endpoint)
    return rows.filter(variant__deployment=deployment) if deployment else rows


def _problem(endpoint: Endpoint, deployment: Deployment) -> str:
    """Why a deployment that starts will never serve; "" as long as it may."""
    failed = _replicas(endpoint, deployment).filter(status="Failed", retire_at=None).order_by("pk").first()
    if failed is not None:
        return f"an instance of the variant {failed.variant.name!r} could not start: {failed.failure_reason}"
    seconds = int(deployment.strategy["start_seconds"])
    if timezone.now() > deployment.created_at + timedelta(seconds=seconds):
        return f"the instances did not answer within {seconds} seconds"
    return ""


def _all_ready(deployment: Deployment) -> bool:
    """Whether every variant has all of its replicas."""
    return all(
        replicas.wanted(variant).filter(status="InService").count() >= variant.instance_count
        for variant in deployment.variants.all()
    )


def _create(endpoint: Endpoint) -> None:
    deployment = endpoint.deployments.get(status="Starting")
    if reason := _problem(endpoint, deployment):
        _leave(endpoint, deployment, "Failed", reason)
        transitions.ENDPOINT.advance(endpoint, "Failed", by=BY, because=reason[:500], failure_reason=reason[:1024])
        run_notices.endpoint_settled(endpoint, f"could not be created: {reason}")
    elif _all_ready(deployment):
        transitions.DEPLOYMENT.advance(deployment, "Serving", by=BY, share=100)
        transitions.ENDPOINT.advance(endpoint, "InService", by=BY)
        run_notices.endpoint_settled(endpoint, "is in service")


def _update(endpoint: Endpoint) -> None:
    new = endpoint.deployments.filter(status__in=("Starting", "Shifting")).order_by("-pk").first()
    if new is None:
        _match(endpoint)
    elif new.status == "Starting":
        if reason := _problem(endpoint, new):
            _roll_back(endpoint, new, reason)
        elif _all_ready(new):
            transitions.DEPLOYMENT.advance(new, "Shifting", by=BY)
            _shift(endpoint, new, strategies.next_share(new.strategy, 0))
    elif reason := _alarm(new):
        _roll_back(endpoint, new, reason)
    elif new.next_step_at is None or timezone.now() >= new.next_step_at:
        if new.share >= 100:
            _finish(endpoint, new)
        else:
            _shift(endpoint, new, strategies.next_share(new.strategy, new.share))


def _match(endpoint: Endpoint) -> None:
    """Only weights and capacities were changed: done once every variant has its replicas."""
    deployment = hosting.serving(endpoint)
    if deployment is None or _all_ready(deployment):
        transitions.ENDPOINT.advance(endpoint, "InService", by=BY)
    elif reason := _failed_to_grow(endpoint, deployment):
        transitions.ENDPOINT.advance(endpoint, "InService", by=BY, because=reason[:500], failure_reason=reason[:1024])
        run_notices.endpoint_settled(endpoint, f"has fewer instances than were asked for: {reason}")


def _failed_to_grow(endpoint: Endpoint, deployment: Deployment) -> str:
    """Why an instance that was added did not start; the variant goes on with those that did."""
    failed = _replicas(endpoint, deployment).filter(status="Failed", retire_at=None)
    reasons = [f"an instance could not start: {row.failure_reason}" for row in failed]
    for row in failed.select_related("variant"):
        row.variant.instance_count = replicas.wanted(row.variant).count()
        row.variant.save(update_fields=["instance_count"])
    replicas.retire(failed)
    return reasons[0] if reasons else ""


def _shift(endpoint: Endpoint, new: Deployment, share: int) -> None:
    """Give the new deployment this share of the requests, and the old one the rest."""
    new.share = share
    new.next_step_at = timezone.now() + timedelta(seconds=int(new.strategy["bake_seconds"]))
    new.save(update_fields=["share", "next_step_at"])
    endpoint.deployments.filter(status="Serving").update(share=100 - share)
    log.info("endpoint %s: %d percent go to the deployment %d", endpoint.name, share, new.pk)


def _alarm(new: Deployment) -> str:
    """Why the new deployment is no good, by what its requests have met with so far; "" as long as it is."""
    variant_ids = list(new.variants.values_list("pk", flat=True))
    counts = traffic.together(list(traffic.totals(variant_ids).values()))
    if counts.requests < WATCHED_REQUESTS:
        return ""
    most, slowest = new.strategy["max_error_percent"], new.strategy["max_p99_ms"]
    if most is not None and counts.error_percent > most:
        return f"{counts.errors} of {counts.requests} requests to the new instances failed, more than {most:g} %"
    latency = counts.latency_ms(0.99)
    if slowest is not None and latency is not None and latency > slowest:
        return f"the 99th percentile of latency of the new instances is {latency:g} ms, above {slowest:g} ms"
    return ""


def _finish(endpoint: Endpoint, new: Deployment) -> None:
    for old in endpoint.deployments.filter(status="Serving"):
        _leave(endpoint, old, "Retired", "")
    transitions.DEPLOYMENT.advance(new, "Serving", by=BY, share=100)
    transitions.ENDPOINT.advance(endpoint, "InService", by=BY, config=new.config)
    run_notices.endpoint_settled(endpoint, f"is updated: it serves the configuration {endpoint.config.name}")


def _roll_back(endpoint: Endpoint, new: Deployment, reason: str) -> None:
    endpoint.deployments.filter(status="Serving").update(share=100)
    _leave(endpoint, new, "RolledBack", reason)
    text = f"the update was rolled back: {reason}"
    transitions.ENDPOINT.advance(endpoint, "RollingBack", by=BY, because=text[:500], failure_reason=text[:1024])


def _rolled_back(endpoint: Endpoint) -> None:
    """The end of rolling back: nobody sends requests to what was tried any more."""
    tried = _replicas(endpoint).filter(variant__deployment__status="RolledBack")
    if replicas.stop_retired(tried, by=BY):
        return
    deployment = hosting.serving(endpoint)
    alive = deployment is not None and _replicas(endpoint, deployment).filter(status="InService").exists()
    to = "InService" if alive else "UpdateRollbackFailed"
    transitions.ENDPOINT.advance(endpoint, to, by=BY)
    how = "goes on as before" if alive else "has no instance any more that answers"
    run_notices.endpoint_settled(endpoint, f"{how}: {endpoint.failure_reason}")


def _leave(endpoint: Endpoint, deployment: Deployment, to: str, reason: str) -> None:
    transitions.DEPLOYMENT.advance(
        deployment, to, by=BY, because=reason[:500], reason=reason[:1024], share=0, next_step_at=None
    )
    replicas.retire(_replicas(endpoint, deployment))


def _stop_what_left(endpoint: Endpoint) -> bool:
    """Stop what was retired a while ago; returns whether there is more of it."""
    return replicas.stop_retired(_replicas(endpoint), by=BY, at_once=endpoint.status in ("Failed", "Deleting"))


def _deleted(endpoint: Endpoint) -> bool:
    """Stop everything; returns whether that is done and the endpoint is gone."""
    rows = _replicas(endpoint)
    replicas.retire(rows)
    if replicas.stop_retired(rows, by=BY, at_once=True):
        return False
    endpoint.delete()
    hosting.remove_unused_configs(endpoint.account)
    return True
