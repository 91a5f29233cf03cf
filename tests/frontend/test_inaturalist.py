"""A data set of an iNaturalist export, by the page and over REST: licences are shown before anything is taken."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from labeling.models import Dataset
from tests import builders
from tests.frontend import inaturalist_world

pytestmark = pytest.mark.django_db
JSON = {"content_type": "application/json"}


@pytest.fixture
def account():
    return builders.an_account()


@pytest.fixture
def client(account):
    client = Client()
    client.force_login(account.members.get())
    return client


def test_the_page_asks_for_the_licences_with_their_counts(client):
    page = reverse("requester:dataset-inaturalist")
    file = SimpleUploadedFile("observations.csv", inaturalist_world.EXPORT)
    answer = client.post(page, {"name": "meadow", "files": file})
    assert answer.status_code == 200
    text = answer.content.decode()
    assert 'value="CC0" checked' in text and "1 image; no rights reserved" in text
    assert 'value="all-rights-reserved">' in text
    assert "1 row cannot be used" in text and "Line 4: has no image_url" in text
    uri = answer.context["uri"]
    none = client.post(page, {"name": "meadow", "uri": uri, "chosen": "on"})
    assert none.status_code == 422 and "Choose at least one license." in none.content.decode()
    assert not Dataset.objects.exists()
    answer = client.post(page, {"name": "meadow", "uri": uri, "chosen": "on", "licenses": ["CC0"]})
    dataset = Dataset.objects.get()
    assert answer["Location"] == reverse("requester:dataset", args=[dataset.pk])
    assert dataset.source == {
        "kind": "inaturalist",
        "uri": uri,
        "selection": {"kind": "full"},
        "licenses": ["CC0"],
    }
    assert "CC0" in client.get(answer["Location"]).content.decode()


def test_a_file_that_is_no_export_is_refused_on_the_page(client):
    page = reverse("requester:dataset-inaturalist")
    answer = client.post(page, {"name": "meadow", "files": SimpleUploadedFile("a.csv", b"a,b\n")})
    assert answer.status_code == 422
    assert "the column &#x27;image_url&#x27; is missing" in answer.content.decode()
    assert client.post(page, {"name": "meadow"}).status_code == 422


def test_a_program_counts_the_licences_and_chooses(client, account):
    uri = inaturalist_world.export(account)
    found = client.post("/api/v1/datasets/inaturalist-licenses", {"uri": uri}, **JSON).json()
    assert found["licenses"] == [
        {"license": "CC0", "count": 1, "usual": True},
        {"license": "all-rights-reserved", "count": 1, "usual": False},
    ]
    assert (found["rows"], found["bad_rows"], found["first_bad_rows"][0]["number"]) == (3, 1, 4)
    body = {"name": "meadow", "kind": "inaturalist", "uri": uri}
    refused = client.post("/api/v1/datasets", body, **JSON)
    assert refused.status_code in (400, 422) and "choose the licenses" in refused.content.decode()
    assert client.post("/api/v1/datasets", body | {"licenses": ["GPL"]}, **JSON).status_code in (400, 422)
    assert not Dataset.objects.exists()
    made = client.post("/api/v1/datasets", body | {"licenses": ["CC0"]}, **JSON)
    assert made.status_code == 201 and made.json()["source"]["licenses"] == ["CC0"]
