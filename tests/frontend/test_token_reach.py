"""What a token reaches, and that nothing made with it reaches further: every kind of token, and the browser."""

import itertools

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from frontend.bodies import UNASKED
from marketplace.errors import Forbidden
from marketplace.models import Account, ApiToken, User
from marketplace.services import accounts, scope, wallets
from tests import builders

pytestmark = pytest.mark.django_db
BROWSER = "browser"
KINDS = [BROWSER, "personal", "first", "second"]
"""How somebody signs in who owns two accounts; `first` and `second` are tokens of one account."""


FUNDS = {"first": "1.000000", "second": "2.000000"}
"""The balances by which the accounts' wallets are told apart."""


class People:
    """A user who owns two accounts and operates the installation, and may sign in in every way."""

    def __init__(self) -> None:
        self.user: User = builders.an_operator()
        self.accounts: dict[str, Account] = {
            name: builders.an_account(owner=self.user, funds=funds) for name, funds in FUNDS.items()
        }
        made = [accounts.create_token(user=self.user, account=self.accounts.get(kind), name=kind) for kind in KINDS[1:]]
        self.tokens = {kind: token for kind, (token, _) in zip(KINDS[1:], made, strict=True)}
        self.secrets = {kind: secret for kind, (_, secret) in zip(KINDS[1:], made, strict=True)}

    def client(self, kind: str) -> Client:
        """Signed in with one kind of token, or as the browser is."""
        if kind == BROWSER:
            client = Client()
            client.force_login(self.user)
            return client
        return with_secret(self.secrets[kind])


def with_secret(secret: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {secret}"})


def reach(client: Client, people: People) -> set[str]:
    """What these credentials open: the accounts whose wallets they show, and "all" when they act as operator."""
    found = set()
    for name, account in people.accounts.items():
        shown = client.get("/api/v1/wallet", headers={"Waggle-Account": account.number})
        if shown.status_code == 200 and shown.json()["balance"] == FUNDS[name]:
            found.add(name)
    sent = {"account": people.accounts["first"].number, "amount": "x", "reference": "r"}
    # 400: allowed, and the amount is wrong.
    if client.post("/api/v1/deposits", sent, content_type="application/json").status_code == 400:
        found.add("all")
    return found


@pytest.fixture
def people(db) -> People:
    return People()


def test_each_kind_reaches_what_it_is_for(people):
    expected = {BROWSER: {"first", "second", "all"}, "personal": {"first", "second", "all"}}
    expected |= {"first": {"first"}, "second": {"second"}}
    assert {kind: reach(people.client(kind), people) for kind in KINDS} == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("personal", [True, False])
@pytest.mark.parametrize("named", ["first", "second"])
def test_a_token_never_makes_one_that_reaches_further(people, kind, personal, named):
    client = people.client(kind)
    before = ApiToken.objects.count()
    made = client.post(
        "/api/v1/tokens",
        {"name": "made", "personal": personal},
        content_type="application/json",
        headers={"Waggle-Account": people.accounts[named].number},
    )
    if made.status_code == 201:
        assert reach(with_secret(made.json()["secret"]), people) <= reach(client, people)
    else:
        assert (made.status_code, kind in people.accounts, personal) == (403, True, True)
        assert ApiToken.objects.count() == before


@pytest.mark.parametrize(("kind", "wanted"), list(itertools.product(KINDS, KINDS[1:])))
def test_the_service_keeps_the_rule_itself(people, kind, wanted):
    caller, account = people.tokens.get(kind), people.accounts.get(wanted)
    if kind in (BROWSER, "personal", wanted):
        token, _ = accounts.create_token(user=people.user, account=account, name="made", caller=caller)
        assert token.account == account
    else:
        with pytest.raises(Forbidden, match="tokens of this account only"):
            accounts.create_token(user=people.user, account=account, name="made", caller=caller)
        assert not ApiToken.objects.filter(name="made").exists()


@pytest.mark.parametrize(("kind", "other"), list(itertools.product(KINDS, KINDS[1:])))
def test_a_token_of_one_account_neither_sees_nor_revokes_others(people, kind, other):
    client, token = people.client(kind), people.tokens[other]
    may = kind in (BROWSER, "personal", other)
    shown = {row["id"] for row in client.get("/api/v1/tokens").json()["results"]}
    assert (token.pk in shown) is may
    assert client.delete(f"/api/v1/tokens/{token.pk}").status_code == (204 if may else 404)
    token.refresh_from_db()
    assert (token.revoked_at is not None) is may
    assert scope.tokens(people.user).count() == 3


def test_a_deposit_with_a_token_of_one_account_is_refused(people):
    sent = {"account": people.accounts["first"].number, "amount": "5", "reference": "mine"}
    answer = people.client("first").post("/api/v1/deposits", sent, content_type="application/json")
    assert answer.status_code == 403
    assert wallets.balance(account=people.accounts["first"]) == 1_000_000


def test_the_token_of_a_request_with_a_large_body_is_looked_up_once_and_never_taken_from_another() -> None:
    people = People()
    secret = people.secrets["first"]

    def send(bearer: str) -> tuple[int, int]:
        with CaptureQueriesContext(connection) as queries:
            answer = with_secret(bearer).post("/api/v1/deposits", b"x" * (UNASKED + 1), content_type="application/json")
        return answer.status_code, sum("marketplace_apitoken t" in query["sql"] for query in queries)

    assert send(secret) == (403, 1)
    assert send(secret + "x")[0] == 401
    accounts.revoke_token(token=people.tokens["first"], by="user:1")
    assert send(secret)[0] == 401
