"""Labels that are taken in from files of other tools, and the report of what became of each part of them."""

from django.db import models

from labeling import task_types, transitions
from labeling.models.datasets import Dataset
from labeling.models.jobs import LabelingJob
from marketplace.models import Account


class LabelImport(models.Model):
    """One import of a label file: into a new data set, or as golds of a job."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="label_imports")
    purpose = models.CharField(max_length=10)  # dataset | golds
    # The name of the data set that is made; "" for golds.
    name = models.CharField(max_length=63, blank=True)
    status = models.CharField(max_length=20, choices=transitions.LABEL_IMPORT.choices(), default="Initializing")
    status_changed_at = models.DateTimeField(null=True)
    failure_reason = models.CharField(max_length=1024, blank=True)
    uri = models.CharField(max_length=1024)
    # What was asked for, "auto" to let the file show it; `format` is what it is.
    asked_format = models.CharField(max_length=20, default="auto")
    format = models.CharField(max_length=20, blank=True)
    # Whose labels are read of the file: a name of the registry of task types.
    task_type = models.CharField(max_length=60, default=task_types.DEFAULT, db_default=task_types.DEFAULT)
    # The data set that has the images; null when they are in the archive with the labels, or are a job's objects.
    images = models.ForeignKey(Dataset, models.SET_NULL, null=True, related_name="+")
    job = models.ForeignKey(LabelingJob, models.CASCADE, null=True, related_name="label_imports")
    # The attribute under which the data set has the labels, and the one under which a manifest that is read has them.
    label_attribute_name = models.CharField(max_length=127, blank=True)
    read_attribute = models.CharField(max_length=127, blank=True)
    # Whether an object that is listed with nothing on it has nothing ("labeled") or was never looked at ("unlabeled").
    without_boxes = models.CharField(max_length=10, default="labeled")
    dataset = models.ForeignKey(Dataset, models.SET_NULL, null=True, related_name="made_by_import")
    # The classes of the labels; their order is the class index in the data set's manifest.
    labels = models.JSONField(default=list)
    # {"images", "labeled", "parts"}, how many lines of the report have each outcome, and, once the report is stored,
    # how many "lines" of it were kept.
    counts = models.JSONField(default=dict)
    progress = models.FloatField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=120, blank=True)

    class Meta:
        indexes = [models.Index(fields=["account", "-id"], name="label_import_by_account")]

    @property
    def parts(self) -> int:
        """How many boxes, spans or classes its labels have; rows of earlier versions counted boxes only."""
        return int(self.counts.get("parts", self.counts.get("boxes", 0)))

    @property
    def has_report(self) -> bool:
        """Whether its report is there: it is kept when the whole file was read."""
        return "lines" in self.counts


class ImportOutcome(models.TextChoices):
    """What became of a part of a label file."""

    IMPORTED = "imported"
    CLIPPED = "clipped"
    REPAIRED = "repaired"
    CROWD = "crowd"
    SKIPPED = "skipped"


class ImportedLine(models.Model):
    """A line of an import's report: one for each image, and one for each part that was not taken as it stands."""

    label_import = models.ForeignKey(LabelImport, models.CASCADE, related_name="lines", db_index=False)
    number = models.IntegerField()
    # The file, and the line, object or annotation in it.
    place = models.CharField(max_length=300)
    outcome = models.CharField(max_length=10, choices=ImportOutcome)
    reason = models.CharField(max_length=500)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["label_import", "number"], name="imported_line_once")]
        indexes = [models.Index(fields=["label_import", "outcome", "number"], name="imported_line_by_outcome")]
