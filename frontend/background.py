"""The functions of this room that the message queue calls: letters. One that cannot be sent is tried again."""

from django.utils import timezone

from frontend import letters
from marketplace.models import Invitation, InvitationStatus, SignUp, User
from marketplace.services import passwords, scope, signups


def mail_invitation(invitation_id: int) -> None:
    """Send the letter of an invitation, unless it is over."""
    rows = Invitation.objects.select_related("account", "workteam")
    found = rows.filter(pk=invitation_id, status=InvitationStatus.PENDING, expires_at__gt=timezone.now()).first()
    if found is not None:
        letters.send_invitation(found)


def mail_password_link(user_id: int) -> None:
    """Send somebody a link by which they set a new password, unless they may not sign in."""
    user = User.objects.filter(pk=user_id).first()
    if user is not None and passwords.may_reset(user):
        letters.send_password_link(user)


def mail_sign_up(sign_up_id: int) -> None:
    """Send the letter of a sign-up, unless it is over."""
    found = SignUp.objects.filter(pk=sign_up_id, expires_at__gt=timezone.now()).first()
    if found is None:
        return
    known = scope.user_or_none(found.email) is not None
    letters.send_sign_up(found, known=known)
    if known:
        signups.drop(found)
