"""Signing up: addresses that have to be verified, and what workers say of themselves."""

from django.db import models

from marketplace.models.workforce import Worker


class SignUpPurpose(models.TextChoices):
    """As what somebody signs up."""

    WORKER = "Worker"
    REQUESTER = "Requester"


class SignUp(models.Model):
    """An address at which somebody wants to sign up. The user is made when the link that was sent there is used."""

    email = models.EmailField()  # in lower case
    purpose = models.CharField(max_length=10, choices=SignUpPurpose)
    # SHA-256 of the secret in its link; null while it has none.
    digest = models.CharField(max_length=64, null=True, unique=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["email", "purpose"], name="sign_up_once")]
        indexes = [models.Index(fields=["expires_at"], name="sign_up_by_age")]


class WorkerProfile(models.Model):
    """What a worker says of themselves; nobody has checked it."""

    worker = models.OneToOneField(Worker, models.CASCADE, primary_key=True, related_name="profile")
    country = models.CharField(max_length=2, blank=True, default="")  # ISO 3166-1 alpha-2, "" unsaid
    languages = models.JSONField(default=list)  # ISO 639-1, ["en", "de"]
    # When they have confirmed that they are of age; null: they have not.
    adult_since = models.DateTimeField(null=True)
