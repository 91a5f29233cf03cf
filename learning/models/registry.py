"""Models, their versions in groups, and the imports of those that were trained elsewhere."""

from django.db import models

from learning import transitions
from learning.models.training import LIVE, ProgramRun
from marketplace.addresses import AddressesField, AddressField
from marketplace.models import Account


class ModelGroup(models.Model):
    """The versions of one detector, as SageMaker's model package groups."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="model_groups")
    name = models.CharField(max_length=63)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="model_group_name_once")]


class Model(models.Model):
    """A model: its parts in the store, its class map, its figures, where it comes from, and whether it is approved.

    `status` is that of its approval; `comment` and `decided_by` belong to its last change. `lineage`: see
    services/lineage.py. The row of a deleted model stays, without files, for those that come from it.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="models")
    name = models.CharField(max_length=63)
    group = models.ForeignKey(ModelGroup, models.SET_NULL, null=True, related_name="models")
    version = models.PositiveIntegerField(null=True)
    architecture = models.CharField(max_length=60)
    labels = models.JSONField()  # the order is the class index
    metrics = models.JSONField(default=dict)
    config = models.JSONField(default=dict)
    artifact_uri = AddressField(max_length=1024)  # model.tar.gz
    parts_uri = AddressField(max_length=1024)  # the prefix that holds model.safetensors, model.onnx, config.json
    status = models.CharField(max_length=30, choices=transitions.MODEL.choices(), default="PendingManualApproval")
    status_changed_at = models.DateTimeField(null=True)
    comment = models.CharField(max_length=1024, blank=True)
    decided_by = models.CharField(max_length=120, blank=True)
    parent = models.ForeignKey("self", models.SET_NULL, null=True, related_name="children")
    lineage = AddressesField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "name"], name="model_name_once"),
            models.UniqueConstraint(fields=["group", "version"], name="model_version_once"),
        ]


class NamedModel(models.Model):
    """A further name of a model, see services/named_models.py."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=63)
    model = models.ForeignKey(Model, models.CASCADE, related_name="names")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="named_model_once")]


class ModelImport(ProgramRun):
    """A detector that is being taken in: its files are checked, and the network is run once."""

    status = models.CharField(max_length=20, choices=transitions.MODEL_IMPORT.choices(), default="InProgress")
    model = models.OneToOneField(Model, models.SET_NULL, null=True, related_name="model_import")
    group_name = models.CharField(max_length=63, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="model_import_name_once")]
        indexes = [
            # For the claim: what is live, and an account's newest start.
            models.Index(fields=["account"], name="model_import_live", condition=models.Q(status__in=LIVE)),
            models.Index(fields=["account", "-started_at"], name="model_import_started"),
        ]
