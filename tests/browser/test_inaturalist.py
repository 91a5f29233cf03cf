"""A data set of an iNaturalist export in a real browser: upload, licences with their counts, pictures, refused rows."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.models import Dataset
from labeling.services.intake import datasets
from marketplace.models import Account, User
from tests.browser.conftest import Visit
from tests.labeling.picture_server import PictureServer, serving

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def pictures(settings: Any) -> Iterator[PictureServer]:
    with serving() as server:
        settings.FETCH_ALLOWED_HOSTS = frozenset({server.url.removeprefix("http://")})
        yield server


def choose(page: Page, content: bytes) -> None:
    """Send an export."""
    file = {"name": "observations.csv", "mimeType": "text/csv", "buffer": content}
    page.set_input_files("input[name=files]", [file])
    page.get_by_role("button", name="Show the licenses").click()


def test_licences_are_chosen_before_pictures_are_downloaded(
    visit: Visit, owner: User, account: Account, pictures: PictureServer
) -> None:
    page = visit(owner, reverse("requester:dataset-new"))
    page.get_by_role("link", name="From iNaturalist").click()
    page.get_by_label("Name").fill("meadow")
    choose(page, b"a,b\n1,2\n")
    expect(page.get_by_text("the column 'image_url' is missing")).to_be_visible()
    pictures.answers = {"/4.jpg": [404]}
    rows = [(f"/{n}.jpg", licence) for n, licence in enumerate(["CC0", "CC-BY", "CC-BY-NC", "", "CC0", "GPL"])]
    choose(page, pictures.export(*rows))
    expect(page.get_by_role("checkbox", name="CC0 2 images")).to_be_checked()
    expect(page.get_by_role("checkbox", name="all-rights-reserved")).not_to_be_checked()
    page.get_by_text("1 row cannot be used").click()
    expect(page.get_by_text("Line 7: the license 'GPL'")).to_be_visible()
    page.get_by_role("checkbox", name="CC-BY-NC").uncheck()
    page.get_by_role("button", name="Create the data set").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("meadow")
    assert not pictures.asked
    datasets.advance_dataset(Dataset.objects.get().pk)
    page.reload()
    expect(page.get_by_role("img", name="Picture 2 of the data set")).to_be_visible()
    expect(page.get_by_text("CC0, CC-BY", exact=True)).to_be_visible()
    expect(page.get_by_text("the server answered 404")).to_be_visible()
