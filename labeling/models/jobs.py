"""Labeling jobs: a data set, the labels wanted for it, and the work queue on which people give them."""

from typing import Any

from django.db import models
from django.db.models.functions import Lower

from labeling import redundancy, transitions
from labeling.models.datasets import Dataset
from labeling.models.queues import WorkQueue
from marketplace.addresses import AddressField
from marketplace.models import Account, Workteam


class Pause(models.TextChoices):
    """Why a job waits for its account."""

    FUNDS = "funds"  # the wallet cannot pay for the next object
    DEBT = "debt"  # the account owes money


class LabelingJobs(models.Manager["LabelingJob"]):
    """Loads jobs with their queue, because nearly every use of a job reads its queue."""

    def get_queryset(self) -> models.QuerySet["LabelingJob"]:
        return super().get_queryset().select_related("queue")


class ProbeState(models.TextChoices):
    """What came of the first batch of a public job (services/jobs/probe.py)."""

    PASSED = "Passed"
    CONTINUED = "Continued"


class LabelingJob(models.Model):
    """One labeling job. Field names follow CreateLabelingJob.

    What people are shown and paid is stored on its queue; the properties below read it from there.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="labeling_jobs")
    name = models.CharField(max_length=63)
    status = models.CharField(max_length=20, choices=transitions.LABELING_JOB.choices(), default="Initializing")
    status_changed_at = models.DateTimeField(null=True)
    failure_reason = models.CharField(max_length=1024, blank=True)
    reference_code = models.CharField(max_length=32, unique=True)
    queue = models.OneToOneField(WorkQueue, models.CASCADE, related_name="labeling_job")
    label_attribute_name = models.CharField(max_length=127)
    # Where the lines of the input have the labels that people verify or adjust; "" for jobs that show none.
    audit_label_attribute_name = models.CharField(max_length=127, blank=True, default="", db_default="")
    dataset = models.ForeignKey(Dataset, models.PROTECT, null=True, related_name="labeling_jobs")
    input_manifest_uri = AddressField(max_length=1024)
    # {"kind": "full"} | {"kind": "random", "percent": 10, "seed": 1} | {"kind": "filter", "where": "..."}
    selection = models.JSONField(default=dict)
    output_uri = AddressField(max_length=1024)
    role_arn = models.CharField(max_length=2048, blank=True)
    tags = models.JSONField(default=list)
    # What came of the first batch of a public job; empty before, and while its requester has to decide.
    probe = models.CharField(max_length=10, choices=ProbeState, blank=True, default="")
    # What the requester certifies of the data, in AWS's words: a list of services.jobs.limits.CONTENT_CLASSIFIERS.
    content_classifiers = models.JSONField(default=list)

    # {"kind": "fixed"} | {"kind": "dynamic", "target_confidence": 0.9, "start": 2}
    redundancy = models.JSONField(default=dict)
    max_human_labeled_objects = models.IntegerField(null=True)
    max_percentage_labeled = models.IntegerField(null=True)
    max_spend_micros = models.BigIntegerField(null=True)
    # When the job should be done, and how far its price may rise for that (services/jobs/pacing.py); null: it stays.
    wanted_end = models.DateTimeField(null=True)
    price_ceiling_micros = models.BigIntegerField(null=True)
    # {} or {"rate": percent, "attribute": of the input manifest or "", "most": golds taken from it, "mint": golds made
    # of unanimous objects, "pass_mark": score from which an answer passes}; then also what the manifest gave: "taken",
    # "unusable", "problem".
    golds = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    # With {"enabled": true} the learning room chooses the batches.
    automated_labeling = models.JSONField(default=dict)
    # {} or whose labels people check and correct in place of drawing (services/jobs/prelabel_options.py).
    prelabels = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    # What came of them by the end of the newest batch (services/prelabels/anchoring.py); {} before the first.
    prelabel_figures = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))

    objects_total = models.IntegerField(default=0)
    bad_lines = models.IntegerField(default=0)
    # What somebody has to do before the job can go on (an empty wallet, a team without members), else "".
    attention = models.CharField(max_length=500, blank=True, default="")
    # Why no work is given out for now, a value of Pause; "" while it is.
    paused = models.CharField(max_length=10, blank=True, default="", db_default="")
    output_written_at = models.DateTimeField(null=True)
    # When the chances that its labels are wrong were last estimated (services/results/likely_errors.py).
    errors_estimated_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=120, blank=True)
    finished_at = models.DateTimeField(null=True)

    objects = LabelingJobs()

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

    @property
    def workteam(self) -> Workteam:
        """The team its tasks are given to."""
        return self.queue.workteam

    @property
    def workteam_id(self) -> int:
        """The key of the team."""
        return self.queue.workteam_id

    @property
    def task_type(self) -> str:
        """AWS's name of the task type."""
        return self.queue.task_type

    @property
    def labels(self) -> list[str]:
        """The label categories; their order is the class index."""
        labels: list[str] = self.queue.labels
        return labels

    @property
    def earlier_labels(self) -> dict[str, str]:
        """See WorkQueue.earlier_labels."""
        earlier: dict[str, str] = self.queue.earlier_labels
        return earlier

    @property
    def title(self) -> str:
        """What workers see in their list."""
        return self.queue.title

    @property
    def description(self) -> str:
        """What workers read below the title."""
        return self.queue.description

    @property
    def keywords(self) -> list[str]:
        """Words by which workers can find it."""
        keywords: list[str] = self.queue.keywords
        return keywords

    @property
    def instructions(self) -> dict[str, Any]:
        """See WorkQueue.instructions."""
        instructions: dict[str, Any] = self.queue.instructions
        return instructions

    @property
    def workers_per_object(self) -> float:
        """NumberOfHumanWorkersPerDataObject: the most answers an object gets; on average where it is no int."""
        return redundancy.mean(self.queue.max_seats, self.queue.fewer_percent)

    @property
    def price_micros(self) -> int:
        """Micro-dollars per answer."""
        return self.queue.price_micros

    @property
    def fee_micros(self) -> int:
        """The platform's share on top of each paid answer, in micro-dollars."""
        return self.queue.fee_micros

    @property
    def expected_seconds(self) -> float:
        """How long a task should take."""
        return self.queue.expected_seconds

    @property
    def task_time_limit_seconds(self) -> int:
        """How long a lease runs."""
        return self.queue.task_time_limit_seconds

    @property
    def task_availability_seconds(self) -> int:
        """How long a batch stays open."""
        return self.queue.task_availability_seconds

    @property
    def review_days(self) -> int | None:
        """Days after which an answer that nobody decided about is accepted; None: answers are paid at once."""
        return self.queue.review_days

    @property
    def max_concurrent_tasks(self) -> int:
        """The most objects open to people at a time."""
        return self.queue.max_concurrent_tasks


class WorkerModels(models.Model):
    """What consolidation has learned of a job's crowd and workers.

    With a crowd of thousands it has megabytes, so it has a table of its own: whoever reads a job does not load it.
    """

    job = models.OneToOneField(LabelingJob, models.CASCADE, primary_key=True, related_name="fitted")
    # {"objects": how many the last fit has seen, "settled": how many when all labels were last made again, "rated": how
    # many when the difficulty of all was last estimated, "algorithm": ..., "models": of the task type}
    value = models.JSONField()


class StaleOutput(models.Model):
    """A job whose output lacks labels that were decided since it was written."""

    job = models.OneToOneField(LabelingJob, models.CASCADE, primary_key=True, related_name="+")
    # When the newest of them was decided.
    labeled_at = models.DateTimeField()
