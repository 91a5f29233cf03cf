"""What people are told: notices, and by which channels each person wants which kind of them."""

from typing import Any

from django.db import models

from marketplace.models.accounts import Account, User


def _kind(value: str, label: str) -> Any:
    # Any, because a type checker that does not know Django takes a member for the tuple.
    return value, label


class NoticeKind(models.TextChoices):
    """What a notice is about. These are also the event types of webhooks, so they are never changed."""

    WORK_AVAILABLE = _kind("work.available", "Work available")
    JOB_DONE = _kind("job.done", "Job done")
    LOW_FUNDS = _kind("funds.low", "Low funds")
    REJECTION = _kind("answer.rejected", "Answer rejected")
    APPEAL = _kind("appeal", "Appeal filed or answered")
    PAYOUT = _kind("payout", "Payout sent, paid or failed")
    BONUS = _kind("bonus", "Bonus")
    FLAG = _kind("flag", "Quality flag, warning or block")
    QUALIFICATION = _kind("qualification", "Qualification")
    CONTRACT = _kind("contract", "Vendor contract or invoice")
    WEBHOOK = _kind("webhook.disabled", "Webhook disabled")
    IMPROVEMENT = _kind("improvement", "Continuous improvement of a model")


class EmailPace(models.TextChoices):
    """When notices of a kind are sent by e-mail."""

    OFF = _kind("off", "No e-mail")
    AT_ONCE = _kind("at-once", "At once")
    DAILY = _kind("daily", "In a daily digest")


class Notice(models.Model):
    """One thing that one person is told. `account` is the requester account that it is about, where there is one."""

    user = models.ForeignKey(User, models.CASCADE, related_name="notices", db_index=False)
    account = models.ForeignKey(Account, models.CASCADE, null=True, related_name="+", db_index=False)
    kind = models.CharField(max_length=30, choices=NoticeKind)
    text = models.CharField(max_length=500)
    # A path within the portal, "" for none; then the front end asks what page the subject has.
    link = models.CharField(max_length=300, blank=True, default="")
    subject_type = models.CharField(max_length=40, blank=True, default="")
    subject_id = models.BigIntegerField(null=True)
    # Whether it is listed in the portal. One that is not was wanted by e-mail only.
    listed = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True)
    # When it is to be sent by e-mail, null for never and once it was sent.
    mail_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["user", "-id"], name="notice_by_user"),
            models.Index(
                fields=["user"], condition=models.Q(read_at__isnull=True, listed=True), name="notice_unread_by_user"
            ),
            models.Index(fields=["mail_at"], condition=models.Q(mail_at__isnull=False), name="notice_by_mail_time"),
            models.Index(fields=["subject_type", "subject_id"], name="notice_by_subject"),
            models.Index(fields=["account"], name="notice_by_account"),
            models.Index(fields=["created_at"], name="notice_by_age"),
        ]


class NoticePreference(models.Model):
    """How a person wants notices of one kind; without a row, notifications.DEFAULTS says it."""

    user = models.ForeignKey(User, models.CASCADE, related_name="notice_preferences", db_index=False)
    kind = models.CharField(max_length=30, choices=NoticeKind)
    in_app = models.BooleanField(default=True)
    email = models.CharField(max_length=10, choices=EmailPace)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="notice_preference_once")]
