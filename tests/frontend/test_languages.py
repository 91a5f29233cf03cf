"""Pages speak the reader's language: the chosen one, else the browser's. Programs are always answered in English."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.core import mail
from django.template.loader import get_template
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django_q.models import OrmQ

from frontend import background, catalogs, words
from frontend.templatetags import waggle
from labeling import task_types
from labeling.conduct.rules import RULES
from learning.families import FAMILIES
from learning.models import Use
from learning.services.improvement.features import FEATURES
from learning.services.improvement.parameters import PARAMETERS
from learning.services.improvement.picture import branches
from marketplace import names
from marketplace.models import EmailPace, EntryKind, InvoicePeriod, NoticeKind, Role
from tests import builders
from tests.frontend.test_badges import every_status
from tests.frontend.test_permissions import signed_in
from tests.labeling import stories

GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de-AT,de;q=0.9,en;q=0.5"}
UNSHOWN: set[str] = set()


def test_every_marked_text_is_translated_with_the_same_placeholders():
    assert catalogs.faults() == []


def test_every_template_can_be_read():
    folder = settings.BASE_DIR / catalogs.TEMPLATES
    names = [str(path.relative_to(folder)) for path in folder.rglob("*.html")]
    assert len([get_template(name) for name in names]) > 150


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
def test_whoever_is_signed_in_chooses_for_every_browser():
    user = builders.a_requester()[0]
    assert signed_in(user).post(reverse("language"), {"language": "de", "next": "/"}).status_code == 302
    other = signed_in(user)
    page = other.get(reverse("person:you"))
    assert (page["Content-Language"], "waggle_language" in other.cookies) == ("de", False)
    assert Client().get(reverse("sign-in"))["Content-Language"] == "en"


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


def test_the_words_of_the_other_rooms_are_known_to_the_catalogs():
    """A word that is not in words.py would stay English without anybody noticing."""
    found = catalogs.marked()
    shown = [task_types.get(name).title for name in task_types.names()] + [rule.title for rule in RULES.values()]
    shown += [label for kinds in (NoticeKind, EmailPace, Role, InvoicePeriod) for label in kinds.labels]
    assert [text for text in shown if text not in found] == []
    assert every_status() - words.STATUSES.keys() == UNSHOWN


def test_the_words_of_learning_and_of_the_ledger_are_known_to_the_catalogs():
    found = catalogs.marked()
    shown = [
        names.RULE,
        *(one.help for one in PARAMETERS),
        *(branch["title"] for branch in branches(None, Counter(), 0)),
    ]
    measures = [measure for family in FAMILIES for measure in (family.measure, family.several) if measure]
    shown += [
        *FEATURES,
        *Use.values,
        *(measure.metric_title for measure in measures if "@" not in measure.metric_title),
    ]
    assert [text for text in shown if text not in found] == []
    assert words.ENTRIES.keys() == set(EntryKind.values)


@pytest.mark.parametrize(
    ("language", "micros", "said"),
    [
        ("en", 1_234_500_000, "$1234.50"),
        ("de", 1_234_500_000, "1.234,50\u00a0$"),
        ("de", -36_000, "-0,036\u00a0$"),
        ("de", 5_000_001, "5,000001\u00a0$"),
    ],
)
def test_money_is_written_as_the_reader_writes_it(language, micros, said):
    with translation.override(language):
        shown = waggle.money(micros)
    assert shown == f'<waggle-money value-micros="{micros}">{said}</waggle-money>'


def test_numbers_and_dates_are_written_as_the_reader_writes_them():
    moment = datetime(2026, 3, 1, 14, 5, tzinfo=UTC)
    with translation.override("de"):
        assert (waggle.percent(0.1234, 1), waggle.fixed(2.5)) == ("12,3 %", "2,50")
        assert (waggle.duration(200_000), waggle.duration(86_400)) == ("2 Tage 7 h", "1 Tag")
        assert (waggle.day(moment), waggle.day(moment, "minute")) == ("01.03.2026", "01.03.2026 14:05")
        assert 'datetime="2026-03-01T14:05:00+00:00"' in waggle.when(moment)
        assert waggle.badge("InProgress") == '<span class="badge" data-status="InProgress">In Bearbeitung</span>'
    assert (waggle.percent(0.1234, 1), waggle.day(moment), waggle.duration(86_400)) == ("12.3 %", "2026-03-01", "1 day")


@pytest.mark.django_db
def test_a_workers_pages_are_in_german_and_machines_read_the_same_values():
    job, (worker, *_) = stories.an_open_job(objects=2)
    for _ in range(2):
        builders.earn(worker, 617_250_000)
    client = signed_in(worker.user)
    home = client.get(reverse("worker:jobs"), **GERMAN).content.decode()
    assert "Aufträge, an denen Sie jetzt arbeiten können." in home and "Jobs you can work on" not in home
    assert f'data-value="{job.queue.price_micros}"' in home
    earnings = client.get(reverse("worker:earnings"), **GERMAN).content.decode()
    assert '<waggle-money value-micros="1234500000">1.234,50\u00a0$</waggle-money>' in earnings
    assert "Auszahlung anfordern" in earnings and "Betrag in Dollar" in earnings
    task = client.get(reverse("worker:task", args=[job.queue_id]), **GERMAN).content.decode()
    assert '<html lang="de"' in task
    english = client.get(reverse("worker:earnings")).content.decode()
    assert '<waggle-money value-micros="1234500000">$1234.50</waggle-money>' in english


@pytest.mark.django_db
def test_a_letter_speaks_the_language_of_the_page_that_asked_for_it(settings):
    settings.EMAIL_HOST, settings.EMAIL_FROM = "mail.example", "waggle@example.org"
    user = builders.a_user()
    for headers, arguments, subject in (
        ({}, (user.pk,), "Set a new password"),
        (GERMAN, (user.pk, "de"), "Neues Passwort festlegen"),
    ):
        Client().post(reverse("person:password-forgotten"), {"email": user.email}, **headers)
        message = OrmQ.objects.get()
        assert message.task["args"] == arguments
        background.mail_password_link(*message.task["args"])
        assert mail.outbox.pop().subject == subject
        message.delete()


HEADINGS = {
    "operator:accounts": "Konten und Einzahlungen",
    "operator:system": "Hängt fest",
    "operator:payouts": "Alle Auszahlungen",
    "operator:money": "Steuer auf Gebühren",
    "operator:ledger": "Jetzt prüfen",
    "operator:people": "Neue Person",
    "operator:identity-providers": "Kein Identitätsanbieter",
    "operator:vendors": "Jeder Status",
    "operator:invoices": "Zu bezahlen",
    "operator:flags": "Was folgt, wenn eine Regel etwas findet",
    "requester:models": "Noch kein Modell",
    "requester:model-import-new": "Ein Beispiel für config.json",
    "requester:training-new": "Woraus gelernt wird",
    "requester:tuning-new": "Höchstens so viele Trainings",
    "requester:transform-new": "Mindestwert",
    "requester:endpoint-new": "Aufzubewahrende Anfragen, in Prozent",
    "requester:human-task-ui-new": "Neue Worker-Vorlage",
    "requester:improvement-new": "Minuten zwischen zwei Blicken nach einer neuen Stichprobe.",
}
"""Pages of operators, and of training and hosting, with something that stands there in German."""


@pytest.mark.django_db
def test_pages_of_operators_and_of_learning_are_in_german():
    rooms = {"operator": signed_in(builders.an_operator()), "requester": signed_in(builders.a_requester()[0])}
    for route, heading in HEADINGS.items():
        page = rooms[route.partition(":")[0]].get(reverse(route), **GERMAN)
        assert page.status_code == 200 and heading in page.content.decode(), route
