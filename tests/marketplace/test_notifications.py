"""What people are told: in the caller's transaction, by the channels that each of them wants."""

from datetime import UTC, datetime

import pytest
from django.db import transaction

from marketplace import hooks
from marketplace.errors import Invalid
from marketplace.models import EmailPace, Notice, NoticeKind, Role, Subject
from marketplace.services import accounts, notifications
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailed(settings, monkeypatch) -> list[int]:
    """An installation with a mail server; the users for whom a letter was asked for at once."""
    settings.EMAIL_HOST = "mail.example.org"
    found: list[int] = []
    monkeypatch.setattr(hooks, "mail_due", [found.append])
    return found


def test_a_notice_is_told_with_the_change_or_not_at_all():
    user = builders.a_user()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        notifications.tell(user=user, kind=NoticeKind.PAYOUT, text="Your payout was sent.")
        _ = 1 / 0
    assert notifications.unread(user) == 0 and not notifications.of(user)
    subject = Subject("payout", 7)
    notifications.tell(user=user, kind=NoticeKind.PAYOUT, text=" Your payout\n was sent. ", subject=subject)
    notice = notifications.of(user).get()
    assert (notice.text, notice.link, notice.subject_type, notice.subject_id) == (
        "Your payout was sent.",
        "",
        "payout",
        7,
    )
    assert notifications.unread(user) == 1


def test_long_texts_are_cut_and_foreign_links_refused():
    user = builders.a_user()
    notifications.tell(user=user, kind=NoticeKind.FLAG, text="x" * 900, link="/work/")
    assert len(notifications.of(user).get().text) == 500
    for link in ("https://elsewhere.example/", "//elsewhere.example/", "/\\elsewhere.example/", "work/"):
        with pytest.raises(Invalid, match="path within the portal"):
            notifications.tell(user=user, kind=NoticeKind.FLAG, text="x", link=link)
    assert Notice.objects.count() == 1


def test_people_read_their_own_notices_only():
    one, other = builders.a_user(), builders.a_user()
    for number in range(3):
        notifications.tell_many(users=[one, other], kind=NoticeKind.APPEAL, text=f"Appeal {number}")
    theirs = [notice.pk for notice in notifications.of(other)]
    assert notifications.mark_read(user=one, notice_ids=theirs) == 0
    assert notifications.mark_read(user=other, notice_ids=theirs[:1]) == 1
    assert (notifications.unread(one), notifications.unread(other)) == (3, 2)
    assert notifications.mark_read(user=other) == 2 and notifications.unread(other) == 0


def test_each_kind_goes_by_the_channels_its_reader_wants(mailed):
    user = builders.a_user()
    notifications.prefer(user=user, kind=NoticeKind.APPEAL, in_app=False, email=EmailPace.AT_ONCE)
    notifications.prefer(user=user, kind=NoticeKind.BONUS, in_app=True, email=EmailPace.OFF)
    notifications.prefer(user=user, kind=NoticeKind.FLAG, in_app=False, email=EmailPace.OFF)
    for kind in (NoticeKind.APPEAL, NoticeKind.BONUS, NoticeKind.FLAG, NoticeKind.WORK_AVAILABLE, NoticeKind.PAYOUT):
        notifications.tell(user=user, kind=kind, text=kind.label)
    rows = {row.kind: row for row in Notice.objects.filter(user=user)}
    assert {kind for kind, row in rows.items() if row.listed} == {"bonus", "work.available", "payout"}
    assert {kind for kind, row in rows.items() if row.mail_at is not None} == {"appeal", "work.available", "payout"}
    assert mailed == [user.pk, user.pk], "the appeal and the payout; work waits for the digest"
    assert "flag" not in rows and notifications.unread(user) == 3
    with pytest.raises(Invalid, match="is no kind of notice"):
        notifications.prefer(user=user, kind="weather", in_app=True, email="off")
    with pytest.raises(Invalid, match="hourly"):
        notifications.prefer(user=user, kind="flag", in_app=True, email="hourly")


def test_digests_are_sent_at_an_hour_of_the_day(settings):
    settings.DIGEST_HOUR = 6
    early, late = datetime(2026, 3, 1, 5, 59, tzinfo=UTC), datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
    assert notifications.next_digest(early) == datetime(2026, 3, 1, 6, tzinfo=UTC)
    assert notifications.next_digest(late) == datetime(2026, 3, 2, 6, tzinfo=UTC)


def test_nobody_is_mailed_without_a_mail_server_or_a_sign_in(settings, mailed):
    gone = builders.a_user()
    gone.is_active = False
    gone.save()
    notifications.tell(user=gone, kind=NoticeKind.PAYOUT, text="Paid")
    settings.EMAIL_HOST = ""
    notifications.tell(user=builders.a_user(), kind=NoticeKind.PAYOUT, text="Paid")
    assert not mailed and not Notice.objects.exclude(mail_at=None).exists()


def test_an_account_is_told_through_its_members_of_a_rank():
    account = builders.an_account(funds="0")
    people = {role: builders.a_user() for role in (Role.ADMIN, Role.MEMBER, Role.VIEWER)}
    for role, user in people.items():
        accounts.add_member(account=account, user=user, role=role)
    notifications.tell_account(account=account, kind=NoticeKind.LOW_FUNDS, text="Low", at_least=Role.ADMIN)
    told = set(Notice.objects.values_list("user_id", flat=True))
    assert told == {people[Role.ADMIN].pk, account.memberships.get(role=Role.OWNER).user_id}


def test_telling_many_costs_as_many_queries_as_telling_one(django_assert_max_num_queries):
    people = [builders.a_user() for _ in range(12)]
    with django_assert_max_num_queries(5):
        notifications.tell_many(users=people, kind=NoticeKind.WORK_AVAILABLE, text="There is work")
    assert Notice.objects.count() == 12
