"""Jobs of polygons and key points: answers, merged labels, decisions, labels that come along, COCO."""

import io
import json
import zipfile

import pytest

from labeling.models import DataObject, Export
from labeling.services.jobs import advancing, creation
from labeling.services.output import exports, rows
from labeling.services.results import adjudication
from marketplace import storage
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db

PROPERTIES = {"height": stories.SIZE[1], "width": stories.SIZE[0]}


def vertices(*corners: tuple[float, float]) -> list[dict[str, float]]:
    return [{"x": x, "y": y} for x, y in corners]


def polygon(left: float, label: str = "bee") -> dict:
    corners = vertices((left, 100), (left + 40, 100), (left + 40, 130), (left, 130))
    return {"label": label, "vertices": corners}


def answer(member: str, *shapes: dict) -> dict:
    return {"annotatedResult": {"inputImageProperties": PROPERTIES, member: list(shapes)}}


def answered(job, workers, said) -> DataObject:
    """The object of a job of one object, once each worker has said their own."""
    advancing.advance_job(job.pk)
    for worker, content in zip(workers, said, strict=True):
        assert stories.work(worker, job, content) == 1
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    return DataObject.objects.select_related("label").get(job=job)


def coco(job) -> tuple[dict, list[dict]]:
    """The COCO export of a job, and what was noted of its objects."""
    export = exports.create_export(job=job, kind="coco", by="user:1")
    exports.run_export(export.pk)
    export = Export.objects.get(pk=export.pk)
    archive = zipfile.ZipFile(io.BytesIO(storage.read(export.uri)))
    return json.loads(archive.read("annotations/instances_default.json")), export.item_errors


def test_polygons_are_merged_decided_and_exported():
    job, workers = stories.a_funded_job(task_type="Polygon", objects=1)
    said = [answer("polygons", polygon(100)), answer("polygons", polygon(102), polygon(400)),
            answer("polygons", polygon(110))]  # fmt: skip
    row = answered(job, workers, said)
    assert job.status == "Completed" and row.label.algorithm == "polygons/2"
    (shape,) = row.label.value["polygons"]
    left = min(one["x"] for one in shape["vertices"])
    assert 101 < left < 105, "the mean, the far one counting less"
    assert 0.7 < shape["confidence"] == row.label.confidence < 0.9
    clusters = row.label.explanation["clusters"]
    assert [(one["kept"], len(one["members"])) for one in clusters] == [(True, 3), (False, 1)]

    line = json.loads(rows.manifest_line(next(rows.stream(job)), job))
    about = line[f"{job.label_attribute_name}-metadata"]
    assert (
        line[job.label_attribute_name]
        == answer("polygons", {"label": "bee", "vertices": shape["vertices"]})["annotatedResult"]
    )
    assert (about["type"], about["objects"]) == ("groundtruth/custom", [{"confidence": row.label.confidence}])

    document, noted = coco(job)
    (found,) = document["annotations"]
    assert found["segmentation"] == [[one[axis] for one in shape["vertices"] for axis in "xy"]]
    assert found["bbox"] == pytest.approx([left, 100, 40, 30], abs=1) and found["area"] == pytest.approx(1200, abs=30)
    assert found["score"] == row.label.confidence
    assert noted == []

    label = adjudication.adjudicate(data_object=row, content=answer("polygons"), by="user:1")
    assert label.value == {"polygons": [], "inputImageProperties": PROPERTIES}, "nothing here is a label, too"
    assert coco(job)[0]["annotations"] == []


def test_key_points_are_merged():
    job, workers = stories.a_funded_job(task_type="Keypoint", objects=1)
    said = [answer("keypoints", {"label": "bee", "x": x, "y": y}) for x, y in ((100, 50), (104, 56), (101, 58))]
    row = answered(job, workers, said)
    (point,) = row.label.value["keypoints"]
    assert point["label"] == "bee" and 100 < point["x"] < 104 and 50 < point["y"] < 58
    assert exports.formats(job) == ["manifest", "worker-answers", "coco", "huggingface"]


def test_polygons_of_an_earlier_job_come_along():
    """One that reaches out of its image is clipped in COCO and said so; lines that cannot be read are reported."""
    account = stories.an_account()
    (uri,) = builders.tiny_images(1, account=account, size=(48, 32))
    about = {"type": "groundtruth/custom", "human-annotated": "yes", "job-name": "labeling-job/earlier"}
    shapes = [{"label": "bee", "vertices": vertices((4, 4), (60, 4), (20, 20))}]
    label = {"inputImageProperties": {"height": 32, "width": 48}, "polygons": shapes}
    line = {"source-ref": uri, "area": label, "area-metadata": about | {"objects": [{"confidence": 0.75}]}}
    short = {"label": "bee", "vertices": vertices((1, 1), (2, 2))}
    lines = [line, line | {"area": label | {"polygons": [short]}}, line | {"area": {"polygons": shapes}}]
    job = creation.create_job(
        **stories.a_design(
            account,
            builders.a_team(account=account, workers=stories.a_crowd(1)),
            task_type="Polygon",
            input_manifest_uri=builders.a_manifest(account, lines),
            label_attribute_name="area",
        )
    )
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    row = DataObject.objects.select_related("label").get(job=job)
    assert (job.status, job.bad_lines, row.state) == ("Completed", 2, "HumanLabeled")
    assert row.label.value["polygons"] == [shapes[0] | {"confidence": 0.75}]
    document, noted = coco(job)
    (found,) = document["annotations"]
    assert found["segmentation"] == [[4, 4, 48, 4, 20, 20]]
    reason = "polygon 1: the outline reaches out of the image (48 x 32): it was clipped"
    assert noted == [{"object": "0", "reason": reason, "used": True}]
