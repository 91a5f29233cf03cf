"""Workers and the teams jobs are given to."""

from django.db import models

from marketplace.models.accounts import Account, User


class WorkerStatus(models.TextChoices):
    """Whether a worker may take tasks."""

    ACTIVE = "Active"
    SUSPENDED = "Suspended"


class Worker(models.Model):
    """A person who labels. `public_id` is what requesters see."""

    user = models.OneToOneField(User, models.CASCADE, related_name="worker")
    public_id = models.CharField(max_length=32, unique=True)
    status = models.CharField(max_length=10, choices=WorkerStatus, default=WorkerStatus.ACTIVE)
    status_changed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)


class Crowd(models.TextChoices):
    """The three kinds of workforce, in the words of AWS's work team ARNs."""

    PUBLIC = "public-crowd"
    PRIVATE = "private-crowd"
    VENDOR = "vendor-crowd"


class Workteam(models.Model):
    """A team of workers. The public pool is the one public-crowd team; it belongs to no account."""

    account = models.ForeignKey(Account, models.CASCADE, null=True, related_name="workteams")
    name = models.CharField(max_length=63)
    description = models.CharField(max_length=200, blank=True)
    crowd = models.CharField(max_length=20, choices=Crowd)
    created_at = models.DateTimeField(auto_now_add=True)
    members = models.ManyToManyField(Worker, through="WorkteamMember", related_name="workteams")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "name"], name="workteam_name_once", nulls_distinct=False)
        ]


class WorkteamMember(models.Model):
    """A worker's place in a team."""

    workteam = models.ForeignKey(Workteam, models.CASCADE, related_name="memberships")
    worker = models.ForeignKey(Worker, models.CASCADE, related_name="memberships")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workteam", "worker"], name="workteam_member_once")]
