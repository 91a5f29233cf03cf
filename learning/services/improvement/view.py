"""What there is to show of a policy, for pages and the API alike."""

from collections import Counter
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from learning import transitions
from learning.models import Detection, ImprovementPolicy, PolicyRun
from learning.services.hosting import hosting
from learning.services.improvement import answers, discovery, picture
from learning.services.improvement import parameters as known
from learning.services.improvement.detecting import SAMPLING
from marketplace.errors import NotFound
from marketplace.models import Account, AuditEvent
from marketplace.services import audit

CHANGES = 20


def policies(account: Account) -> QuerySet[ImprovementPolicy]:
    """The account's policies, newest first."""
    rows = ImprovementPolicy.objects.filter(account=account).select_related("account", "endpoint", "flow")
    return rows.order_by("-pk")


def policy(account: Account, name: str) -> ImprovementPolicy:
    """The account's policy of this name. Raises NotFound."""
    found = policies(account).filter(name=name).first()
    if found is None:
        raise NotFound(f"the account has no improvement policy {name!r}")
    return found


def with_counts(rows: QuerySet[ImprovementPolicy]) -> QuerySet[ImprovementPolicy]:
    """The policies with `met`, `waiting` and `answered`: how many images there are, wait for people, are answered."""
    return rows.annotate(
        met=Count("detections"),
        waiting=Count("detections", filter=Q(detections__status="HumanLoop")),
        answered=Count("detections", filter=Q(detections__status="Answered")),
    )


def samples(row: ImprovementPolicy) -> int:
    """How many images were put before people as a sample."""
    return Detection.objects.filter(policy=row, source=SAMPLING).count()


def runs(row: ImprovementPolicy) -> QuerySet[PolicyRun]:
    """The policy's runs, newest first."""
    rows = PolicyRun.objects.filter(policy=row).select_related("model", "live_model", "training_job")
    return rows.prefetch_related("steps").order_by("-number")


def run(row: ImprovementPolicy, number: int) -> PolicyRun:
    """One run of the policy. Raises NotFound."""
    found = runs(row).filter(number=number).select_related("policy__account").first()
    if found is None:
        raise NotFound(f"the policy {row.name} has no run {number}")
    return found


def detections(row: ImprovementPolicy) -> QuerySet[Detection]:
    """The policy's images, newest first."""
    rows = Detection.objects.filter(policy=row).select_related("human_loop", "model", "run")
    return rows.order_by("-pk")


def counts(row: ImprovementPolicy) -> dict[str, int]:
    """How many images are in each state."""
    found = Counter(dict(row.detections.values_list("status").annotate(n=Count("pk")).order_by()))
    return {status: found[status] for status in transitions.DETECTION.states}


def live_model(row: ImprovementPolicy) -> str:
    """The name of the model that the endpoint serves, "" for none."""
    deployment = hosting.serving(row.endpoint) if row.endpoint is not None else None
    variant = deployment.variants.select_related("model").first() if deployment is not None else None
    return variant.model.name if variant is not None and variant.model is not None else ""


def listed(row: ImprovementPolicy) -> dict[str, Any]:
    """What a list shows of a policy: nothing that has to be counted."""
    return {
        "name": row.name,
        "status": row.status,
        "endpoint": row.endpoint.name if row.endpoint else None,
        "flow_definition": row.flow.name,
        "location": row.location,
        "images_uri": discovery.folder_of(row),
        "labels": row.labels,
        "parameters": {one.name: row.parameters[one.name] for one in known.PARAMETERS},
        "drifting_since": row.drifting_since,
        "attention": row.attention or None,
        "created_at": row.created_at,
    }


def shown(row: ImprovementPolicy) -> dict[str, Any]:
    """All of a policy but its runs and images."""
    return {
        **listed(row),
        "live_model": live_model(row) or None,
        "settings": row.settings,
        "fixed_images": row.fixed_images,
        "training_images": row.base_images,
        "untrained_images": answers.untrained(row).count(),
        "images": counts(row),
        "drift": row.drift.get("features", []),
        "confirm_address": row.confirm_address or None,
    }


def run_shown(found: PolicyRun) -> dict[str, Any]:
    """A run with its steps, figures and decision."""
    return {
        "number": found.number,
        "status": found.status,
        "title": picture.title(found.status),
        "reason": found.reason or None,
        "training_job": found.training_job.name if found.training_job else None,
        "model": found.model.name if found.model else None,
        "live_model": found.live_model.name if found.live_model else None,
        "images": found.images,
        "training_images": found.training_images,
        "fresh_images": found.fresh_images,
        "f1": {
            name: {who: found.figures.get(name, {}).get(who, {}).get("f1") for who in ("new", "live")}
            for name in ("fixed", "fresh")
        },
        "figures": found.figures,
        "steps": [{"state": step.state, "because": step.because, "at": step.at} for step in found.steps.all()],
        "created_at": found.created_at,
        "deployed_at": found.deployed_at,
        "ended_at": found.ended_at,
    }


def image_shown(found: Detection) -> dict[str, Any]:
    """The log of one image, as the solution's table has it."""
    return {
        "id": found.pk,
        "uri": found.uri,
        "version": found.version,
        "found_by": found.found_by,
        "status": found.status,
        "reason": found.reason or None,
        "model": found.model.name if found.model else None,
        "label": found.label,
        "confidence": found.confidence,
        "sampled": found.sampled,
        "source": found.source or None,
        "human_loop": found.human_loop.name if found.human_loop else None,
        "human_label": found.human_label,
        "use": found.use or None,
        "run": found.run.number if found.run else None,
        "set_aside": found.set_aside,
        "found_at": found.found_at,
        "detected_at": found.detected_at,
        "answered_at": found.answered_at,
    }


def changes(row: ImprovementPolicy) -> list[AuditEvent]:
    """The newest changes of the policy, of its parameters above all."""
    rows = audit.of_account(row.account).filter(object_type=row._meta.label, object_id=row.pk)
    return list(rows[:CHANGES])


def report_address(token: str) -> str:
    """Where stores report new images with this secret."""
    return f"{settings.PUBLIC_URL.rstrip('/')}/improvement-events/{token}/"
