"""The prediction of a whole job whose pre-labels are of one model."""

from django.db import models

from labeling.models import LabelingJob
from learning.models.training import TransformJob


class PreLabelRun(models.Model):
    """The prediction of all objects of a job; none, and the `problem`, where it could not be begun."""

    job = models.OneToOneField(LabelingJob, models.CASCADE, primary_key=True, related_name="prelabel_run")
    transform_job = models.OneToOneField(TransformJob, models.SET_NULL, null=True, related_name="prelabels")
    problem = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
