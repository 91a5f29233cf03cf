"""Downloads created in the background: manifests, worker answers, COCO, VOC, YOLO."""

from django.db import models

from labeling import transitions
from labeling.models.jobs import LabelingJob
from marketplace.addresses import AddressField


class Export(models.Model):
    """One export of a job's labels, with its progress and, once completed, its file."""

    job = models.ForeignKey(LabelingJob, models.CASCADE, related_name="exports")
    kind = models.CharField(max_length=30)  # manifest | worker-answers | coco | voc | yolo
    which = models.CharField(max_length=10, default="all")  # all | human | machine
    images = models.BooleanField(default=False, db_default=False)  # whether the images themselves are in the file
    status = models.CharField(max_length=20, choices=transitions.EXPORT.choices(), default="InProgress")
    status_changed_at = models.DateTimeField(null=True)
    failure_reason = models.CharField(max_length=1024, blank=True)
    progress = models.FloatField(default=0)
    objects_done = models.IntegerField(default=0)
    item_errors = models.JSONField(default=list)
    uri = AddressField(max_length=1024, blank=True)
    size_bytes = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=120, blank=True)
