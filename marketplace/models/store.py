"""Where the store of this installation was."""

from django.db import models


class StoreAddress(models.Model):
    """A value that STORE_URL has or had: manifests of that time name their images below it."""

    url = models.CharField(max_length=1024, unique=True)
    first_used_at = models.DateTimeField(auto_now_add=True)
