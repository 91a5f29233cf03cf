"""Subscribing to the input topics of labeling jobs, confirming that, and ending it with the job."""

from django.db.models import Q
from django.utils import timezone

from labeling import transitions
from labeling.models import JobTopics
from labeling.services.streams import topics as job_topics
from marketplace import aws_messages, fetch, queue
from marketplace.errors import DomainError

SECONDS = 10
"""How long SNS may take to answer."""

ANSWER_BYTES = 64 * 1024


def advance(job_id: int) -> None:
    """Take the next step with the input topic of a job, if there is one. What is wrong is shown; the sweep repeats it.

    Safe to repeat: SNS knows an address that is subscribed already.
    """
    found = JobTopics.objects.select_related("job__account").filter(pk=job_id).exclude(input_topic="").first()
    if found is None:
        return
    try:
        if found.job.status in transitions.LABELING_JOB.final:
            _unsubscribe(found)
        elif found.confirm_url:
            _confirm(found)
        elif found.job.status == "InProgress" and not found.subscription_arn and found.confirmed_at is None:
            _subscribe(found)
    except DomainError as error:
        job_topics.note_problem(found, error)


def _subscribe(found: JobTopics) -> None:
    target = job_topics.target_of(found)
    if target is None:
        return
    answer = aws_messages.subscribe(target, address=job_topics.address(found.job))
    if answer.status >= 300:
        raise aws_messages.Unsent(f"the topic cannot be subscribed to: {answer.text}")
    JobTopics.objects.filter(pk=found.pk).update(
        subscription_arn=answer.text, endpoint_url=target.endpoint_url, problem=""
    )


def _confirm(found: JobTopics) -> None:
    answer = fetch.fetch(found.confirm_url, max_bytes=ANSWER_BYTES, seconds=SECONDS)
    if answer.status >= 300:
        raise fetch.FetchFailed(f"the subscription to the topic cannot be confirmed: SNS answered {answer.status}")
    JobTopics.objects.filter(pk=found.pk, confirm_url=found.confirm_url).update(
        confirm_url="", confirmed_at=timezone.now(), problem=""
    )


def _unsubscribe(found: JobTopics) -> None:
    """What cannot be ended is left: messages that come after the end of a job are refused for good."""
    target = job_topics.target_of(found) if found.subscription_arn else None
    if target is not None:
        aws_messages.unsubscribe(target, subscription_arn=found.subscription_arn)
    JobTopics.objects.filter(pk=found.pk).update(subscription_arn="", confirm_url="")


def give_up(job_id: int, reason: str) -> None:
    """Show an unexpected error; it is tried again every minute."""
    JobTopics.objects.filter(pk=job_id).update(problem=f"an unexpected error: {reason}"[:500])


def sweep() -> None:
    """Every minute: let what is still to be done with input topics be done."""
    over = Q(job__status__in=transitions.LABELING_JOB.final) & (~Q(subscription_arn="") | ~Q(confirm_url=""))
    begins = Q(job__status="InProgress") & (Q(subscription_arn="", confirmed_at=None) | ~Q(confirm_url=""))
    rows = JobTopics.objects.exclude(input_topic="").filter(over | begins)
    for pk in rows.order_by("pk").values_list("pk", flat=True):
        queue.enqueue(job_topics.ADVANCE, pk)
