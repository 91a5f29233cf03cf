"""Qualifications: what a worker has shown to be able to do, and the requirements that work asks for.

The words are Mechanical Turk's. services/qualifications.py writes types and qualifications, services/requirements.py
requirements; whether a worker meets those of an audience is decided by marketplace/sql/eligibility_0018.sql.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from marketplace.models.accounts import Account
from marketplace.models.workforce import Audience, Worker


class GrantedBy(models.TextChoices):
    """How a qualification is come by, and what its value is."""

    TEST = "Test"  # a test passed; its score in percent
    APPROVAL_RATE = "ApprovalRate"  # the share of reviewed answers that were accepted, in percent
    TASKS_DONE = "TasksDone"  # the number of answers that were accepted or paid
    MANUAL = "Manual"  # a member of the account, or an operator, gives it with a value


class QualificationTypeStatus(models.TextChoices):
    """Whether qualifications of a type are still given."""

    ACTIVE = "Active"
    INACTIVE = "Inactive"


class QualificationType(models.Model):
    """A kind of qualification. Without an account it is the operator's, and every account may require it."""

    account = models.ForeignKey(Account, models.CASCADE, null=True, related_name="qualification_types")
    name = models.CharField(max_length=63)
    description = models.CharField(max_length=500)
    # Nobody comes by an Inactive one any more and no new job requires it; what was granted counts on.
    status = models.CharField(max_length=8, choices=QualificationTypeStatus, default=QualificationTypeStatus.ACTIVE)
    status_changed_at = models.DateTimeField(null=True)
    granted_by = models.CharField(max_length=12, choices=GrantedBy)
    # The least value that is granted, except by hand: the pass mark of a test, a percentage, a number of tasks.
    mark = models.IntegerField(default=0)
    valid_days = models.SmallIntegerField(null=True)  # null: it does not expire
    # Of a test that was failed: hours before the next attempt, and how many there are (null: any number).
    retry_hours = models.SmallIntegerField(default=0)
    most_attempts = models.SmallIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "name"], name="qualification_type_name_once", nulls_distinct=False
            )
        ]


class Qualification(models.Model):
    """A worker's qualification of a type. A revoked one stays, so that no test brings it back."""

    qualification_type = models.ForeignKey(
        QualificationType, models.CASCADE, related_name="qualifications", db_index=False
    )
    worker = models.ForeignKey(Worker, models.CASCADE, related_name="qualifications", db_index=False)
    value = models.IntegerField()
    granted_at = models.DateTimeField()
    granted_by = models.CharField(max_length=120)
    expires_at = models.DateTimeField(null=True)
    # When the figure of the worker's work that it stands for was last looked at.
    renewed_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=120, blank=True, default="")
    reason = models.CharField(max_length=200, blank=True, default="")  # why it was revoked

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["worker", "qualification_type"], name="qualification_once_per_worker")
        ]
        indexes = [models.Index(fields=["qualification_type", "id"], name="qualification_by_type")]


class Comparator(models.TextChoices):
    """How a worker's value is compared with those of a requirement. All but DoesNotExist need the qualification."""

    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"
    EQUAL_TO = "EqualTo"
    NOT_EQUAL_TO = "NotEqualTo"
    LESS_THAN = "LessThan"
    LESS_THAN_OR_EQUAL_TO = "LessThanOrEqualTo"
    GREATER_THAN = "GreaterThan"
    GREATER_THAN_OR_EQUAL_TO = "GreaterThanOrEqualTo"
    IN = "In"
    NOT_IN = "NotIn"


class ActionsGuarded(models.TextChoices):
    """What a worker may not do who does not meet a requirement."""

    ACCEPT = "Accept"  # they are told that there is such work, and what it asks for
    DISCOVER = "DiscoverPreviewAndAccept"  # they are told nothing of it


class AudienceRequirement(models.Model):
    """What an audience asks of the members of its groups."""

    audience = models.ForeignKey(Audience, models.CASCADE, related_name="requirements", db_index=False)
    place = models.SmallIntegerField()
    qualification_type = models.ForeignKey(QualificationType, models.PROTECT, related_name="requirements")
    comparator = models.CharField(max_length=20, choices=Comparator)
    integer_values = ArrayField(models.IntegerField(), default=list)
    actions_guarded = models.CharField(max_length=24, choices=ActionsGuarded, default=ActionsGuarded.ACCEPT)
    # Preferred, not required: once the work has opened, whoever meets it sees it so many minutes before the others.
    head_start_minutes = models.IntegerField(null=True)
    head_start_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["audience", "place"], name="audience_requirement_once")]
