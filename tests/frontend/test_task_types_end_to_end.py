"""Each classification and text type from a job made over REST to its output manifest, answered by a simulated crowd."""

import json
import threading
import urllib.parse
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from labeling import background, task_types
from labeling.formats import augmented
from labeling.formats.shapes import ImageSize, Span, Vote
from labeling.models import LabelingJob
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
STORIES = {
    "ImageMultiClassMultiLabel": SEVERAL,
    "TextMultiClass": ONE,
    "TextMultiClassMultiLabel": SEVERAL,
    "NamedEntityRecognition": ENTITIES,
}


def lines_of(account, kind) -> list[dict]:
    """Six data objects; of the texts the first is a file, the others stand in the manifest."""
    if kind.medium == "image":
        return [{"source-ref": uri} for uri in builders.tiny_images(6, account=account)]
    uri = storage.join(boundaries.base_of(account), "uploads", "first.txt")
    storage.write(uri, b"\xef\xbb\xbf" + TEXTS[0].encode())
    return [{"source-ref": uri}, *({"source": text, "page": n} for n, text in enumerate(TEXTS[1:]))]


def with_truth(lines: list[dict], kind, truths: list) -> bytes:
    """The manifest with the true labels under "truth"."""
    written = []
    for line, truth in zip(lines, truths, strict=True):
        value, metadata = kind.manifest_label(
            truth, labels=LABELS, image_size=ImageSize(1, 1), human_annotated=True, job_name="t", created=None,
            model_name=None,
        )  # fmt: skip
        written.append(augmented.label_line(json.dumps(line), "truth", value, metadata))
    return b"\n".join(written)


def created(api_client, account, team, kind, lines) -> dict:
    design = {
        "name": "types", "task_type": kind.name, "labels": LABELS, "workteam": team.pk, "title": "Which insects?",
        "input_manifest_uri": builders.a_manifest(account, lines), "description": "Look closely.",
        "workers_per_object": 3, "price": "0.012", "expected_seconds": 3, "label_attribute_name": "found",
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
    truth.write_bytes(with_truth(lines, kind, truths))
    made = created(client, account, team, kind, lines)
    job = LabelingJob.objects.get(pk=made["id"])

    said = crowd_works(live_server, job, truth)

    assert said.splitlines()[0] == "18 answers, 0 declined", said
    shown = client.get(f"/api/v1/labeling-jobs/{job.pk}").json()
    assert shown["status"] == "Completed" and shown["label_counters"]["HumanLabeled"] == 6
    right = float(said.splitlines()[-1].split(": ")[1].split(" ")[0])
    assert right > 0.6, said
    path = Path(urllib.parse.unquote(urllib.parse.urlsplit(shown["output_manifest_uri"]).path))
    written = [json.loads(line) for line in path.read_text().split("\n") if line]
    for line, given in zip(written, lines, strict=True):
        assert {name: line[name] for name in given} == given, "what came in goes out"
        assert list(line)[-2:] == ["found", "found-metadata"]
        assert line["found-metadata"]["job-name"] == "labeling-job/types"
    check_lines(kind, written)
    check_objects(client, kind, job, owner)
    check_responses(shown["output_manifest_uri"], kind)


def check_lines(kind, written: list[dict]) -> None:
    """The members of each label, in Ground Truth's order."""
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
