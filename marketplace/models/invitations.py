"""Invitations: nobody becomes a member of an account or of a team before they have accepted one."""

from django.db import models

from marketplace.models.accounts import Account, Role, User
from marketplace.models.workforce import Workteam


class InvitationStatus(models.TextChoices):
    """What became of an invitation."""

    PENDING = "Pending"
    ACCEPTED = "Accepted"
    DECLINED = "Declined"
    WITHDRAWN = "Withdrawn"
    EXPIRED = "Expired"


class Invitation(models.Model):
    """An address that is asked to join an account with a role, or one of its teams as a worker (then without a role).

    It is addressed to an e-mail address, not to a user: nobody is told whether the address belongs to somebody.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="invitations")
    workteam = models.ForeignKey(Workteam, models.CASCADE, null=True, related_name="invitations")
    email = models.EmailField()  # in lower case
    role = models.CharField(max_length=10, choices=Role, blank=True)
    # Null: the operator's commands.
    invited_by = models.ForeignKey(User, models.CASCADE, null=True, related_name="+")
    status = models.CharField(max_length=10, choices=InvitationStatus, default=InvitationStatus.PENDING)
    status_changed_at = models.DateTimeField(null=True)
    # SHA-256 of the secret in its link; null while it has none.
    digest = models.CharField(max_length=64, null=True, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "workteam", "email"],
                condition=models.Q(status="Pending"),
                nulls_distinct=False,
                name="invitation_pending_once",
            )
        ]
        indexes = [
            models.Index(fields=["email"], condition=models.Q(status="Pending"), name="invitation_pending_by_email")
        ]
