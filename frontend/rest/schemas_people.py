"""The shapes of answers about people: invitations, blocks, users, accounts; see schemas.py."""

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers as s


class Account(s.Serializer):
    """A requester account."""

    number = s.CharField()
    name = s.CharField()


class TeamNamed(s.Serializer):
    """A work team."""

    id = s.IntegerField()
    name = s.CharField()


class MyInvitation(s.Serializer):
    """An invitation to the caller; one to a team has a team instead of a role."""

    id = s.IntegerField()
    account = Account()
    role = s.CharField(allow_null=True)
    workteam = TeamNamed(allow_null=True)
    invited_by = s.EmailField(allow_null=True, help_text="null: an operator")
    created_at = s.DateTimeField()
    expires_at = s.DateTimeField()


class Invitation(s.Serializer):
    """An invitation to the account or to one of its teams, which then has no role."""

    id = s.IntegerField()
    email = s.EmailField()
    role = s.CharField(allow_null=True)
    workteam = TeamNamed(allow_null=True)
    invited_by = s.EmailField(allow_null=True, help_text="null: an operator")
    created_at = s.DateTimeField()
    expires_at = s.DateTimeField()


class NewInvitation(Invitation):
    """The only answer that holds the link; null when it is sent by mail."""

    link = s.CharField(allow_null=True)


class BlockedWorker(s.Serializer):
    """A worker who sees none of the account's work."""

    worker = s.CharField()
    reason = s.CharField(allow_blank=True)
    created_by = s.CharField()
    created_at = s.DateTimeField()


class BlockMade(s.Serializer):
    """A worker who was blocked, and how many tasks of theirs went back to others."""

    worker = s.CharField()
    tasks_returned = s.IntegerField()


class User(s.Serializer):
    """Somebody with a sign-in, as operators see them."""

    id = s.IntegerField()
    email = s.EmailField()
    display_name = s.CharField()
    is_active = s.BooleanField()
    is_operator = s.BooleanField()
    is_simulated = s.BooleanField()
    worker = inline_serializer("UsersWorker", {"id": s.CharField(), "status": s.CharField()}, allow_null=True)
    created_at = s.DateTimeField()
    last_login = s.DateTimeField(allow_null=True)


class PasswordLink(s.Serializer):
    """A link by which somebody sets their password, once."""

    link = s.CharField()


class NewUser(User):
    """The only answer that holds the link."""

    link = s.CharField()


class MyTeam(s.Serializer):
    """A work team that the caller is on; the public pool belongs to no account."""

    id = s.IntegerField()
    name = s.CharField()
    crowd = s.CharField()
    account = s.CharField(allow_null=True, help_text="the account's name")
    joined_at = s.DateTimeField()
