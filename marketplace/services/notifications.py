"""Telling people what happened: in the portal, by e-mail and by webhook, as each person wants it.

Writes notices and marks what is to be mailed; the letters themselves are written by the front end. Knows no kind of
work: whoever changes something calls `tell` in the transaction of the change, so that both commit or neither does.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from marketplace import hooks
from marketplace.errors import Invalid, NotFound
from marketplace.models import Account, EmailPace, Notice, NoticeKind, NoticePreference, Role, Subject, User
from marketplace.ranges import Range
from marketplace.services import accounts, rates, webhooks

TEXT_LENGTH = Range(1, 500)
"""Characters of a notice; a longer text is cut."""

READ_AT_ONCE = Range(0, 1000)
"""Notices that one request marks as read."""

MAIL_PAUSE = 3600
"""Seconds between two letters to a person with notices of the same kind."""

MAIL_LEASE = timedelta(minutes=5)
"""After this notices are due again whose letter was taken and not sent."""

LETTER = 50
"""Notices in one letter at most."""

DELETED_AT_ONCE = 5000
SWEPT_AT_ONCE = 500


class Channels(NamedTuple):
    """By which channels a person wants a kind of notice, webhooks apart: each endpoint names its own kinds."""

    in_app: bool
    email: EmailPace


KINDS: tuple[NoticeKind, ...] = tuple(map(NoticeKind, NoticeKind.values))
"""Every kind of notice, in the order of pages."""

DEFAULTS: dict[str, Channels] = {kind: Channels(True, EmailPace.AT_ONCE) for kind in KINDS} | {
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
    # Browsers read a backslash as a slash.
    if link and (not link.startswith("/") or link.startswith("//") or "\\" in link):
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
                hooks.send(hooks.mail_due, row.user_id)
        endpoints = webhooks.active(kind=kind, users=people)
        webhooks.post(endpoints=endpoints, kind=kind, text=_cut(text), account=account, subject=subject)


def tell_account(
    *,
    account: Account,
    kind: NoticeKind,
    text: str,
    link: str = "",
    subject: Subject | None = None,
    at_least: Role | str = Role.MEMBER,
) -> None:
    """`tell` the members of a requester account that have at least this role, and the account's webhooks once."""
    roles = [role for role in accounts.RANKS if accounts.RANKS[role] >= accounts.RANKS[Role(at_least)]]
    members = User.objects.filter(memberships__account=account, memberships__role__in=roles, is_active=True)
    with transaction.atomic():
        tell_many(users=members.order_by("pk"), kind=kind, text=text, link=link, account=account, subject=subject)
        endpoints = webhooks.active(kind=kind, account=account)
        webhooks.post(endpoints=endpoints, kind=kind, text=_cut(text), account=account, subject=subject)


def tell_operators(*, kind: NoticeKind, text: str, link: str = "", subject: Subject | None = None) -> None:
    """`tell` every operator."""
    operators = User.objects.filter(is_operator=True, is_active=True).order_by("pk")
    tell_many(users=operators, kind=kind, text=text, link=link, subject=subject)


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


# --- what is mailed -------------------------------------------------------------------------------------------------


def request_due_mail() -> None:
    """Ask for the letters that are due, for people to whom one was not sent at once. Run every minute."""
    due = Notice.objects.filter(mail_at__lte=timezone.now()).order_by("user").values_list("user", flat=True)
    for user_id in due.distinct()[:SWEPT_AT_ONCE]:
        hooks.send(hooks.mail_due, user_id)


def take_due_mail(user_id: int) -> list[Notice]:
    """The notices that are to stand in a letter to the person now, oldest first, LETTER at most.

    The caller sends it and says so by `mailed`; without that they are due again after MAIL_LEASE. Of each kind one
    letter goes out in MAIL_PAUSE seconds: what comes meanwhile waits until they are over.
    """
    now = timezone.now()
    taken: list[Notice] = []
    with transaction.atomic():
        rows = Notice.objects.select_for_update(no_key=True, of=("self",), skip_locked=True)
        due = list(rows.filter(user=user_id, mail_at__lte=now).order_by("pk")[:LETTER])
        for kind in sorted({row.kind for row in due}):
            granted, left = rates.take(_pause(user_id, kind), most=1, seconds=MAIL_PAUSE)
            of_kind = [row for row in due if row.kind == kind]
            for row in of_kind:
                row.mail_at = now + (MAIL_LEASE if granted else timedelta(seconds=left))
            taken += of_kind if granted else []
        Notice.objects.bulk_update(due, ["mail_at"])
    return sorted(taken, key=lambda row: row.pk)


def mailed(notices: Iterable[Notice]) -> None:
    """The letter with these notices was sent."""
    keys = [notice.pk for notice in notices]
    Notice.objects.filter(pk__in=keys).update(mail_at=None, mailed_at=timezone.now())


def not_mailed(notices: Iterable[Notice]) -> None:
    """The letter with these notices could not be sent: it may be tried again once MAIL_LEASE is over."""
    for user_id, kind in {(notice.user_id, notice.kind) for notice in notices}:
        rates.give_back(_pause(user_id, kind))


def _pause(user_id: int, kind: str) -> str:
    return f"notice mail {user_id} {kind}"


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
        for kind in KINDS
    }


def prefer(*, user: User, kind: str, in_app: bool, email: str) -> None:
    """Say by which channels a kind of notice is wanted. Raises Invalid for an unknown kind or pace."""
    if kind not in NoticeKind.values:
        raise Invalid(f"{kind!r} is no kind of notice; one of {', '.join(NoticeKind.values)} expected", field="kind")
    if email not in EmailPace.values:
        raise Invalid(f"{email!r}: one of {', '.join(EmailPace.values)} expected", field="email")
    NoticePreference.objects.update_or_create(user=user, kind=kind, defaults={"in_app": in_app, "email": email})


def prefer_all(*, user: User, wanted: Mapping[NoticeKind, Channels]) -> None:
    """`prefer` for several kinds at once; what is the default stays one, so that a later default counts."""
    had = preferences(user)
    with transaction.atomic():
        for kind, channels in wanted.items():
            if channels != had[kind]:
                prefer(user=user, kind=kind, in_app=channels.in_app, email=channels.email)


# --- what is read ---------------------------------------------------------------------------------------------------


def of(user: User) -> QuerySet[Notice]:
    """What a person was told in the portal, newest first."""
    return Notice.objects.filter(user=user, listed=True).select_related("account").order_by("-pk")


def one_of(user: User, notice_id: int) -> Notice:
    """A notice of the person. Raises NotFound."""
    found = of(user).filter(pk=notice_id).first()
    if found is None:
        raise NotFound(f"you have no notice {notice_id}")
    return found


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
    """Delete notices that are older than WAGGLE_NOTICES_KEPT_DAYS; run by the sweep."""
    old = Notice.objects.filter(created_at__lt=timezone.now() - timedelta(days=settings.NOTICES_KEPT_DAYS)).order_by(
        "created_at"
    )
    Notice.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:DELETED_AT_ONCE])).delete()
