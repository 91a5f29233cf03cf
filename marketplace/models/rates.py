"""How often something happened of late. Knows neither what is counted nor which limits there are."""

from django.db import models


class RateWindow(models.Model):
    """The count of one key in its window of time. The table is unlogged: a crash of the database empties it."""

    # A SHA-256, so that neither addresses nor what somebody typed as an email are kept.
    key = models.CharField(max_length=64, primary_key=True)
    count = models.BigIntegerField()
    ends_at = models.DateTimeField()
