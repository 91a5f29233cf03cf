"""An installation whose store moves: images, exports, models, examples and manifests are found at the new place."""

import io
import json
import tempfile
import zipfile
from pathlib import Path

import pytest
from django.db import connection

from labeling.models import DataObject, Export, LabelingJob
from labeling.services.intake import images, inspection, loading, samples
from labeling.services.jobs import creation, status
from labeling.services.jobs.batches import open_batch
from labeling.services.output import exports, manifests
from labeling.services.queue import batches
from learning.models import Model, TrainingJob
from learning.services import registry
from marketplace import storage
from marketplace.services import boundaries, store_addresses
from tests import builders
from tests.labeling import stories
from tests.object_stores import make_bucket, s3_servers  # noqa: F401

pytestmark = pytest.mark.django_db

TEXTS = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = current_schema() AND data_type IN ('text', 'character varying', 'jsonb')
ORDER BY 1, 2
"""
HISTORY = {("marketplace_storeaddress", "url")}


def where_the_database_holds(text: str) -> set[tuple[str, str]]:
    """Every column of which a row holds this text."""
    with connection.cursor() as cursor:
        cursor.execute(TEXTS)
        columns = cursor.fetchall()
        found = set()
        for table, column in columns:
            cursor.execute(f'SELECT 1 FROM "{table}" WHERE strpos("{column}"::text, %s) > 0 LIMIT 1', [text])
            if cursor.fetchone():
                found.add((table, column))
    return found


@pytest.fixture(params=["files", "s3"])
def move(request, settings):
    """A store, and the function that moves it."""
    if request.param == "files":
        with tempfile.TemporaryDirectory() as name:
            settings.STORE_URL = (Path(name) / "old store").as_uri()
            storage.prepare(settings.STORE_URL)

            def to_another_folder() -> None:
                (Path(name) / "old store").rename(Path(name) / "moved")
                settings.STORE_URL = (Path(name) / "moved").as_uri()

            yield to_another_folder
        return
    bucket = request.getfixturevalue("make_bucket")
    servers = request.getfixturevalue("s3_servers")
    settings.STORE_URL = f"{bucket(servers['moto'])}/waggle"

    def to_another_bucket() -> None:
        before = settings.STORE_URL
        found = [(item.uri, storage.read(item.uri)) for item in storage.list(before + "/")]
        settings.STORE_URL = f"{bucket(servers['moto'])}/bees"
        for uri, content in found:
            storage.write(settings.STORE_URL + uri.removeprefix(before), content)
            storage.delete(before + uri.removeprefix(before))

    yield to_another_bucket


def a_finished_job(account) -> LabelingJob:
    """A job on a zip of pictures, one of them turned; labeled, exported, with an example picture."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("Wiese/Biene ü.png", builders.image_bytes(number=1))
        archive.writestr("turned.jpg", builders.image_bytes(form="JPEG", orientation=8))
    uri = storage.join(boundaries.base_of(account), "uploads", "pictures.zip")
    storage.write(uri, buffer.getvalue())
    example = builders.tiny_images(1, account=account)[0]
    dataset = builders.a_dataset(account=account, kind="zip", uri=uri, name="pictures")
    workers = stories.a_crowd(1)
    team = builders.a_team(account=account, workers=workers)
    instructions = {"short": "", "full": "", "good_examples": [{"uri": example, "caption": "a bee"}],
                    "bad_examples": []}  # fmt: skip
    design = stories.a_design(account, team, dataset=dataset, input_manifest_uri=None, workers_per_object=1,
                              instructions=instructions)  # fmt: skip
    job = creation.create_job(**design)
    loading.load_objects(job)
    ids = list(DataObject.objects.filter(job=job).order_by("index").values_list("pk", flat=True))
    inspection.inspect_objects(ids)
    status.move(job, "InProgress", by="system")
    batch = open_batch(job=job, object_ids=ids, by="system")
    for row in DataObject.objects.filter(job=job):
        seat = stories.assignments.claim(worker=workers[0], queue=job.queue)
        assert seat is not None
        size = {"width": row.width, "height": row.height}
        box = {"left": 1, "top": 1, "width": 5, "height": 5, "label": "bee"}
        stories.answer(seat, {"boundingBox": {"boundingBoxes": [box], "inputImageProperties": size}})
    batches.stop_batch(batch=batch, by="system")
    manifests.refresh_output(job.pk)
    export = exports.create_export(job=job, kind="coco", by="user:1")
    exports.run_export(export.pk)
    return job


def a_model(account) -> Model:
    base = registry._base(account, "bees")
    storage.write(storage.join(base, registry.ARCHIVE), b"a model")
    model = Model.objects.create(account=account, name="bees", architecture="x", labels=["bee"],
                                 artifact_uri=storage.join(base, registry.ARCHIVE), parts_uri=base)  # fmt: skip
    TrainingJob.objects.create(account=account, name="bees", model=model,
                               channels={"train": {"manifest_uri": storage.join(base, "train.manifest")}})  # fmt: skip
    return model


def test_everything_is_found_where_the_store_is_now(move, settings):
    account = builders.an_account()
    store_addresses.note_present()
    job, model = a_finished_job(account), a_model(account)
    before = settings.STORE_URL
    assert where_the_database_holds(before) <= HISTORY
    old_lines = list(exports_lines(job))
    move()
    assert before != settings.STORE_URL
    store_addresses.note_present()

    job = LabelingJob.objects.get(pk=job.pk)
    rows = list(DataObject.objects.filter(job=job).order_by("index"))
    for row in rows:
        assert images.image_uri(row).startswith(settings.STORE_URL)
        assert storage.read(images.image_uri(row)) and storage.read(row.source_ref)
    assert rows[0].source_name == "Wiese/Biene ü.png" and any(row.upright_uri for row in rows)
    assert storage.read(job.instructions["good_examples"][0]["uri"])
    assert zipfile.is_zipfile(io.BytesIO(storage.read(Export.objects.get().uri)))
    assert storage.read(registry.part_uri(Model.objects.get(pk=model.pk), registry.ARCHIVE)) == b"a model"
    channels = TrainingJob.objects.get().channels
    assert channels["train"]["manifest_uri"].startswith(settings.STORE_URL)

    # What goes out names the pictures where they are, and is otherwise as it was.
    lines = list(exports_lines(job))
    assert [line["source-ref"] for line in lines] == [row.source_ref for row in rows]
    moved = [{**line, "source-ref": line["source-ref"].replace(before, settings.STORE_URL)} for line in old_lines]
    assert lines == moved


def test_manifests_of_before_lead_to_the_pictures(move, settings):
    account = builders.an_account()
    store_addresses.note_present()
    job = a_finished_job(account)
    move()
    job = LabelingJob.objects.get(pk=job.pk)
    assert job.dataset is not None
    assert samples.sample(dataset=job.dataset, number=0).uri.startswith(settings.STORE_URL)
    # A job on the earlier data set, and one on the earlier job's output.
    for source in ({"dataset": job.dataset, "input_manifest_uri": None},
                   {"input_manifest_uri": manifests.manifest_uri(job)}):  # fmt: skip
        team = builders.a_team(account=account, workers=0)
        following = creation.create_job(**stories.a_design(account, team, **source))
        loading.load_objects(following)
        rows = DataObject.objects.filter(job=following)
        assert rows.count() == 2
        assert all(storage.size(row.source_ref) for row in rows)


def exports_lines(job: LabelingJob):
    """The lines of a manifest that is exported now."""
    export = exports.create_export(job=job, kind="manifest", by="user:1")
    exports.run_export(export.pk)
    export.refresh_from_db()
    uri = export.uri
    lines = [json.loads(line) for line in storage.read(uri).splitlines()]
    export.delete()
    storage.delete(uri)
    return lines
