"""How likely the label of an object is wrong, by what answers and models say of it."""

from django.db import models

from labeling.models.objects import DataObject


class LikelyError(models.Model):
    """The newest estimate for an object: of its own label, or of the earlier label that people look at in its job.

    `chance` (0 to 1) that the label is wrong; `kinds` {name of labeling.consolidation.likely_errors.KINDS: chance}.
    """

    data_object = models.OneToOneField(DataObject, models.CASCADE, primary_key=True, related_name="likely_error")
    chance = models.FloatField()
    kinds = models.JSONField(default=dict)
    # The model whose predictions it takes into account; "" where only answers do.
    model_name = models.CharField(max_length=63, blank=True)
