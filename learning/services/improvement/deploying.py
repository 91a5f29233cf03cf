"""The end of a run: the new model is put into the endpoint blue/green, or the one before is put back.

Start Model -> Wait for Start -> Model Started -> Deploy Endpoint, as in the solution. What follows is in watching.py.
"""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from learning.models import Deployment, ImprovementPolicy, Model, PolicyRun
from learning.selection import gates
from learning.services.hosting import hosting
from learning.services.improvement import parameters as known
from learning.services.improvement import runs
from learning.services.improvement.creating import live_variant
from marketplace.errors import WrongState


def start_model(run: PolicyRun) -> bool:
    """Ask the endpoint to serve the new model. It waits for an endpoint that is being changed by somebody else."""
    endpoint = run.policy.endpoint
    if endpoint is None or run.model is None:
        runs.fail(run, "the endpoint or the new model was deleted")
        return True
    variant = live_variant(endpoint)
    if variant.model_id != run.live_model_id:
        runs.fail(run, "the endpoint serves another model than the one that was compared with")
        return True
    if endpoint.status not in ("InService", "UpdateRollbackFailed"):
        return False
    with transaction.atomic():
        deployment = serve(run.policy, run.model)
        return runs.move(run, "WaitForStart", f"the instances of {run.model.name} are starting", deployment=deployment)


def serve(policy: ImprovementPolicy, model: Model) -> Deployment:
    """Ask the endpoint for this model alone, with the units and the strategy of the policy. Needs a transaction."""
    endpoint = policy.endpoint
    if endpoint is None:
        raise WrongState("the endpoint was deleted")
    name = live_variant(endpoint).name
    units = policy.parameters[known.UNITS]
    return hosting.update_variants(
        endpoint=endpoint,
        variants=[{"name": name, "model": model.name, "instance_count": units, "weight": 1.0}],
        strategy=policy.settings["strategy"],
        by=runs.BY,
    )


def wait_for_start(run: PolicyRun) -> bool:
    """Look whether the new instances answer."""
    return _follow(run, ("Shifting", "Serving"), "ModelStarted", "the new instances answer")


def wait_for_traffic(run: PolicyRun) -> bool:
    """Look whether all requests go to the new model."""
    return _follow(run, ("Serving",), "DeployEndpoint", "all requests go to the new model")


def _follow(run: PolicyRun, there: Sequence[str], to: str, because: str) -> bool:
    deployment = run.deployment
    if deployment is None:
        runs.fail(run, "the endpoint was deleted")
    elif deployment.status in there:
        with transaction.atomic():
            return runs.move(run, to, because)
    elif deployment.status in ("RolledBack", "Failed", "Retired"):
        runs.fail(run, f"the endpoint did not take the model: {deployment.reason or deployment.status}")
    else:
        return False
    return True


def deployed(run: PolicyRun) -> bool:
    """The endpoint serves the new model: from now on it is watched."""
    model = run.model
    with transaction.atomic():
        because = f"until {gates.LOOKS[-1]} of its images were reviewed"
        moved = runs.move(run, "Watching", because, deployed_at=timezone.now())
        if moved and model is not None:
            runs.tell(run.policy, f"has deployed the model {model.name}; the endpoint serves it")
        return moved


def match_units(policy: ImprovementPolicy) -> bool:
    """Give the endpoint the number of instances that was asked for; always False: no more to do."""
    if not policy.units_pending or policy.endpoint is None or policy.endpoint.status != "InService":
        return False
    variant, units = live_variant(policy.endpoint), policy.parameters[known.UNITS]
    with transaction.atomic():
        if variant.instance_count != units:
            changes = [{"variant": variant.name, "instance_count": units}]
            hosting.set_weights_and_capacities(endpoint=policy.endpoint, changes=changes, by=runs.BY)
        ImprovementPolicy.objects.filter(pk=policy.pk).update(units_pending=False)
    return False


def rolled_back(run: PolicyRun) -> bool:
    """Look whether the endpoint serves the model before again."""
    deployment = run.deployment
    if deployment is None or deployment.status in ("RolledBack", "Failed", "Retired"):
        reason = deployment.reason if deployment else "the endpoint was deleted"
        with transaction.atomic():
            runs.tell(run.policy, f"could not bring back the model before: {reason}")
            return runs.move(run, "Failed", f"the model before could not be brought back: {reason}")
    if deployment.status != "Serving":
        return False
    name = run.live_model.name if run.live_model else "the model before"
    with transaction.atomic():
        runs.tell(run.policy, f"has rolled back: the endpoint serves {name} again")
        return runs.move(run, "RolledBack", run.reason)
