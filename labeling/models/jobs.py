"""Labeling jobs: what is asked of people, of how many, for how much."""

from django.db import models
from django.db.models.functions import Lower

from labeling import task_types, transitions
from labeling.models.datasets import Dataset
from marketplace.models import Account, Workteam


class LabelingJob(models.Model):
    """One labeling job. Field names follow CreateLabelingJob; money is micro-dollars per worker per task."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="labeling_jobs")
    name = models.CharField(max_length=63)
    status = models.CharField(max_length=20, choices=transitions.LABELING_JOB.choices(), default="Initializing")
    status_changed_at = models.DateTimeField(null=True)
    failure_reason = models.CharField(max_length=1024, blank=True)
    reference_code = models.CharField(max_length=32, unique=True)
    task_type = models.CharField(max_length=40, default=task_types.DEFAULT)
    label_attribute_name = models.CharField(max_length=127)
    labels = models.JSONField()  # ["bee", ...]: the order is the class index
    dataset = models.ForeignKey(Dataset, models.PROTECT, null=True, related_name="labeling_jobs")
    input_manifest_uri = models.CharField(max_length=1024)
    # {"kind": "full"} | {"kind": "random", "percent": 10, "seed": 1} | {"kind": "filter", "where": "..."}
    selection = models.JSONField(default=dict)
    output_uri = models.CharField(max_length=1024)
    role_arn = models.CharField(max_length=2048, blank=True)
    tags = models.JSONField(default=list)

    workteam = models.ForeignKey(Workteam, models.PROTECT, related_name="labeling_jobs")
    title = models.CharField(max_length=128)
    description = models.CharField(max_length=255)
    keywords = models.JSONField(default=list)
    # {"short": html, "full": html, "good_examples": [{"uri", "caption"}], "bad_examples": [...]}
    instructions = models.JSONField(default=dict)
    workers_per_object = models.IntegerField(default=5)
    # {"kind": "fixed"} | {"kind": "dynamic", "target_confidence": 0.9, "start": 2}
    redundancy = models.JSONField(default=dict)
    price_micros = models.BigIntegerField(default=0)
    fee_micros = models.BigIntegerField(default=0)  # the platform's share on top of each paid answer
    expected_seconds = models.FloatField(default=30)
    task_time_limit_seconds = models.IntegerField(default=600)
    task_availability_seconds = models.IntegerField(default=21600)
    max_concurrent_tasks = models.IntegerField(default=1000)
    max_human_labeled_objects = models.IntegerField(null=True)
    max_percentage_labeled = models.IntegerField(null=True)
    max_spend_micros = models.BigIntegerField(null=True)
    # Presence of the key "enabled": true hands the choice of batches to the learning room.
    automated_labeling = models.JSONField(default=dict)

    objects_total = models.IntegerField(default=0)
    bad_lines = models.IntegerField(default=0)
    # Worker models fitted by consolidation over this job, and the version they belong to.
    worker_models = models.JSONField(null=True)
    # What somebody has to do before the job can go on (an empty wallet, a team without members); "" when all is well.
    attention = models.CharField(max_length=500, blank=True, default="")
    output_written_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=120, blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # Compared case-insensitively, as CreateLabelingJob does.
            models.UniqueConstraint("account", Lower("name"), name="labeling_job_name_once")
        ]
        indexes = [models.Index(fields=["account", "-id"], name="labeling_job_by_account")]

    @property
    def open(self) -> bool:
        """Whether people may still work on it."""
        return self.status == "InProgress"

    @property
    def automated(self) -> bool:
        """Whether the learning room chooses the batches."""
        return bool(self.automated_labeling.get("enabled"))


class AdvanceRequest(models.Model):
    """A message "advance this job" that is in the queue already: while it is there no second one is sent."""

    job = models.OneToOneField(LabelingJob, models.CASCADE, primary_key=True, related_name="+")
    requested_at = models.DateTimeField()
