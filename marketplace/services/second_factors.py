"""Second factors of people: how many somebody has, and taking them away from somebody who has lost them.

They are kept by django-allauth (`allauth.mfa`), whose pages set them up.
"""

from allauth.mfa.models import Authenticator
from django.db import transaction

from marketplace.errors import WrongState
from marketplace.models import User
from marketplace.services import audit, people


def count(user: User) -> int:
    """Authenticator apps and passkeys that the user signs in with; recovery codes alone are none."""
    factors: int = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES).count()
    return factors


def remove(*, user: User, reason: str, by: str) -> None:
    """Let somebody sign in with the password alone again, who lost what they had. Ends their sessions. Recorded.

    Raises Invalid for a bad reason, WrongState for a user without a second factor.
    """
    people.check_reason(reason)
    with transaction.atomic():
        locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if not Authenticator.objects.filter(user=user).delete()[0]:
            raise WrongState(f"{user.email} has no second factor", field="user")
        locked.sign_outs += 1
        locked.save(update_fields=["sign_outs"])
        audit.record(user, by=by, because=f"second factors removed: {reason}")
