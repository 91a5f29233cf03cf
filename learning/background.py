"""Queue entry points of this room. Each is short and safe to run twice.

The services are imported when they are needed: every web process imports this file and needs no numerics.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from marketplace.queue import enqueue, run_each


def on_job_ready(job_id: int) -> None:
    """A job became InProgress: request an advance of its loop."""
    enqueue("learning.background.advance_loop_of_job", job_id)


def on_batch_done(batch_id: int) -> None:
    """A batch was closed: request an advance of the loop that it belongs to."""
    enqueue("learning.background.advance_loop_of_batch", batch_id)


def on_loop_done(loop_id: int) -> None:
    """A human loop is over: so is the request of an endpoint that it was about, and a policy may learn from it."""
    enqueue("learning.background.follow_human_loop", loop_id)


def on_classes_change(job_id: int, before: Sequence[str], old: str, new: str) -> None:
    """A class of a job becomes another: its loop takes part, in the same transaction, or refuses."""
    from learning.services.active import class_changes

    class_changes.follow(job_id, before, old, new)


def model_evidence(job_id: int) -> dict[int, tuple[str, Mapping[str, float]]]:
    """What models say of the labels of a job; see labeling.hooks."""
    from learning.services.active import label_evidence

    return label_evidence.of_job(job_id)


def advance_loop(loop_id: int) -> None:
    """Take the next steps of a loop."""
    from learning.services.active import loops

    loops.advance_loop(loop_id=loop_id)


def advance_loop_of_job(job_id: int) -> None:
    """Start the loop of a job that is ready, if it has automated labeling."""
    from learning.services.active import loops

    loops.advance_for_job(job_id=job_id)


def advance_loop_of_batch(batch_id: int) -> None:
    """Take the next steps of the loop that this batch belongs to, if it belongs to one."""
    from learning.services.active import loops

    loops.advance_for_batch(batch_id=batch_id)


def advance_loop_of_run(kind: str, run_id: int) -> None:
    """Take the next steps of the loop that a run which has ended belongs to, if it belongs to one."""
    from learning.services.active import loops

    loops.advance_for_run(kind=kind, run_id=run_id)


def advance_endpoint(endpoint_id: int) -> None:
    """Take the next step of an endpoint."""
    from learning.services.hosting import deploying

    deploying.advance(endpoint_id=endpoint_id)


def look_at_endpoint(endpoint_id: int, look: int) -> None:
    """A planned look at an endpoint that changes."""
    from learning.services.hosting import deploying

    deploying.advance(endpoint_id=endpoint_id, look=look)


def advance_endpoint_of_replica(replica_id: int) -> None:
    """Take the next step of the endpoint of a replica that has ended."""
    from learning.models import EndpointReplica
    from learning.services.hosting import deploying

    found = EndpointReplica.objects.filter(pk=replica_id).values_list("variant__deployment__endpoint", flat=True)
    for endpoint_id in found:
        deploying.advance(endpoint_id=endpoint_id)


def start_review(request_id: int) -> None:
    """Start the human loop of a request that an endpoint has answered."""
    from learning.services.hosting import review_requests

    review_requests.start_or_give_up(request_id)


def follow_human_loop(loop_id: int) -> None:
    """Note that a human loop is over, if an endpoint started it, and advance the policy whose image it was about."""
    from learning.services.hosting import review_requests
    from learning.services.improvement import advancing

    run_each(
        (partial(review_requests.follow_loop, loop_id=loop_id), partial(advancing.advance_for_loop, loop_id=loop_id))
    )


def follow_review_loop(loop_id: int) -> None:
    """Half of `follow_human_loop`. Only messages that earlier versions sent name it."""
    from learning.services.hosting import review_requests

    review_requests.follow_loop(loop_id=loop_id)


def advance_tuning(tuning_id: int) -> None:
    """Take the next steps of a tuning job."""
    from learning.services.tuning import advancing

    advancing.advance(tuning_id=tuning_id)


def advance_tuning_of_run(run_id: int) -> None:
    """Take the next steps of the tuning job that a training belongs to, if it belongs to one."""
    from learning.services.tuning import advancing

    advancing.advance_for_run(run_id=run_id)


def advance_improvement(policy_id: int) -> None:
    """Take the next steps of an improvement policy."""
    from learning.services.improvement import advancing

    advancing.advance(policy_id=policy_id)


def advance_improvement_of_loop(loop_id: int) -> None:
    """The other half of `follow_human_loop`. Only messages that earlier versions sent name it."""
    from learning.services.improvement import advancing

    advancing.advance_for_loop(loop_id=loop_id)


def advance_improvements_of_account(account_id: int) -> None:
    """Take the next steps of the account's policies that wait for a program or for an endpoint."""
    from learning.services.improvement import advancing

    advancing.advance_for_account(account_id=account_id)


def delete_files(uri: str) -> None:
    """Delete what a deleted run has left in a folder of the store."""
    from learning.services import run_deletion

    run_deletion.delete_files(uri)


def forget_study(name: str) -> None:
    """Delete what is kept of the search of a deleted tuning job."""
    from learning.services.tuning import studies

    studies.forget(name)


def sweep() -> None:
    """Every minute: request an advance of whatever is under way, so that nothing stops when a message is lost."""
    from learning.services.active import loops
    from learning.services.hosting import deploying, review_requests
    from learning.services.improvement import advancing
    from learning.services.tuning import creating

    run_each((loops.sweep, creating.sweep, deploying.sweep, review_requests.sweep, advancing.sweep))
