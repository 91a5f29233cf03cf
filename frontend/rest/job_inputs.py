"""What requests about labeling jobs may hold. Every bound is the service's own; meaning is checked there, not here."""

from typing import Any

from rest_framework import serializers

from frontend.automation import AUGMENTATIONS, EVERY_ARCHITECTURE, LOSSES, RANGES
from frontend.rest.datasets import SelectionInput
from frontend.rest.fields import Body, DollarsField, FiniteFloatField, ObjectField, TaskTypeField
from labeling import redundancy, task_types
from labeling.services.functions import choosing
from labeling.services.golds import options
from labeling.services.intake import selection
from labeling.services.jobs import forecasting, limits, pricing
from labeling.services.jobs.design import Design
from labeling.services.jobs.keywords import KEYWORD
from labeling.services.prelabels import options as prelabel_options
from labeling.services.streams import topics
from labeling.simulation.base import MIXED
from marketplace import arns, money, names
from marketplace.models import ActionsGuarded, Comparator
from marketplace.services import requirements
from marketplace.services.boundaries import URI_LENGTH


class ExampleInput(Body):
    """An example picture, by its address in the store."""

    uri = serializers.CharField(max_length=URI_LENGTH.longest)
    caption = serializers.CharField(
        max_length=limits.CAPTION_LENGTH.longest, required=False, allow_blank=True, default=""
    )


class InstructionsInput(Body):
    """What workers read. HTML is reduced to harmless tags."""

    short = serializers.CharField(
        required=False, allow_blank=True, max_length=limits.SHORT_INSTRUCTIONS_LENGTH.longest, default=""
    )
    full = serializers.CharField(
        required=False, allow_blank=True, max_length=limits.FULL_INSTRUCTIONS_LENGTH.longest, default=""
    )
    good_examples = ExampleInput(many=True, required=False, max_length=limits.EXAMPLES.longest)
    bad_examples = ExampleInput(many=True, required=False, max_length=limits.EXAMPLES.longest)


class JobSelectionInput(SelectionInput):
    """Also, of a job that verifies or adjusts another one's labels, those that are most likely wrong first.

    With `count` people are asked only about so many of them.
    """

    kind = serializers.ChoiceField(choices=list(selection.JOB_KINDS))
    count = serializers.IntegerField(required=False, allow_null=True, **selection.COUNT.bounds)


class RedundancyInput(Body):
    """Fixed redundancy, or as many answers as it takes for the target confidence."""

    kind = serializers.ChoiceField(choices=list(limits.REDUNDANCY))
    target_confidence = FiniteFloatField(required=False, **limits.TARGET_CONFIDENCE.bounds)
    start = serializers.IntegerField(required=False, **limits.START.bounds)


class WorkersField(FiniteFloatField):
    """How many workers answer an object: a whole number, or how many do on average."""

    def __init__(self, **options: Any):
        super().__init__(
            **{
                "help_text": f"in steps of {redundancy.STEP}: with 2.5 half of the objects are answered by 3 workers, "
                "the others by 2; a whole number with dynamic redundancy",
                **limits.WORKERS_PER_OBJECT.bounds,
                **options,
            }
        )

    def to_internal_value(self, data: Any) -> float:
        """An int where it is a whole number. Raises ValidationError for what is no finite number."""
        number = super().to_internal_value(data)
        return int(number) if number == int(number) else number


class AutomatedInput(Body):
    """Automated labeling: on or off, and how the loop is run."""

    enabled = serializers.BooleanField()
    target_iou = FiniteFloatField(required=False, help_text="of boxes", **RANGES["target_iou"].bounds)
    target_quality = FiniteFloatField(
        required=False,
        help_text="promised quality of machine labels: accuracy of one class, mean Jaccard index of several, mean IoU "
        "of boxes and masks",
        **RANGES["target_quality"].bounds,
    )
    target_error = FiniteFloatField(
        required=False,
        help_text="promise that at most this share of the machine's labels is wrong, in place of a mean quality",
        **RANGES["target_error"].bounds,
    )
    error_loss = serializers.ChoiceField(
        required=False,
        choices=list(LOSSES),
        help_text="what counts as wrong: an image with any wrong object, or the share of wrong objects",
    )
    right_iou = FiniteFloatField(
        required=False, help_text="the overlap from which on an object is right", **RANGES["right_iou"].bounds
    )
    seed_size = serializers.IntegerField(required=False, **RANGES["seed_size"].bounds)
    batch_size = serializers.IntegerField(required=False, **RANGES["batch_size"].bounds)
    max_rounds = serializers.IntegerField(required=False, **RANGES["max_rounds"].bounds)
    validation_share = FiniteFloatField(required=False, **RANGES["validation_share"].bounds)
    train_seconds = serializers.IntegerField(required=False, **RANGES["train_seconds"].bounds)
    architecture = serializers.ChoiceField(
        required=False, choices=list(EVERY_ARCHITECTURE), help_text="one that learns the task type"
    )
    image_size = serializers.IntegerField(required=False, **RANGES["image_size"].bounds)
    seed = serializers.IntegerField(required=False, **RANGES["seed"].bounds)
    overlap = serializers.BooleanField(required=False)
    confidence = FiniteFloatField(required=False, **RANGES["confidence"].bounds)
    audit_share = FiniteFloatField(
        required=False,
        help_text="the largest part of the machine's labels that people look at, unseen, at the end; 0: none",
        **RANGES["audit_share"].bounds,
    )
    audit_width = FiniteFloatField(
        required=False,
        help_text="the width of the interval of the realised error that no audit is made larger for",
        **RANGES["audit_width"].bounds,
    )
    random_share = FiniteFloatField(required=False, **RANGES["random_share"].bounds)
    epochs = serializers.IntegerField(required=False, **RANGES["epochs"].bounds)
    augmentation = serializers.ChoiceField(required=False, choices=list(AUGMENTATIONS))
    least_saving = FiniteFloatField(
        required=False,
        help_text="people label the rest at once when further rounds are expected to save less than this share of it; "
        "0: never",
        **RANGES["least_saving"].bounds,
    )
    box_cost = FiniteFloatField(
        required=False,
        help_text="the price of drawing a box over that of opening an image, by which the next images are chosen",
        **RANGES["box_cost"].bounds,
    )
    batch_boxes = serializers.IntegerField(
        required=False, help_text="most boxes that a batch is expected to have; 0: any", **RANGES["batch_boxes"].bounds
    )
    initial_model = serializers.CharField(required=False, max_length=arns.LENGTH.longest)


class RequirementInput(Body):
    """A qualification that workers must hold, with the values that will do, in Mechanical Turk's words.

    With `head_start_minutes` it is preferred: whoever meets it sees the job so much earlier than the others.
    """

    qualification_type = serializers.IntegerField()
    comparator = serializers.ChoiceField(choices=list(Comparator.values), default=str(Comparator.EXISTS))
    integer_values = serializers.ListField(
        child=serializers.IntegerField(**requirements.VALUE.bounds),
        required=False,
        max_length=requirements.VALUES.longest,
    )
    actions_guarded = serializers.ChoiceField(choices=list(ActionsGuarded.values), default=str(ActionsGuarded.ACCEPT))
    head_start_minutes = serializers.IntegerField(
        required=False, allow_null=True, **requirements.HEAD_START_MINUTES.bounds
    )


class GoldsInput(Body):
    """Tasks whose answer is known, mixed into the work: how many, and where they come from."""

    rate = FiniteFloatField(
        required=False,
        help_text="percent of a worker's tasks that are golds; more among the first ten",
        **options.RATE.bounds,
    )
    attribute = serializers.CharField(
        required=False,
        max_length=limits.LABEL_ATTRIBUTE_NAME_LENGTH.longest,
        help_text="the label attribute of the input manifest that holds the truth; such objects are not labeled anew",
    )
    most = serializers.IntegerField(
        required=False, help_text="golds taken from the manifest, and one object in five", **options.MOST.bounds
    )
    mint = serializers.IntegerField(
        required=False, help_text="golds made of objects on which all answers agree", **options.MINT.bounds
    )
    pass_mark = FiniteFloatField(
        required=False, help_text="the score from which an answer passes", **options.PASS_MARK.bounds
    )


class PreLabelsInput(Body):
    """Labels that people check in place of making them, or classes that count unseen as one more worker's."""

    source = serializers.ChoiceField(
        choices=["loop", "model", "endpoint", "manifest"],
        help_text="loop: the models of automated labeling; model, endpoint: one of the account; manifest: the input's",
    )
    check_price = DollarsField(
        required=False, zero=True, help_text="per worker and task that shows one; a third of the price if left out"
    )
    blind_share = FiniteFloatField(
        required=False,
        help_text="the share of objects, by lot, on which people do not see the pre-label, or it does not count",
        **prelabel_options.BLIND_SHARE.bounds,
    )
    least_quality = FiniteFloatField(
        required=False,
        help_text="the expected quality (for boxes the mean IoU) from which on a pre-label of a model is shown",
        **prelabel_options.LEAST_QUALITY.bounds,
    )
    attribute = serializers.CharField(
        required=False,
        max_length=limits.LABEL_ATTRIBUTE_NAME_LENGTH.longest,
        help_text="of the source manifest: the label attribute that holds them",
    )
    model = serializers.CharField(
        required=False, max_length=arns.LENGTH.longest, help_text="of the source model: its ARN"
    )
    endpoint = serializers.CharField(
        required=False, max_length=names.LENGTH.longest, help_text="of the source endpoint: its name"
    )


class LabelingJobInput(Body):
    """What CreateLabelingJob takes, in plain names; money is dollars as text, per worker per task."""

    name = serializers.RegexField(names.PATTERN, max_length=names.LENGTH.longest)
    labels = serializers.ListField(
        child=serializers.CharField(max_length=limits.LABEL_LENGTH.longest),
        required=False,
        help_text="left out only where a label category configuration names them",
    )
    label_category_config = ObjectField(
        required=False,
        allow_null=True,
        help_text="Ground Truth's label category configuration: labels, their attributes, instructions; see "
        "docs/label-attributes.md",
    )
    label_category_config_uri = serializers.CharField(
        required=False, max_length=URI_LENGTH.longest, help_text="instead of it the address of such a file"
    )
    task_type = TaskTypeField(choices=list(task_types.names()), default=task_types.DEFAULT)
    template = serializers.CharField(
        required=False,
        max_length=limits.TEMPLATE_LENGTH.longest,
        trim_whitespace=False,
        help_text="the worker template of a custom job",
    )
    script_hosts = serializers.ListField(
        child=serializers.CharField(max_length=limits.SCRIPT_HOST_LENGTH.longest),
        required=False,
        max_length=limits.SCRIPT_HOSTS.longest,
        help_text="hosts that its scripts, styles, fonts, pictures and data may come from; none on the public pool",
    )
    pre_human_task_function = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=choosing.PATH_LENGTH.longest,
        help_text="asked about each object before people are: an address, or a Python function the operator allows",
    )
    annotation_consolidation_function = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=choosing.PATH_LENGTH.longest,
        help_text="makes the labels out of people's answers, likewise",
    )
    function_secret = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=choosing.SECRET_LENGTH.longest,
        help_text="signs the requests to addresses: whsec_ and 24 to 64 bytes in base64; it is never shown",
    )
    workteam = serializers.IntegerField()
    dataset = serializers.IntegerField(required=False)
    input_manifest_uri = serializers.CharField(required=False, max_length=URI_LENGTH.longest)
    input_job = serializers.IntegerField(
        required=False, help_text="a job that is over, whose output manifest is the input (chaining)"
    )
    input_topic_arn = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=topics.ARN_LENGTH.longest,
        help_text="a streaming job: the Amazon SNS topic that sends its objects; it runs until it is stopped",
    )
    output_topic_arn = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=topics.ARN_LENGTH.longest,
        help_text="the Amazon SNS topic, an event destination of the account, that each object's labels are sent to",
    )
    label_attribute_name = serializers.CharField(required=False, max_length=limits.LABEL_ATTRIBUTE_NAME_LENGTH.longest)
    audit_label_attribute_name = serializers.CharField(
        required=False,
        max_length=limits.LABEL_ATTRIBUTE_NAME_LENGTH.longest,
        help_text="of a verification or adjustment job: the label attribute of the input whose labels people look at",
    )
    selection = JobSelectionInput(required=False)
    output_uri = serializers.CharField(required=False, max_length=URI_LENGTH.longest)
    title = serializers.CharField(max_length=limits.TITLE_LENGTH.longest)
    description = serializers.CharField(max_length=limits.DESCRIPTION_LENGTH.longest)
    keywords = serializers.ListField(
        child=serializers.RegexField(f"^{KEYWORD.pattern}$", max_length=limits.KEYWORD_LENGTH.longest),
        required=False,
        max_length=limits.KEYWORDS.longest,
    )
    instructions = InstructionsInput(required=False)
    workers_per_object = WorkersField(default=Design.workers_per_object)
    redundancy = RedundancyInput(required=False)
    price = DollarsField(zero=True, help_text=f"at most {money.text(pricing.MOST_MICROS)} dollars")
    expected_seconds = FiniteFloatField(default=Design.expected_seconds, **limits.EXPECTED_SECONDS.bounds)
    task_time_limit_seconds = serializers.IntegerField(required=False, **limits.TASK_TIME_LIMIT_SECONDS.bounds)
    task_availability_seconds = serializers.IntegerField(required=False, **limits.AVAILABILITY_SECONDS.bounds)
    max_concurrent_tasks = serializers.IntegerField(required=False, **limits.MAX_CONCURRENT_TASKS.bounds)
    content_classifiers = serializers.ListField(
        child=serializers.ChoiceField(choices=list(limits.CONTENT_CLASSIFIERS)),
        required=False,
        max_length=limits.CERTIFICATES.longest,
        help_text="what you certify of the data; the public pool is given only data without personal data, and data "
        "that may be adult content only to those who have confirmed that they are of age",
    )
    review_days = serializers.IntegerField(
        required=False,
        allow_null=True,
        help_text="answers are paid after a review, which accepts them by itself after so many days; null: at once",
        **limits.REVIEW_DAYS.bounds,
    )
    qualification_requirements = RequirementInput(
        many=True, required=False, max_length=requirements.REQUIREMENTS.longest
    )
    routing_rule = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=limits.ROUTING_RULE_LENGTH.longest,
        help_text="one of the functions that the operator allows, which decides which worker sees which object",
    )
    max_human_labeled_objects = serializers.IntegerField(required=False, **limits.MAX_HUMAN_LABELED_OBJECTS.bounds)
    max_percentage_labeled = serializers.IntegerField(required=False, **limits.MAX_PERCENTAGE_LABELED.bounds)
    max_spend = DollarsField(required=False)
    price_ceiling = DollarsField(
        required=False, help_text="so far the price may rise while the job would not be done by `wanted_end`"
    )
    wanted_end = serializers.DateTimeField(required=False, help_text="when it should be done; with `price_ceiling`")
    golds = GoldsInput(required=False)
    automated_labeling = AutomatedInput(required=False)
    prelabels = PreLabelsInput(required=False)


class EstimateInput(Body):
    """A job design, before launch."""

    objects = serializers.IntegerField(**limits.OBJECTS.bounds)
    workers_per_object = WorkersField()
    price = DollarsField(zero=True)
    expected_seconds = FiniteFloatField(default=Design.expected_seconds, **limits.EXPECTED_SECONDS.bounds)
    workers = serializers.IntegerField(default=pricing.WORKERS_ASSUMED, **limits.WORKERS.bounds)
    task_type = TaskTypeField(choices=list(task_types.names()), default=task_types.DEFAULT)
    golds_rate = FiniteFloatField(
        default=options.DEFAULTS["rate"], help_text="percent of the tasks that are golds", **options.RATE.bounds
    )
    checked_share = FiniteFloatField(
        default=0,
        help_text="of the objects: people check a label that is proposed, for `check_price`",
        **pricing.SHARE.bounds,
    )
    check_price = DollarsField(default="0", zero=True, help_text="per worker and task that checks a proposed label")


def checks_of(given: dict[str, Any]) -> pricing.Checks:
    """The checks of a design; takes their members out of what was given."""
    price = money.read(given.pop("check_price"), field="check_price", zero=True)
    return pricing.Checks(given.pop("checked_share"), price)


class JobEstimateInput(EstimateInput):
    """A job design, before launch, and the panel that it will be open to, if it is one."""

    audit_share = FiniteFloatField(default=0, help_text="of the labels of a model, for people", **pricing.SHARE.bounds)
    panel = serializers.IntegerField(required=False)


class ForecastInput(EstimateInput):
    """A job design, before launch, and the crowd it is to be forecast with."""

    task_type = serializers.ChoiceField(
        choices=[name for name in task_types.names() if task_types.get(name).simulation], default=task_types.DEFAULT
    )
    labels = serializers.ListField(child=serializers.CharField(max_length=limits.LABEL_LENGTH.longest), min_length=1)
    redundancy = RedundancyInput(required=False)
    crowd = serializers.ChoiceField(choices=list(forecasting.CROWDS), default=MIXED)
    compare = serializers.BooleanField(default=True)
