"""Endpoints as their owner sees them: configurations, create, update, weights and capacities, delete.

What takes time is only begun here; hosting/deploying.py brings it to its end. Knows no request.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Sum
from django.utils import timezone

from learning import queries, transitions
from learning.models import Deployment, Endpoint, EndpointConfig, Model, Variant
from learning.services import registry
from learning.services.hosting import replicas, strategies
from marketplace import arns, storage
from marketplace.errors import Invalid, LimitExceeded, NameTaken, WrongState
from marketplace.models import Account
from marketplace.names import check_name, free_name
from marketplace.queue import enqueue
from marketplace.ranges import Range
from marketplace.services import boundaries, quotas

VARIANTS = Range(1, 10)
INSTANCES = Range(1, 64)
WEIGHT = Range(0.0, 1_000_000.0)
CAPTURE_PERCENT = Range(0, 100)
CAPTURE_MODES = ("Input", "Output")
ALL_TRAFFIC = "AllTraffic"
"""What a variant is called that is the only one."""
CAPTURED_PARTS = Range(1, 2)
LIVE_DEPLOYMENTS = ("Starting", "Shifting", "Serving")
ADVANCE = "learning.background.advance_endpoint"
ADVANCE_LOOK = "learning.background.look_at_endpoint"


def create_config(
    *,
    account: Account,
    name: str,
    variants: Sequence[Mapping[str, Any]],
    capture_percent: int = 0,
    capture_uri: str = "",
    capture_modes: Sequence[str] = CAPTURE_MODES,
) -> EndpointConfig:
    """A configuration: `variants` [{"name", "model", "instance_count" (1), "weight" (1.0)}], 1 to 10 of them.

    `capture_percent` of the requests are kept below `capture_uri`, by default in the account's part of the store.
    Raises Invalid naming what is wrong, NotFound for an unknown model, Forbidden for an address that the account may
    not write to, NameTaken, LimitExceeded.
    """
    check_name(name)
    if len(variants) not in VARIANTS:
        raise Invalid(f"{len(variants)} variants found, {VARIANTS} expected", field="variants")
    checked = [_variant(account, variant, f"variants[{place}]") for place, variant in enumerate(variants)]
    names = [variant["name"] for variant in checked]
    if twice := [one for one in names if names.count(one) > 1]:
        raise Invalid(f"there are two variants {twice[0]!r}", field="variants")
    if not sum(variant["weight"] for variant in checked):
        raise Invalid("at least one variant needs a weight above 0", field="variants")
    if capture_percent not in CAPTURE_PERCENT:
        raise Invalid(f"{capture_percent!r} found, {CAPTURE_PERCENT} expected", field="capture_percent")
    if unknown := set(capture_modes) - set(CAPTURE_MODES):
        raise Invalid(f"{sorted(unknown)[0]!r} found, Input or Output expected", field="capture_modes")
    if capture_percent and not capture_modes:
        raise Invalid("Input, Output or both expected", field="capture_modes")
    if capture_uri:
        boundaries.require_writable(account=account, uri=capture_uri)
    try:
        with transaction.atomic():
            rows = EndpointConfig.objects.filter(account=account, deleted_at=None)
            quotas.require(account=account, kind="endpoint-config", rows=rows)
            return EndpointConfig.objects.create(
                account=account,
                name=name,
                variants=checked,
                capture_percent=capture_percent,
                capture_uri=capture_uri or storage.join(boundaries.base_of(account), "captures"),
                capture_modes=sorted(set(capture_modes)),
            )
    except IntegrityError as error:
        raise NameTaken(f"there is an endpoint configuration {name!r} already", field="name") from error


def _variant(account: Account, given: Mapping[str, Any], where: str) -> dict[str, Any]:
    check_name(given.get("name"), field=f"{where}.name")
    instances, weight = given.get("instance_count", 1), given.get("weight", 1.0)
    _check_instances(instances, where)
    if weight not in WEIGHT:
        raise Invalid(f"{weight!r} found, {WEIGHT} expected", field=f"{where}.weight")
    model = registry.by_arn(account=account, model_arn=str(given.get("model", "")))
    return {"name": given["name"], "model": model.name, "instance_count": int(instances), "weight": float(weight)}


def delete_config(*, config: EndpointConfig) -> None:
    """Delete a configuration; an endpoint that has it goes on as it is, as in SageMaker.

    SageMaker's SDK deletes an endpoint's configuration before the endpoint.
    """
    with transaction.atomic():
        locked = EndpointConfig.objects.select_for_update().get(pk=config.pk)
        locked.deleted_at = timezone.now()
        locked.save(update_fields=["deleted_at"])
        remove_unused_configs(locked.account)


def remove_unused_configs(account: Account) -> None:
    """Remove the rows of deleted configurations that no endpoint has any more."""
    live = Deployment.objects.filter(config=OuterRef("pk"), status__in=LIVE_DEPLOYMENTS)
    rows = EndpointConfig.objects.filter(account=account, deleted_at__isnull=False, endpoints=None)
    for config in rows.exclude(Exists(live)).select_for_update(of=("self",)).order_by("pk"):
        config.delete()


def create(*, account: Account, name: str, config: EndpointConfig, by: str) -> Endpoint:
    """An endpoint that serves `config` as soon as all of its replicas answer.

    Raises Invalid for the name, NameTaken, NotFound for a model that is gone, LimitExceeded for more instances than
    WAGGLE_ENDPOINT_INSTANCES_PER_ACCOUNT, or more endpoints than the account may have.
    """
    check_name(name)
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        quotas.require(account=account, kind="endpoint", rows=Endpoint.objects.filter(account=account))
        if Endpoint.objects.filter(account=account, name=name).exists():
            raise NameTaken(f"there is an endpoint {name!r} already", field="name")
        endpoint = Endpoint.objects.create(account=account, name=name, config=config, status_changed_at=timezone.now())
        _deploy(endpoint, config, strategies.parse(None))
        transitions.ENDPOINT.begin(endpoint)
        enqueue(ADVANCE, endpoint.pk)
    return endpoint


def create_with_variants(
    *, account: Account, name: str, variants: Sequence[Mapping[str, Any]], capture_percent: int = 0, by: str
) -> Endpoint:
    """An endpoint of these variants (see `named`), with a configuration of its name, or of the first free one like it.

    Raises as `create_config` and `create` do; then there is neither.
    """
    with transaction.atomic():
        config = create_config(
            account=account,
            name=_free_config(account, name),
            variants=named(variants),
            capture_percent=capture_percent,
        )
        return create(account=account, name=name, config=config, by=by)


def named(variants: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Variants as `create_config` takes them; one without a name is called after its model, or, alone, AllTraffic."""
    return [
        {**one, "name": one.get("name") or (one.get("model") if len(variants) > 1 else ALL_TRAFFIC)} for one in variants
    ]


def _free_config(account: Account, name: str) -> str:
    return free_name(name, set(queries.endpoint_configs(account).values_list("name", flat=True)))


def update_variants(
    *,
    endpoint: Endpoint,
    variants: Sequence[Mapping[str, Any]],
    by: str,
    strategy: Mapping[str, Any] | None = None,
) -> Deployment:
    """Let the endpoint serve these variants (see `named`), by a configuration that captures as the present one does.

    Raises as `create_config` and `update` do; then nothing has changed.
    """
    before = endpoint.config
    with transaction.atomic():
        config = create_config(
            account=endpoint.account,
            name=_free_config(endpoint.account, endpoint.name),
            variants=named(variants),
            capture_percent=before.capture_percent,
            capture_uri=before.capture_uri,
            capture_modes=before.capture_modes,
        )
        return update(endpoint=endpoint, config=config, by=by, strategy=strategy)


def update(
    *, endpoint: Endpoint, config: EndpointConfig, by: str, strategy: Mapping[str, Any] | None = None
) -> Deployment:
    """Let the endpoint serve `config` from now on; what it serves now goes on until the new replicas have proved good.

    `strategy` as hosting/strategies.py has it. Raises Invalid, WrongState unless the endpoint is InService, and as
    `create`.
    """
    checked = strategies.parse(strategy)
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=endpoint.account_id)
        _locked(endpoint, "InService", "UpdateRollbackFailed")
        transitions.ENDPOINT.advance(endpoint, "Updating", by=by, because=f"to {config.name}", failure_reason="")
        deployment = _deploy(endpoint, config, checked)
        enqueue(ADVANCE, endpoint.pk)
    return deployment


def _locked(endpoint: Endpoint, *states: str) -> Endpoint:
    locked = Endpoint.objects.select_for_update().get(pk=endpoint.pk)
    if locked.status not in states:
        raise WrongState(f"the endpoint is {locked.status}; it has to be InService for that", field="status")
    return locked


def _deploy(endpoint: Endpoint, config: EndpointConfig, strategy: dict[str, Any]) -> Deployment:
    wanted = sum(int(variant["instance_count"]) for variant in config.variants)
    _check_capacity(endpoint.account, wanted)
    deployment = Deployment.objects.create(
        endpoint=endpoint, config=config, strategy=strategy, status_changed_at=timezone.now()
    )
    for given in config.variants:
        variant = Variant.objects.create(
            deployment=deployment,
            name=given["name"],
            model=registry.get(account=endpoint.account, name=given["model"]),
            weight=given["weight"],
            instance_count=given["instance_count"],
        )
        replicas.match_count(variant)
    return deployment


def _check_capacity(account: Account, further: int) -> None:
    rows = Variant.objects.filter(
        deployment__endpoint__account=account, deployment__status__in=LIVE_DEPLOYMENTS
    ).exclude(deployment__endpoint__status="Deleting")
    used, most = rows.aggregate(n=Sum("instance_count"))["n"] or 0, settings.ENDPOINT_INSTANCES_PER_ACCOUNT
    if used + further > most:
        raise LimitExceeded(
            f"{used} instances of endpoints run or start, {further} more are wanted, and an account may have {most} "
            "(WAGGLE_ENDPOINT_INSTANCES_PER_ACCOUNT); during an update the old and the new ones count"
        )


def set_weights_and_capacities(*, endpoint: Endpoint, changes: Sequence[Mapping[str, Any]], by: str) -> None:
    """Change what is served as it is: `changes` [{"variant", "weight", "instance_count"}], the last two optional.

    Weights hold at once; instances are started or stopped, and the endpoint is Updating until they have been. Raises
    Invalid, WrongState unless the endpoint is InService, LimitExceeded.
    """
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=endpoint.account_id)
        locked = _locked(endpoint, "InService")
        variants = {one.name: one for one in Variant.objects.filter(deployment=serving(locked))}
        before = sum(variant.instance_count for variant in variants.values())
        for place, change in enumerate(changes):
            _change(variants, change, f"variants[{place}]")
        if not sum(variant.weight for variant in variants.values()):
            raise Invalid("at least one variant needs a weight above 0", field="variants")
        more = sum(variant.instance_count for variant in variants.values()) - before
        if more > 0:
            _check_capacity(endpoint.account, more)
        for variant in variants.values():
            variant.save(update_fields=["weight", "instance_count"])
            replicas.match_count(variant)
        transitions.ENDPOINT.advance(locked, "Updating", by=by, because="weights and capacities", failure_reason="")
        enqueue(ADVANCE, endpoint.pk)
    endpoint.refresh_from_db()


def _change(variants: Mapping[str, Variant], change: Mapping[str, Any], where: str) -> None:
    variant = variants.get(str(change.get("variant")))
    if variant is None:
        known = ", ".join(variants)
        raise Invalid(f"{change.get('variant')!r} found, one of {known} expected", field=f"{where}.variant")
    if (weight := change.get("weight")) is not None:
        if weight not in WEIGHT:
            raise Invalid(f"{weight!r} found, {WEIGHT} expected", field=f"{where}.weight")
        variant.weight = float(weight)
    if (instances := change.get("instance_count")) is not None:
        _check_instances(instances, where)
        variant.instance_count = int(instances)


def _check_instances(found: Any, where: str) -> None:
    if found not in INSTANCES or int(found) != found:
        raise Invalid(f"{found!r} found, {INSTANCES} expected", field=f"{where}.instance_count")


def delete(*, endpoint: Endpoint, by: str) -> None:
    """Stop serving. The endpoint is gone once its replicas have ended; its name is free then."""
    with transaction.atomic():
        transitions.ENDPOINT.advance(endpoint, "Deleting", by=by)
        enqueue(ADVANCE, endpoint.pk)


def serving(endpoint: Endpoint) -> Deployment | None:
    """The deployment that gets the endpoint's requests, leaving aside one on probation; None before there is one."""
    return endpoint.deployments.filter(status="Serving").order_by("-pk").first()


def endpoints_using(model: Model) -> list[Endpoint]:
    """The endpoints that serve this model, or are about to, in the order of their names."""
    rows = Endpoint.objects.filter(
        deployments__variants__model=model, deployments__status__in=LIVE_DEPLOYMENTS
    ).exclude(status="Failed")
    return list(rows.distinct().order_by("name"))


def arn(endpoint: Endpoint) -> str:
    """The endpoint's ARN."""
    return arns.build("endpoint", endpoint.account.number, endpoint.name, region=settings.REGION)


def config_arn(config: EndpointConfig) -> str:
    """The configuration's ARN."""
    return arns.build("endpoint-config", config.account.number, config.name, region=settings.REGION)
