"""Telling people what happened: in the portal, by e-mail and by webhook, as each person wants it.

Writes notices and marks what is to be mailed; the letters themselves are written by the front end. Knows no kind of
work: whoever changes something calls `tell` in the transaction of the change, so that both commit or neither does.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from marketplace import hooks
from marketplace.errors import Invalid
from marketplace.models import Account, EmailPace, Notice, NoticeKind, NoticePreference, Role, Subject, User
from marketplace.ranges import Range
from marketplace.services import accounts

TEXT_LENGTH = Range(1, 500)
"""Characters of a notice; a longer text is cut."""

KEPT_DAYS = 180
"""How long notices are kept."""

DELETED_AT_ONCE = 5000


class Channels(NamedTuple):
    """By which channels a person wants a kind of notice, webhooks apart: each endpoint names its own kinds."""

    in_app: bool
    email: EmailPace


DEFAULTS: dict[str, Channels] = {kind: Channels(True, EmailPace.AT_ONCE) for kind in NoticeKind} | {
    NoticeKind.WORK_AVAILABLE: Channels(True, EmailPace.DAILY),
    NoticeKind.REJECTION: Channels(True, EmailPace.DAILY),
    NoticeKind.BONUS: Channels(True, EmailPace.DAILY),
}
"""What holds for somebody who has said nothing: at once what a deadline or money hangs on, the rest once a day."""


def tell(
    *,
    user: User,
    kind: NoticeKind,
    text: str,
    link: str = "",
    account: Account | None = None,
    subject: Subject | None = None,
) -> None:
    """Tell one person something, in the caller's transaction.

    `text` is one plain sentence. `link` is a path within the portal ("/wallet/"); without one the page of `subject` is
    linked, if the front end knows it. `account` is the requester account that it is about. Raises Invalid for a link
    that is no path of the portal.
    """
    tell_many(users=[user], kind=kind, text=text, link=link, account=account, subject=subject)


def tell_many(
    *,
    users: Iterable[User],
    kind: NoticeKind,
    text: str,
    link: str = "",
    account: Account | None = None,
    subject: Subject | None = None,
) -> None:
    """`tell` several people the same, in a number of queries that does not grow with theirs (mail at once apart)."""
    if link and (not link.startswith("/") or link.startswith("//")):
        raise Invalid(f"{link!r}: a path within the portal is expected", field="link")
    people = list(users)
    with transaction.atomic():
        wanted = channels_of_many(people, kind)
        now = timezone.now()
        rows = [
            Notice(
                user=user,
                account=account,
                kind=kind,
                text=_cut(text),
                link=link,
                subject_type=subject.type if subject is not None else "",
                subject_id=subject.id if subject is not None else None,
                listed=wanted[user.pk].in_app,
                mail_at=_mail_time(user, wanted[user.pk].email, now),
            )
            for user in people
        ]
        Notice.objects.bulk_create(row for row in rows if row.listed or row.mail_at is not None)
        for row in rows:
            if row.mail_at == now:
                for listener in hooks.mail_due:
                    listener(row.user_id)


def tell_account(
    *,
    account: Account,
    kind: NoticeKind,
    text: str,
    link: str = "",
    subject: Subject | None = None,
    at_least: Role = Role.MEMBER,
) -> None:
    """`tell` the members of a requester account that have at least this role."""
    roles = [role for role in accounts.RANKS if accounts.RANKS[role] >= accounts.RANKS[at_least]]
    members = User.objects.filter(memberships__account=account, memberships__role__in=roles, is_active=True)
    tell_many(users=members.order_by("pk"), kind=kind, text=text, link=link, account=account, subject=subject)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) in TEXT_LENGTH else f"{line[: TEXT_LENGTH.longest - 1]}…"


def _mail_time(user: User, pace: EmailPace, now: datetime) -> datetime | None:
    if pace == EmailPace.OFF or not settings.EMAIL_HOST or user.is_simulated or not user.is_active:
        return None
    return now if pace == EmailPace.AT_ONCE else next_digest(now)


def next_digest(now: datetime) -> datetime:
    """When the next daily digest is sent: the next WAGGLE_DIGEST_HOUR, UTC."""
    today = now.replace(hour=settings.DIGEST_HOUR, minute=0, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)


# --- what each person wants -----------------------------------------------------------------------------------------


def channels_of_many(users: Iterable[User], kind: NoticeKind) -> dict[int, Channels]:
    """How each of these people wants this kind of notice, by the user's key, in one query."""
    found = {user.pk: DEFAULTS[kind] for user in users}
    for row in NoticePreference.objects.filter(user__in=list(found), kind=kind):
        found[row.user_id] = Channels(row.in_app, EmailPace(row.email))
    return found


def preferences(user: User) -> dict[NoticeKind, Channels]:
    """How a person wants each kind of notice."""
    rows = {row.kind: row for row in NoticePreference.objects.filter(user=user)}
    return {
        kind: Channels(rows[kind].in_app, EmailPace(rows[kind].email)) if kind in rows else DEFAULTS[kind]
        for kind in NoticeKind
    }


def prefer(*, user: User, kind: str, in_app: bool, email: str) -> None:
    """Say by which channels a kind of notice is wanted. Raises Invalid for an unknown kind or pace."""
    if kind not in NoticeKind.values:
        raise Invalid(f"{kind!r} is no kind of notice; one of {', '.join(NoticeKind.values)} expected", field="kind")
    if email not in EmailPace.values:
        raise Invalid(f"{email!r}: one of {', '.join(EmailPace.values)} expected", field="email")
    NoticePreference.objects.update_or_create(user=user, kind=kind, defaults={"in_app": in_app, "email": email})


# --- what is read ---------------------------------------------------------------------------------------------------


def of(user: User) -> QuerySet[Notice]:
    """What a person was told in the portal, newest first."""
    return Notice.objects.filter(user=user, listed=True).select_related("account").order_by("-pk")


def unread(user: User) -> int:
    """How many notices a person has not read, counted to a hundred."""
    return Notice.objects.filter(user=user, listed=True, read_at=None)[:100].count()


def mark_read(*, user: User, notice_ids: Iterable[int] | None = None) -> int:
    """Mark these notices of the person as read, all of them for None; returns how many were unread."""
    rows = Notice.objects.filter(user=user, read_at=None)
    if notice_ids is not None:
        rows = rows.filter(pk__in=list(notice_ids))
    return rows.update(read_at=timezone.now())


def forget_old() -> None:
    """Delete notices that are older than KEPT_DAYS; run by the sweep."""
    old = Notice.objects.filter(created_at__lt=timezone.now() - timedelta(days=KEPT_DAYS)).order_by("created_at")
    Notice.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:DELETED_AT_ONCE])).delete()
