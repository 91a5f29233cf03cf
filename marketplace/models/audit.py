"""What changed state, when, by whom and why."""

from django.db import models

from marketplace.models.accounts import Account

BECAUSE_LENGTH = 500
"""Characters of what an audit row says."""


class AuditEvent(models.Model):
    """One change of state, or an action that changes none (then both statuses are empty).

    `account` is the requester account whose admins may read it, null where it is the installation's own affair.
    """

    account = models.ForeignKey(Account, models.SET_NULL, null=True, related_name="+", db_index=False)
    object_type = models.CharField(max_length=80)
    object_id = models.BigIntegerField()
    from_status = models.CharField(max_length=30, blank=True)
    to_status = models.CharField(max_length=30, blank=True)
    by = models.CharField(max_length=120)
    because = models.CharField(max_length=BECAUSE_LENGTH, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["object_type", "object_id", "id"], name="audit_by_object"),
            models.Index(fields=["account", "-id"], condition=models.Q(account__isnull=False), name="audit_by_account"),
            models.Index(
                fields=["account", "by", "-id"], condition=models.Q(account__isnull=False), name="audit_by_person"
            ),
        ]

    @staticmethod
    def account_of(obj: models.Model) -> int | None:
        """The key of the requester account that a row belongs to, None for one that belongs to none."""
        if isinstance(obj, Account):
            return int(obj.pk)
        found: int | None = getattr(obj, "account_id", None)
        return found
