"""Pages speak the reader's language: the chosen one, else the browser's. Programs are always answered in English."""

import pytest
from django.test import Client
from django.urls import reverse

from frontend import catalogs
from tests import builders
from tests.frontend.test_permissions import signed_in

GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de-AT,de;q=0.9,en;q=0.5"}


def test_every_marked_text_is_translated_with_the_same_placeholders():
    assert catalogs.faults() == []


@pytest.mark.django_db
def test_a_visitor_reads_the_language_of_the_browser_until_another_is_chosen():
    client = Client(**GERMAN)
    page = client.get(reverse("sign-in"))
    assert page["Content-Language"] == "de"
    assert {"Accept-Language", "Cookie"} <= {name.strip() for name in page["Vary"].split(",")}
    assert '<html lang="de"' in page.content.decode() and "Anmelden" in page.content.decode()
    chosen = client.post(reverse("language"), {"language": "en", "next": reverse("sign-in")})
    assert (chosen.status_code, chosen["Location"]) == (302, reverse("sign-in"))
    page = client.get(reverse("sign-in"))
    assert page["Content-Language"] == "en" and "Anmelden" not in page.content.decode()
    assert client.get("/sign-in/", HTTP_ACCEPT_LANGUAGE="fr")["Content-Language"] == "en"


@pytest.mark.django_db
@pytest.mark.parametrize("wanted", ["xx", "", "de\nSet-Cookie: a=b"])
def test_an_unknown_language_is_refused_and_nothing_is_kept(wanted):
    client = Client()
    refused = client.post(reverse("language"), {"language": wanted, "next": "/sign-in/"})
    assert refused.status_code == 409 and "one of en, de expected" in refused.content.decode()
    assert "waggle_language" not in client.cookies


@pytest.mark.django_db
def test_a_choice_leads_to_no_other_site():
    chosen = Client().post(reverse("language"), {"language": "de", "next": "https://example.org/"})
    assert chosen["Location"] == "/"


@pytest.mark.django_db
def test_programs_are_answered_in_english():
    client = signed_in(builders.a_requester()[0])
    client.post(reverse("language"), {"language": "de", "next": "/"})
    for address in ("/api/v1/me", "/api/v1/labeling-jobs/nothing", "/api/v1/nothing", "/aws/", "/health/live/"):
        english, german = Client(), Client(**GERMAN)
        german.cookies = client.cookies
        english.cookies["sessionid"] = client.cookies["sessionid"].value
        told, asked = german.get(address, **GERMAN), english.get(address)
        assert (told.status_code, told.content) == (asked.status_code, asked.content)
        assert "Accept-Language" not in told.get("Vary", "")
