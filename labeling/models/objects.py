"""Data objects of a job, and the append-only revisions of their labels."""

from django.db import models

from labeling.models.jobs import LabelingJob
from marketplace.addresses import AddressField, LineField

GUIDELINE_GAP = 0.25
"""From this gap on the instructions are taken to be unclear about an object (see consolidation/difficulty.py)."""


class ObjectState(models.TextChoices):
    """The state of an object. The labeling counters count these."""

    UNLABELED = "Unlabeled"
    PENDING = "PendingHuman"
    HUMAN = "HumanLabeled"
    MACHINE = "MachineLabeled"
    FAILED = "Failed"


class DataObject(models.Model):
    """One line of the input manifest. `index` is the zero-based line number, AWS's objectId."""

    job = models.ForeignKey(LabelingJob, models.CASCADE, related_name="objects_of_job", db_index=False)
    index = models.IntegerField()
    state = models.CharField(max_length=14, choices=ObjectState, default=ObjectState.UNLABELED)
    failure_reason = models.CharField(max_length=500, blank=True)
    source_ref = AddressField(max_length=1024, blank=True)
    # The name it had before it was stored under a key of ours, folders included; "" when its address has its name.
    source_name = models.CharField(max_length=1024, blank=True, default="", db_default="")
    # In displayed pixels, null until the image was inspected; of a text its length in code points, and 1.
    width = models.IntegerField(null=True)
    height = models.IntegerField(null=True)
    depth = models.IntegerField(null=True)
    inspected_at = models.DateTimeField(null=True)
    # The copy that people and programs get instead of an image that is rotated by EXIF or on another server; else "".
    upright_uri = AddressField(max_length=1024, blank=True)
    label = models.ForeignKey("labeling.Label", models.SET_NULL, null=True, related_name="+")
    # Share of an ordinary worker's answer that differs from the label, 0 to 1; null before a batch with it has ended.
    difficulty = models.FloatField(null=True)
    # How much less the better half of its workers agree with each other than the worse half; null where unknown.
    guideline_gap = models.FloatField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "index"], name="data_object_index_once")]
        indexes = [
            models.Index(fields=["job", "state", "index"], name="data_object_by_state"),
            models.Index(
                fields=["job", "guideline_gap"],
                condition=models.Q(guideline_gap__gte=GUIDELINE_GAP),
                name="data_object_unclear",
            ),
        ]

    @property
    def file_name(self) -> str:
        """The last part of its name, "" for an object that has neither name nor address."""
        return (self.source_name or self.source_ref).replace("\\", "/").rsplit("/", 1)[-1]


class ObjectLine(models.Model):
    """The input line of an object, in a table of its own so that lists of objects stay fast."""

    data_object = models.OneToOneField(DataObject, models.CASCADE, primary_key=True, related_name="line")
    text = LineField()


class LabelSource(models.TextChoices):
    """Who a label comes from."""

    HUMAN = "human"
    MACHINE = "machine"
    ADJUDICATED = "adjudicated"


class Label(models.Model):
    """A revision of an object's label; it never changes, and the newest one is current.

    `value` is what the job's task type stores: for boxes {"boxes": [{"left", "top", "width", "height", "label",
    "confidence"}]} in displayed pixels, for a class {"choice", "confidence"},
    for several classes {"choices": [{"label", "confidence"}]}.
    `explanation`: how it was decided (clusters, weights, who was outvoted).
    """

    data_object = models.ForeignKey(DataObject, models.CASCADE, related_name="labels")
    revision = models.IntegerField()
    source = models.CharField(max_length=12, choices=LabelSource)
    algorithm = models.CharField(max_length=60)
    model_name = models.CharField(max_length=63, blank=True)
    confidence = models.FloatField(null=True)
    value = models.JSONField()
    explanation = models.JSONField(default=dict)
    # What a post-annotation function made for the manifest line, by member; null where the type writes the label.
    content = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["data_object", "revision"], name="label_revision_once")]
        indexes = [
            models.Index(fields=["model_name"], condition=models.Q(model_name__gt=""), name="label_by_model"),
        ]

    @property
    def confidence_interval(self) -> list[float] | None:
        """Where the confidence lies nine times in ten, [low, high], by what is known of workers; None without."""
        low, high = self.explanation.get("confidence_low"), self.explanation.get("confidence_high")
        return None if low is None or high is None else [low, high]


class LabelWithdrawal(models.Model):
    """That a label revision was taken back, and why; the revision itself never changes."""

    label = models.OneToOneField(Label, models.CASCADE, related_name="withdrawal")
    reason = models.CharField(max_length=500)
    created_at = models.DateTimeField(auto_now_add=True)
