"""The next steps of a policy, by one process at a time: whatever is next by the rows, or nothing.

Each part is short, safe to repeat, and may be cut off anywhere; a part that cannot go on says why and does not hold up
the others.
"""

import logging
from collections.abc import Callable
from functools import partial
from time import monotonic

from labeling.services import attempts
from learning.models import FOLLOWED_RUNS, ImprovementPolicy, PolicyRun
from learning.services.active import lease
from learning.services.improvement import (
    answers,
    deploying,
    detecting,
    discovery,
    drifting,
    evaluating,
    runs,
    training,
    watching,
)
from learning.services.improvement.creating import ADVANCE
from marketplace.errors import DomainError
from marketplace.queue import enqueue

log = logging.getLogger(__name__)

SECONDS = 30.0
"""After so long the rest is left to another message, so that other work gets its turn."""

STEPS: dict[str, Callable[[PolicyRun], bool]] = {
    "InitiateTraining": training.initiate,
    "CreateManifest": training.create_manifest,
    "CreateProjectVersion": training.create_version,
    "WaitForTraining": training.wait,
    "TrainingCompleted": evaluating.begin,
    "Evaluation": evaluating.decide,
    "StartModel": deploying.start_model,
    "WaitForStart": deploying.wait_for_start,
    "ModelStarted": deploying.wait_for_traffic,
    "DeployEndpoint": deploying.deployed,
    "Watching": watching.watch,
    "RollingBack": deploying.rolled_back,
}
"""What is done in each state of a run; it says whether the run has moved."""


def advance(*, policy_id: int) -> None:
    """Take every step that can be taken now. After several unexpected errors in a row the policy shows the reason."""
    attempts.attempt("advance_improvement", policy_id, lambda: _advance(policy_id), give_up=partial(_report, policy_id))


def _report(policy_id: int, reason: str, passing: bool) -> None:
    said = f"it met an unexpected error and is tried again every minute: {reason}"[:500]
    ImprovementPolicy.objects.filter(pk=policy_id).update(attention=said)


def _advance(policy_id: int) -> None:
    """One caller at a time advances a policy; the others' requests are kept, see active/lease.py."""
    if not lease.request(policy_id, ImprovementPolicy):
        return
    until = monotonic() + SECONDS
    with lease.advancing(policy_id, ImprovementPolicy) as held:
        while held is not None:
            seen = held.advance_requests()
            while held.renew() and _steps(policy_id):
                if monotonic() > until:
                    enqueue(ADVANCE, policy_id)
                    return
            if held.release(unless_requested_since=seen) or not held.renew():
                return


def _steps(policy_id: int) -> bool:
    """Take one step of each part; whether one of them has more to do at once."""
    more, problems = False, []
    for part in PARTS:
        policy = _policy(policy_id)
        if policy.status != "Active":
            return False
        try:
            more |= part(policy)
        except DomainError as error:
            log.info("the improvement policy %d waits: %s", policy_id, error.message)
            problems.append(error.message)
    said = " ".join(f"{problem.rstrip('.')}." for problem in dict.fromkeys(problems))[:500]
    ImprovementPolicy.objects.filter(pk=policy_id).exclude(attention=said).update(attention=said)
    return more


def _policy(policy_id: int) -> ImprovementPolicy:
    rows = ImprovementPolicy.objects.select_related("account", "endpoint__account", "flow__account", "flow__queue")
    return rows.get(pk=policy_id)


def _run(policy: ImprovementPolicy) -> bool:
    run = runs.current(policy)
    return run is not None and STEPS[run.status](run)


PARTS: tuple[Callable[[ImprovementPolicy], bool], ...] = (
    deploying.match_units,
    answers.collect,
    _run,
    training.check_new,
    discovery.read_queue,
    discovery.poll,
    detecting.detect_some,
    detecting.sample,
    drifting.check,
)


def advance_for_loop(*, loop_id: int) -> None:
    """A human loop is over: advance the policy whose image it was about, if it was one."""
    for policy_id in ImprovementPolicy.objects.filter(detections__human_loop=loop_id).values_list("pk", flat=True):
        advance(policy_id=policy_id)


def advance_for_account(*, account_id: int) -> None:
    """A training, a prediction or an endpoint of the account has ended or changed: advance the runs that wait."""
    waiting = PolicyRun.objects.filter(policy__account=account_id, status__in=FOLLOWED_RUNS)
    for policy_id in waiting.values_list("policy", flat=True):
        advance(policy_id=policy_id)


def sweep() -> None:
    """Every minute: advance every policy that is active."""
    for pk in ImprovementPolicy.objects.filter(status="Active").values_list("pk", flat=True):
        enqueue(ADVANCE, pk)
