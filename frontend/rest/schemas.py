"""The shapes of answers, for the OpenAPI document and the client code made from it. Views build the answers themselves;
a test compares real answers with these shapes."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers as s

from frontend.rest.qualification_schemas import QualificationRequirement
from frontend.rest.schemas_pay import JobHourlyPay
from frontend.rest.schemas_probe import Probe
from marketplace.models import EntryKind

Money = s.CharField  # dollars with six decimals


def page(name: str, row: type[s.Serializer], **more: s.Field[Any, Any, Any, Any]) -> s.Serializer:
    """A page of rows as CursorPagination answers it."""
    fields = {"next": s.CharField(allow_null=True), "previous": s.CharField(allow_null=True), "results": row(many=True)}
    return inline_serializer(f"{name}Page", {**fields, **more})


class Me(s.Serializer):
    """The caller."""

    id = s.IntegerField()
    email = s.EmailField()
    display_name = s.CharField()
    is_operator = s.BooleanField()
    worker = inline_serializer("MyWorker", {"id": s.CharField(), "status": s.CharField()}, allow_null=True)
    accounts = inline_serializer(
        "MyAccount", {"number": s.CharField(), "name": s.CharField(), "role": s.CharField()}, many=True
    )


class Token(s.Serializer):
    """An API token, without its secret."""

    id = s.IntegerField()
    name = s.CharField()
    prefix = s.CharField()
    created_at = s.DateTimeField()
    last_used_at = s.DateTimeField(allow_null=True)
    revoked_at = s.DateTimeField(allow_null=True)


class NewToken(Token):
    """The only answer that holds the secret."""

    secret = s.CharField()


class Member(s.Serializer):
    """A member of the account."""

    user_id = s.IntegerField()
    email = s.EmailField()
    display_name = s.CharField()
    role = s.CharField()


class Movement(s.Serializer):
    """One line of a statement."""

    id = s.IntegerField()
    kind = s.ChoiceField(EntryKind.choices)
    amount = Money()
    reference = s.CharField()
    description = s.CharField(help_text="for reading only; its words may change")
    job_id = s.IntegerField(allow_null=True, help_text="the labeling job it belongs to")
    job = s.CharField(allow_null=True, help_text="the job's name in a wallet, its title in earnings")
    at = s.DateTimeField()


class Wallet(s.Serializer):
    """Free money, and what is held for jobs."""

    balance = Money()
    held = Money()
    under_review = Money()
    owed = Money(help_text="nothing can be spent before this is deposited")


class Deposit(s.Serializer):
    """A deposit that was booked, and the balance after it."""

    account = s.CharField()
    amount = Money()
    balance = Money()
    idempotency_key = s.CharField(allow_blank=True)


class Workteam(s.Serializer):
    """A work team."""

    id = s.IntegerField()
    name = s.CharField()
    description = s.CharField()
    crowd = s.CharField()
    panel = s.IntegerField(allow_null=True, help_text="the panel whose participants it has")
    members = s.IntegerField()
    portal_url = s.CharField(allow_null=True, help_text="where its workers sign in; null for the public pool")
    source_cidrs = s.ListField(child=s.CharField(), help_text="open to these networks only; empty: to all")
    created_at = s.DateTimeField()


class TeamMember(s.Serializer):
    """A worker of a private team."""

    worker = s.CharField()
    email = s.EmailField()


class WorkerNamed(s.Serializer):
    """A worker by public id."""

    worker = s.CharField()


class PoolMember(WorkerNamed):
    """A worker of the public pool."""

    crowd = s.CharField()


class Upload(s.Serializer):
    """Files that were stored; `uri` is their folder."""

    folder = s.CharField()
    uri = s.CharField()
    files = inline_serializer(
        "UploadedFile", {"name": s.CharField(), "uri": s.CharField(), "size": s.IntegerField()}, many=True
    )


class Dataset(s.Serializer):
    """A data set, and the progress of one that is being created."""

    id = s.IntegerField()
    name = s.CharField()
    status = s.CharField()
    failure_reason = s.CharField(allow_null=True)
    source = s.JSONField()
    manifest_uri = s.CharField(allow_null=True)
    lines_read = s.IntegerField()
    objects_total = s.IntegerField()
    bad_lines = s.IntegerField()
    progress = s.FloatField()
    created_at = s.DateTimeField()


class BadLine(s.Serializer):
    """A refused line of input."""

    number = s.IntegerField()
    reason = s.CharField()
    excerpt = s.CharField()


class LicenseCount(s.Serializer):
    """How many images of an iNaturalist export have a licence; `usual`: what the portal offers as chosen."""

    license = s.CharField()
    count = s.IntegerField()
    usual = s.BooleanField()


class InaturalistLicenses(s.Serializer):
    """What an iNaturalist export holds."""

    rows = s.IntegerField()
    licenses = LicenseCount(many=True)
    bad_rows = s.IntegerField()
    first_bad_rows = BadLine(many=True)


BAD_LINES = page("BadLine", BadLine)


class LabelCounters(s.Serializer):
    """Objects by state, counted as DescribeLabelingJob does."""

    TotalLabeled = s.IntegerField()
    HumanLabeled = s.IntegerField()
    MachineLabeled = s.IntegerField()
    FailedNonRetryableError = s.IntegerField()
    Unlabeled = s.IntegerField()


class LabelingJobRow(s.Serializer):
    """A labeling job in a list."""

    id = s.IntegerField()
    name = s.CharField()
    status = s.CharField()
    failure_reason = s.CharField(allow_null=True)
    paused = s.ChoiceField(
        ["funds", "debt"], allow_null=True, help_text="what it waits for: money in the wallet, or that a debt is paid"
    )
    attention = s.CharField(allow_null=True, help_text="what somebody has to do before it can go on")
    task_type = s.CharField()
    labels = s.ListField(child=s.CharField())
    workers_per_object = s.FloatField(help_text="a whole number, or how many answer an object on average")
    price = Money()
    automated_labeling = s.BooleanField()
    created_at = s.DateTimeField()
    finished_at = s.DateTimeField(allow_null=True)
    label_counters = LabelCounters()


class LabelingJob(LabelingJobRow):
    """Everything about a labeling job."""

    label_attribute_name = s.CharField()
    audit_label_attribute_name = s.CharField(
        allow_null=True, help_text="of a verification or adjustment job: the labels that people look at"
    )
    label_category_config = s.JSONField(
        allow_null=True, help_text="the labels with their attributes; null where they have none"
    )
    reference_code = s.CharField()
    title = s.CharField()
    description = s.CharField()
    keywords = s.ListField(child=s.CharField())
    instructions = s.JSONField()
    workteam = s.IntegerField()
    dataset = s.IntegerField(allow_null=True)
    input_manifest_uri = s.CharField()
    topics = s.JSONField(allow_null=True, help_text="the Amazon SNS topics of a streaming job, and of its labels")
    output_uri = s.CharField()
    output_manifest_uri = s.CharField(help_text="as LabelingJobOutput.OutputDatasetS3Uri; refreshed while it runs")
    selection = s.JSONField()
    redundancy = s.JSONField()
    automated_labeling_settings = s.JSONField()
    prelabels = s.JSONField(
        allow_null=True, help_text="whose labels people check, and for what price, or count as one more worker's"
    )
    objects_total = s.IntegerField()
    bad_lines = s.IntegerField()
    task_time_limit_seconds = s.IntegerField()
    task_availability_seconds = s.IntegerField()
    max_concurrent_tasks = s.IntegerField()
    review_days = s.IntegerField(allow_null=True)
    routing_rule = s.CharField(allow_blank=True)
    pre_human_task_function = s.CharField(allow_blank=True)
    annotation_consolidation_function = s.CharField(allow_blank=True)
    qualification_requirements = QualificationRequirement(many=True)
    golds = s.JSONField(help_text="the options of golds, and what the manifest gave: taken, unusable, problem")
    content_classifiers = s.ListField(child=s.CharField(), help_text="what the requester certifies of the data")
    probe = Probe(allow_null=True)
    max_human_labeled_objects = s.IntegerField(allow_null=True)
    max_percentage_labeled = s.IntegerField(allow_null=True)
    price_ceiling = Money(allow_null=True, help_text="so far the price may rise by itself")
    wanted_end = s.DateTimeField(allow_null=True)
    hourly_pay = JobHourlyPay()
    money = inline_serializer(
        "JobMoney", {"spent": Money(), "under_review": Money(), "reserved": Money(), "all_human": Money()}
    )


JOBS = page("LabelingJob", LabelingJobRow)


class Estimate(s.Serializer):
    """What a design would cost and how long it takes."""

    total = Money()
    fee = Money()
    golds = Money()
    checks = Money(help_text="the part of the total for checks of proposed labels")
    audit = Money(
        help_text="the most that the audit of a model's labels costs, that of one which labels everything; within the "
        "total, which is for people who label everything"
    )
    answers = s.IntegerField(help_text="without those to golds")
    per_object = Money(help_text="on average, without golds")
    duration_seconds = s.FloatField()
    guideline = Money()
    paid_elsewhere = inline_serializer(
        "EstimatePaidElsewhere",
        {"sessions": s.IntegerField(), "rewards": Money(), "fee": Money(), "total": Money()},
        allow_null=True,
        help_text="what the panel's provider takes",
    )


class Label(s.Serializer):
    """A revision of an object's label."""

    revision = s.IntegerField()
    source = s.CharField()
    algorithm = s.CharField()
    model_name = s.CharField(allow_null=True)
    confidence = s.FloatField(allow_null=True)
    confidence_interval = s.ListField(
        child=s.FloatField(), allow_null=True, help_text="where the confidence lies nine times in ten, [low, high]"
    )
    value = s.JSONField()
    explanation = s.JSONField()
    content = s.JSONField(allow_null=True, help_text="what a post-annotation function made for the manifest line")
    created_at = s.DateTimeField()
    taken_back = s.CharField(allow_null=True, help_text="why it is not in use any more; null where nobody took it back")


class LikelyError(s.Serializer):
    """How likely a label is wrong, by its answers and by a model where there is one."""

    chance = s.FloatField(help_text="that anything is wrong, 0 to 1")
    kinds = s.DictField(
        child=s.FloatField(),
        help_text="the chance of each kind: overlooked, badly_placed, wrong_class, not_there; wrong of the whole label",
    )
    reason = s.CharField(help_text="the likeliest of them as a sentence")
    model_name = s.CharField(allow_null=True, help_text="the model that was asked; null where only answers count")


class ObjectRow(s.Serializer):
    """An object of a job in a list."""

    id = s.IntegerField()
    index = s.IntegerField()
    state = s.CharField()
    failure_reason = s.CharField(allow_null=True)
    source_ref = s.CharField(allow_null=True)
    source_name = s.CharField(allow_null=True)
    width = s.IntegerField(allow_null=True)
    height = s.IntegerField(allow_null=True)
    image_url = s.CharField(help_text="the address of the picture, or of the text of a text object")
    label = s.JSONField(allow_null=True)
    source = s.CharField(allow_null=True)
    confidence = s.FloatField(allow_null=True)
    difficulty = s.FloatField(
        allow_null=True, help_text="share of an ordinary worker's answer that differs from the label, 0 to 1"
    )
    guideline_gap = s.FloatField(
        allow_null=True,
        help_text="how much less the better half of its workers agree with each other than the worse half, -1 to 1; "
        "from .25 the instructions are taken to be unclear about it",
    )
    likely_error = LikelyError(
        allow_null=True,
        help_text="of its label, or of the earlier label that people look at; null while nothing is known",
    )


class Object(ObjectRow):
    """An object with its history and every worker's answer."""

    labels = Label(many=True)
    answers = s.ListField(child=s.JSONField())


class Export(s.Serializer):
    """A download that is being prepared or is ready."""

    id = s.IntegerField()
    kind = s.CharField()
    which = s.CharField()
    images = s.BooleanField(help_text="whether the images are in the file")
    status = s.CharField()
    failure_reason = s.CharField(allow_null=True)
    progress = s.FloatField()
    objects_done = s.IntegerField()
    item_errors = s.ListField(
        child=s.JSONField(),
        help_text="objects that were left out, each with its index and the reason; with `used` it was not left out",
    )
    size_bytes = s.IntegerField(allow_null=True)
    download_url = s.CharField(allow_null=True)
    created_at = s.DateTimeField()


class Model(s.Serializer):
    """A trained model."""

    id = s.IntegerField()
    name = s.CharField()
    architecture = s.CharField()
    labels = s.ListField(child=s.CharField())
    metrics = s.JSONField()
    group = s.CharField(allow_null=True)
    version = s.IntegerField(allow_null=True)
    approval_status = s.CharField()
    approval_comment = s.CharField()
    decided_by = s.CharField(allow_null=True)
    decided_at = s.DateTimeField(allow_null=True)
    artifact_url = s.CharField()
    parts = s.DictField(child=s.CharField())
    created_at = s.DateTimeField()


class ModelDetail(Model):
    """A trained model with its configuration, where it comes from, and what uses it now."""

    config = s.JSONField()
    arn = s.CharField()
    parent = s.CharField(allow_null=True)
    lineage = s.JSONField()
    uses = s.ListField(child=s.CharField())
