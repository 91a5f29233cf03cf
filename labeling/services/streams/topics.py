"""The topics that a labeling job is designed with. What comes from them and goes to them is in the files beside it."""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core import signing

from labeling.models import JobTopics, LabelingJob, StreamMessage
from marketplace import aws_messages
from marketplace.errors import DomainError, NotFound
from marketplace.models import Account, CredentialsKind, DestinationKind
from marketplace.ranges import Range
from marketplace.services import event_destinations

if TYPE_CHECKING:
    # The design asks this module, and is only read here.
    from labeling.services.jobs.design import Design

INPUT, OUTPUT = FIELDS = ("input_topic_arn", "output_topic_arn")
ARN_LENGTH = Range(0, 2048)
"""Characters of a topic's ARN."""

LABELS = "SageMaker Ground Truth Labeling Job Output"
"""What a line with its label is called in the log of a destination. Stored, so never changed."""

ADVANCE = "labeling.background.advance_topics"
_SALT = "labeling.streams"
_NO_DESTINATION = (
    "the account has no active event destination of this topic, which says with which credentials it is written to: "
    "make one first (Settings, Events)"
)


def of(job: LabelingJob) -> JobTopics | None:
    """The topics of a job, None for one that has none."""
    return JobTopics.objects.filter(pk=job.pk).first()


def of_many(jobs: Iterable[LabelingJob]) -> dict[int, JobTopics]:
    """The topics of those jobs that have some, by the job's key."""
    return JobTopics.objects.in_bulk([job.pk for job in jobs])


def is_stream(job: LabelingJob) -> bool:
    """Whether the job gets its objects from a topic as they come."""
    return JobTopics.objects.filter(pk=job.pk).exclude(input_topic="").exists()


def address(job: LabelingJob) -> str:
    """What the input topic of a job has to be subscribed to by."""
    return f"{settings.PUBLIC_URL.rstrip('/')}/streams/{signing.Signer(salt=_SALT, sep='.').sign(job.reference_code)}/"


def by_token(token: str) -> JobTopics:
    """The topics of the job to which messages at this address go. Raises NotFound."""
    try:
        code = signing.Signer(salt=_SALT, sep=".").unsign(token)
    except signing.BadSignature:
        raise NotFound("there is no such address for messages") from None
    found = JobTopics.objects.filter(job__reference_code=code).exclude(input_topic="").select_related("job").first()
    if found is None:
        raise NotFound("there is no such address for messages")
    return found


def target_of(topics: JobTopics) -> aws_messages.Target | None:
    """Where, and with what credentials, the input topic is asked: those of the account's destination that is this
    topic, or the output topic, else this installation's own. None where the account gives none: then it subscribes the
    address itself. Raises Invalid, WrongState.
    """
    return _target(topics.job.account, topics.input_topic, topics.output_topic)


def _target(account: Account, input_topic: str, output_topic: str) -> aws_messages.Target | None:
    for arn in (input_topic, output_topic):
        destination = event_destinations.topic_of(account, arn) if arn else None
        if destination is not None:
            return event_destinations.address_of(destination, target=input_topic)
    if event_destinations.may_use_own(account):
        return aws_messages.Target("sns", input_topic, aws_messages.installation_keys())
    return None


def check_design(design: "Design") -> None:
    """Note what is wrong with the topics of a job, and with what a job cannot have whose objects come as they come."""
    for field in FIELDS:
        if getattr(design, field):
            design.attempt(field, partial(aws_messages.parts, "sns", getattr(design, field)))
    named = {field for field, _ in design.errors}
    if design.input_topic_arn and INPUT not in named:
        _check_input(design)
    if design.output_topic_arn and OUTPUT not in named and _output_refused(design):
        design.wrong(OUTPUT, _NO_DESTINATION)


def _check_input(design: "Design") -> None:
    if design.input_topic_arn.endswith(aws_messages.FIFO):
        design.wrong(INPUT, "a FIFO topic sends to queues only, not to an address: a standard topic expected")
    for field, given, why in (
        ("automated_labeling.enabled", (design.automated_labeling or {}).get("enabled"), "people label every object"),
        ("golds.rate", (design.golds or {}).get("rate"), "there are no golds before there are objects"),
        ("prelabels", design.prelabels, "people draw every label"),
        ("wanted_end", design.wanted_end, "it ends when it is stopped"),
        ("max_percentage_labeled", design.max_percentage_labeled, "there is no number of which it could be a share"),
        ("selection.kind", (design.selection or {}).get("kind", "full") != "full", "every object is labeled"),
    ):
        if given:
            design.wrong(field, f"not in a streaming job, whose objects come one after the other: {why}")


def _output_refused(design: "Design") -> bool:
    account, arn = design.account, design.output_topic_arn
    return event_destinations.topic_of(account, arn) is None and not event_destinations.may_use_own(account)


def keep(job: LabelingJob, design: "Design", *, by: str) -> None:
    """Store the topics of a new job, in the transaction that makes it."""
    if not design.input_topic_arn and not design.output_topic_arn:
        return
    if design.output_topic_arn and event_destinations.topic_of(job.account, design.output_topic_arn) is None:
        event_destinations.create(
            account=job.account,
            kind=str(DestinationKind.SNS),
            target=design.output_topic_arn,
            credentials=str(CredentialsKind.INSTALLATION),
            detail_types=[LABELS],
            by=by,
        )
    endpoint_url = ""
    if design.input_topic_arn:
        found = _target(job.account, design.input_topic_arn, design.output_topic_arn)
        endpoint_url = found.endpoint_url if found is not None else ""
    JobTopics.objects.create(
        job=job,
        input_topic=design.input_topic_arn,
        output_topic=design.output_topic_arn,
        endpoint_url=endpoint_url,
    )


def shown(job: LabelingJob) -> dict[str, Any] | None:
    """What the owner is shown of the topics of a job, None where it has none."""
    found = of(job)
    if found is None:
        return None
    streams = bool(found.input_topic)
    return {
        INPUT: found.input_topic,
        OUTPUT: found.output_topic,
        "address": address(job) if streams else None,
        "subscribed_by_itself": bool(found.subscription_arn),
        "confirmed_at": found.confirmed_at,
        "last_message_at": found.last_message_at,
        "waiting": StreamMessage.objects.filter(job=job, taken=False).count() if streams else 0,
        "problem": found.problem or None,
    }


def note_problem(topics: JobTopics, error: DomainError | str) -> None:
    """Show the owner why a topic cannot be used."""
    said = (error if isinstance(error, str) else error.message)[:500]
    if topics.problem != said:
        JobTopics.objects.filter(pk=topics.pk).update(problem=said)
        topics.problem = said
