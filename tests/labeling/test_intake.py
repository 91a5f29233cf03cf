"""Ingestion of a job: its manifest is loaded entirely or not at all, and broken images fail on their own."""

import json

import pytest

from labeling.formats.augmented_reading import read_boxes
from labeling.models import BadLine, DataObject, Label, LabelingJob, ObjectLine, ObjectState
from labeling.services.intake import inspection, loading
from labeling.services.output import exports
from labeling.services.output import rows as output_rows
from marketplace import storage
from marketplace.errors import Forbidden, Invalid, NotFound
from marketplace.services import boundaries
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db
SIDES = ("left", "top", "width", "height")


@pytest.fixture
def account():
    return builders.an_account()


def a_job(account, lines, **changes):
    from labeling.services.jobs import creation

    team = builders.a_team(account=account, workers=0)
    uri = builders.a_manifest(account, lines)
    return creation.create_job(**stories.a_design(account, team, input_manifest_uri=uri, **changes))


def load(job):
    loading.load_objects(job)
    job.refresh_from_db()
    return [*DataObject.objects.filter(job=job).order_by("index")]


class TestLoading:
    def test_each_line_becomes_an_object_that_keeps_the_line(self, account):
        job = a_job(account, [{"source-ref": f"s3://b/{n}.png", "weather": "é"} for n in range(3)])
        rows = load(job)
        assert [(row.index, row.state, row.source_ref) for row in rows] == [
            (n, ObjectState.UNLABELED, f"s3://b/{n}.png") for n in range(3)
        ]
        assert json.loads(rows[2].line.text) == {"source-ref": "s3://b/2.png", "weather": "é"}
        assert (job.objects_total, job.bad_lines) == (3, 0)

    def test_bad_lines_are_reported_and_keep_their_numbers(self, account):
        other = builders.tiny_images(1, account=builders.an_account())[0]
        lines = [
            b"no",
            {"source-ref": "s3://b/1.png"},
            {"source": "text"},
            {"source-ref": other},
            b'{"source-ref":"s3://b/\\u0000"}',
        ]
        job = a_job(account, lines)
        assert [row.index for row in load(job)] == [1]
        assert job.bad_lines == 4
        reasons = dict(BadLine.objects.filter(job=job).values_list("number", "reason"))
        assert sorted(reasons) == [1, 3, 4, 5]
        assert "belongs to another account" in reasons[4]

    def test_loading_again_changes_nothing(self, account):
        job = a_job(account, [{"source-ref": "s3://b/1.png"}, b"no"])
        before = [row.pk for row in load(job)]
        assert [row.pk for row in load(job)] == before
        assert BadLine.objects.filter(job=job).count() == 1

    def test_only_selected_lines_are_loaded(self, account):
        lines = [{"source-ref": f"s3://b/{n}.png", "n": n} for n in range(10)]
        job = a_job(account, lines, selection={"kind": "filter", "where": "n < 2"})
        assert [row.index for row in load(job)] == [0, 1]

    def test_a_manifest_of_another_account_is_refused(self, account):
        job = a_job(account, [{"source-ref": "s3://b/1.png"}])
        job.input_manifest_uri = builders.a_manifest(builders.an_account(), [{"source-ref": "s3://b/1.png"}])
        with pytest.raises(Forbidden):
            loading.load_objects(job)
        job.input_manifest_uri = storage.join(job.output_uri, "nothing.manifest")
        with pytest.raises(NotFound):
            loading.load_objects(job)
        assert not ObjectLine.objects.exists()

    def test_lines_that_an_earlier_job_labeled_are_labeled(self, account):
        label = {
            "image_size": [{"width": 50, "height": 40, "depth": 3}],
            "annotations": [{"class_id": 0, "left": 1, "top": 2, "width": 3, "height": 4}],
        }

        def line(human, name="bee"):
            about = {"class-map": {"0": name}, "human-annotated": human, "objects": [{"confidence": 0.9}]}
            return {"source-ref": "s3://b/1.png", "boxes": label, "boxes-metadata": about}

        lines = [line("yes"), line("no"), {"source-ref": "s3://b/2.png"}, line("yes", name="elephant")]
        job = a_job(account, lines, label_attribute_name="boxes")
        rows = load(job)
        assert [row.state for row in rows] == [ObjectState.HUMAN, ObjectState.MACHINE, ObjectState.UNLABELED]
        assert (rows[0].width, rows[0].height) == (50, 40)
        assert rows[0].label.value["boxes"][0]["label"] == "bee"
        assert rows[0].label.value["boxes"][0]["confidence"] == 0.9
        assert Label.objects.count() == 2
        assert BadLine.objects.get(job=job).number == 4
        assert read_boxes(json.loads(rows[0].line.text), "boxes").boxes

    def test_null_is_no_label_and_absurd_labels_are_reported_by_line(self, account):
        def line(size, name="bee "):
            label = {"image_size": [size], "annotations": [{"class_id": 0, **dict.fromkeys(SIDES, 5)}]}
            return {"source-ref": "s3://b/1.png", "boxes": label, "boxes-metadata": {"class-map": {"0": name}}}

        lines = [
            {"source-ref": "s3://b/0.png", "boxes": None, "boxes-metadata": None},
            line({"width": 50, "height": 40, "depth": 3}),
            line({"width": 0, "height": 0}),
            line({"width": 10**12, "height": 40}),
        ]
        job = a_job(account, lines, label_attribute_name="boxes")
        rows = load(job)
        assert [row.state for row in rows] == [ObjectState.UNLABELED, ObjectState.HUMAN, ObjectState.HUMAN]
        assert [row.width for row in rows] == [None, 50, None]
        assert rows[1].label.value["boxes"][0]["label"] == "bee"
        bad = BadLine.objects.get(job=job)
        assert bad.number == 4 and "at most 65,535 pixels a side" in bad.reason

    def test_a_line_that_nobody_relabeled_goes_out_byte_for_byte_as_it_came_in(self, account):
        label = (
            b'"boxes" : {"annotations":[{"class_id":7,"left":5.25,"top":5,"width":20,"height":20,"label_id":4711}],'
            b'"image_size":[{"width":0,"height":0,"depth":3}]}, '
            b'"boxes-metadata":{"objects":[{"confidence":0.123456789}],'
            b'"class-map":{"7":"bee","3":"wasp"},"human-annotated":"yes","job-name":"labeling-job/old","x":"caf\\u00e9"}'
        )
        uri = builders.tiny_images(1, account=account)[0]
        raw = b'{"img_quality": "good", "source-ref": "%s", %s }' % (uri.encode(), label)
        job = a_job(account, [raw], label_attribute_name="boxes")
        load(job)
        assert [output_rows.manifest_line(row, job) for row in output_rows.stream(job)] == [raw]
        # The export of the boxes needs the size of the image, which the line does not tell.
        export = exports.create_export(job=job, kind="coco", by="user:1")
        exports.run_export(export.pk)
        export.refresh_from_db()
        assert (export.status, export.item_errors, export.objects_done) == ("Completed", [], 1)
        assert DataObject.objects.get(job=job).width == 48


class TestInspection:
    def test_images_are_measured_and_stored_upright(self, account):
        straight = builders.tiny_images(1, account=account)[0]
        turned = straight.replace("00000.png", "turned.jpg")
        storage.write(turned, builders.image_bytes(form="JPEG", orientation=6))
        rows = load(a_job(account, [{"source-ref": straight}, {"source-ref": turned}]))
        assert inspection.inspect_objects([row.pk for row in rows]) == {}
        for row in rows:
            row.refresh_from_db()
        assert (rows[0].width, rows[0].height, rows[0].upright_uri) == (48, 32, "")
        assert (rows[1].width, rows[1].height) == (32, 48)
        upright = storage.read(rows[1].upright_uri)
        from labeling.formats.images import inspect

        seen = inspect(upright)
        assert (seen.width, seen.height, seen.orientation) == (32, 48, 1)

    def test_unusable_images_fail_with_a_reason_and_the_others_are_used(self, account, settings):
        settings.IMAGE_MAX_BYTES, settings.IMAGE_MAX_PIXELS = 20_000, 10_000
        good = builders.tiny_images(1, account=account)[0]
        bad = {
            "cut.png": (builders.image_bytes()[:80], "damaged"),
            "text.png": (b"hello", "not an image"),
            "heavy.png": (bytes(30_000), "larger than 20,000 bytes"),
            "wide.png": (builders.image_bytes(size=(200, 100)), "10,000 pixels"),
            "gone.png": (None, "there is no such file"),
        }
        uris = [good]
        for name, (data, _) in bad.items():
            uris.append(good.replace("00000.png", name))
            if data is not None:
                storage.write(uris[-1], data)
        rows = load(a_job(account, [{"source-ref": uri} for uri in uris]))
        failures = inspection.inspect_objects([row.pk for row in rows])
        assert sorted(failures) == [row.pk for row in rows[1:]]
        for row, (_, reason) in zip(rows[1:], bad.values(), strict=True):
            assert reason in failures[row.pk]
        rows[0].refresh_from_db()
        assert rows[0].width == 48

    def test_inspected_objects_are_not_inspected_again(self, account):
        uris = builders.tiny_images(3, account=account)
        rows = load(a_job(account, [{"source-ref": uri} for uri in uris]))
        inspection.inspect_objects([rows[0].pk])
        storage.delete(uris[0])
        heard = []
        assert inspection.inspect_objects([row.pk for row in rows], progress=heard.append) == {}
        assert heard == [3]
        assert not DataObject.objects.filter(width=None).exists()

    def test_images_do_not_fail_when_the_store_is_unreachable(self, account, settings):
        settings.S3_ENDPOINT_URL = "http://127.0.0.1:9"
        settings.S3_ACCESS_KEY_ID = settings.S3_SECRET_ACCESS_KEY = "x"
        good = builders.tiny_images(1, account=account)[0]
        rows = load(a_job(account, [{"source-ref": good}, {"source-ref": "s3://bucket/1.png"}]))
        with pytest.raises(storage.StoreUnavailable):
            inspection.inspect_objects([row.pk for row in rows])
        rows[0].refresh_from_db()
        assert rows[0].width == 48, "what was seen is kept"


def test_a_job_may_neither_write_to_nor_show_folders_of_another_account(account):
    other = boundaries.base_of(builders.an_account())
    examples = {"good_examples": [{"uri": other + "/uploads/x.png", "caption": "so"}]}
    with pytest.raises(Invalid) as refused:
        a_job(account, [{"source-ref": "s3://b/1.png"}], output_uri=other + "/out", instructions=examples)
    assert {name for name, _ in refused.value.errors} == {"output_uri", "instructions.good_examples[0]"}
    assert not LabelingJob.objects.exists()
