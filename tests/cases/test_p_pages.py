"""The page's form without its script: names that collide, more files than one request takes."""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import Dataset
from tests import builders
from tests.cases.requesters import MULTIPART, Files, Requester
from tests.frontend.test_uploads import BOUNDARY, form_of

pytestmark = pytest.mark.django_db


def sent_by_the_form(requester: Requester, files: Files):
    """The answer to the form for a new data set, sent by a browser without its script."""
    browser = Client()
    browser.force_login(requester.user)
    fields = {"name": "bees", "kind": "upload", "selection": "full"}
    head = "".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    )
    address = reverse("requester:dataset-new")
    return browser.generic("POST", address, head.encode() + form_of(files), content_type=MULTIPART)


def test_p01_portal_upload_names_collide(case: Path, requester: Requester) -> None:
    names = ["图片一.jpg", "图片二.jpg", "IMG_0001.jpg", "IMG_0001.jpg"]
    files = [(name, builders.image_bytes(number=number)) for number, name in enumerate(names)]
    assert sent_by_the_form(requester, files).status_code == 302
    made = requester.made(Dataset.objects.get(name="bees").pk)
    assert (sorted(zip(made.names, made.contents, strict=True)), made.refused) == (sorted(files), [])


def test_p02_portal_form_with_120_files(case: Path, requester: Requester) -> None:
    answer = sent_by_the_form(requester, [(f"{number:03}.png", b"x") for number in range(120)])
    assert answer.status_code == 400 and not Dataset.objects.exists()
    assert "one request may have at most 100 files. Pack them into a zip file" in answer.content.decode()


# --- other forms of the same kinds ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        ["фото.png", "мото.png"],
        ["🐝.png", "🐜.png"],
        ["a.png"] * 3,
        ["a:b.png", "a_b.png", "a b.png"],
        ["photo.jfif", "photo.jpe", "photo"],
    ],
)
def test_the_form_keeps_every_file(requester: Requester, names: list[str]) -> None:
    files = [(name, builders.image_bytes(number=number, form="JPEG")) for number, name in enumerate(names)]
    assert sent_by_the_form(requester, files).status_code == 302
    made = requester.made(Dataset.objects.get(name="bees").pk)
    assert (sorted(zip(made.names, made.contents, strict=True)), made.refused) == (sorted(files), [])


@pytest.mark.parametrize(("count", "status"), [(100, 302), (101, 400), (400, 400)])
def test_the_form_takes_up_to_the_limit_and_says_it(requester: Requester, count: int, status: int) -> None:
    files = [(f"{number}.png", builders.image_bytes(number=number)) for number in range(count)]
    answer = sent_by_the_form(requester, files)
    assert answer.status_code == status
    assert status == 302 or "at most 100 files. Pack them into a zip file" in answer.content.decode()
