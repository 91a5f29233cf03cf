"""The worker template of a work queue whose task type is shown by one."""

from django.db import models

from labeling.models.queues import WorkQueue


class QueueTemplate(models.Model):
    """The template, in a table of its own so that reading a queue stays fast. It never changes: nor does what it asks.

    `script_hosts`: the hosts that its scripts, styles and fonts may be loaded from.
    """

    queue = models.OneToOneField(WorkQueue, models.CASCADE, primary_key=True, related_name="template")
    text = models.TextField()
    script_hosts = models.JSONField(default=list)
