"""Improvement policies as rows for the walks over all routes, with right requests about them; nothing is trained."""

from typing import Any

from django.utils import timezone

from labeling.models import FlowDefinition
from labeling.services.jobs.limits import LABEL_ATTRIBUTE_NAME_LENGTH
from learning.models import Detection, Endpoint, EndpointConfig, ImprovementPolicy, PolicyRun, RunStep
from learning.services.improvement import creating, queue_reports
from learning.services.improvement import parameters as known
from marketplace import storage
from marketplace.models import Account
from marketplace.services import boundaries
from tests.frontend import endpoint_world
from tests.learning.hosting_stories import an_endpoint
from tests.learning.improvement.stories import RED, a_labeled_set

DECLARED = {
    "location": creating.LOCATION_LENGTH,
    "holdout_percent": creating.HOLDOUT_PERCENT,
    "margin": creating.MARGIN,
    **dict.fromkeys(("queue_arn", "queue_role_arn"), queue_reports.LENGTH),
    **{f"QueueInput.{name}": queue_reports.LENGTH for name in queue_reports.MEMBERS},
    **dict.fromkeys(("test_attribute", "training_attribute"), LABEL_ATTRIBUTE_NAME_LENGTH),
    **{one.name: one.range for one in known.PARAMETERS if one.range is not None},
}
"""For test_ranges.py."""

CHANGED = {known.LEAST_F1: 0.5, known.ENABLE_A2I: False}


def ids(account: Account, model: Any) -> dict[str, Any]:
    """The name of a policy with a run that was refused; `complete` makes it, on an endpoint of its own."""
    made = endpoint_world.ids(account, model)
    an_endpoint(account, EndpointConfig.objects.get(account=account, name="served-config"), name="improved")
    return {**made, "policy_name": "secret-policy", "run_number": 1}


def complete(account: Account) -> dict[str, Any]:
    """The policy itself, which needs a flow definition."""
    tests = a_labeled_set(account, [[RED]])
    policy, _ = creating.create(
        account=account,
        name="secret-policy",
        endpoint=Endpoint.objects.get(account=account, name="improved"),
        flow=FlowDefinition.objects.get(account=account, name="secret-flow"),
        location=_location(account),
        test_dataset=tests,
        test_attribute="boxes",
        by="system",
    )
    _history(policy)
    return {"labeled_id": tests.pk}


def _location(account: Account) -> str:
    return storage.join(boundaries.base_of(account), "improved")


def _history(policy: ImprovementPolicy) -> None:
    number = policy.runs.count() + 1
    run = PolicyRun.objects.create(policy=policy, number=number, status="Regression", reason="secret-reason")
    RunStep.objects.create(run=run, state="Regression", because="secret-reason", at=timezone.now())
    for place, status in enumerate(("Answered", "HumanLoop", "Failed")):
        Detection.objects.create(
            policy=policy, uri=f"{policy.location}/secret-{number}-{place}.png", version="1", found_by="poll",
            status=status, run=run if status == "Answered" else None, set_aside=status == "Answered",
        )  # fmt: skip


def grow(account: Account, number: int) -> None:
    """Another policy, and in the first one another run and other images."""
    first = ImprovementPolicy.objects.filter(account=account).order_by("pk").first()
    if first is None:
        complete_for_portal(account)
        first = ImprovementPolicy.objects.get(account=account)
    _history(first)
    ImprovementPolicy.objects.create(
        account=account, name=f"policy-{number}", endpoint=first.endpoint, flow=first.flow, location=first.location,
        parameters=first.parameters, settings=first.settings, labels=first.labels, token_hash=str(number),
    )  # fmt: skip


def complete_for_portal(account: Account) -> None:
    """A policy on whatever endpoint and flow definition the account has."""
    ImprovementPolicy.objects.create(
        account=account,
        name="first",
        endpoint=Endpoint.objects.filter(account=account).order_by("pk")[0],
        flow=FlowDefinition.objects.filter(account=account).order_by("pk")[0],
        location=_location(account),
        parameters=known.DEFAULTS,
        settings=creating.DEFAULT_SETTINGS,
        labels=["bee"],
        token_hash="first",
    )


def bodies(ids: dict[str, Any], account: Account) -> dict[str, dict[str, Any]]:
    """A JSON body for each operation about endpoints and policies that takes one."""
    policy = {
        "name": "made",
        "endpoint": "hives",
        "flow_definition": "secret-flow",
        "location": _location(account),
        "test_dataset": ids["labeled_id"],
        "test_attribute": "boxes",
        "parameters": CHANGED,
        "settings": {"margin": 0.1, "holdout_percent": 10},
    }
    return {
        **endpoint_world.bodies(),
        "create_improvement_policy": policy,
        "change_improvement_parameters": CHANGED,
    }


SENT = (
    "create_improvement_policy", "check_improvement_policy", "use_improvement_images_again",
    "try_improvement_images_again", "renew_improvement_report_address", "stop_improvement_policy",
    "start_improvement_policy",
)  # fmt: skip
"""The POST operations, in an order in which each is possible."""


def forms(ids: dict[str, Any], account: Account) -> list[tuple[str, dict[str, Any]]]:
    """(address, fields) of every form about endpoints and policies."""
    page = "/improvement/secret-policy/"
    numbers = {one.name: str(one.default) for one in known.PARAMETERS if one.range is not None}
    fields = {
        **numbers, "name": "made", "endpoint": "hives", "flow_definition": "secret-flow", "margin": "0.02",
        "location": _location(account), "test_dataset": ids["labeled_id"], "test_attribute": "boxes",
        "holdout_percent": 20, "training_dataset": "", "training_attribute": "", "queue_arn": "", "queue_role_arn": "",
        **{one.name: "on" for one in known.PARAMETERS if one.range is None},
    }  # fmt: skip
    return [
        ("/new-improvement/", fields),
        (f"{page}parameters/", {**numbers, known.ENABLE_A2I: "on"}),
        (f"{page}act/", {"act": "check"}),
        (f"{page}runs/1/use-again/", {}),
        *endpoint_world.forms(),
    ]
