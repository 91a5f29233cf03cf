"""Texts as data objects: which can be labeled, golds among them, what is decided, what jobs of images make of them."""

import pytest

from labeling import background
from labeling.formats import texts
from labeling.models import BadLine, DataObject, Gold, LabelingJob
from labeling.services.golds import keeping
from labeling.services.intake import samples
from labeling.services.intake import texts as stored
from labeling.services.jobs import creation
from labeling.services.qualifications import making
from marketplace import storage
from marketplace.errors import Invalid
from marketplace.models import Account
from marketplace.services import boundaries
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db


def file(account: Account, name: str, content: bytes) -> str:
    uri = storage.join(boundaries.base_of(account), "uploads", name)
    storage.write(uri, content)
    return uri


def a_job(lines: list, **changes) -> LabelingJob:
    account = changes.pop("account", None) or stories.an_account()
    team = builders.a_team(account=account, workers=2)
    manifest = builders.a_manifest(account, lines)
    design = {"task_type": "TextMultiClass", "input_manifest_uri": manifest} | changes
    job = creation.create_job(**stories.a_design(account, team, **design))
    background.advance_job(job.pk)
    job.refresh_from_db()
    return job


def test_texts_are_read_exactly_and_unusable_ones_fail_by_themselves():
    account = stories.an_account()
    long = "é" * (texts.MAX_CHARACTERS + 1)
    job = a_job(
        [
            {"source": "two\r\nlines 😀"},
            {"source-ref": file(account, "a.txt", b"\xef\xbb\xbfwith a mark")},
            {"source": "  \n "},
            {"source-ref": file(account, "b.txt", b"\xff\xfe\x00")},
            {"source-ref": file(account, "c.txt", long.encode())},
            {"source-ref": storage.join(boundaries.base_of(account), "uploads", "none.txt")},
        ],
        account=account,
    )
    rows = list(DataObject.objects.filter(job=job).select_related("job").order_by("index"))
    assert [(row.width, row.height) for row in rows[:2]] == [(12, 1), (11, 1)]
    assert [stored.text_of(row) for row in rows[:2]] == ["two\r\nlines 😀", "with a mark"]
    assert {row.state for row in rows[:2]} == {"PendingHuman"} and {row.state for row in rows[2:]} == {"Failed"}
    reasons = [row.failure_reason for row in rows[2:]]
    assert BadLine.objects.get(job=job).number == 3, "an inline text that is empty is no data object"
    assert reasons[0].endswith("b.txt is no UTF-8 text (byte 0)")
    assert reasons[1].endswith("has 100,001 characters, at most 100,000 are allowed")
    assert "none.txt" in reasons[2]


def test_a_job_of_images_takes_no_inline_text():
    job = a_job([{"source": "a text"}], task_type="ImageMultiClass")
    assert job.status == "Failed"
    assert BadLine.objects.get(job=job).reason.startswith("'source-ref'")


def test_texts_can_be_golds_and_be_decided():
    """The golds of the manifest have their truths; what a requester decides of a text is its label."""
    lines = [
        {"source": f"text {number}", "truth": number % 2, "truth-metadata": {"class-name": ("bee", "wasp")[number % 2]}}
        for number in range(12)
    ]
    job = a_job(lines, golds={"rate": 20, "attribute": "truth"})
    assert job.status == "InProgress", job.failure_reason
    gold = Gold.objects.filter(queue=job.queue).select_related("data_object__label").first()
    assert gold is not None and gold.data_object.label.value["choice"] in ("bee", "wasp")
    row = DataObject.objects.filter(job=job, state="HumanLabeled").order_by("index").first()
    label = keeping.decide(data_object=row, content={"crowd-classifier": {"label": "wasp"}}, by="user:1")
    assert label.value == {"choice": "wasp", "confidence": 1.0}


def test_a_data_set_shows_its_texts():
    account = stories.an_account()
    manifest = builders.a_manifest(account, [{"source": "one"}, {"source-ref": file(account, "two.txt", b"two")}])
    dataset = builders.a_dataset(account=account, kind="manifest", uri=manifest)
    assert dataset.objects_total == 2 and samples.holds_texts(dataset=dataset)
    assert [samples.sample_text(dataset=dataset, number=number) for number in (0, 1)] == ["one", "two"]
    assert not samples.holds_texts(dataset=builders.a_dataset(account=account))


def test_there_are_no_tests_of_texts():
    account = stories.an_account()
    wanted = making.TestDesign(job=a_job([{"source": "a text"}], account=account), instructions="Read it.")
    with pytest.raises(Invalid) as refused:
        making.create(account=account, by="user:1", test=wanted, name="reading", granted_by="Test")
    assert ("test.job", "questions show images, there are no tests of texts yet") in refused.value.errors
