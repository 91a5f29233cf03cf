"""The letters that Waggle sends and the links that stand in them. Without a mail server there are only the links.

Letters are sent by the queue, and links are made there: no secret is kept in a message, and nobody waits for a mail
server. Links begin with WAGGLE_PUBLIC_URL, never with what a request calls its host.
"""

from collections.abc import Sequence

from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse
from django.utils.translation import get_language, gettext

from frontend import notice_links
from marketplace import queue
from marketplace.models import Invitation, Notice, NoticeKind, SignUp, User, Workteam
from marketplace.services import invitations, passwords, rates, signups

PER_HOUR = 5
"""Links to a forgotten password, and letters for sign-ups, that are sent to one address in an hour."""


def are_sent() -> bool:
    """Whether this installation has a mail server."""
    return bool(settings.EMAIL_HOST)


def sign_ups() -> list[str]:
    """The kinds of sign-ups that are taken: none without letters, because an address has to be verified."""
    return signups.purposes() if are_sent() else []


def password_link(uid: str, token: str) -> str:
    """The address at which a password is set."""
    return settings.PUBLIC_URL + reverse("person:password-reset", args=[uid, token])


def join_link(secret: str) -> str:
    """The address at which somebody without a sign-in accepts an invitation."""
    return settings.PUBLIC_URL + reverse("person:join", args=[secret])


def portal_link(team: Workteam) -> str:
    """The address of a team's portal."""
    return settings.PUBLIC_URL + reverse("portal", args=[team.portal_slug])


def deliver_sign_up(sign_up: SignUp) -> None:
    """Send the letter for a sign-up: a link, or for an address that has a sign-in the way to it.

    Above PER_HOUR nothing is sent, and nobody is told.
    """
    granted, _ = rates.take(f"sign-up {sign_up.email}", most=PER_HOUR, seconds=3600)
    if granted:
        queue.enqueue("frontend.background.mail_sign_up", sign_up.pk, *_in_language(), tried_again=True)


def deliver_invitation(invitation: Invitation) -> str:
    """Send the invitation; returns "", or without a mail server the link that the inviter passes on, shown this once.

    The same for every address, whether it belongs to somebody or not.
    """
    if are_sent():
        queue.enqueue("frontend.background.mail_invitation", invitation.pk, tried_again=True)
        return ""
    return join_link(invitations.new_link(invitation))


def deliver_password_link(user: User | None) -> None:
    """Send a link to somebody who says that they have forgotten their password, if they may have one; None is nobody.

    Above PER_HOUR nothing is sent, and nobody is told.
    """
    if user is None or not passwords.may_reset(user):
        return
    granted, _ = rates.take(f"password link {user.pk}", most=PER_HOUR, seconds=3600)
    if granted:
        queue.enqueue("frontend.background.mail_password_link", user.pk, *_in_language(), tried_again=True)


def _in_language() -> list[str]:
    """What a message adds for a letter to whoever asks for it here; nothing for English, as in earlier versions."""
    language = get_language() or settings.LANGUAGE_CODE
    return [] if language == settings.LANGUAGE_CODE else [language]


def send_invitation(invitation: Invitation) -> None:
    """Write the letter with a new link, and send it."""
    link = join_link(invitations.new_link(invitation))
    account = invitation.account
    name = account.organization_name
    place = f"the team {invitation.workteam.name} of {name}" if invitation.workteam else ""
    lines = [
        f"You are invited to join {place or f'{name} as {invitation.role}'}.",
        f"Accept or decline until {invitation.expires_at:%Y-%m-%d}:",
        link,
    ]
    if invitation.workteam:
        lines.append(f"The team's own page, where you sign in later: {portal_link(invitation.workteam)}")
    if account.contact_email:
        lines.append(f"Questions about it are answered by {account.contact_email}.")
    lines.append("If you do not know who invites you, ignore this letter: nothing happens before you accept.")
    _send(to=invitation.email, subject=f"Invitation to {name}", lines=lines)


def send_sign_up(sign_up: SignUp, *, known: bool) -> None:
    """Write the letter of a sign-up and send it; `known`: the address has a sign-in already."""
    if known:
        _send(
            to=sign_up.email,
            subject=gettext("You have a sign-in already"),
            lines=[
                gettext("Somebody, perhaps you, wants to sign up with this address. It has a sign-in already:"),
                settings.PUBLIC_URL + reverse("sign-in"),
                gettext("Your page “You” says how you take part in more. If it was not you, ignore this letter."),
            ],
        )
        return
    _send(
        to=sign_up.email,
        subject=gettext("Finish signing up"),
        lines=[
            gettext("Somebody, perhaps you, wants to sign up with this address. Finish it here:"),
            settings.PUBLIC_URL + reverse("person:sign-up-finish", args=[signups.new_link(sign_up)]),
            gettext(
                "The link works once, within {hours} hours. If it was not you, ignore this letter: nothing happens "
                "without it."
            ).format(hours=signups.LINK_HOURS),
        ],
    )


def send_password_link(user: User) -> None:
    """Write the letter with a new link, and send it."""
    _send(
        to=user.email,
        subject=gettext("Set a new password"),
        lines=[
            gettext("Somebody, perhaps you, has asked for a new password. Set it here:"),
            password_link(*passwords.link_parts(user)),
            gettext("The link works once, within {hours} hours. If it was not you, ignore this letter.").format(
                hours=settings.PASSWORD_LINK_HOURS
            ),
        ],
    )


def send_notices(user: User, notices: Sequence[Notice]) -> None:
    """Write a letter with these notices of the person, and send it."""
    first = notices[0]
    more = f" and {len(notices) - 1} more" if len(notices) > 1 else ""
    lines = [f"{notice.text}{_link(notice)}" for notice in notices]
    settings_link = settings.PUBLIC_URL + reverse("person:notice-settings")
    lines.append(f"Choose what is sent to you, and when: {settings_link}")
    _send(to=user.email, subject=f"{NoticeKind(first.kind).label}{more}", lines=lines)


def _link(notice: Notice) -> str:
    path = notice_links.page_of(notice)
    return f"\n{settings.PUBLIC_URL}{path}" if path else ""


def _send(*, to: str, subject: str, lines: list[str]) -> None:
    # A name may hold line breaks, which a header must not.
    send_mail(" ".join(subject.split()), "\n\n".join(lines) + "\n", settings.EMAIL_FROM, [to])
