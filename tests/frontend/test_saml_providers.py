"""Registering an account's SAML provider: by its metadata or the parts of it, and what we say of ourselves."""

import pytest
from django.test import Client
from django.urls import reverse
from lxml import etree

from marketplace.errors import Invalid
from marketplace.models import IdentityProvider
from marketplace.services import identity_providers, saml_providers
from tests import builders
from tests.frontend.saml_provider import BOMB, Provider

pytestmark = pytest.mark.django_db
SIGN_IN = "/sign-in/with/hives/"
ANSWER = f"{SIGN_IN}saml/answer/"
CERTIFICATE = Provider().certificate


def test_an_admin_registers_a_provider_and_copies_our_metadata():
    team = builders.a_team(account=builders.an_account(), workers=0)
    idp, client = Provider(), Client()
    client.force_login(team.account.members.get())
    page, saml = reverse("requester:settings-sign-in"), reverse("requester:settings-sign-in-saml")
    form = {
        "name": "Hives",
        "domains": "hives.example",
        "workteam": team.pk,
        "slug": "hives",
        "metadata": idp.metadata(),
    }
    wrong = client.post(saml, {**form, "metadata": BOMB + "<a/>"})
    assert wrong.status_code == 422 and "the metadata cannot be read" in wrong.content.decode()
    assert client.post(saml, form).status_code == 302
    row = IdentityProvider.objects.get()
    assert (row.status, row.protocol, row.issuer, row.sso_url) == (
        "InReview",
        "SAML",
        idp.issuer,
        f"{idp.url}/sso/?tenant=1",
    )
    shown = client.get(page).content.decode()
    assert f"http://testserver{SIGN_IN}saml/" in shown and f"http://testserver{ANSWER}" in shown
    assert Client().get(f"{SIGN_IN}saml/").status_code == Client().post(ANSWER).status_code == 404
    identity_providers.approve(provider=row, by="system")
    ours = etree.fromstring(Client().get(f"{SIGN_IN}saml/").content)
    assert (
        ours.get("entityID") == f"http://testserver{SIGN_IN}saml/"
        and f"http://testserver{ANSWER}" in etree.tostring(ours).decode()
    )
    assert Client().get(f"{SIGN_IN}back/?code=1&state=2").status_code == 404, "that is OpenID Connect's"

    parts = {"entity_id": "urn:hives", "sso_url": "https://idp.hives.example/", "certificate": idp.certificate}
    body = {"name": "H", "domains": ["hives.example"], "workteam": team.pk, "slug": "other-hives", **parts}
    made = client.post("/api/v1/identity-providers/saml", body, content_type="application/json")
    assert made.status_code == 201, made.content
    assert made.json()["redirect_url"] == "http://testserver/sign-in/with/other-hives/saml/answer/"
    assert made.json()["entity_id"] == "http://testserver/sign-in/with/other-hives/saml/"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"entity_id": ""}, "entity_id"),
        ({"entity_id": "urn:a b"}, "entity_id"),
        ({"entity_id": "a" * 301}, "entity_id"),
        ({"sso_url": "javascript:alert(1)"}, "sso_url"),
        ({"sso_url": "http://idp.hives.example/"}, "sso_url"),
        ({"sso_url": "https://["}, "sso_url"),
        ({"certificate": ""}, "certificate"),
        ({"certificate": "AAAA"}, "certificate"),
        ({"certificate": "ä"}, "certificate"),
        ({"metadata": "<a/>"}, "metadata"),
    ],
)
def test_a_description_that_is_not_right_is_refused_by_its_field(change, field):
    right = {"entity_id": "urn:hives", "sso_url": "https://idp.hives.example/", "certificate": CERTIFICATE}
    assert saml_providers.describe(**right).entity_id == "urn:hives"
    with pytest.raises(Invalid) as error:
        saml_providers.describe(**{**right, **change})
    assert error.value.field == field


def test_metadata_that_are_not_right_are_refused():
    right = Provider().metadata()
    two = right[right.index("<md:") :]
    for wrong in (
        "<",
        "<a/>",
        BOMB + two,
        f'<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">{two}{two}</md:EntitiesDescriptor>',
        right.replace("HTTP-Redirect", "HTTP-POST"),
        right.replace("https://idp", "javascript:"),
        right.replace('use="signing"', 'use="encryption"'),
        right.replace("<ds:X509Certificate>", "<ds:X509Certificate>AAAA"),
    ):
        with pytest.raises(Invalid) as error:
            saml_providers.describe(metadata=wrong)
        assert error.value.field == "metadata", wrong
