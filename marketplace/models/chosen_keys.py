"""The keys that a worker has chosen in place of the usual ones, for each crowd element."""

from django.db import models

from marketplace.models.workforce import Worker


class ChosenKeys(models.Model):
    """Of one worker in one element. `keys`: {"next": "q"}, by the element's names of its commands; {} for none."""

    worker = models.ForeignKey(Worker, models.CASCADE, related_name="chosen_keys", db_index=False)
    element = models.CharField(max_length=60)
    keys = models.JSONField(default=dict)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["worker", "element"], name="chosen_keys_once")]
