"""The requester's own functions of a job, what waits for their answers, and what the one before people has answered."""

from django.db import models

from labeling.models.jobs import LabelingJob
from labeling.models.objects import DataObject


class JobFunctions(models.Model):
    """The functions of a job that has any. Each is an http(s) address, a Python path `module.function`, or "" for the
    built-in one. They never change.
    """

    job = models.OneToOneField(LabelingJob, models.CASCADE, primary_key=True, related_name="functions")
    pre_human_task = models.CharField(max_length=500, blank=True, default="")
    annotation_consolidation = models.CharField(max_length=500, blank=True, default="")
    # Sealed (marketplace/sealing.py); signs the requests to addresses, "" where there are none.
    secret = models.CharField(max_length=600, blank=True, default="")


class FunctionStep(models.TextChoices):
    """Which of a job's functions."""

    PRE = "pre"
    POST = "post"


class FunctionCall(models.Model):
    """A data object that waits for a function of its job. Deleted once the answer is stored, or given up."""

    job = models.ForeignKey(LabelingJob, models.CASCADE, related_name="function_calls", db_index=False)
    data_object = models.ForeignKey(DataObject, models.CASCADE, related_name="function_calls", db_index=False)
    step = models.CharField(max_length=4, choices=FunctionStep)
    # An answer to an earlier question about the same object is thrown away.
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    # What came of the last try.
    problem = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["data_object", "step"], name="function_call_once")]
        indexes = [models.Index(fields=["job", "step", "due_at"], name="function_call_due")]


class FunctionFailure(models.Model):
    """A data object that has failed because a function of its job gave nothing for it; it can be sent again.

    It counts while the object is Failed for this very reason; what is decided of it later leaves the row behind.
    """

    data_object = models.OneToOneField(DataObject, models.CASCADE, primary_key=True, related_name="function_failure")
    step = models.CharField(max_length=4, choices=FunctionStep)
    reason = models.CharField(max_length=500)
    # How often it was sent again, whatever came of it.
    times = models.PositiveSmallIntegerField(default=0, db_default=0)


class TaskInput(models.Model):
    """What the function before people has answered about an object: `task.input` of its template, and whether people
    are asked at all.
    """

    data_object = models.OneToOneField(DataObject, models.CASCADE, primary_key=True, related_name="task_input")
    value = models.JSONField()
    needs_people = models.BooleanField(default=True)
