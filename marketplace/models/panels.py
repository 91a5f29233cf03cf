"""Panels: outside crowds (Prolific and the like) that come by link and are paid by their provider, not here."""

from decimal import Decimal

from django.db import models

from marketplace.models.accounts import Account
from marketplace.models.workforce import Workteam


class PanelProvider(models.TextChoices):
    """Where the people come from."""

    PROLIFIC = "Prolific"
    CONNECT = "CloudResearch Connect"
    BESAMPLE = "Besample"
    OTHER = "Other"


class Panel(models.Model):
    """How participants of one provider come in and go out. It is a team of its own kind, whose name it has.

    The names of the query are those with which the provider fills the link; "" for what it does not tell.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="panels")
    workteam = models.OneToOneField(Workteam, models.CASCADE, related_name="panel")
    provider = models.CharField(max_length=30, choices=PanelProvider)
    # The unguessable part of its links.
    link = models.CharField(max_length=43, unique=True)
    participant_parameter = models.CharField(max_length=40)
    study_parameter = models.CharField(max_length=40, blank=True)
    session_parameter = models.CharField(max_length=40, blank=True)
    # {"completed": {"code": "C1", "url": ""}, ...}: how people leave, by the keys of services.panels.EXITS.
    exits = models.JSONField(default=dict)
    tasks_per_session = models.IntegerField()
    session_minutes = models.IntegerField()
    sessions_wanted = models.IntegerField()
    consent = models.TextField()
    # What the provider pays for a session, in micro-dollars, and its own fee on top. Neither is in our ledger.
    reward_micros = models.BigIntegerField(default=0)
    provider_fee_percent = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal(0))
    created_at = models.DateTimeField(auto_now_add=True)

    @property
    def name(self) -> str:
        """The name of its team."""
        return self.workteam.name
