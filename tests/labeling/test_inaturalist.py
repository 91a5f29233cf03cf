"""Data sets of iNaturalist exports: pictures come through the outbound door, once, with their licences."""

import json

import pytest

from labeling.models import BadLine, Dataset
from labeling.services.intake import datasets, inaturalist, loading
from labeling.services.jobs import creation
from labeling.services.output import exports
from marketplace import storage
from marketplace.errors import Invalid
from marketplace.services import boundaries
from tests import builders
from tests.labeling import stories
from tests.labeling.picture_server import PictureServer, serving

pytestmark = pytest.mark.django_db


@pytest.fixture
def pictures(settings, monkeypatch) -> PictureServer:
    monkeypatch.setattr(inaturalist, "PAUSE_SECONDS", 0.01)
    with serving() as server:
        settings.FETCH_ALLOWED_HOSTS = frozenset({server.url.removeprefix("http://")})
        yield server


def stored(account, content: bytes) -> str:
    uri = storage.join(boundaries.base_of(account), "uploads", "observations.csv")
    storage.write(uri, content)
    return uri


def made(account, content: bytes, *licenses: str, **more) -> Dataset:
    return builders.a_dataset(
        account=account, kind="inaturalist", uri=stored(account, content), licenses=list(licenses), **more
    )


def lines(dataset: Dataset) -> list[dict]:
    return [json.loads(line) for line in storage.read(dataset.manifest_uri).splitlines()]


def test_pictures_of_the_chosen_licences_become_objects_with_their_attribution(pictures):
    account = builders.an_account()
    rows = [("/a.jpg", "CC0"), ("/b.png?1", "CC-BY"), ("/c.jpg", "CC-BY-NC"), ("/d.jpg", ""), ("/e.jpg", "GPL")]
    dataset = made(account, pictures.export(*rows), "CC0", "CC-BY")
    assert (dataset.status, dataset.objects_total, dataset.bad_lines) == ("Completed", 2, 1)
    first, second = lines(dataset)
    assert first["attribution"] == {
        "license": "CC0",
        "author": "ana",
        "url": "https://www.inaturalist.org/observations/1",
        "image-url": f"{pictures.url}/a.jpg",
    }
    assert (first["source-name"], second["source-name"]) == ("1.jpg", "2.png")
    assert storage.read(first["source-ref"]) == builders.image_bytes(number=len("/a.jpg"))
    assert set(pictures.asked) == {"/a.jpg", "/b.png?1"}
    assert "'GPL'" in BadLine.objects.get(dataset=dataset).reason


def test_what_cannot_be_downloaded_is_reported_by_line_and_what_passes_is_tried_again(pictures, settings):
    account = builders.an_account()
    pictures.answers = {"/gone.jpg": [404], "/busy.jpg": [503, 429], "/down.jpg": [500] * 9}
    paths = ["/gone.jpg", "/busy.jpg", "/down.jpg", "/html.jpg", "/big.jpg"]
    content = pictures.export(*((path, "CC0") for path in paths))
    content += b"6,CC0,ana,http://169.254.169.254/latest/meta-data,Apis\n"
    dataset = made(account, content, "CC0")
    reasons = dict(BadLine.objects.filter(dataset=dataset).values_list("number", "reason"))
    assert (dataset.status, dataset.objects_total) == ("Completed", 2)
    assert "the server answered 404" in reasons[2] and pictures.asked["/gone.jpg"] == 1
    assert "the server answered 500" in reasons[4] and pictures.asked["/down.jpg"] == inaturalist.TRIES
    assert "is an HTML page" in reasons[5]
    assert "not a public address" in reasons[7]
    assert 3 not in reasons


def test_an_import_that_was_cut_off_goes_on_and_asks_for_nothing_twice(pictures, monkeypatch):
    account = builders.an_account()
    pictures.answers = {"/gone.jpg": [404] * 9}
    paths = ["/gone.jpg", *(f"/{n}.jpg" for n in range(9))]
    monkeypatch.setattr(inaturalist, "SLICE_SECONDS", 0)
    dataset = made(account, pictures.export(*((path, "CC0") for path in paths)), "CC0")
    assert dataset.status == "InProgress"
    monkeypatch.setattr(inaturalist, "SLICE_SECONDS", 600)
    for _ in range(2):
        datasets.advance_dataset(dataset.pk)
    dataset.refresh_from_db()
    assert (dataset.status, dataset.objects_total, dataset.bad_lines) == ("Completed", 9, 1)
    Dataset.objects.filter(pk=dataset.pk).update(status="InProgress")
    datasets.advance_dataset(dataset.pk)
    assert set(pictures.asked.values()) == {1}


def test_nobody_is_assumed_to_agree(pictures):
    account = builders.an_account()
    content = pictures.export(("/a.jpg", "CC0"), ("/b.jpg", "CC0"), ("/c.jpg", ""))
    for given in (None, [], "CC0", ["GPL"]):
        source = {"kind": "inaturalist", "uri": stored(account, content), "licenses": given}
        with pytest.raises(Invalid) as refused:
            datasets.create_dataset(account=account, name="bees", source=source, by="system")
        assert refused.value.field == "licenses"
    assert not Dataset.objects.exists()
    seen = datasets.preview_inaturalist(account=account, uri=stored(account, content))
    assert [(one["license"], one["count"], one["usual"]) for one in seen.counted()] == [
        ("CC0", 2, True),
        ("all-rights-reserved", 1, False),
    ]
    dataset = made(account, content, "CC-BY-SA")
    assert (dataset.status, dataset.failure_reason) == (
        "Failed",
        "the iNaturalist export has no image of the licenses CC-BY-SA",
    )
    assert not pictures.asked


def test_the_output_of_a_job_still_says_whose_the_pictures_are(pictures):
    account = builders.an_account()
    dataset = made(account, pictures.export(("/a.jpg", "CC-BY")), "CC-BY")
    team = builders.a_team(account=account, workers=1)
    job = creation.create_job(**stories.a_design(account, team, dataset=dataset, input_manifest_uri=None))
    loading.load_objects(job)
    export = exports.create_export(job=job, kind="manifest", by="test")
    exports.run_export(export.pk)
    export.refresh_from_db()
    (line,) = [json.loads(line) for line in storage.read(export.uri).splitlines()]
    assert line["attribution"]["license"] == "CC-BY"
    assert line["scientific-name"] == "Apis mellifera"
