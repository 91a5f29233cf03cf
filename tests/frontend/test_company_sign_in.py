"""Sign-in by an account's own identity provider: the whole way over real HTTP, and everybody who is not let in."""

import html
import re

import pytest
import requests
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from django.urls import reverse

from marketplace.errors import Invalid
from marketplace.models import AuditEvent, IdentityProvider, User, Worker, WorkteamMember
from marketplace.services import eligibility, identity_providers, people, workteams
from tests import builders
from tests.frontend import oidc_provider
from tests.frontend.passkeys import a_passkey

pytestmark = pytest.mark.django_db
SLUG = "hives"
SIGN_IN = f"/sign-in/with/{SLUG}/"
CONNECT, DISCONNECT = f"/you/connections/{SLUG}/connect/", f"/you/connections/{SLUG}/disconnect/"


@pytest.fixture(scope="module")
def provider_url(tmp_path_factory) -> str:
    with oidc_provider.provider(tmp_path_factory.mktemp("provider"), [f"http://testserver{SIGN_IN}back/"]) as url:
        yield url


@pytest.fixture
def url(provider_url, settings) -> str:
    settings.FETCH_ALLOWED_HOSTS = frozenset({provider_url.removeprefix("http://")})
    return provider_url


@pytest.fixture
def team(db):
    return builders.a_team(account=builders.an_account(), workers=0)


def a_provider(team, url: str, *, approved: bool = True, client_id: str = "waggle") -> IdentityProvider:
    return identity_providers.create(
        account=team.account,
        workteam=team,
        name="Hives",
        issuer=url,
        client_id=client_id,
        client_secret=oidc_provider.SECRET,
        domains=["hives.example"],
        slug=SLUG,
        approved=approved,
        by="system",
    )


@pytest.fixture
def provider(team, url) -> IdentityProvider:
    return a_provider(team, url)


def at_provider(url: str, user: str, email: str, *, verified: bool = True) -> requests.Session:
    """A browser that is signed in at the provider."""
    agent = requests.Session()
    query = {"user": user, "email": email, "verified": int(verified)}
    assert agent.get(f"{url}/come/", params=query, timeout=10).text == "welcome"
    return agent


def go(client: Client, agent: requests.Session, start: str = SIGN_IN) -> str:
    """Begin at an address of ours and come back from the provider; returns what the page says then."""
    page = client.post(start, follow=True).content.decode()
    address = html.unescape(re.search(r'content="0;url=([^"]+)"', page)[1])
    sent = agent.get(address, allow_redirects=False, timeout=10)
    assert sent.status_code == 302, sent.text
    return client.get(sent.headers["Location"].removeprefix("http://testserver"), follow=True).content.decode()


def who(client: Client) -> User | None:
    """Who is signed in."""
    return User.objects.filter(pk=client.session.get("_auth_user_id")).first()


def a_password_user(team, email: str) -> User:
    user = builders.a_user(email=email)
    workteams.add_worker(team=team, worker=workteams.register_worker(user), by="system")
    return user


def test_a_new_person_joins_the_team_and_is_known_again(provider, team, url):
    client = Client()
    go(client, at_provider(url, "ana", "Ana@Hives.example"))
    user = who(client)
    assert (user.email, user.display_name, user.has_usable_password()) == ("ana@hives.example", "Ana", False)
    assert WorkteamMember.objects.get(workteam=team).worker.user == user
    assert 0 < client.session.get_expiry_age() <= 12 * 3600
    assert SocialAccount.objects.get().extra_data == {}

    # Their address changes at the company; they are the same person.
    again = Client()
    go(again, at_provider(url, "ana", "ana.bee@elsewhere.example"))
    assert who(again) == user and User.objects.get(pk=user.pk).email == "ana@hives.example"

    by = f"identity-provider:{provider.pk}"
    said = set(AuditEvent.objects.filter(by=by, object_id__in=[user.pk, team.pk]).values_list("because", flat=True))
    assert {"made", f"worker:{user.worker.pk} added", f"connected with the identity provider {SLUG}"} <= said


@pytest.mark.parametrize(
    ("email", "verified", "said"),
    [
        ("bo@elsewhere.example", True, "in none of the domains"),
        ("bo@sub.hives.example", True, "in none of the domains"),
        ("bo@hives.example", False, "has not confirmed an e-mail address"),
        ("", True, "has not confirmed an e-mail address"),
    ],
)
def test_only_verified_addresses_of_the_domains_make_people(provider, url, email, verified, said):
    before, client = User.objects.count(), Client()
    assert said in go(client, at_provider(url, "bo", email, verified=verified))
    assert who(client) is None and User.objects.count() == before and not SocialAccount.objects.exists()


def test_an_address_with_a_sign_in_is_not_taken_over_but_can_be_connected(provider, team, url):
    owner = a_password_user(team, "cy@hives.example")
    agent, stranger = at_provider(url, "cy", "cy@hives.example"), Client()
    assert "has a sign-in here already" in go(stranger, agent)
    assert who(stranger) is None and not SocialAccount.objects.exists()

    client = Client()
    client.post("/sign-in/", {"username": owner.email, "password": builders.PASSWORD})
    assert f'action="{CONNECT}"' in client.get("/you/").content.decode()
    assert client.post(CONNECT)["Location"].startswith("/you/confirm/"), "the password is asked for first"
    client.post("/you/confirm/", {"password": builders.PASSWORD})
    go(client, agent, CONNECT)
    assert SocialAccount.objects.get().user == owner
    go(stranger, agent)
    assert who(stranger) == owner

    client.post(DISCONNECT)
    assert not SocialAccount.objects.exists()
    rows = AuditEvent.objects.filter(object_id=owner.pk, by=f"user:{owner.pk}", because__contains="identity provider")
    assert rows.count() == 2


def test_a_second_factor_of_ours_is_asked_for_by_all_the_same(provider, team, url):
    user = a_password_user(team, "di@hives.example")
    agent = at_provider(url, "di", user.email)
    subject = agent_subject(agent, url)
    SocialAccount.objects.create(user=user, provider=SLUG, uid=subject)
    a_passkey(user)
    client = Client()
    said = go(client, agent)
    assert "Two-Factor Authentication" in said
    assert who(client) is None


def agent_subject(agent: requests.Session, url: str) -> str:
    """The provider's key of whoever is signed in there: what an earlier visit of theirs has left here."""
    return agent.get(f"{url}/subject/", timeout=10).text


@pytest.mark.parametrize("how", ["removed", "blocked", "deactivated", "made an operator"])
def test_who_is_removed_or_shut_out_stays_out(provider, team, url, how):
    client, agent = Client(), at_provider(url, "ed", "ed@hives.example")
    go(client, agent)
    user = who(client)
    if how == "removed":
        workteams.remove_worker(team=team, worker=user.worker, by="system")
    elif how == "blocked":
        eligibility.block(account=team.account, worker=user.worker, by="system")
    elif how == "deactivated":
        people.deactivate(user=user, reason="left", by="system")
    else:
        User.objects.filter(pk=user.pk).update(is_operator=True)
    again = Client()
    go(again, agent)
    assert who(again) is None
    assert WorkteamMember.objects.filter(workteam=team).exists() is (how != "removed")


def test_a_provider_that_is_switched_off_ends_the_sessions_of_its_people(provider, team, url):
    client, agent = Client(), at_provider(url, "fay", "fay@hives.example")
    go(client, agent)
    assert client.get("/you/").status_code == 200
    identity_providers.disable(provider=provider, by="system")
    assert client.get("/you/").status_code == 302
    assert Client().post(SIGN_IN).status_code == Client().get(f"{SIGN_IN}back/?code=1&state=2").status_code == 404


def test_nobody_signs_in_before_an_operator_has_approved(team, url):
    provider = a_provider(team, url, approved=False)
    assert Client().get(SIGN_IN).status_code == 404
    admin, operator = Client(), Client()
    admin.force_login(team.account.members.get())
    admin.post(reverse("requester:settings-sign-in-act", args=[provider.pk]), {"act": "enable"})
    assert Client().get(SIGN_IN).status_code == 404
    operator.force_login(builders.an_operator())
    operator.post(reverse("operator:provider-approve", args=[provider.pk]))
    assert Client().get(SIGN_IN).status_code == 200
    assert "Sign in with Hives" in Client().get(reverse("portal", args=[team.portal_slug])).content.decode()
    operator.post(reverse("operator:provider-review", args=[provider.pk]))
    assert Client().get(SIGN_IN).status_code == 404


def test_people_of_other_accounts_and_operators_cannot_be_connected(provider, url):
    for user in (builders.a_user(email="gil@hives.example"), builders.an_operator()):
        client = Client()
        client.force_login(user)
        assert "connections" not in client.get("/you/").content.decode()
        with pytest.raises(Exception, match=r"do not belong|with their password"):
            identity_providers.check_admitted(provider=provider, user=user)
        client.post(CONNECT)
    assert not SocialAccount.objects.exists()


def test_an_answer_that_belongs_to_another_browser_signs_nobody_in(provider, url):
    mine, agent = Client(), at_provider(url, "hal", "hal@hives.example")
    page = mine.post(SIGN_IN).content.decode()
    address = html.unescape(re.search(r'content="0;url=([^"]+)"', page)[1])
    back = agent.get(address, allow_redirects=False, timeout=10).headers["Location"]
    other = Client()
    assert "has failed" in other.get(back.removeprefix("http://testserver"), follow=True).content.decode()
    assert who(other) is None and not SocialAccount.objects.exists()


def test_a_token_that_the_issuer_has_not_signed_is_refused(team, url, caplog):
    a_provider(team, f"{url}/forged", client_id="forged")
    client = Client()
    assert "has failed" in go(client, at_provider(url, "ida", "ida@hives.example"))
    assert who(client) is None and "Invalid id_token" in caplog.text


@pytest.mark.parametrize("path", ["/mirror", "/nowhere", "/come"])
def test_a_provider_whose_document_is_not_its_own_is_not_gone_to(team, url, path):
    a_provider(team, url + path)
    assert "cannot be reached" in Client().post(SIGN_IN, follow=True).content.decode()


def test_a_provider_in_the_own_network_is_not_asked(provider, team, url, settings, caplog):
    settings.FETCH_ALLOWED_HOSTS = frozenset()
    assert "cannot be reached" in Client().post(SIGN_IN, follow=True).content.decode()
    assert "not a public address" in caplog.text
    with pytest.raises(Invalid, match="https"):
        identity_providers.create(
            account=team.account,
            workteam=team,
            name="Plain",
            issuer="http://login.example.org",
            client_id="a",
            client_secret="b",
            domains=["hives.example"],
            by="system",
        )


def test_an_admin_registers_a_provider_whose_secret_nobody_sees(team, url):
    client = Client()
    client.force_login(team.account.members.get())
    page = reverse("requester:settings-sign-in")
    form = {
        "name": "Hives",
        "issuer": "https://login.hives.example",
        "client_id": "waggle",
        "client_secret": "a secret of the hives",
        "domains": "hives.example, bees.example",
        "workteam": team.pk,
        "slug": SLUG,
    }
    assert client.post(page, {**form, "domains": "not a domain"}).status_code == 422
    assert client.post(page, form).status_code == 302
    row = IdentityProvider.objects.get()
    assert (row.status, row.domains) == ("InReview", ["hives.example", "bees.example"])
    assert "secret of the hives" not in row.client_secret
    assert identity_providers.secret_of(row) == "a secret of the hives"
    assert client.post(page, form).status_code == 422, "the address is taken"

    body = {**form, "domains": ["hives.example"], "slug": "other-hives"}
    made = client.post("/api/v1/identity-providers", body, content_type="application/json")
    assert made.status_code == 201
    assert made.json()["redirect_url"] == "http://testserver/sign-in/with/other-hives/back/"
    secret = f"/api/v1/identity-providers/{made.json()['id']}/secret"
    assert client.put(secret, {"client_secret": "newer"}, content_type="application/json").status_code == 204
    assert identity_providers.secret_of(IdentityProvider.objects.get(slug="other-hives")) == "newer"
    shown = client.get(page).content + client.get("/api/v1/identity-providers").content
    assert b"a secret" not in shown and b"newer" not in shown and row.client_secret.encode() not in shown


def test_somebody_without_a_password_keeps_their_only_sign_in(provider, url):
    client = Client()
    go(client, at_provider(url, "jo", "jo@hives.example"))
    client.post(DISCONNECT)
    assert SocialAccount.objects.get().user == who(client) and Worker.objects.filter(user=who(client)).exists()
