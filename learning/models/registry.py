"""Trained models."""

from django.db import models

from marketplace.addresses import AddressField
from marketplace.models import Account


class Model(models.Model):
    """A trained model: its parts in the store, its class map and its figures."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="models")
    name = models.CharField(max_length=63)
    architecture = models.CharField(max_length=60)
    labels = models.JSONField()  # the order is the class index
    metrics = models.JSONField(default=dict)
    config = models.JSONField(default=dict)
    artifact_uri = AddressField(max_length=1024)  # model.tar.gz
    parts_uri = AddressField(max_length=1024)  # the prefix that holds model.safetensors, model.onnx, config.json
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="model_name_once")]
