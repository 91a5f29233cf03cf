"""The functions of this room that the message queue calls: letters. One that cannot be sent is tried again."""

from django.utils import timezone, translation

from frontend import letters
from marketplace import queue
from marketplace.models import Invitation, InvitationStatus, SignUp, User
from marketplace.services import notifications, passwords, scope, signups


def mail_invitation(invitation_id: int) -> None:
    """Send the letter of an invitation, unless it is over."""
    rows = Invitation.objects.select_related("account", "workteam")
    found = rows.filter(pk=invitation_id, status=InvitationStatus.PENDING, expires_at__gt=timezone.now()).first()
    if found is not None:
        letters.send_invitation(found)


def mail_password_link(user_id: int, language: str = "en") -> None:
    """Send somebody a link by which they set a new password, unless they may not sign in."""
    user = User.objects.filter(pk=user_id).first()
    if user is not None and passwords.may_reset(user):
        with translation.override(language):
            letters.send_password_link(user)


def request_mail(user_id: int) -> None:
    """Listener of `mail_due`: a letter with the person's notices is to be sent."""
    queue.enqueue("frontend.background.mail_notices", user_id)


def mail_notices(user_id: int) -> None:
    """Send somebody a letter with the notices that are due, unless they may not sign in any more."""
    user = User.objects.filter(pk=user_id).first()
    due = notifications.take_due_mail(user_id)
    if not due:
        return
    if user is None or not user.is_active:
        notifications.mailed(due)
        return
    try:
        letters.send_notices(user, due)
    except Exception:
        notifications.not_mailed(due)
        raise
    notifications.mailed(due)


def mail_sign_up(sign_up_id: int, language: str = "en") -> None:
    """Send the letter of a sign-up, unless it is over."""
    found = SignUp.objects.filter(pk=sign_up_id, expires_at__gt=timezone.now()).first()
    if found is None:
        return
    known = scope.user_or_none(found.email) is not None
    with translation.override(language):
        letters.send_sign_up(found, known=known)
    if known:
        signups.drop(found)
