"""Identity providers: where the people of a requester account prove who they are, instead of by a password here."""

import secrets

from django.db import models

from marketplace.models.accounts import Account
from marketplace.models.workforce import Workteam


class IdentityProviderStatus(models.TextChoices):
    """Whether people sign in by a provider."""

    IN_REVIEW = "InReview"
    ACTIVE = "Active"
    DISABLED = "Disabled"


class IdentityProtocol(models.TextChoices):
    """What a provider speaks."""

    OPENID = "OpenID", "OpenID Connect"
    SAML = "SAML", "SAML 2.0"


def new_slug() -> str:
    """A part of an address that nobody guesses."""
    return secrets.token_hex(8)


class IdentityProvider(models.Model):
    """An OpenID Connect or SAML provider of an account.

    The people whom it knows are rows of allauth's SocialAccount, whose `provider` is the slug, and whose `uid` is the
    provider's subject (SAML: the NameID). Slug and issuer never change: they are what those people are known by.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="identity_providers")
    # Whom new people join.
    workteam = models.ForeignKey(Workteam, models.CASCADE, related_name="+")
    slug = models.CharField(max_length=63, unique=True, default=new_slug)
    name = models.CharField(max_length=40)
    protocol = models.CharField(max_length=10, choices=IdentityProtocol, default=IdentityProtocol.OPENID)
    # SAML: the provider's entity id.
    issuer = models.CharField(max_length=300)
    # OpenID Connect only.
    client_id = models.CharField(max_length=190, default="")
    # Sealed (marketplace/sealing.py): the token endpoint needs the secret itself. OpenID Connect only.
    client_secret = models.TextField(default="")
    # SAML only: where browsers are sent, and the certificates whose keys sign, as DER in base64.
    sso_url = models.CharField(max_length=500, default="")
    certificates = models.JSONField(default=list)
    # ["example.org"], in lower case: new people have addresses in these.
    domains = models.JSONField(default=list)
    status = models.CharField(max_length=10, choices=IdentityProviderStatus, default=IdentityProviderStatus.IN_REVIEW)
    status_changed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
