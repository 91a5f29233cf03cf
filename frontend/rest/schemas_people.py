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


class InvitedList(s.Serializer):
    """What became of a list of addresses."""

    invitations = NewInvitation(many=True)
    bad = inline_serializer("BadAddress", {"text": s.CharField(), "reason": s.CharField()}, many=True)
    duplicates = s.ListField(child=s.EmailField(), help_text="invited once")
    members = s.ListField(child=s.EmailField(), help_text="on the team already, not invited")


class Organization(s.Serializer):
    """Who invites: what invitations and the portals of the account's teams say."""

    organization = s.CharField(allow_blank=True, help_text="empty: the account's name is said")
    contact_email = s.CharField(allow_blank=True)


class Profile(s.Serializer):
    """What a worker says of themselves."""

    country = s.CharField(allow_blank=True, help_text="ISO 3166-1 alpha-2, empty: not said")
    languages = s.ListField(child=s.CharField(), help_text="ISO 639-1")
    adult = s.BooleanField(help_text="has confirmed to be of age and may be shown adult content")


class SignedUp(s.Serializer):
    """Somebody who has finished a sign-up; they sign in with their address and password."""

    id = s.IntegerField()
    email = s.EmailField()
    account = Account(allow_null=True)


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


class IdentityProvider(s.Serializer):
    """An identity provider of an account, without its client secret."""

    id = s.IntegerField()
    account = s.CharField(help_text="the account's number")
    name = s.CharField()
    protocol = s.CharField(help_text="OpenID or SAML")
    issuer = s.CharField(help_text="SAML: the provider's entity id")
    client_id = s.CharField(help_text='"" for SAML')
    sso_url = s.CharField(help_text='SAML: where browsers are sent, else ""')
    fingerprints = s.ListField(child=s.CharField(), help_text="SAML: SHA-256 of the certificates, in hex")
    domains = s.ListField(child=s.CharField())
    workteam = s.IntegerField(help_text="the team that new people join")
    slug = s.CharField()
    sign_in_url = s.CharField(help_text="where its people sign in")
    redirect_url = s.CharField(help_text="to be registered at the provider; SAML: the assertion consumer service")
    entity_id = s.CharField(help_text='ours, to be registered at a SAML provider, else ""')
    status = s.CharField(help_text="InReview, Active or Disabled")
    created_at = s.DateTimeField()
