"""What a row needs to be advanced by one process at a time (services/active/lease.py)."""

from django.db import models


class Advanced(models.Model):
    """The base of rows whose next steps are taken in the background."""

    # Counts the requests to advance it, so that one that comes while it is being advanced is not lost.
    advance_requests = models.BigIntegerField(default=0)
    # The lease of whoever is advancing it.
    advancing_by = models.CharField(max_length=32, blank=True)
    advancing_until = models.DateTimeField(null=True)

    class Meta:
        abstract = True
