"""What a replica wants to hear from whoever sends it a request, so that nobody else on its network can use it."""

from django.utils.crypto import salted_hmac


def token_of(replica_id: int) -> str:
    """The token of one replica; it is nowhere kept but in the folder of its program."""
    return salted_hmac("learning.replica", str(replica_id), algorithm="sha256").hexdigest()
