"""Each type but boxes from a job made over REST to its output manifest, answered by a simulated crowd."""

import json
import threading
import urllib.parse
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from labeling import background, task_types
from labeling.formats import augmented, segments
from labeling.formats.label_context import LabelContext
from labeling.formats.masks import read_palette_png
from labeling.formats.shapes import Drawing, ImageSize, Keypoint, Polygon, Segmentation, Span, Vote
from labeling.models import Answer, DataObject, LabelingJob
from marketplace import storage
from marketplace.services import accounts, boundaries
from tests import builders

pytestmark = pytest.mark.django_db(transaction=True)

LABELS = ["bee", "wasp", "fly"]
TEXTS = [
    "😀 A bee met a fly.",
    "Bees, bees & <b>wasps</b>\r\nand no more",
    "nothing here",
    "wasp wasp wasp",
    "a fly",
    "é bee",
]
ONE = [Vote((label,)) for label in ("bee", "wasp", "fly", "wasp", "fly", "bee")]
SEVERAL = [Vote(labels) for labels in (("bee", "fly"), ("bee", "wasp"), (), ("wasp",), ("fly",), ("bee",))]
ENTITIES = [
    (Span("bee", 4, 7), Span("fly", 14, 17)),
    (Span("bee", 0, 4), Span("wasp", 16, 21)),
    (),
    (Span("wasp", 0, 4),),
    (Span("fly", 2, 5),),
    (Span("bee", 2, 5),),
]


def painted(*drawn: tuple[str, int, int, int, int], instances: bool = False) -> Segmentation:
    """Rectangles (label, left, top, width, height) on a tiny image, one mask a label or one each."""
    pixels = np.zeros((32, 48), np.uint8)
    for number, (label, left, top, width, height) in enumerate(drawn, start=1):
        pixels[top : top + height, left : left + width] = number if instances else LABELS.index(label) + 1
    return segments.from_pixels(pixels, dict(enumerate([one[0] for one in drawn] if instances else LABELS, start=1)))


DRAWN = [
    (("bee", 2, 2, 8, 8), ("fly", 18, 10, 10, 9)),
    (("wasp", 4, 4, 12, 12),),
    (),
    (("bee", 1, 1, 9, 9), ("bee", 14, 2, 9, 9)),
    (("fly", 10, 10, 10, 10),),
    (("bee", 20, 2, 8, 12), ("wasp", 2, 12, 9, 8)),
]
PLACES = [
    [("bee", 10, 10)],
    [("wasp", 30, 8), ("fly", 8, 20)],
    [],
    [("fly", 24, 16)],
    [("bee", 40, 24)],
    [("wasp", 12, 8)],
]


def drawn(shape) -> list[Drawing]:
    """A shape of each label at its place, on pictures of 48 by 32 pixels."""
    return [Drawing(tuple(shape(*place) for place in places), (48, 32)) for places in PLACES]


STORIES = {
    "SemanticSegmentation": [painted(*one) for one in DRAWN],
    "InstanceSegmentation": [painted(*one, instances=True) for one in DRAWN],
    "Polygon": drawn(
        lambda name, x, y: Polygon(name, ((x - 8, y - 7), (x + 8, y - 7), (x + 6, y + 7), (x - 8, y + 7)))
    ),
    "Polyline": drawn(lambda name, x, y: Polygon(name, ((x - 8, y - 7), (x, y), (x + 8, y + 7)), closed=False)),
    "Keypoint": drawn(Keypoint),
    "ImageMultiClassMultiLabel": SEVERAL,
    "TextMultiClass": ONE,
    "TextMultiClassMultiLabel": SEVERAL,
    "NamedEntityRecognition": ENTITIES,
}
JUDGED = ("Polygon", "Polyline", "Keypoint", "InstanceSegmentation", "ImageMultiClass", *list(STORIES)[-4:])
"""The types whose labels are verified here; `ImageMultiClass` has the labels of texts of one class."""
ADJUSTED = JUDGED[:4]
QUICK = {"AdjustmentPolygon", "VerificationNamedEntityRecognition"}
AUDITS = [
    pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow)
    for name in (*(f"Adjustment{one}" for one in ADJUSTED), *(f"Verification{one}" for one in JUDGED))
]


def lines_of(account, kind) -> list[dict]:
    """Six data objects; of the texts the first is a file, the others stand in the manifest."""
    if kind.medium == "image":
        return [{"source-ref": uri} for uri in builders.tiny_images(6, account=account)]
    uri = storage.join(boundaries.base_of(account), "uploads", "first.txt")
    storage.write(uri, b"\xef\xbb\xbf" + TEXTS[0].encode())
    return [{"source-ref": uri}, *({"source": text, "page": n} for n, text in enumerate(TEXTS[1:]))]


def labeled(lines: list[dict], kind, truths: list, account, *, attribute="truth", labels=LABELS) -> list[bytes]:
    """The lines with these labels under the attribute; labels that are files lie in the store."""
    written = []
    for number, (line, truth) in enumerate(zip(lines, truths, strict=True)):
        about = LabelContext(labels=labels, image_size=ImageSize(48, 32), job_name="t")
        value, metadata = kind.manifest_label(truth, about)
        if kind.label_is_file:
            value = storage.join(boundaries.base_of(account), "uploads", attribute, f"{number}.png")
            storage.write(value, kind.label_file(truth, labels=labels))
        written.append(augmented.label_line(json.dumps(line), attribute, value, metadata))
    return written


def attribute_of(kind) -> str:
    return "found-ref" if kind.label_is_file else "found"


def created(api_client, account, team, kind, lines, **more) -> dict:
    design = {
        "name": "types", "task_type": kind.name, "labels": LABELS, "workteam": team.pk, "title": "Which insects?",
        "input_manifest_uri": builders.a_manifest(account, lines), "description": "Look closely.",
        "workers_per_object": 3, "price": "0.012", "expected_seconds": 3, "label_attribute_name": attribute_of(kind),
        **more,
    }  # fmt: skip
    response = api_client.post(
        "/api/v1/labeling-jobs", json.dumps(design), content_type="application/json", headers={"Idempotency-Key": "1"}
    )
    assert response.status_code == 201, response.content
    return response.json()


def crowd_works(live_server, job: LabelingJob, truth: Path) -> str:
    said, failed = StringIO(), []

    def crowd():
        try:
            call_command(
                "simulate_crowd", job=str(job.pk), truth=truth, attribute="truth", workers=3, spammers=0, seed=3,
                url=live_server.url, stdout=said,
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - raised in the test's own thread
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=crowd)
    thread.start()
    while thread.is_alive():
        background.advance_job(job.pk)
        thread.join(0.2)
    assert not failed, failed
    return said.getvalue()


@pytest.mark.parametrize("name", STORIES)
def test_a_job_becomes_a_manifest(live_server, client, tmp_path, name):
    kind, truths = task_types.get(name), STORIES[name]
    owner, account = builders.a_requester(funds="20")
    team = builders.a_team(account=account, workers=[])
    token = accounts.create_token(user=owner, account=account, name="test")[1]
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    lines = lines_of(account, kind)
    truth = tmp_path / "truth.manifest"
    truth.write_bytes(b"\n".join(labeled(lines, kind, truths, account)))
    made = created(client, account, team, kind, lines)
    job = LabelingJob.objects.get(pk=made["id"])

    said = crowd_works(live_server, job, truth)

    assert said.splitlines()[0] == "18 answers, 0 declined", said
    shown = client.get(f"/api/v1/labeling-jobs/{job.pk}").json()
    assert shown["status"] == "Completed" and shown["label_counters"]["HumanLabeled"] == 6
    right = float(said.splitlines()[-1].split(": ")[1].split(" ")[0])
    assert right > 0.6, said
    written = output_of(shown)
    for line, given in zip(written, lines, strict=True):
        assert {name: line[name] for name in given} == given, "what came in goes out"
        attribute = attribute_of(kind)
        assert list(line)[-2:] == [attribute, f"{attribute}-metadata"]
        assert line[f"{attribute}-metadata"]["job-name"] == "labeling-job/types"
    check_lines(kind, written)
    check_objects(client, kind, job, owner)
    check_responses(shown["output_manifest_uri"], kind)


def output_of(shown: dict) -> list[dict]:
    """The lines of a job's output manifest."""
    path = Path(urllib.parse.unquote(urllib.parse.urlsplit(shown["output_manifest_uri"]).path))
    return [json.loads(line) for line in path.read_text().split("\n") if line]


def changes(row: DataObject, kind) -> list[bool]:
    """Of each answer to the object whether it says that its worker changed anything."""
    given = Answer.objects.filter(assignment__task__data_object=row)
    return [answer.content[kind.element.name]["initialValueModified"] for answer in given]


@pytest.mark.parametrize("name", AUDITS)
def test_earlier_labels_become_verdicts_or_better_labels(live_server, client, tmp_path, name):
    """Of three objects the first has a wrong label: it is called bad, or adjusted; the others are good, or stay."""
    kind = task_types.get(name)
    plain = kind.audited
    truths = STORIES.get(plain.name, ONE)[:3]
    owner, account = builders.a_requester(funds="20")
    team = builders.a_team(account=account, workers=[])
    token = accounts.create_token(user=owner, account=account, name="test")[1]
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    before = "before-ref" if plain.label_is_file else "before"
    earlier = labeled(lines_of(account, kind)[:3], plain, [truths[1], *truths[1:]], account, attribute=before)
    lines = [json.loads(line) for line in earlier]
    labels = LABELS if kind.adjusts else ["good", "bad"]
    right = truths if kind.adjusts else [Vote((word,)) for word in ("bad", "good", "good")]
    truth = tmp_path / "truth.manifest"
    truth.write_bytes(b"\n".join(labeled(lines, kind, right, account, labels=labels)))
    made = created(client, account, team, kind, lines, labels=labels, audit_label_attribute_name=before)
    job = LabelingJob.objects.get(pk=made["id"])

    said = crowd_works(live_server, job, truth)

    assert said.splitlines()[0] == "9 answers, 0 declined", said
    shown = client.get(f"/api/v1/labeling-jobs/{job.pk}").json()
    assert shown["status"] == "Completed"
    written, attribute = output_of(shown), attribute_of(kind)
    for line, given in zip(written, lines, strict=True):
        assert {member: line[member] for member in given} == given, "the earlier label stays as it is"
        assert list(line)[-2:] == [attribute, f"{attribute}-metadata"]
    found = [line[f"{attribute}-metadata"] for line in written]
    preview = client.get(f"/api/v1/labeling-jobs/{job.pk}/preview").json()
    if kind.adjusts:
        changed = [set(changes(row, kind)) for row in DataObject.objects.filter(job=job).order_by("index")]
        assert changed[0] == {True}, "everybody saw that the first label is wrong"
        assert [one["adjustment-status"] for one in found] == [
            "adjusted" if True in said else "unadjusted" for said in changed
        ]
        assert {one["type"] for one in found} == {json.loads(earlier[0])[f"{before}-metadata"]["type"]}
        assert preview["initial_value"]
    else:
        names = [one["class-name"] for one in found]
        assert sum(map(str.__eq__, names, ("bad", "good", "good"))) >= 2, names
        assert [line["found"] for line in written] == [str(labels.index(name)) for name in names]
        assert {one["type"] for one in found} == {"groundtruth/label-verification"}
        assert json.loads(preview["element"]["attributes"]["overlay"]) and preview["initial_value"] is None
    client.force_login(owner)
    for row in client.get(f"/api/v1/labeling-jobs/{job.pk}/objects").json()["results"]:
        page = client.get(reverse("requester:object", args=[job.pk, row["id"]]))
        names = [one["name"] for one in page.context["card"]["layers"]["layers"]]
        assert names[0] == "Merged" and names[-1] == "Earlier"


def check_lines(kind, written: list[dict]) -> None:
    """The members of each label, in Ground Truth's order."""
    if kind.label_is_file:
        check_files(kind, written)
        return
    first, metadata = written[0]["found"], written[0]["found-metadata"]
    if kind.name == "NamedEntityRecognition":
        assert list(first) == ["annotations"] and list(first["annotations"]) == ["labels", "entities"]
        assert first["annotations"]["labels"] == [{"label": label} for label in LABELS]
        assert list(metadata) == ["job-name", "type", "creation-date", "human-annotated", "entities"]
        assert {tuple(entity) for line in written for entity in line["found"]["annotations"]["entities"]} == {
            ("label", "startOffset", "endOffset")
        }
        assert all(
            len(line["found-metadata"]["entities"]) == len(line["found"]["annotations"]["entities"]) for line in written
        )
        assert metadata["type"] == "groundtruth/text-span"
    elif kind.name in ("Polygon", "Polyline", "Keypoint"):
        check_shapes(kind, written)
    elif kind.reserved_labels:
        assert list(metadata) == ["job-name", "class-map", "human-annotated", "creation-date", "confidence-map", "type"]
        for line in written:
            classes = line["found-metadata"]["class-map"]
            assert [LABELS[number] for number in line["found"]] == [classes[str(number)] for number in line["found"]]
            assert set(line["found-metadata"]["confidence-map"]) == set(classes)
        medium = "image" if kind.medium == "image" else "text"
        assert metadata["type"] == f"groundtruth/{medium}-classification-multilabel"
    else:
        assert list(metadata) == ["confidence", "job-name", "class-name", "human-annotated", "creation-date", "type"]
        assert LABELS[first] == metadata["class-name"] and metadata["type"] == "groundtruth/text-classification"


def check_files(kind, written: list[dict]) -> None:
    """Each label is an indexed PNG in the store, whose pixels and colours are what its colour map says."""
    for number, line in enumerate(written):
        metadata = line["found-ref-metadata"]
        assert list(metadata) == ["internal-color-map", "type", "human-annotated", "creation-date", "job-name"]
        assert metadata["type"] == kind.manifest_type
        entries = metadata["internal-color-map"]
        assert entries["0"]["class-name"] == "BACKGROUND" and entries["0"]["hex-color"] == "#ffffff"
        folder, name = line["found-ref"].rsplit("/", 1)
        assert folder.endswith("/types/annotations/consolidated-annotation/output") and name.startswith(f"{number}_20")
        values, colors = read_palette_png(storage.read(line["found-ref"]))
        assert values.shape == (32, 48)
        for index, color in colors.items():
            assert entries[str(index)]["hex-color"] == color
            assert 0 <= entries[str(index)]["confidence"] <= 1
        named = {entry["class-name"] for entry in entries.values()} - {"BACKGROUND"}
        assert named <= set(LABELS)
        if kind.manifest_type == augmented.TYPE_SEGMENTATION:
            assert all(LABELS[int(index) - 1] == entries[index]["class-name"] for index in set(entries) - {"0"})
            assert len({entry["confidence"] for entry in entries.values()}) == 1, "one for the image, as AWS has it"
    assert written[2]["found-ref-metadata"]["internal-color-map"].keys() == {"0"}, "nothing is there"


def check_shapes(kind, written: list[dict]) -> None:
    """The element's value with the metadata of a custom job; nothing is an empty list."""
    for line, places in zip(written, PLACES, strict=True):
        label, metadata = line["found"], line["found-metadata"]
        assert list(label) == ["inputImageProperties", kind.member]
        assert label["inputImageProperties"] == {"height": 32, "width": 48}
        assert list(metadata) == ["objects", "type", "human-annotated", "creation-date", "job-name"]
        assert metadata["type"] == "groundtruth/custom"
        assert len(metadata["objects"]) == len(label[kind.member])
        if not places:
            continue
        assert {shape["label"] for shape in label[kind.member]} <= {*LABELS}
        assert kind.read_manifest(line, "found").answer.size == (48, 32)
    assert any(line["found"][kind.member] for line in written)


def check_objects(client, kind, job, owner) -> None:
    """The requester sees each object's text, exactly as it is, as plain text that no browser takes for a page."""
    rows = client.get(f"/api/v1/labeling-jobs/{job.pk}/objects").json()["results"]
    preview = client.get(f"/api/v1/labeling-jobs/{job.pk}/preview").json()
    assert preview["element"] == {
        "tag": kind.element.tag,
        "name": kind.element.name,
        "attributes": dict(kind.element.attributes),
        "whole": False,
        "comment": "",
    }
    if kind.medium == "image":
        assert preview["text_url"] is None and preview["image_url"]
        return
    assert preview["image_url"] is None and preview["text_url"] == rows[0]["image_url"]
    for row, text in zip(rows, TEXTS, strict=True):
        assert (row["width"], row["height"]) == (len(text), 1)
        response = client.get(row["image_url"])
        assert response.content.decode() == text
        assert response["Content-Type"] == "text/plain; charset=utf-8"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"


def check_responses(manifest_uri, kind) -> None:
    """The worker responses hold the element's answers; what consolidation was given holds an inline text itself."""
    root = manifest_uri.removesuffix("manifests/output/output.manifest")
    stored = [one.uri for one in storage.list(f"{root}annotations/")]
    answers = [json.loads(storage.read(uri)) for uri in stored if "/worker-response/" in uri]
    assert len(answers) == 6 and all(len(one["answers"]) == 3 for one in answers)
    assert {tuple(a["answerContent"]) for one in answers for a in one["answers"]} == {(kind.element.name,)}
    (request,) = [uri for uri in stored if "consolidation-request" in uri][:1]
    shown = [one["dataObject"] for one in json.loads(storage.read(request))]
    if kind.medium == "image":
        assert all(list(one) == ["s3Uri"] for one in shown)
    else:
        assert [list(one) for one in shown] == [["s3Uri"], *[["content"]] * 5]
        assert [one["content"] for one in shown[1:]] == TEXTS[1:]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["VideoObjectDetection", "3DPointCloudObjectDetection"])
def test_video_and_point_clouds_are_refused_in_words(client, name):
    owner, account = builders.a_requester(funds="20")
    client.force_login(owner)
    body = {"name": "frames", "labels": ["bee"], "title": "t", "description": "d", "price": "0.036", "task_type": name}
    body |= {"workteam": builders.a_team(account=account, workers=[]).pk, "input_manifest_uri": "s3://b/m"}
    refused = client.post("/api/v1/labeling-jobs", body, content_type="application/json")
    assert refused.status_code == 400
    (wrong,) = [one for one in refused.json()["errors"] if one["field"] == "task_type"]
    assert f"'{name}' found, video and 3D point clouds are not labeled here; one of BoundingBox," in wrong["reason"]
