"""Data sets: manifests created from a folder, a zip file, a prefix, a manifest or an iNaturalist export."""

from django.db import models

from labeling import transitions
from marketplace.addresses import AddressesField, AddressField
from marketplace.models import Account


class Dataset(models.Model):
    """A named manifest with its counts and the report of its rejected lines."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="datasets")
    name = models.CharField(max_length=63)
    status = models.CharField(max_length=20, choices=transitions.DATASET.choices(), default="Initializing")
    status_changed_at = models.DateTimeField(null=True)
    failure_reason = models.CharField(max_length=1024, blank=True)
    # What it is created from: {"kind": "folder"|"zip"|"prefix"|"manifest"|"inaturalist", "uri": ...,
    # "selection": {...}}, of an iNaturalist export also {"licenses": [...]}.
    source = AddressesField()
    manifest_uri = AddressField(max_length=1024, blank=True)
    lines_read = models.IntegerField(default=0)
    objects_total = models.IntegerField(default=0)
    bad_lines = models.IntegerField(default=0)
    progress = models.FloatField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="dataset_name_once")]


class DiscardedFolder(models.Model):
    """Files of a data set that was deleted: everything in the store whose address begins with `uri`.

    They are deleted later, where nothing else names them; see services/intake/deletion.py.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    uri = AddressField(max_length=1024)
    discarded_at = models.DateTimeField(auto_now_add=True)


class BadLine(models.Model):
    """A line of input that was rejected, with its one-based number and the reason."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, null=True, related_name="bad_line_rows")
    job = models.ForeignKey("labeling.LabelingJob", models.CASCADE, null=True, related_name="bad_line_rows")
    number = models.BigIntegerField()
    reason = models.CharField(max_length=500)
    excerpt = models.CharField(max_length=200, blank=True)
