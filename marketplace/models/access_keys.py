"""Access keys, with which programs sign requests as AWS's clients do, and the tags of what an account owns."""

from django.db import models

from marketplace.models.accounts import Account, User


class AccessKey(models.Model):
    """A member's key for one account. A signature check needs the secret itself: it is stored sealed (sealing.py)."""

    user = models.ForeignKey(User, models.CASCADE, related_name="access_keys")
    account = models.ForeignKey(Account, models.CASCADE, related_name="access_keys")
    name = models.CharField(max_length=80)
    # "AKIA" and sixteen further letters and digits: what a request names, and no secret.
    key_id = models.CharField(max_length=20, unique=True)
    sealed_secret = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)


class Tag(models.Model):
    """A tag of something that the account owns, by its ARN."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="tags", db_index=False)
    arn = models.CharField(max_length=2048)
    key = models.CharField(max_length=128)
    value = models.CharField(max_length=256, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "arn", "key"], name="tag_once")]


class ResourceRequest(models.Model):
    """What a request of AWS's clients said of a thing that it made, beyond what is kept of the thing itself.

    Describing the thing shows it again. Addresses in the store are kept as services/resource_requests.py writes them.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="resource_requests", db_index=False)
    arn = models.CharField(max_length=2048)
    members = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "arn"], name="resource_request_once")]


class Workforce(models.Model):
    """The private workforce of an account, where one was named; without a row it has the name `default`.

    `source_cidrs`: the networks that its teams are open to, see Workteam. `said`: the CognitoConfig,
    WorkforceVpcConfig and IpAddressType of a request, which are shown again.
    """

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True, related_name="workforce")
    name = models.CharField(max_length=63)
    source_cidrs = models.JSONField(default=list)
    said = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
