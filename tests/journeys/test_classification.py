"""A classification job end to end over real HTTP: design, answers, consensus, manifest, pages, adjudication."""

import html
import json
import re
import urllib.parse
from pathlib import Path

import pytest

from frontend.demo import run
from frontend.demo.api import Api, ApiError
from tests.journeys import pictures
from tests.journeys.browser import Browser, signed_in
from tests.journeys.system import System, running

# For a migrated database to copy (see tests/databases.py).
pytestmark = pytest.mark.django_db

COUNT = 4
LABELS = ["disc", "square", "neither"]
TRUTH = ["disc", "square", "disc", "square"]
# The third worker is wrong about the first picture; all three about the second, which the requester corrects.
SAID = {0: ["disc", "disc", "neither"], 1: ["neither"] * 3, 2: ["disc"] * 3, 3: ["square"] * 3}
ATTRIBUTE = "shape"


@pytest.fixture(scope="module")
def system(django_db_setup):
    with running() as up:
        yield up


def work(worker: Api, number: int, job_id: int, numbers: dict[bytes, int], chosen: set[int]) -> None:
    """Claim what there is and choose a class for the pictures in `chosen`; give the others back."""
    kept = []
    while (seat := worker.post(f"/api/v1/labeling-jobs/{job_id}/claim")["assignment"]) is not None:
        picture = numbers[worker.bytes(seat["image_url"])]
        if picture not in chosen:
            kept.append(seat["id"])
            break
        assert (seat["element"]["tag"], seat["element"]["name"]) == ("crowd-image-classifier",) * 2
        assert [entry["label"] for entry in seat["labels"]] == LABELS
        submit = f"/api/v1/assignments/{seat['id']}/submit"
        with pytest.raises(ApiError) as refused:
            worker.post(submit, {"answer": {"crowd-image-classifier": {"label": "cow"}}, "seconds": 1})
        assert refused.value.code == 400
        assert refused.value.problem["errors"][0]["field"] == "answer.crowd-image-classifier.label"
        worker.post(submit, {"answer": {"crowd-image-classifier": {"label": SAID[picture][number]}}, "seconds": 2})
    for seat_id in kept:
        worker.post(f"/api/v1/assignments/{seat_id}/return")


def design(crew: dict, dataset: int, **changes) -> dict:
    return {
        "name": "shapes",
        "task_type": "ImageMultiClass",
        "dataset": dataset,
        "labels": LABELS,
        "label_attribute_name": ATTRIBUTE,
        "workteam": crew["team"],
        "title": "What is in the picture?",
        "description": "Choose the shape you see.",
        "workers_per_object": 3,
        "price": "0.012",
        "expected_seconds": 3,
    } | changes


def layers_of(page: str) -> list[list[dict]]:
    """The layers of every picture on a page."""
    found = re.findall(r'<waggle-boxes-view[^>]*><script type="application/json">(.*?)</script>', page)
    return [json.loads(text)["layers"] for text in found]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_pictures_in_classes_out(system, tmp_path):
    # given a funded requester, a team of three and four pictures
    crew = system.people(workers=3)
    api = Api(base_url=system.url, token=crew["requester"])
    workers = [Api(base_url=system.url, token=token) for token in crew["workers"]]
    folder = pictures.write(tmp_path / "set", count=COUNT) / "images"
    dataset = run.make_dataset(api, name="shapes", images=folder, stages=run.Stages(), show=lambda row: None)
    numbers = {path.read_bytes(): place for place, path in enumerate(sorted(folder.iterdir()))}

    # then designs that do not fit the type are refused, each naming its field
    for change, field in (
        ({"labels": ["disc"]}, "labels"),
        ({"automated_labeling": {"enabled": True, "architecture": "compact"}}, "automated_labeling.architecture"),
        ({"task_type": "Poetry"}, "task_type"),
    ):
        with pytest.raises(ApiError) as refused:
            api.post("/api/v1/labeling-jobs", design(crew, dataset["id"], **change))
        assert refused.value.code == 400
        assert [error["field"] for error in refused.value.problem["errors"]] == [field]

    # when everybody answers, and the requester decides the second picture while the job runs
    job = api.post("/api/v1/labeling-jobs", design(crew, dataset["id"]))
    path = f"/api/v1/labeling-jobs/{job['id']}"
    system.until(lambda: api.get(path)["status"], lambda status: status == "InProgress")
    system.until(lambda: api.get(f"{path}/objects")["results"], lambda rows: rows[0]["state"] == "PendingHuman")
    for number, worker in enumerate(workers):
        work(worker, number, job["id"], numbers, {0, 1})
    objects = system.until(
        lambda: api.get(f"{path}/objects")["results"],
        lambda rows: [row["state"] for row in rows[:2]] == ["HumanLabeled"] * 2,
    )
    assert [row["label"]["choice"] for row in objects[:2]] == ["disc", "neither"]
    browser = signed_in(system.url, *crew["requester_login"])
    decide_on_the_page(browser, job["id"], objects[1]["id"])
    for number, worker in enumerate(workers):
        work(worker, number, job["id"], numbers, {2, 3})
    job = system.until(lambda: api.get(path), lambda seen: seen["status"] in run.FINAL)

    # then the job completed, its manifest is AWS's, and its pages show who chose what
    assert job["status"] == "Completed" and job["label_counters"]["HumanLabeled"] == COUNT
    check_manifest(job)
    check_pages(browser, api, job, objects)
    check_exports(api, path, browser, job)
    check_chaining(api, browser, crew, job, system)


def decide_on_the_page(browser: Browser, job_id: int, object_id: int) -> None:
    """The page offers the element with the label as it is; what is chosen there becomes the label."""
    page = browser.get(f"/jobs/{job_id}/labels/{object_id}/")
    (element,) = re.findall(r"<crowd-image-classifier ([^>]*)></crowd-image-classifier>", page)
    attributes = {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', element)}
    assert attributes["name"] == "crowd-image-classifier"
    assert json.loads(attributes["categories"]) == LABELS
    assert json.loads(attributes["initial-value"]) == {"label": "neither"}
    answer = json.dumps({"crowd-image-classifier": {"label": "square"}})
    page = browser.post(f"/jobs/{job_id}/labels/{object_id}/adjudicate/", {"answer": answer})
    assert "Your choice for object 1 is the label now." in page
    assert "A member of your account decided this object. Their choice is the label." in page


def check_manifest(job: dict) -> None:
    """Every line as Ground Truth writes it, keys in its order."""
    uri = job["output_manifest_uri"]
    text = Path(urllib.parse.unquote(urllib.parse.urlsplit(uri).path)).read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line[ATTRIBUTE] for line in lines] == [LABELS.index(label) for label in TRUTH]
    for line, label in zip(lines, TRUTH, strict=True):
        assert list(line) == ["source-ref", "source-name", ATTRIBUTE, f"{ATTRIBUTE}-metadata"]
        metadata = line[f"{ATTRIBUTE}-metadata"]
        assert list(metadata) == ["confidence", "job-name", "class-name", "human-annotated", "creation-date", "type"]
        assert metadata["class-name"] == label and metadata["job-name"] == "labeling-job/shapes"
        assert metadata["human-annotated"] == "yes" and metadata["type"] == "groundtruth/image-classification"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}", metadata["creation-date"])
    sure = [line[f"{ATTRIBUTE}-metadata"]["confidence"] for line in lines]
    assert sure[1] == 1.0 and 0.5 < sure[0] < sure[2] <= 1


def check_pages(browser: Browser, api: Api, job: dict, objects: list[dict]) -> None:
    """The gallery shows choices with their confidence, the object's page who was outvoted, the people's page skill."""
    shown = layers_of(browser.get(f"/jobs/{job['id']}/labels/"))
    assert [layers[0]["choice"] for layers in shown] == TRUTH
    assert [layers[0]["name"] for layers in shown] == ["Merged", "Yours", "Merged", "Merged"]
    assert shown[1][0]["confidence"] == 1.0 and {layer["choice"] for layer in shown[0][1:]} == {"disc", "neither"}
    detail = api.get(f"/api/v1/labeling-jobs/{job['id']}/objects/{objects[0]['id']}")
    assert detail["labels"][0]["explanation"]["label"] == "disc"
    page = browser.get(f"/jobs/{job['id']}/labels/{objects[0]['id']}/")
    assert "3 people answered. 2 of them chose disc." in page
    assert page.count("outvoted") == 1 and "Chosen by 1 of 3." in page
    assert "Chooses right" in browser.get(f"/jobs/{job['id']}/people/")


def check_exports(api: Api, path: str, browser: Browser, job: dict) -> None:
    """Formats of boxes are not offered; those of classes are."""
    page = browser.get(f"/jobs/{job['id']}/downloads/")
    offered = ["manifest", "csv", "huggingface", "worker-answers"]
    assert re.findall(r'<option value="([\w-]+)">', page)[:4] == offered and "COCO" not in page
    with pytest.raises(ApiError) as refused:
        api.post(f"{path}/exports", {"kind": "coco"})
    assert "'coco' found, one of manifest, worker-answers, csv, huggingface expected" in refused.value.problem["detail"]


def check_chaining(api: Api, browser: Browser, crew: dict, job: dict, system: System) -> None:
    """A job on the output of the first one finds every picture labeled, and shows it."""
    given = design(crew, 0, name="again", input_manifest_uri=job["output_manifest_uri"])
    del given["dataset"]
    again = api.post("/api/v1/labeling-jobs", given)
    path = f"/api/v1/labeling-jobs/{again['id']}"
    system.until(lambda: api.get(path)["status"], lambda status: status == "Completed")
    rows = api.get(f"{path}/objects")["results"]
    assert [row["label"]["choice"] for row in rows] == TRUTH and {row["state"] for row in rows} == {"HumanLabeled"}
    (layers,) = layers_of(browser.get(f"/jobs/{again['id']}/labels/{rows[0]['id']}/"))
    assert [(layer["name"], layer["choice"]) for layer in layers] == [("Merged", "disc")]
