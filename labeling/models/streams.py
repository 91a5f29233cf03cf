"""Topics of labeling jobs: where a streaming job gets its objects from, and where labels are sent."""

from django.db import models

from labeling.models.jobs import LabelingJob
from labeling.models.objects import DataObject
from marketplace.addresses import LineField


class JobTopics(models.Model):
    """The Amazon SNS topics of a job, "" for none; most jobs have neither, and no row.

    `endpoint_url`: the server that is asked for the input topic in place of Amazon's.
    """

    job = models.OneToOneField(LabelingJob, models.CASCADE, primary_key=True, related_name="topics")
    input_topic = models.CharField(max_length=2048, blank=True)
    output_topic = models.CharField(max_length=2048, blank=True)
    endpoint_url = models.CharField(max_length=500, blank=True)
    subscription_arn = models.CharField(max_length=2048, blank=True)
    # What SNS wants to be asked for before it sends anything; "" when nothing is to be confirmed.
    confirm_url = models.CharField(max_length=2048, blank=True)
    confirmed_at = models.DateTimeField(null=True)
    last_message_at = models.DateTimeField(null=True)
    # Why the topic could not be subscribed to, or labels cannot be sent; "" while all is well.
    problem = models.CharField(max_length=500, blank=True)


class StreamMessage(models.Model):
    """One object that a topic sent. `digest` is of what tells objects apart: a second one with it is dropped.

    `line`: of the manifest, or what was sent in its place. `taken`: it became an object, or was refused.
    """

    job = models.ForeignKey(LabelingJob, models.CASCADE, related_name="stream_messages", db_index=False)
    digest = models.CharField(max_length=64)
    message_id = models.CharField(max_length=100)
    line = LineField()
    received_at = models.DateTimeField(auto_now_add=True)
    taken = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "digest"], name="stream_message_once")]
        indexes = [models.Index(fields=["job", "id"], condition=models.Q(taken=False), name="stream_message_waiting")]


class SentLabel(models.Model):
    """That the label of an object, or why it has none, was handed over to be sent to the output topic of its job."""

    data_object = models.OneToOneField(DataObject, models.CASCADE, primary_key=True, related_name="sent_label")
