"""Worker templates: the one of a work queue whose task type is shown by one, and those that requesters keep."""

from django.db import models

from labeling.models.queues import WorkQueue
from marketplace.addresses import LineField
from marketplace.models import Account


class QueueTemplate(models.Model):
    """The template, in a table of its own so that reading a queue stays fast. It never changes: nor does what it asks.

    `script_hosts`: the hosts that its scripts, styles and fonts may be loaded from.
    """

    queue = models.OneToOneField(WorkQueue, models.CASCADE, primary_key=True, related_name="template")
    text = models.TextField()
    script_hosts = models.JSONField(default=list)


class WorkerTemplate(models.Model):
    """A template that an account keeps under a name, with all versions that it had."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="worker_templates")
    name = models.CharField(max_length=63)
    created_at = models.DateTimeField(auto_now_add=True)
    # Since when nobody chooses it any more, while open jobs show it; null: it is in use.
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="worker_template_name_once")]


class TemplateVersion(models.Model):
    """One version of a kept template; it never changes. A template that does not work yet may be kept as well.

    `script_hosts`: as a queue's. `sample`: JSON text of what it was tried on, "" for nothing.
    """

    template = models.ForeignKey(WorkerTemplate, models.CASCADE, related_name="versions", db_index=False)
    number = models.IntegerField()
    text = models.TextField()
    script_hosts = models.JSONField(default=list)
    sample = LineField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="template_version_once")]
