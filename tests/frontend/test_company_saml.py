"""Sign-in by an account's own SAML provider: the whole way over real HTTP, and every answer that is not believed."""

import base64
import copy
import html
import re

import pytest
import requests
import xmlsec
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from django.urls import reverse
from lxml import etree

from marketplace.errors import Invalid, WrongState
from marketplace.models import AuditEvent, IdentityProvider, User, WorkteamMember
from marketplace.services import identity_providers, saml_providers, workteams
from tests import builders
from tests.frontend import saml_provider
from tests.frontend.passkeys import a_passkey
from tests.frontend.saml_provider import BOMB, NS, Provider, assertion_of, described, one, request_in

pytestmark = pytest.mark.django_db
SLUG = "hives"
SIGN_IN, ANSWER, FINISH = (f"/sign-in/with/{SLUG}/{rest}" for rest in ("", "saml/answer/", "saml/finish/"))
CONNECT = f"/you/connections/{SLUG}/connect/"


@pytest.fixture(scope="module")
def served() -> Provider:
    with saml_provider.served() as provider:
        yield provider


@pytest.fixture
def idp(served, settings) -> Provider:
    settings.FETCH_ALLOWED_HOSTS = frozenset({served.url.removeprefix("http://")})
    return served


@pytest.fixture
def team(db):
    return builders.a_team(account=builders.an_account(), workers=0)


def a_provider(team, *, slug: str = SLUG, approved: bool = True, **described_as: str) -> IdentityProvider:
    return saml_providers.create(
        account=team.account,
        workteam=team,
        name="Hives",
        domains=["hives.example"],
        slug=slug,
        approved=approved,
        by="system",
        **described_as,
    )


@pytest.fixture
def provider(team, idp) -> IdentityProvider:
    return a_provider(team, metadata=idp.metadata())


def begin(client: Client, start: str = SIGN_IN) -> str:
    """Begin at an address of ours; returns the address at the provider."""
    page = client.post(start, follow=True).content.decode()
    return html.unescape(re.search(r'content="0;url=([^"]+)"', page)[1])


def go(client: Client, subject: str, email: str, start: str = SIGN_IN) -> str:
    """The whole way; returns what the page says then."""
    cookies = {"subject": subject, "email": email}
    page = requests.get(begin(client, start), cookies=cookies, timeout=10).text
    place, response = re.search(r'action="([^"]+)"><input name="SAMLResponse" value="([^"]+)"', page).groups()
    return bring(client, response, place.removeprefix("http://testserver"))


def bring(client: Client, response: str, place: str = ANSWER) -> str:
    """Bring an answer as another site's form does, without our session; returns what the page says then."""
    bare = Client(enforce_csrf_checks=True)
    sent = bare.post(place, {"SAMLResponse": response})
    assert sent.status_code == 302, sent.content
    if sent["Location"].startswith("/sign-in/with/"):
        client.cookies.update(bare.cookies)
        return client.get(sent["Location"], follow=True).content.decode()
    return bare.get(sent["Location"]).content.decode()


def asked_by(client: Client) -> dict[str, str]:
    """What a new request of this browser asks for, about Ana."""
    return {**described(request_in(begin(client))), "subject": "ana", "email": "ana@hives.example"}


def who(client: Client) -> User | None:
    """Who is signed in."""
    return User.objects.filter(pk=client.session.get("_auth_user_id")).first()


def test_a_new_person_joins_the_team_and_is_known_again(provider, team):
    client = Client()
    go(client, "ana", "Ana@Hives.example")
    user = who(client)
    assert (user.email, user.display_name, user.has_usable_password()) == ("ana@hives.example", "Ana", False)
    assert WorkteamMember.objects.get(workteam=team).worker.user == user
    assert 0 < client.session.get_expiry_age() <= 12 * 3600
    assert SocialAccount.objects.get().uid == "ana" and SocialAccount.objects.get().extra_data == {}

    # Their address changes at the company; they are the same person.
    again = Client()
    go(again, "ana", "ana.bee@elsewhere.example")
    assert who(again) == user and User.objects.get(pk=user.pk).email == "ana@hives.example"
    by = f"identity-provider:{provider.pk}"
    said = set(AuditEvent.objects.filter(by=by, object_id=user.pk).values_list("because", flat=True))
    assert {"made", f"connected with the identity provider {SLUG}"} <= said


def put(path: str, name: str, text: str | None) -> saml_provider.Change:
    """Set an attribute of the element at a path, or its text where `name` is "", or take it away."""

    def change(root: etree._Element) -> None:
        element = one(root, path)
        if not name:
            element.text = text
        elif text is None:
            del element.attrib[name]
        else:
            element.set(name, text)

    return change


def drop(path: str) -> saml_provider.Change:
    """Take the element at a path away."""
    return lambda root: one(root, path).getparent().remove(one(root, path))


def double(path: str) -> saml_provider.Change:
    """Write the element at a path twice."""
    return lambda root: one(root, path).addnext(copy.deepcopy(one(root, path)))


DATA, CONDITIONS, PAST = ".//saml:SubjectConfirmationData", ".//saml:Conditions", "2020-01-01T00:00:00Z"
SIGNED_BUT_NOT_FOR_US = {
    "another audience": (put(".//saml:Audience", "", "https://other.example/"), "audience"),
    "no audience": (drop(".//saml:AudienceRestriction"), "audience"),
    "an audience too many": (
        lambda root: [double(".//saml:AudienceRestriction")(root), put(".//saml:Audience", "", "other")(root)],
        "audience",
    ),
    "another recipient": (put(DATA, "Recipient", "https://other.example/"), "SubjectConfirmation"),
    "a longer recipient": (put(DATA, "Recipient", f"http://testserver{ANSWER}more/"), "recipient"),
    "no recipient": (put(DATA, "Recipient", None), "recipient"),
    "over": (put(DATA, "NotOnOrAfter", PAST), "SubjectConfirmation"),
    "without an end": (put(DATA, "NotOnOrAfter", None), "has no end"),
    "conditions are over": (put(CONDITIONS, "NotOnOrAfter", PAST), "expired"),
    "not yet": (put(CONDITIONS, "NotBefore", "2999-01-01T00:00:00Z"), "not yet valid"),
    "session is over": (put(".//saml:AuthnStatement", "SessionNotOnOrAfter", PAST), "expired"),
    "no conditions": (drop(CONDITIONS), "audience|Conditions|xsd"),
    "another confirmation": (put(".//saml:SubjectConfirmation", "Method", "urn:x"), "SubjectConfirmation"),
    "two confirmations": (double(".//saml:SubjectConfirmation"), "exactly one confirmation"),
    "another destination": (put(".", "Destination", "https://other.example/"), "instead of|destination"),
    "another issuer": (put("./saml:Assertion/saml:Issuer", "", "https://other.example/"), "issuer"),
    "answers nothing": (
        lambda root: [put(DATA, "InResponseTo", None)(root), put(".", "InResponseTo", None)(root)],
        "answers no request",
    ),
    "answers two requests": (put(DATA, "InResponseTo", "_other"), "SubjectConfirmation|answers no request"),
    "transient": (put(".//saml:NameID", "Format", f"{NS['saml'][:-9]}nameid-format:transient"), "transient"),
    "nobody": (put(".//saml:NameID", "", " "), "NameID"),
    "somebody long": (put(".//saml:NameID", "", "a" * 192), "191 characters"),
    "a failure": (put(".//samlp:StatusCode", "Value", "urn:oasis:names:tc:SAML:2.0:status:Requester"), "Success"),
    "two assertions": (double("./saml:Assertion"), "exactly one assertion"),
}


@pytest.fixture
def refused(provider, caplog):
    """Bring an answer that has to be refused for a reason that stands in the log and not on the page."""

    def check(client: Client, response: str, reason: str) -> None:
        said = bring(client, response)
        assert "The sign-in by Hives has failed. Try again." in said
        logged = [record.getMessage() for record in caplog.records if "refused, answer" in record.getMessage()]
        assert logged and re.search(reason, logged[-1]), logged
        assert who(client) is None and not SocialAccount.objects.exists()

    return check


@pytest.mark.parametrize("how", SIGNED_BUT_NOT_FOR_US)
def test_a_signed_assertion_that_is_not_for_this_sign_in_is_refused(idp, refused, how):
    change, reason = SIGNED_BUT_NOT_FOR_US[how]
    client = Client()
    refused(client, idp.answer(before=change, **asked_by(client)), reason)


def test_the_answer_that_is_not_changed_is_taken(provider, idp):
    client = Client()
    bring(client, idp.answer(**asked_by(client)))
    assert who(client).email == "ana@hives.example"


def wrapped(where: str) -> saml_provider.Change:
    """An assertion about somebody else in the place of the signed one, which is moved to where it still verifies."""

    def change(root: etree._Element) -> None:
        signed = assertion_of(root)
        forged = copy.deepcopy(signed)
        signature = one(forged, "./ds:Signature")
        one(forged, ".//saml:NameID").text = "boss"
        if where != "same id":
            forged.set("ID", "_forged")
        if where == "signature kept":
            root.replace(signed, forged)
            etree.SubElement(signature, f"{{{NS['ds']}}}Object").append(signed)
            return
        forged.remove(signature)
        if where in ("before", "same id"):
            signed.addprevious(forged)
            return
        root.replace(signed, forged)
        if where == "extensions":
            extensions = etree.Element(f"{{{NS['samlp']}}}Extensions")
            one(root, "./saml:Issuer").addnext(extensions)
            extensions.append(signed)
        elif where == "object":
            moved = one(signed, "./ds:Signature")
            forged.insert(1, moved)
            etree.SubElement(moved, f"{{{NS['ds']}}}Object").append(signed)
        else:
            one(forged, ".//saml:AttributeValue").append(signed)

    return change


@pytest.mark.parametrize("where", ["signature kept", "before", "same id", "extensions", "object", "attribute"])
def test_a_wrapped_signature_is_refused(idp, refused, where):
    client = Client()
    refused(client, idp.answer(after=wrapped(where), **asked_by(client)), "exactly one assertion")


def test_what_is_not_signed_by_the_providers_key_itself_is_refused(idp, refused):
    client = Client()
    asked = asked_by(client)
    refused(client, idp.answer(sign=False, **asked), "not signed itself")
    refused(client, idp.answer(sign=False, after=idp.sign, **asked), "not signed itself")
    refused(client, idp.answer(after=put(".//saml:NameID", "", "boss"), **asked), "Signature validation failed")
    refused(client, Provider(idp.url).answer(**asked), "Signature validation failed")
    elsewhere = put(".//ds:Reference", "URI", "")
    refused(client, idp.answer(after=elsewhere, **asked), "not about the element")


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"method": xmlsec.Transform.RSA_SHA1}, "SignatureMethod"),
        ({"digest": xmlsec.Transform.SHA1}, "DigestMethod"),
        ({"transforms": (xmlsec.Transform.C14N,)}, "Transform"),
    ],
)
def test_algorithms_that_are_weak_or_hide_a_part_are_refused(idp, refused, how, reason):
    client = Client()
    refused(client, idp.answer(how=how, **asked_by(client)), reason)


def test_a_shared_secret_is_no_signature(idp, refused):
    client = Client()
    hmac = put(".//ds:SignatureMethod", "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")
    refused(client, idp.answer(after=hmac, **asked_by(client)), "SignatureMethod")


def test_a_comment_does_not_cut_a_name(provider, idp):
    """The signature leaves comments out, so anybody can write one into the answer that they carry."""
    client = Client()

    def cut(root: etree._Element) -> None:
        for path in (".//saml:NameID", ".//saml:AttributeValue"):
            element = one(root, path)
            head, dot, tail = element.text.partition(".example")
            element.text = head + dot
            element.append(etree.Comment("x"))
            element[0].tail = tail

    said = {"subject": "ana@hives.example.evil.example", "email": "ana@hives.example.evil.example"}
    page = bring(client, idp.answer(after=cut, **{**asked_by(client), **said}))
    assert "na@hives.example.evil.example is in none of the domains" in page
    assert who(client) is None


def test_entities_and_what_is_no_answer_are_refused(idp, refused):
    client = Client()
    right = base64.b64decode(idp.answer(**asked_by(client))).decode()
    for text in (BOMB + right, BOMB + right.replace(">ana<", ">&b;&c;<"), "<!DOCTYPE r>" + right):
        refused(client, base64.b64encode(text.encode()).decode(), "cannot be read")
    for text in ("", "<", "<a/>", "\0", "\ud7ff", right[:-9], "<?xml version='1.0' encoding='utf-7'?><a/>"):
        refused(client, base64.b64encode(text.encode()).decode(), "cannot be read|Success|Status|exactly one|answer")
    refused(client, "no base64!", "cannot be read|Status")
    assert Client().post(ANSWER).status_code == 302
    assert Client().post(ANSWER, {"SAMLResponse": "a" * 70_000}).status_code in (401, 413)


def test_an_answer_signs_in_once_in_the_browser_that_asked(provider, idp, caplog):
    mine, other = Client(), Client()
    response = idp.answer(**asked_by(mine))
    assert "has failed" in bring(other, response) and "no request of this browser" in caplog.text
    assert "has failed" in bring(mine, response) and "used before" in caplog.text
    assert who(mine) is None and who(other) is None

    kept = Client().post(ANSWER, {"SAMLResponse": idp.answer(**asked_by(mine))}).cookies["company-answer"].value
    # What was verified cannot be changed, and does not sign in twice even in this browser.
    for value, known in ((f"a{kept}", False), (kept, True), (kept, False)):
        mine.cookies["company-answer"] = value
        mine.get(FINISH)
        assert (who(mine) is not None) is known
        mine.post("/sign-out/")


def test_a_sign_in_that_nobody_has_begun_here_is_refused(idp, refused):
    client = Client()
    asked = {**asked_by(Client()), "asked": "_never-asked"}
    refused(client, idp.answer(**asked), "no request of this browser")


def test_another_accounts_provider_speaks_for_nobody_here(provider, idp, caplog):
    other = Provider("https://idp.evil.example")
    account = builders.an_account()
    a_provider(builders.a_team(account=account, workers=0), slug="evil", metadata=other.metadata())
    client = Client()
    # Signed by its key, in the name of either, to either address.
    for issuer in (idp.issuer, other.issuer):
        bring(client, other.answer(issuer=issuer, **asked_by(client)))
        assert who(client) is None
    place = "/sign-in/with/evil/saml/answer/"
    mine = asked_by(client)
    at_theirs = {**mine, "place": f"http://testserver{place}", "audience": "http://testserver/sign-in/with/evil/saml/"}
    bring(client, other.answer(**at_theirs), place)
    assert "no request of this browser" in caplog.text
    assert who(client) is None and not SocialAccount.objects.exists()


@pytest.mark.parametrize(
    ("email", "said"),
    [("bo@elsewhere.example", "in none of the domains"), ("", "has not confirmed"), ("bo", "has not confirmed")],
)
def test_only_addresses_of_the_domains_make_people(provider, email, said):
    before, client = User.objects.count(), Client()
    assert said in go(client, "bo", email)
    assert who(client) is None and User.objects.count() == before and not SocialAccount.objects.exists()


def test_an_address_with_a_sign_in_is_not_taken_over_but_can_be_connected(provider, team):
    owner = builders.a_user(email="cy@hives.example")
    workteams.add_worker(team=team, worker=workteams.register_worker(owner), by="system")
    stranger, client = Client(), Client()
    assert "has a sign-in here already" in go(stranger, "cy", owner.email)
    assert who(stranger) is None and not SocialAccount.objects.exists()
    client.post("/sign-in/", {"username": owner.email, "password": builders.PASSWORD})
    client.post(CONNECT)
    client.post("/you/confirm/", {"password": builders.PASSWORD})
    go(client, "cy", owner.email, CONNECT)
    assert SocialAccount.objects.get().user == owner
    go(stranger, "cy", owner.email)
    assert who(stranger) == owner

    # A second factor of ours is asked for all the same.
    a_passkey(owner)
    again = Client()
    assert "Two-Factor Authentication" in go(again, "cy", owner.email)
    assert who(again) is None


def test_new_certificates_are_reviewed_and_end_the_sessions(provider, team, idp):
    client, admin = Client(), Client()
    go(client, "ana", "ana@hives.example")
    admin.force_login(team.account.members.get())
    act = reverse("requester:settings-sign-in-act", args=[provider.pk])
    newer = Provider(idp.url)
    assert admin.post(act, {"act": "certificates", "metadata": newer.metadata()}).status_code == 302
    assert client.get("/you/").status_code == 302 and Client().post(SIGN_IN).status_code == 404
    operator = builders.an_operator()
    identity_providers.approve(provider=provider, by=f"user:{operator.pk}")
    fresh = Client()
    bring(fresh, idp.answer(**asked_by(fresh)))
    assert who(fresh) is None, "the old key signs nobody in"
    bring(fresh, newer.answer(**asked_by(fresh)))
    assert who(fresh).email == "ana@hives.example"

    path = f"/api/v1/identity-providers/{provider.pk}/certificates"
    both = newer.certificate + idp.certificate
    answer = admin.put(path, {"certificate": both}, content_type="application/json")
    assert (answer.status_code, answer.json()["status"], len(answer.json()["fingerprints"])) == (200, "InReview", 2)
    with pytest.raises(Invalid, match="entity id"):
        saml_providers.renew(provider=provider, metadata=Provider("https://x.example").metadata(), by="system")
    with pytest.raises(WrongState):
        identity_providers.renew_secret(provider=provider, client_secret="a", by="system")
