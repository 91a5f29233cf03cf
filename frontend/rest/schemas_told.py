"""The shapes of answers about notices, webhooks and the audit log; see schemas.py."""

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers as s

from frontend.rest.schemas_people import Account


class Notice(s.Serializer):
    """Something that the caller was told."""

    id = s.IntegerField()
    kind = s.CharField()
    text = s.CharField()
    link = s.CharField(allow_null=True, help_text="the page that it is about")
    account = Account(allow_null=True)
    subject = inline_serializer("NoticeSubject", {"type": s.CharField(), "id": s.IntegerField()}, allow_null=True)
    created_at = s.DateTimeField()
    read_at = s.DateTimeField(allow_null=True)


class NoticesRead(s.Serializer):
    """How many notices were unread before."""

    read = s.IntegerField()


class NoticePreference(s.Serializer):
    """By which channels a kind of notice is wanted."""

    kind = s.CharField()
    in_app = s.BooleanField()
    email = s.CharField()


class NoticePreferences(s.Serializer):
    """The caller's wishes for every kind of notice."""

    preferences = NoticePreference(many=True)


class Webhook(s.Serializer):
    """An endpoint, without its secret; an empty list of kinds stands for all."""

    id = s.IntegerField()
    url = s.CharField()
    description = s.CharField(allow_blank=True)
    kinds = s.ListField(child=s.CharField())
    status = s.CharField()
    failing_since = s.DateTimeField(allow_null=True)
    created_at = s.DateTimeField()


class NewWebhook(Webhook):
    """The only answer that holds the secret."""

    secret = s.CharField()


class WebhookSecret(s.Serializer):
    """A new secret; the earlier one stays valid for a day."""

    secret = s.CharField()


class WebhookDelivery(s.Serializer):
    """A message to an endpoint and what became of it."""

    id = s.IntegerField()
    message_id = s.CharField()
    kind = s.CharField()
    outcome = s.CharField(help_text="Waiting, Delivered or Failed")
    attempts = s.IntegerField()
    body = s.CharField()
    response_status = s.IntegerField(allow_null=True)
    response = s.CharField(allow_blank=True)
    created_at = s.DateTimeField()
    attempted_at = s.DateTimeField(allow_null=True)
    next_at = s.DateTimeField(allow_null=True)
    delivered_at = s.DateTimeField(allow_null=True)


class AuditLine(s.Serializer):
    """Who did what; workers are named by their public id, operators are not named."""

    id = s.IntegerField()
    at = s.DateTimeField()
    by = s.CharField(allow_null=True, help_text="null: the system")
    kind = s.CharField()
    object_id = s.IntegerField()
    from_status = s.CharField(allow_null=True)
    to_status = s.CharField(allow_null=True)
    because = s.CharField(allow_blank=True)


class LowFunds(s.Serializer):
    """Below how many dollars the account's admins are told; zero: only when open work cannot be paid for."""

    threshold = s.CharField()
