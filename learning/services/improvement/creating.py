"""Policies as their owner sees them: create, change the parameters, stop and start, renew the address, delete."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from labeling.models import Dataset, FlowDefinition
from learning import transitions
from learning.contract import ARCHITECTURES, BadInput
from learning.family_hyperparameters import parse_training
from learning.hyperparameters import refuse_operators
from learning.models import FOLLOWED_RUNS, Endpoint, ImprovementPolicy, Model, PolicyRun, Variant
from learning.services import registry
from learning.services.hosting import hosting, strategies
from learning.services.improvement import parameters as known
from learning.services.improvement import queue_reports, runs, sets
from learning.services.training import wire
from marketplace import storage
from marketplace.errors import Invalid, NameTaken, NotFound, WrongState
from marketplace.models import Account
from marketplace.names import check_name
from marketplace.queue import enqueue
from marketplace.ranges import Range
from marketplace.services import audit, boundaries

ADVANCE = "learning.background.advance_improvement"
FOLDER = "images_for_detection"
HOLDOUT_PERCENT = Range(0, 50)
"""The share of newly answered images that is only tested on."""

MARGIN = Range(0.0, 0.5)
"""By how much F1 of a new model may be below that of the live one."""

LOCATION_LENGTH = Range(1, 900)
"""Characters of the location: the addresses below it have to fit too."""

TOKEN_BYTES = 24
DEFAULT_SETTINGS: dict[str, Any] = {
    "holdout_percent": 20,
    "margin": 0.02,
    "hyperparameters": {},
    "strategy": {},
    "queue": {},
}


def create(
    *,
    account: Account,
    name: str,
    endpoint: Endpoint,
    flow: FlowDefinition,
    location: str,
    test_dataset: Dataset,
    test_attribute: str = "",
    training_dataset: Dataset | None = None,
    training_attribute: str = "",
    parameters: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    by: str,
) -> tuple[ImprovementPolicy, str]:
    """A policy on the detector that the endpoint serves, and the secret part of its address for reports of stores.

    `location`: a folder that the account may write to, with the images in `images_for_detection/`. `test_dataset` and
    `training_dataset` are copied, so that the test set stays fixed whatever becomes of the data set. `settings`:
    DEFAULT_SETTINGS. Raises Invalid naming what is wrong, Forbidden for the location, WrongState, NameTaken.
    """
    check_name(name)
    base = location.rstrip("/")
    if len(base) not in LOCATION_LENGTH:
        raise Invalid(f"an address of {LOCATION_LENGTH} characters expected", field="location")
    boundaries.require_writable(account=account, uri=base)
    if flow.status != "Active":
        raise WrongState(f"the flow definition is {flow.status}", field="flow_definition")
    checked, chosen = known.parse(parameters or {}), _settings(account, settings or {})
    model = live_variant(endpoint).model
    if model is None or model.architecture not in ARCHITECTURES:
        raise Invalid("the endpoint does not serve a detector that can be trained on", field="endpoint")
    if ImprovementPolicy.objects.filter(account=account, name=name).exists():
        raise _taken(name)
    tests, first = (test_dataset, test_attribute), (training_dataset, training_attribute)
    kept, token = _keep(base, name, model, tests, first), secrets.token_urlsafe(TOKEN_BYTES)
    try:
        with transaction.atomic():
            _must_be_alone(endpoint)
            policy = ImprovementPolicy.objects.create(
                account=account,
                name=name,
                endpoint=endpoint,
                flow=flow,
                location=base,
                parameters={**known.DEFAULTS, **checked},
                settings=chosen,
                **kept,
                token_hash=hash_of(token),
                units_pending=known.UNITS in checked,
                status_changed_at=timezone.now(),
                created_by=by,
            )
            transitions.IMPROVEMENT_POLICY.begin(policy)
            audit.record(policy, by=by, because=f"made for the endpoint {endpoint.name}", to_status=policy.status)
            enqueue(ADVANCE, policy.pk)
    except IntegrityError as error:
        raise _taken(name) from error
    return policy, token


def _keep(
    base: str, name: str, model: Model, tests: tuple[Dataset, str], first: tuple[Dataset | None, str]
) -> dict[str, Any]:
    """Copy the sets, each a data set with its label attribute; the fields of the policy that say where they are."""
    test_images = sets.read_dataset(*tests, most=sets.TEST_IMAGES, field="test_dataset")
    given: list[sets.Labeled] = []
    if first[0] is not None:
        given = sets.read_dataset(first[0], first[1], most=sets.TRAINING_IMAGES, field="training_dataset")
    labels = list(registry.class_names(model).values())
    labels += sorted((sets.classes_of(test_images) | sets.classes_of(given)) - set(labels))
    # Unique, so that a policy which is made anew under a name reads no file of the earlier one.
    unique = secrets.token_hex(4)
    fixed_uri = storage.join(base, "evaluation", f"fixed-{name}-{unique}.manifest")
    base_uri = storage.join(base, "manifests", f"given-{name}-{unique}.manifest") if given else ""
    sets.write(fixed_uri, test_images, labels=labels)
    if given:
        sets.write(base_uri, given, labels=labels)
    return {
        "labels": labels,
        "fixed_uri": fixed_uri,
        "base_uri": base_uri,
        "fixed_images": len(test_images),
        "base_images": len(given),
    }


def _taken(name: str) -> NameTaken:
    return NameTaken(f"there is an improvement policy {name!r} already", field="name")


def _settings(account: Account, given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with what is missing by default. Raises Invalid naming the member that is wrong."""
    if unknown := sorted(given.keys() - DEFAULT_SETTINGS.keys()):
        raise Invalid(f"{unknown[0]!r} is not known; there are {', '.join(DEFAULT_SETTINGS)}", field="settings")
    found = {**DEFAULT_SETTINGS, **given}
    if found["holdout_percent"] not in HOLDOUT_PERCENT:
        raise Invalid(f"{found['holdout_percent']!r} found, {HOLDOUT_PERCENT} expected", field="holdout_percent")
    if found["margin"] not in MARGIN:
        raise Invalid(f"{found['margin']!r} found, {MARGIN} expected", field="margin")
    found["queue"] = queue_reports.parse(account, found["queue"])
    found["strategy"] = strategies.parse(found["strategy"])
    found["hyperparameters"] = {name: wire(value) for name, value in found["hyperparameters"].items()}
    try:
        refuse_operators(found["hyperparameters"])
        parse_training({**found["hyperparameters"], "label_attribute_name": sets.ATTRIBUTE})
    except BadInput as error:
        raise Invalid(str(error), field="hyperparameters") from error
    return found


def _must_be_alone(endpoint: Endpoint | None) -> None:
    """Two policies would take each other's models off the endpoint. Raises WrongState; needs a transaction."""
    if endpoint is None:
        return
    # Requests about one endpoint wait for each other, so that together they make one policy active.
    Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
    other = ImprovementPolicy.objects.filter(endpoint=endpoint, status="Active").first()
    if other is not None:
        raise WrongState(f"the policy {other.name} improves the endpoint {endpoint.name} already", field="endpoint")


def live_variant(endpoint: Endpoint | None) -> Variant:
    """The one variant that the endpoint serves. Raises WrongState when there is none, or several."""
    deployment = hosting.serving(endpoint) if endpoint is not None else None
    if deployment is None:
        raise WrongState(
            "the endpoint serves nothing yet" if endpoint else "the endpoint was deleted", field="endpoint"
        )
    variants = list(deployment.variants.select_related("model__account"))
    if len(variants) != 1:
        raise WrongState(
            f"the endpoint serves {len(variants)} variants; a policy improves a model that is served alone",
            field="endpoint",
        )
    return variants[0]


def live_model(policy: ImprovementPolicy) -> Model:
    """The model that the policy's endpoint serves. Raises WrongState when there is none."""
    model = live_variant(policy.endpoint).model
    if model is None or model.deleted_at is not None:
        raise WrongState("the model of the endpoint was deleted", field="endpoint")
    return model


def change_parameters(*, policy: ImprovementPolicy, given: Mapping[str, Any], by: str) -> None:
    """Change parameters, at once; those that are left out stay. Each change is recorded with both values.

    Raises Invalid naming every one that is wrong; then nothing has changed.
    """
    checked = known.parse(given)
    with transaction.atomic():
        row = ImprovementPolicy.objects.select_for_update(no_key=True, of=("self",)).get(pk=policy.pk)
        changed = {name: value for name, value in checked.items() if row.parameters[name] != value}
        for name, value in changed.items():
            audit.record(row, by=by, because=f"{name}: {row.parameters[name]} to {value}")
        row.parameters = {**row.parameters, **changed}
        row.units_pending = row.units_pending or known.UNITS in changed
        row.save(update_fields=["parameters", "units_pending"])
        enqueue(ADVANCE, row.pk)
    policy.refresh_from_db()


def check_now(*, policy: ImprovementPolicy, by: str) -> None:
    """Look for new images and check for new training now, whatever the poll frequency. Raises WrongState if stopped."""
    if policy.status != "Active":
        raise WrongState("the policy is stopped: start it first", field="status")
    with transaction.atomic():
        ImprovementPolicy.objects.filter(pk=policy.pk).update(
            training_checked_at=None, sampled_at=None, listed_at=None, drift_checked_at=None
        )
        audit.record(policy, by=by, because="checked now")
        enqueue(ADVANCE, policy.pk)


def stop(*, policy: ImprovementPolicy, by: str) -> None:
    """Look for no more images and train no more; a run under way ends. People finish what they were asked."""
    with transaction.atomic():
        if transitions.IMPROVEMENT_POLICY.advance(policy, "Stopped", by=by, because="stopped by its owner"):
            for run in PolicyRun.objects.filter(policy=policy, status__in=[*FOLLOWED_RUNS, "Watching"]):
                runs.stop(run, by=by)
    policy.refresh_from_db()


def start(*, policy: ImprovementPolicy, by: str) -> None:
    """Go on with a policy that was stopped. Raises WrongState when another one improves the endpoint."""
    with transaction.atomic():
        if policy.status != "Active":
            _must_be_alone(policy.endpoint)
        transitions.IMPROVEMENT_POLICY.advance(policy, "Active", by=by, because="started by its owner")
        enqueue(ADVANCE, policy.pk)


def renew_token(*, policy: ImprovementPolicy, by: str) -> str:
    """Another secret part of the address for reports of stores; the earlier one is refused from now on."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with transaction.atomic():
        ImprovementPolicy.objects.filter(pk=policy.pk).update(token_hash=hash_of(token))
        audit.record(policy, by=by, because="the address for reports of new images was renewed")
    return token


def by_token(token: str) -> ImprovementPolicy:
    """The policy that reports with this secret are about. Raises NotFound."""
    found = ImprovementPolicy.objects.filter(token_hash=hash_of(token)).select_related("account").first()
    if found is None:
        raise NotFound("there is no such address for reports")
    return found


def hash_of(token: str) -> str:
    """What is kept of a token; a random one needs no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def use_again(*, run: PolicyRun, by: str) -> int:
    """Let later trainings learn from the images that were set aside with this run; returns how many there were."""
    with transaction.atomic():
        many = run.detections.filter(set_aside=True).update(set_aside=False)
        audit.record(run.policy, by=by, because=f"{many} images of run {run.number} are used again")
    return many


def delete(*, policy: ImprovementPolicy, by: str) -> None:
    """Delete a stopped policy with its history; models, images and what people answered stay. Raises WrongState."""
    with transaction.atomic():
        row = ImprovementPolicy.objects.select_for_update(of=("self",)).get(pk=policy.pk)
        if row.status != "Stopped":
            raise WrongState("the policy is active: stop it first", field="status")
        audit.record(row, by=by, because=f"deleted {row.name}")
        row.delete()
