"""Who people are: users, requester accounts with members and roles, API tokens."""

from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac


class UserManager(DjangoUserManager):
    """Finds users by address without regard to case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractUser):
    """A person who signs in, by email address. Operators run the installation."""

    username = models.CharField(max_length=150, unique=True)
    email = models.EmailField(unique=True)  # kept in lower case
    display_name = models.CharField(max_length=80, blank=True)
    is_operator = models.BooleanField(default=False)
    # Made by a program to try something out; only services/simulated.py makes and shuts such users.
    is_simulated = models.BooleanField(default=False)
    # Came by a panel's link; has neither a password nor an address, and sees the panel's work and nothing else.
    is_participant = models.BooleanField(default=False, db_default=False)
    # Counted up to end all of the user's sessions.
    sign_outs = models.PositiveIntegerField(default=0)
    # Of the pages that they see, a code of settings.LANGUAGES; empty: what their browser asks for.
    language = models.CharField(max_length=10, blank=True, default="", db_default="")

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["username"]
    objects = UserManager()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_unique")]

    def get_session_auth_hash(self) -> str:
        """As Django's, which changes with the password; this one changes with `sign_outs` too."""
        own: str = super().get_session_auth_hash()
        # Without any, Django's own: sessions that began before this field existed go on.
        return salted_hmac("sign-outs", f"{self.sign_outs} {own}").hexdigest() if self.sign_outs else own


class Account(models.Model):
    """A requester account: it owns data sets, jobs, models and a wallet."""

    name = models.CharField(max_length=80)
    # Twelve digits, as in every ARN.
    number = models.CharField(max_length=12, unique=True)
    # Who invites, as invitations and the portals of the account's teams say it; empty: the account's name.
    organization = models.CharField(max_length=80, blank=True, default="")
    contact_email = models.EmailField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    members = models.ManyToManyField(User, through="Membership", related_name="accounts")

    @property
    def organization_name(self) -> str:
        """What people outside of the account know it by."""
        return self.organization or self.name


class Role(models.TextChoices):
    """What a member may do: viewers read, members run jobs, admins manage people, owners also money."""

    OWNER = "Owner"
    ADMIN = "Admin"
    MEMBER = "Member"
    VIEWER = "Viewer"


class Membership(models.Model):
    """A user's role in an account."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "user"], name="membership_once_per_user")]


class ApiToken(models.Model):
    """A key for programs. Only its SHA-256 is stored; the secret is shown once, when it is made."""

    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    account = models.ForeignKey(Account, models.CASCADE, null=True, related_name="api_tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)


class IdempotentRequest(models.Model):
    """The answer given to a request that carried an Idempotency-Key, so that a repeat gets the same answer.

    `account` is the one that the request acted for, null for a request that acts for none.
    """

    user = models.ForeignKey(User, models.CASCADE)
    account = models.ForeignKey(Account, models.CASCADE, null=True)
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    status_code = models.IntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "account", "key"], nulls_distinct=False, name="idempotent_request_once"
            )
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotent_request_by_age")]
