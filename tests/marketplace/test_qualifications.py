"""Qualification types, who holds them, and what an audience that requires one answers to whom."""

from datetime import timedelta

import pytest
from django.utils import timezone

from marketplace.errors import Invalid, NameTaken, NotFound, WrongState
from marketplace.models import ActionsGuarded, Audience, AudienceRequirement, AuditEvent, Qualification
from marketplace.services import eligibility, qualifications, requirements
from marketplace.services.requirements import Requirement
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    return stories.an_account()


@pytest.fixture
def worker():
    return stories.a_crowd(1)[0]


@pytest.fixture
def team(account, worker):
    return builders.a_team(account=account, workers=[worker])


def a_type(account, name="Bees", **changes):
    values = {"description": "Knows bees", "granted_by": "Manual", "by": "user:1"} | changes
    return qualifications.create_type(account=account, name=name, **values)


def why_not(worker, team, *asked):
    audience = eligibility.audience_for([eligibility.group_of(team)], asked)
    return eligibility.refusal(worker_id=worker.pk, audience_id=audience.pk, account_id=team.account_id)


def grant(row, worker, value=80):
    return qualifications.grant(row=row, worker=worker, value=value, how="by hand", by="user:1")


def test_whoever_lacks_a_qualification_is_told_which_and_why(account, worker, team):
    bees = a_type(account, valid_days=30)
    asked = Requirement(bees.pk, "GreaterThanOrEqualTo", (80,))
    assert why_not(worker, team) is None
    assert eligibility.lack(why_not(worker, team, asked)) == eligibility.Lack(bees.pk, "not-taken")
    assert eligibility.said(why_not(worker, team, asked)) == (
        "this work asks for the qualification 'Bees': you do not have it yet"
    )
    held = grant(bees, worker, 79)
    assert eligibility.lack(why_not(worker, team, asked)).why == "too-low"
    grant(bees, worker, 80)
    assert why_not(worker, team, asked) is None
    Qualification.objects.filter(pk=held.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert eligibility.lack(why_not(worker, team, asked)).why == "expired"
    grant(bees, worker, 80)
    qualifications.revoke(row=bees, worker=worker, reason="does not know wasps", by="user:1")
    assert eligibility.lack(why_not(worker, team, asked)).why == "revoked"
    grant(bees, worker, 80)
    assert why_not(worker, team, asked) is None


def test_other_reasons_come_first(account, worker, team):
    asked = Requirement(a_type(account).pk)
    stranger = stories.a_crowd(1)[0]
    assert why_not(stranger, team, asked) == eligibility.NOT_ADMITTED
    eligibility.block(account=account, worker=worker, by="user:1")
    assert why_not(worker, team, asked) == eligibility.BLOCKED


@pytest.mark.parametrize(
    ("comparator", "values", "meets"),
    [
        ("Exists", (), True),
        ("DoesNotExist", (), False),
        ("EqualTo", (80,), True),
        ("EqualTo", (81,), False),
        ("NotEqualTo", (81,), True),
        ("NotEqualTo", (80,), False),
        ("LessThan", (81,), True),
        ("LessThan", (80,), False),
        ("LessThanOrEqualTo", (80,), True),
        ("LessThanOrEqualTo", (79,), False),
        ("GreaterThan", (79,), True),
        ("GreaterThan", (80,), False),
        ("GreaterThanOrEqualTo", (80,), True),
        ("GreaterThanOrEqualTo", (81,), False),
        ("In", (79, 80), True),
        ("In", (79, 81), False),
        ("NotIn", (79, 81), True),
        ("NotIn", (79, 80), False),
    ],
)
def test_every_comparator(account, worker, team, comparator, values, meets):
    bees = a_type(account)
    asked = Requirement(bees.pk, comparator, values)
    assert (why_not(worker, team, asked) is None) == (comparator == "DoesNotExist")
    grant(bees, worker, 80)
    assert (why_not(worker, team, asked) is None) == meets
    qualifications.revoke(row=bees, worker=worker, reason="x", by="user:1")
    assert (why_not(worker, team, asked) is None) == (comparator == "DoesNotExist")


def test_all_requirements_must_be_met_and_a_hidden_one_says_nothing(account, worker, team):
    bees, wasps = a_type(account), a_type(account, "Wasps")
    both = (Requirement(bees.pk), Requirement(wasps.pk, actions_guarded=ActionsGuarded.DISCOVER))
    grant(bees, worker)
    assert why_not(worker, team, *both) == eligibility.NOT_ADMITTED
    grant(wasps, worker)
    assert why_not(worker, team, *both) is None
    qualifications.revoke(row=bees, worker=worker, reason="x", by="user:1")
    assert eligibility.lack(why_not(worker, team, *both)).qualification_type_id == bees.pk


def test_work_with_the_same_groups_and_requirements_shares_an_audience(account, team):
    bees, group = a_type(account), eligibility.group_of(team)
    plain = eligibility.audience_for([group])
    asked = [Requirement(bees.pk, "In", tuple(range(15))), Requirement(bees.pk, "LessThan", (20,))]
    strict = eligibility.audience_for([group], asked)
    assert strict != plain and eligibility.audience_for([group], asked) == strict
    assert eligibility.audience_for([group], asked[:1]) not in (plain, strict)
    assert Audience.objects.count() == 3 and strict.requirements.count() == 2


def test_preferred_workers_see_new_work_first(account, worker, team):
    bees, other = a_type(account), stories.a_crowd(1)[0]
    eligibility.join(group=eligibility.group_of(team), worker=other)
    grant(bees, worker)
    asked = [Requirement(bees.pk, head_start_minutes=10)]
    before = eligibility.audience_for([eligibility.group_of(team)], asked)
    opened = eligibility.audience_from(before, opened_at=timezone.now())
    assert opened != before and eligibility.audience_from(opened, opened_at=timezone.now()) == opened

    def refusal(one, audience):
        return eligibility.refusal(worker_id=one.pk, audience_id=audience.pk, account_id=account.pk)

    assert refusal(worker, opened) is None and eligibility.lack(refusal(other, opened)).why == "not-taken"
    AudienceRequirement.objects.filter(audience=opened).update(head_start_until=timezone.now())
    assert refusal(worker, opened) is None and refusal(other, opened) is None
    plain = eligibility.audience_for([eligibility.group_of(team)])
    assert eligibility.audience_from(plain, opened_at=timezone.now()) == plain


def test_a_type_has_a_mark_unless_it_is_given_by_hand(account):
    assert a_type(account, "A", granted_by="TasksDone", mark=1000).mark == 1000
    for granted_by, mark, said in (
        ("Test", 101, "1 to 100"),
        ("Test", None, "1 to 100"),
        ("ApprovalRate", 0, "1 to 100"),
        ("Manual", 5, "no mark"),
    ):
        with pytest.raises(Invalid) as refused:
            a_type(account, "B", granted_by=granted_by, mark=mark)
        assert [field for field, _ in refused.value.errors] == ["mark"] and said in refused.value.errors[0][1]
    with pytest.raises(Invalid) as refused:
        a_type(account, " ", description="", valid_days=0, retry_hours=-1, most_attempts=0)
    wrong = {field for field, _ in refused.value.errors}
    assert wrong == {"name", "description", "valid_days", "retry_hours", "most_attempts"}
    with pytest.raises(NameTaken):
        a_type(account, "A")
    assert a_type(None, "A").account is None and a_type(stories.an_account(), "A")


def test_grants_and_revocations_are_recorded_and_need_a_reason(account, worker):
    bees = a_type(account)
    with pytest.raises(NotFound):
        qualifications.revoke(row=bees, worker=worker, reason="spam", by="user:1")
    grant(bees, worker)
    for reason in ("", " ", "x" * 201):
        with pytest.raises(Invalid):
            qualifications.revoke(row=bees, worker=worker, reason=reason, by="user:1")
    with pytest.raises(Invalid):
        grant(bees, worker, -1)
    for _ in range(2):
        qualifications.revoke(row=bees, worker=worker, reason="spam", by="user:2")
    with pytest.raises(WrongState, match="was revoked: spam"):
        qualifications.require_open(row=bees, worker=worker)
    recorded = AuditEvent.objects.filter(object_type="marketplace.QualificationType", object_id=bees.pk)
    assert list(recorded.order_by("pk").values_list("by", "because")) == [
        ("user:1", "created"),
        ("user:1", f"worker:{worker.pk} granted 80, by hand"),
        ("user:2", f"worker:{worker.pk} revoked: spam"),
    ]


def test_an_inactive_type_is_neither_given_nor_asked_for_but_counts(account, worker, team):
    bees = a_type(account)
    grant(bees, worker)
    qualifications.change_type(row=bees, description="New words", active=False, by="user:1")
    assert (bees.status, bees.description) == ("Inactive", "New words")
    assert why_not(worker, team, Requirement(bees.pk)) is None
    with pytest.raises(Invalid, match="wrong"):
        requirements.read(account, [{"qualification_type": bees.pk}])
    with pytest.raises(WrongState, match="not given any more"):
        qualifications.require_open(row=bees, worker=stories.a_crowd(1)[0])
    with pytest.raises(Invalid):
        qualifications.change_type(row=bees, description="", active=None, by="user:1")


def test_wrong_requirements_are_named_one_by_one(account):
    own, everybodys, others = a_type(account), a_type(None), a_type(stories.an_account())
    made = requirements.read(account, [{"qualification_type": own.pk}, {"qualification_type": everybodys.pk}])
    assert [one.comparator for one in made] == ["Exists", "Exists"]
    wrong = [
        {"qualification_type": others.pk},
        {"qualification_type": own.pk, "comparator": "Above", "integer_values": [1]},
        {"qualification_type": own.pk, "integer_values": [1]},
        {"qualification_type": own.pk, "comparator": "LessThan", "integer_values": [1, 2]},
        {"qualification_type": own.pk, "comparator": "In", "integer_values": []},
        {"qualification_type": own.pk, "comparator": "EqualTo", "integer_values": [-1]},
        {"qualification_type": own.pk, "actions_guarded": "Nothing"},
        {"qualification_type": own.pk, "head_start_minutes": 0},
    ]
    with pytest.raises(Invalid) as refused:
        requirements.read(account, wrong)
    names = ("qualification_type", "comparator", *4 * ("integer_values",), "actions_guarded", "head_start_minutes")
    assert [field for field, _ in refused.value.errors] == [
        f"qualification_requirements[{place}].{name}" for place, name in enumerate(names)
    ]
    with pytest.raises(Invalid, match="11 found, 0 to 10"):
        requirements.read(account, 11 * [{"qualification_type": own.pk}])


def test_requirements_in_words():
    assert requirements.in_words("Bees", Requirement(1)) == "Bees"
    assert requirements.in_words("Bees", Requirement(1, "In", (1, 2))) == "Bees, one of 1, 2"
    preferred = Requirement(1, "GreaterThanOrEqualTo", (80,), head_start_minutes=10)
    assert requirements.in_words("Bees", preferred) == "Bees, at least 80 (preferred: 10 minutes ahead of the others)"
