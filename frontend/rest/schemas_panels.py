"""The shapes of answers about panels; see schemas.py."""

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers as s


class Panel(s.Serializer):
    """An outside crowd and how it comes and goes."""

    id = s.IntegerField()
    workteam = s.IntegerField(help_text="the `workteam` of a job that is given to it")
    name = s.CharField()
    provider = s.CharField()
    participant_parameter = s.CharField()
    study_parameter = s.CharField(allow_blank=True)
    session_parameter = s.CharField(allow_blank=True)
    completed_code = s.CharField(allow_blank=True)
    completed_url = s.CharField(allow_blank=True)
    screened_out_code = s.CharField(allow_blank=True)
    screened_out_url = s.CharField(allow_blank=True)
    quota_full_code = s.CharField(allow_blank=True)
    quota_full_url = s.CharField(allow_blank=True)
    no_consent_code = s.CharField(allow_blank=True)
    no_consent_url = s.CharField(allow_blank=True)
    tasks_per_session = s.IntegerField()
    session_minutes = s.IntegerField()
    sessions_wanted = s.IntegerField()
    consent = s.CharField()
    reward = s.CharField()
    provider_fee_percent = s.FloatField()
    created_at = s.DateTimeField()


class PanelDetail(Panel):
    """With the links of its jobs, and what its completed sessions cost at the provider."""

    links = inline_serializer("PanelLink", {"job": s.IntegerField(), "link": s.CharField()}, many=True)
    paid_elsewhere = inline_serializer(
        "PaidElsewhere",
        {
            "sessions": s.IntegerField(),
            "rewards": s.CharField(),
            "fee": s.CharField(),
            "labels": s.IntegerField(),
            "per_label": s.CharField(allow_null=True),
        },
    )


class PanelSession(s.Serializer):
    """One participant's visit to one job."""

    id = s.IntegerField()
    participant = s.CharField(help_text="the provider's id")
    worker = s.CharField(help_text="the worker of the job's answers")
    job = s.IntegerField()
    study = s.CharField(allow_blank=True)
    provider_session = s.CharField(allow_blank=True)
    status = s.CharField()
    started_at = s.DateTimeField()
    expires_at = s.DateTimeField()
    tasks_wanted = s.IntegerField()
    tasks_done = s.IntegerField()
    left_by = s.CharField(allow_null=True)
    reason = s.CharField(allow_blank=True)
    reward = s.CharField()
    provider_fee = s.CharField()
