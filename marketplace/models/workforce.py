"""Workers, the teams work is given to, and the facts that decide who may see which work.

A work queue admits groups through its audience, a worker belongs to groups, a block is an exception. The question "may
this worker see this work" is answered by one SQL function over these tables and those of qualifications.py
(marketplace/sql/eligibility_0018.sql); only services/eligibility.py writes them.
"""

import secrets

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
    # Of a panel's participant: the panel, and the id that its provider knows them by.
    panel = models.ForeignKey("marketplace.Panel", models.CASCADE, null=True, related_name="participants")
    participant = models.CharField(max_length=100, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["panel", "participant"], condition=models.Q(panel__isnull=False), name="participant_once"
            )
        ]


class Crowd(models.TextChoices):
    """The three kinds of workforce, in the words of AWS's work team ARNs."""

    PUBLIC = "public-crowd"
    PRIVATE = "private-crowd"
    VENDOR = "vendor-crowd"


def new_portal_slug() -> str:
    """The last part of a portal's address, which nobody guesses."""
    return secrets.token_hex(12)


class Workteam(models.Model):
    """A team of workers. The public pool is the one public-crowd team; it belongs to no account.

    A vendor-crowd team is a vendor's for one contract (see vendors.py).
    """

    account = models.ForeignKey(Account, models.CASCADE, null=True, related_name="workteams")
    name = models.CharField(max_length=63)
    description = models.CharField(max_length=200, blank=True)
    crowd = models.CharField(max_length=20, choices=Crowd)
    # The team's page for its workers is at this address; unguessable, unless its account has chosen one.
    portal_slug = models.CharField(max_length=63, unique=True, default=new_portal_slug)
    # SourceIpConfig.Cidrs: only from these networks its work can be seen and done, ["203.0.113.0/24"]; empty: from all.
    source_cidrs = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    members = models.ManyToManyField(Worker, through="WorkteamMember", related_name="workteams")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "name"], name="workteam_name_once", nulls_distinct=False)
        ]

    @property
    def public(self) -> bool:
        """Whether it is the public pool."""
        return self.crowd == Crowd.PUBLIC

    @property
    def of_vendor(self) -> bool:
        """Whether it is a vendor's team for one contract; it belongs to the vendor's account."""
        return self.crowd == Crowd.VENDOR

    @property
    def is_panel(self) -> bool:
        """Whether its people are the participants of a panel, which costs a query unless the panel is loaded."""
        return hasattr(self, "panel")


class WorkteamMember(models.Model):
    """A worker's place in a team."""

    workteam = models.ForeignKey(Workteam, models.CASCADE, related_name="memberships")
    worker = models.ForeignKey(Worker, models.CASCADE, related_name="memberships")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workteam", "worker"], name="workteam_member_once")]


class GroupKind(models.TextChoices):
    """What makes workers a group."""

    TEAM = "team"  # the members of one private team
    PUBLIC = "public"  # everybody in the public pool
    CONTRACT = "contract"  # the people whom a vendor has assigned to one contract
    ADULTS = "adults"  # those in the public pool who have confirmed that they are of age
    PANEL = "panel"  # the participants of one panel


class WorkerGroup(models.Model):
    """A set of workers that work can be opened to."""

    kind = models.CharField(max_length=20, choices=GroupKind)
    workteam = models.OneToOneField(Workteam, models.CASCADE, null=True, related_name="group")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind"], condition=models.Q(kind="adults"), name="worker_group_of_adults_once"
            )
        ]


class GroupMember(models.Model):
    """A worker belongs to a group."""

    group = models.ForeignKey(WorkerGroup, models.CASCADE, related_name="members", db_index=False)
    worker = models.ForeignKey(Worker, models.CASCADE, related_name="group_memberships", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["worker", "group"], name="group_member_once")]
        indexes = [models.Index(fields=["group"], name="group_member_by_group")]


class Audience(models.Model):
    """The groups that some work is open to: whoever belongs to one of them and meets its requirements, if it has any.

    Work with the same groups and requirements shares it.
    """

    # The primary keys of its groups in ascending order, "3,7", and what stands for its requirements, "3,7;5c0a...":
    # two audiences never have the same of both.
    key = models.CharField(max_length=500, unique=True)
    groups = models.ManyToManyField(WorkerGroup, through="AudienceGroup", related_name="audiences")


class AudienceGroup(models.Model):
    """A group that an audience admits."""

    audience = models.ForeignKey(Audience, models.CASCADE, related_name="admitted", db_index=False)
    group = models.ForeignKey(WorkerGroup, models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["audience", "group"], name="audience_group_once")]


class Block(models.Model):
    """An account does not want a worker: none of its work is shown to them, whatever groups they belong to."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="blocks")
    worker = models.ForeignKey(Worker, models.CASCADE, related_name="blocks", db_index=False)
    reason = models.CharField(max_length=200, blank=True)
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["worker", "account"], name="block_once")]
