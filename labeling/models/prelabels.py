"""Pre-labels: what a model, an endpoint or the input says of an object before people label it."""

from django.db import models

from labeling.models.objects import DataObject


class PreLabelUse(models.TextChoices):
    """What a pre-label is for.

    Those of SHOWN (or COUNTED) and BLIND objects were drawn by lot from the same objects, so that the two can be
    compared.
    """

    SHOWN = "shown"  # people begin with it, and check and correct it
    COUNTED = "count"  # people do not see it, and it counts as one more answer
    BLIND = "blind"  # by lot people do not see it, and it does not count
    APART = "apart"  # people do not see it: it is not expected to be good enough, or their label must not depend on it


class PreLabel(models.Model):
    """A pre-label of an object. At most one of an object is shown or counts; the newest of each model is kept.

    `value` is what the job's task type stores (see Label); what it shows is exactly what people begin with.
    """

    data_object = models.ForeignKey(DataObject, models.CASCADE, related_name="prelabels", db_index=False)
    # The model or endpoint it is of, "" for the labels of the input manifest.
    model_name = models.CharField(max_length=63, blank=True, default="")
    use = models.CharField(max_length=5, choices=PreLabelUse)
    value = models.JSONField()
    created_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["data_object", "model_name"], name="prelabel_once_per_model"),
            models.UniqueConstraint(fields=["data_object"], condition=models.Q(use="shown"), name="prelabel_one_shown"),
        ]
