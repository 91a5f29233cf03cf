"""Texts as data objects: which can be labeled, golds among them, what is decided, what jobs of images make of them."""

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from frontend import uploads
from labeling import background
from labeling.formats import texts
from labeling.models import BadLine, DataObject, Gold, LabelingJob
from labeling.services.golds import keeping
from labeling.services.intake import samples
from labeling.services.intake import texts as stored
from labeling.services.jobs import creation
from labeling.services.qualifications import making
from labeling.services.queue import batches
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
    assert reasons[0].endswith("b.txt is no UTF-8 text (byte 0): save it with the encoding UTF-8")
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


def test_a_test_asks_about_texts_of_a_job():
    account = stories.an_account()
    job = a_job(
        [{"source": "a bee"}, {"source-ref": file(account, "w.txt", b"a wasp")}, {"source": "x"}], account=account
    )
    truth = {"a bee": "bee", "a wasp": "wasp"}
    with transaction.atomic():
        batches.stop_batch(batch=batches.live_batch(job.queue), by="user:1")
    for row in DataObject.objects.filter(job=job).select_related("job").order_by("index")[:2]:
        content = {"crowd-classifier": {"label": truth[stored.text_of(row)]}}
        keeping.decide(data_object=row, content=content, by="user:1")
    wanted = making.TestDesign(job=job, questions=1, training=1, instructions="Read it.")
    row = making.create(
        account=account, by="user:1", test=wanted, name="reading", description="x", granted_by="Test", mark=50
    )
    questions = list(row.qualification_test.questions.order_by("place"))
    assert {one.text: one.truth["choice"] for one in questions} == truth
    assert {(one.width, one.height) for one in questions} == {(5, 1), (6, 1)}
    with pytest.raises(Invalid) as refused:
        making.create(
            account=account,
            by="user:1",
            test=making.TestDesign(job=job),
            name="long",
            description="x",
            granted_by="Test",
            mark=50,
        )
    assert refused.value.errors == [("test.job", "13 labeled texts expected, 2 found")]


def test_a_test_asks_about_texts_of_a_data_set():
    account = stories.an_account()
    uri = file(account, "c.txt", "\ufeffgood".encode())
    label = {"truth": 0, "truth-metadata": {"class-name": "praise", "type": "groundtruth/text-classification"}}
    other = {"truth": 1, "truth-metadata": {"class-name": "question", "type": "groundtruth/text-classification"}}
    manifest = builders.a_manifest(account, [{"source": "how?"} | other, {"source-ref": uri} | label, {"source": "?"}])
    dataset = builders.a_dataset(account=account, kind="manifest", uri=manifest)
    wanted = making.TestDesign(
        dataset=dataset, label_attribute_name="truth", task_type="TextMultiClass", questions=1, training=1
    )
    row = making.create(
        account=account, by="user:1", test=wanted, name="reading", description="x", granted_by="Test", mark=50
    )
    found = {one.text: one.truth["choice"] for one in row.qualification_test.questions.all()}
    assert found == {"how?": "question", "good": "praise"}


FILES = [("b/two.txt", b"zwei"), ("one.txt", b"\xef\xbb\xbfeins"), ("b/.hidden.txt", b"x"), ("empty.txt", b"")]


def uploaded(account, files):
    sent = [SimpleUploadedFile(name.rpartition("/")[2], content) for name, content in files]
    for one, (name, _) in zip(sent, files, strict=True):
        one.given_name = name
    _, root = uploads.folder_uri(account)
    uploads.store_files(root, sent)
    return root


def zipped(account, files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return file(account, "texts.zip", packed.getvalue())


@pytest.mark.parametrize(("kind", "made"), [("folder", uploaded), ("zip", zipped)])
def test_folders_and_zips_of_texts_are_data_sets(kind, made):
    account = stories.an_account()
    large = [("large.txt", b"x" * (texts.MAX_BYTES + 1)), ("LICENSE.pdf", b"%PDF-1.7")]
    dataset = builders.a_dataset(account=account, kind=kind, uri=made(account, FILES + large))
    assert dataset.status == "Completed" and dataset.objects_total == 2, dataset.failure_reason
    reasons = " | ".join(BadLine.objects.filter(dataset=dataset).order_by("number").values_list("reason", flat=True))
    assert dataset.bad_lines == 3
    assert "is empty" in reasons and "has 400,004 bytes, at most 400,003 are allowed" in reasons
    assert "is no text, whose name ends in .txt: it is a PDF document" in reasons
    assert samples.holds_texts(dataset=dataset)
    job = a_job([], account=account, input_manifest_uri="", dataset=dataset)
    rows = DataObject.objects.filter(job=job).select_related("job").order_by("index")
    assert {row.source_name: stored.text_of(row) for row in rows} == {"b/two.txt": "zwei", "one.txt": "eins"}
    assert {row.state for row in rows} == {"PendingHuman"}


def test_what_is_no_utf_8_is_refused_while_a_zip_is_unpacked():
    account = stories.an_account()
    uri = zipped(account, [("a.txt", b"fine"), ("b.txt", "t\xe4xt".encode("latin-1")), ("c.txt", b"a\x00b")])
    dataset = builders.a_dataset(account=account, kind="zip", uri=uri)
    found = dict(BadLine.objects.filter(dataset=dataset).values_list("excerpt", "reason"))
    assert found == {
        "b.txt": "is no UTF-8 text (byte 1): save it with the encoding UTF-8",
        "c.txt": "holds a NUL character",
    }


def test_texts_among_images_are_refused_with_the_way_out():
    account = stories.an_account()
    files = [("a.png", builders.image_bytes()), ("notes.txt", b"hello")]
    dataset = builders.a_dataset(account=account, kind="zip", uri=zipped(account, files))
    (line,) = BadLine.objects.filter(dataset=dataset)
    assert dataset.objects_total == 1 and line.reason.endswith("texts need a data set of their own")
