"""Boxes, their verification, the adjustment of those called bad: each job begins with the output of the last."""

import json

import numpy as np
import pytest

from labeling import background, task_types
from labeling.formats import augmented, segments
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import Box, ImageSize, Segmentation, Vote
from labeling.models import DataObject, LabelingJob
from marketplace import storage
from marketplace.services import accounts, boundaries
from tests import builders
from tests.frontend.test_task_types_end_to_end import crowd_works

pytestmark = pytest.mark.django_db(transaction=True)

SIZE = (480, 320)
CLASSES = ["bee", "wasp"]
TRUE = [
    [Box("bee", 50, 50, 100, 80)],
    [Box("wasp", 200, 100, 120, 120), Box("bee", 20, 20, 90, 90)],
    [],
    [Box("bee", 300, 40, 100, 200)],
]
EARLIER = [
    [Box("bee", 52.5, 47.5, 105, 80)],
    [Box("wasp", 200, 100, 120, 120)],  # one is missing
    [],
    [Box("wasp", 50, 40, 100, 200)],  # at the wrong place, and of the wrong class
]
VERDICTS = [Vote((word,)) for word in ("good", "bad", "good", "bad")]


@pytest.fixture
def api(client):
    """A requester with a team; `post` makes a job of a design and returns what is shown of it."""
    owner, account = builders.a_requester(funds="50")
    team = builders.a_team(account=account, workers=1)
    client.defaults["HTTP_AUTHORIZATION"] = (
        f"Bearer {accounts.create_token(user=owner, account=account, name='test')[1]}"
    )
    base = {
        "workteam": team.pk, "title": "Insects", "description": "Look closely.", "workers_per_object": 3,
        "price": "0.036", "expected_seconds": 3,
    }  # fmt: skip

    class Api:
        def __init__(self):
            self.account, self.client, self.owner = account, client, owner

        def post(self, status=201, **design):
            response = client.post(
                "/api/v1/labeling-jobs",
                json.dumps(base | design),
                content_type="application/json",
                headers={"Idempotency-Key": design["name"]},
            )
            assert response.status_code == status, response.content
            return response.json()

        def get(self, path):
            response = client.get(f"/api/v1/{path}")
            assert response.status_code == 200, response.content
            return response.json()

    return Api()


def written(job: LabelingJob) -> list[dict]:
    """The lines of its output manifest."""
    uri = storage.join(job.output_uri, job.name, "manifests/output/output.manifest")
    return [json.loads(line) for line in storage.read(uri).decode().split("\n") if line]


def labeled(lines, attribute, kind, labels, answers) -> list[dict]:
    """The lines with these labels, as an earlier job would have written them."""
    made = []
    for line, answer in zip(lines, answers, strict=True):
        about = LabelContext(labels=labels, image_size=ImageSize(*SIZE), job_name="earlier")
        value, metadata = kind.manifest_label(answer, about)
        made.append(json.loads(augmented.label_line(json.dumps(line), attribute, value, metadata)))
    return made


def finished(made: dict) -> LabelingJob:
    """The job after it had time for all its steps."""
    background.advance_job(made["id"])
    return LabelingJob.objects.get(pk=made["id"])


def test_labels_are_verified_and_the_bad_ones_adjusted(live_server, api, tmp_path):
    boxes, verify, adjust = (
        task_types.get(name) for name in ("BoundingBox", "VerificationBoundingBox", "AdjustmentBoundingBox")
    )
    lines = [
        {"source-ref": uri, "page": n} for n, uri in enumerate(builders.tiny_images(4, account=api.account, size=SIZE))
    ]
    lines = labeled(lines, "boxes", boxes, CLASSES, EARLIER)
    # A job in which every object has a label is over at once, and hands all of them on.
    first = finished(
        api.post(name="first", labels=CLASSES, label_attribute_name="boxes",
                 input_manifest_uri=builders.a_manifest(api.account, lines))
    )  # fmt: skip
    assert first.status == "Completed" and written(first) == lines

    truth = tmp_path / "truth.manifest"
    verdicts = labeled(lines, "truth", verify, ["good", "bad"], VERDICTS)
    truth.write_text("\n".join(map(json.dumps, verdicts)))
    made = api.post(
        name="second", task_type=verify.name, labels=["good", "bad"], input_job=first.pk, label_attribute_name="seen",
        audit_label_attribute_name="boxes",
    )  # fmt: skip
    assert made["audit_label_attribute_name"] == "boxes"
    second = LabelingJob.objects.get(pk=made["id"])
    said = crowd_works(live_server, second, truth)
    assert said.splitlines()[0] == "12 answers, 0 declined", said

    shown = api.get(f"labeling-jobs/{second.pk}/preview")
    assert shown["element"]["tag"] == "crowd-image-classifier" and shown["initial_value"] is None
    overlay = json.loads(shown["element"]["attributes"]["overlay"])["boundingBox"]
    assert overlay["value"] == [{"label": "bee", "left": 52.5, "top": 47.5, "width": 105, "height": 80}]
    output = written(second)
    for line, given, verdict in zip(output, lines, VERDICTS, strict=True):
        assert {name: line[name] for name in given} == given, "the earlier label stays as it is"
        metadata = line["seen-metadata"]
        assert line["seen"] == str(["good", "bad"].index(verdict.label)) and metadata["class-name"] == verdict.label
        assert metadata["type"] == "groundtruth/label-verification"
        assert metadata["job-name"] == "labeling-job/second"

    # Only what was called bad is adjusted; the condition is that of data selection.
    truth.write_text("\n".join(map(json.dumps, labeled(lines, "truth", boxes, CLASSES, TRUE))))
    made = api.post(
        name="third", task_type=adjust.name, labels=CLASSES, input_job=second.pk, label_attribute_name="adjusted",
        audit_label_attribute_name="boxes",
        selection={"kind": "filter", "where": "\"seen-metadata\".\"class-name\" = 'bad'"},
    )  # fmt: skip
    third = LabelingJob.objects.get(pk=made["id"])
    crowd_works(live_server, third, truth)
    output = written(third)
    assert [line["page"] for line in output] == [1, 3]
    for line in output:
        assert line["adjusted-metadata"]["adjustment-status"] == "adjusted"
        assert line["adjusted-metadata"]["type"] == "groundtruth/object-detection"
        assert line["boxes"] == lines[line["page"]]["boxes"] and line["seen-metadata"]["class-name"] == "bad"
    before = sum(boxes.score_against_truth(EARLIER[page], TRUE[page]) for page in (1, 3))
    found = {line["page"]: adjust.read_manifest(line, "adjusted").answer for line in output}
    assert sum(adjust.score_against_truth(one, TRUE[page]) for page, one in found.items()) > before
    answers = [json.loads(storage.read(one.uri)) for one in storage.list(storage.join(third.output_uri, "third"))
               if "/worker-response/" in one.uri]  # fmt: skip
    assert all("initialValueModified" in one["answerContent"]["boundingBox"] for a in answers for one in a["answers"])


def test_what_nobody_changes_keeps_its_boxes(live_server, api, tmp_path):
    """All labels are right: people leave them, and also say that there is nothing where nothing was found."""
    boxes, adjust = task_types.get("BoundingBox"), task_types.get("AdjustmentBoundingBox")
    lines = [{"source-ref": uri} for uri in builders.tiny_images(2, account=api.account, size=SIZE)]
    lines = labeled(lines, "boxes", boxes, CLASSES, [EARLIER[0], []])
    truth = tmp_path / "truth.manifest"
    truth.write_text("\n".join(map(json.dumps, labeled(lines, "truth", boxes, CLASSES, [EARLIER[0], []]))))
    made = api.post(
        name="again", task_type=adjust.name, labels=CLASSES, audit_label_attribute_name="boxes",
        input_manifest_uri=builders.a_manifest(api.account, lines),
    )  # fmt: skip
    job = LabelingJob.objects.get(pk=made["id"])
    crowd_works(live_server, job, truth)
    for line in written(job):
        assert line["again"]["annotations"] == line["boxes"]["annotations"]
        assert line["again-metadata"]["adjustment-status"] == "unadjusted"


def test_an_object_without_a_label_to_look_at_is_not_sent_and_says_why(api):
    """It fails with the reason, as everything that cannot be labeled; its line keeps what it had."""
    boxes = task_types.get("BoundingBox")
    uris = builders.tiny_images(4, account=api.account, size=SIZE)
    lines = labeled([{"source-ref": uri} for uri in uris], "boxes", boxes, CLASSES, EARLIER)
    del lines[1]["boxes"], lines[1]["boxes-metadata"]
    lines[2] = {"source-ref": uris[2], "boxes-metadata": {"failure-reason": "ClientError: it broke"}}
    job = finished(
        api.post(
            name="adjusting", task_type="AdjustmentBoundingBox", labels=["bee"], audit_label_attribute_name="boxes",
            input_manifest_uri=builders.a_manifest(api.account, lines),
        )
    )  # fmt: skip
    rows = list(DataObject.objects.filter(job=job).order_by("index"))
    assert [row.state for row in rows] == ["PendingHuman", "Failed", "Failed", "Failed"]
    assert rows[1].failure_reason == "it has no earlier label that can be shown: 'boxes' is missing"
    assert "it broke" in rows[2].failure_reason
    assert rows[3].failure_reason.endswith("it has a class that the job does not have: wasp")


def test_chained_jobs_ask_people_only_for_what_has_no_label(api):
    """Under the same attribute what has a label goes through as it is, and only the rest is sent to people."""
    boxes = task_types.get("BoundingBox")
    uris = builders.tiny_images(2, account=api.account, size=SIZE)
    lines = labeled([{"source-ref": uri} for uri in uris], "boxes", boxes, CLASSES, EARLIER[:2])
    first = finished(
        api.post(name="first", labels=CLASSES, label_attribute_name="boxes",
                 input_manifest_uri=builders.a_manifest(api.account, lines))
    )  # fmt: skip
    lines[1] = {"source-ref": uris[1]}
    storage.write(
        api.get(f"labeling-jobs/{first.pk}")["output_manifest_uri"], "\n".join(map(json.dumps, lines)).encode()
    )
    second = finished(api.post(name="second", labels=CLASSES, label_attribute_name="boxes", input_job=first.pk))
    rows = DataObject.objects.filter(job=second).order_by("index")
    assert [row.state for row in rows] == ["HumanLabeled", "PendingHuman"]
    assert second.queue.tasks.count() == 1


def test_a_design_that_looks_at_no_label_or_its_own_is_refused(api):
    given = {
        "labels": CLASSES,
        "input_manifest_uri": builders.a_manifest(api.account, [{"source-ref": "s3://b/1.png"}]),
    }
    verify = given | {"task_type": "VerificationBoundingBox", "name": "looking"}
    refused = api.post(400, **verify)
    assert [one["field"] for one in refused["errors"]] == ["audit_label_attribute_name"]
    refused = api.post(400, **verify, audit_label_attribute_name="looking")
    ((field, reason),) = [(one["field"], one["reason"]) for one in refused["errors"]]
    assert field == "label_attribute_name" and reason.endswith("must differ from the label it reviews")
    refused = api.post(400, **given, name="plain", audit_label_attribute_name="boxes")
    assert "only verification and adjustment jobs" in str(refused)
    assert not LabelingJob.objects.exists()


def test_only_a_job_that_is_over_can_be_chained(api):
    uri = builders.a_manifest(
        api.account, [{"source-ref": one} for one in builders.tiny_images(1, account=api.account)]
    )
    first = finished(api.post(name="first", labels=CLASSES, input_manifest_uri=uri))
    refused = api.post(400, name="second", labels=CLASSES, input_job=first.pk)
    assert "InProgress: it can be chained when it is over" in str(refused)
    assert "either the output of a job or a manifest" in str(
        api.post(400, name="third", labels=CLASSES, input_job=first.pk, input_manifest_uri=uri)
    )
    _, stranger = builders.a_requester()
    LabelingJob.objects.update(account=stranger)
    assert api.post(404, name="fourth", labels=CLASSES, input_job=first.pk)


def painted(**classes: tuple[int, int, int, int]) -> Segmentation:
    """Rectangles (left, top, right, bottom) of classes."""
    pixels = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    for number, (left, top, right, bottom) in enumerate(classes.values(), start=1):
        pixels[top:bottom, left:right] = number
    return segments.from_pixels(pixels, dict(enumerate(classes, start=1)))


def with_masks(account, lines, kind, attribute, masks) -> list[dict]:
    """The lines with these masks, each in a file of the account's."""
    made = labeled(lines, attribute, kind, CLASSES, masks)
    for number, (line, mask) in enumerate(zip(made, masks, strict=True)):
        line[attribute] = storage.join(boundaries.base_of(account), "uploads", f"{attribute}-{number}.png")
        storage.write(line[attribute], kind.label_file(mask, labels=CLASSES))
    return made


def test_masks_are_verified_and_adjusted(live_server, api, tmp_path):
    """The earlier masks are files in the store; the verdict shows them, and the adjustment begins with them."""
    masks, verify, adjust = (
        task_types.get(name)
        for name in ("SemanticSegmentation", "VerificationSemanticSegmentation", "AdjustmentSemanticSegmentation")
    )
    before = [painted(bee=(50, 50, 150, 130)), painted()]
    lines = [{"source-ref": uri} for uri in builders.tiny_images(2, account=api.account, size=SIZE)]
    lines = with_masks(api.account, lines, masks, "city-ref", before)
    manifest = builders.a_manifest(api.account, lines)

    truth = tmp_path / "truth.manifest"
    verdicts = labeled(lines, "truth", verify, ["good", "bad"], VERDICTS[:2])
    truth.write_text("\n".join(map(json.dumps, verdicts)))
    made = api.post(
        name="looked", task_type=verify.name, labels=["good", "bad"], input_manifest_uri=manifest,
        audit_label_attribute_name="city-ref",
    )  # fmt: skip
    first = LabelingJob.objects.get(pk=made["id"])
    crowd_works(live_server, first, truth)
    assert [line["looked-metadata"]["class-name"] for line in written(first)] == ["good", "bad"]
    shown = api.get(f"labeling-jobs/{first.pk}/preview")
    overlay = json.loads(shown["element"]["attributes"]["overlay"])["semanticSegmentation"]
    assert overlay["labels"] == ["bee"] and overlay["src"].startswith("data:image/png;base64,")

    design = {
        "task_type": adjust.name, "labels": CLASSES, "input_job": first.pk, "label_attribute_name": "better-ref",
        "audit_label_attribute_name": "city-ref",
    }  # fmt: skip
    refused = api.post(400, name="nofile", **design | {"label_attribute_name": "better"})
    assert [one["field"] for one in refused["errors"]] == ["label_attribute_name"]
    after = [before[0], painted(wasp=(10, 20, 60, 90))]
    truth.write_text("\n".join(map(json.dumps, with_masks(api.account, lines, masks, "truth", after))))
    second = LabelingJob.objects.get(pk=api.post(name="better", **design)["id"])
    finished({"id": second.pk})
    shown = api.get(f"labeling-jobs/{second.pk}/preview")
    assert list(shown["initial_value"]["labelMappings"]) == ["bee"]
    crowd_works(live_server, second, truth)
    for line, given in zip(written(second), lines, strict=True):
        assert line["city-ref"] == given["city-ref"] and line["better-ref"].endswith(".png")
        assert line["better-ref-metadata"]["type"] == "groundtruth/semantic-segmentation"
    assert written(second)[1]["better-ref-metadata"]["adjustment-status"] == "adjusted"
