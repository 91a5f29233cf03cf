"""Amazon A2I's walk-through over REST: an unsure endpoint asks people, and learns from what they answer.

Endpoint, worker template, team, flow definition; predictions under .5 become human loops; people answer in a real
browser; output.json; the augmented manifest; an incremental training; the endpoint is updated to its model.
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import urllib3
from PIL import Image
from playwright.sync_api import Browser, Page

from frontend.demo import run
from frontend.demo.api import Api
from tests.browser.test_templates import FRAME
from tests.journeys import pictures
from tests.journeys.system import System, running

# For a migrated database to copy (see tests/databases.py).
pytestmark = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.slow]

TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><crowd-bounding-box name="annotatedResult" labels="['disc', 'square']" header="Box the shapes"
 src="{{ task.input.taskObject | grant_read_access }}" initial-value="{{ task.input.initialValue }}">
<full-instructions>Box all shapes.</full-instructions><short-instructions>Box all shapes.</short-instructions>
</crowd-bounding-box></crowd-form>"""
UNSURE = {"ConditionType": "HighestScoreCheck", "ConditionParameters": {"ConfidenceLessThan": 50}}
FLOW = {
    "name": "look-again",
    "human_task_ui": "boxes",
    "title": "Look at boxes",
    "description": "Correct the boxes of the model.",
    "price": "0.036",
}
ENDPOINT = "/api/v1/endpoints/shapes"
ASKED = 8
SMALL = {"image_size": "128", "max_seconds": "8", "seed": "3"}


@pytest.fixture
def system(django_db_setup):
    with running() as up:
        yield up


def a_first_model(api: Api, system: System, folder: Path, dataset: int) -> str:
    """Train a little on the pictures of a data set with the labels beside them; the name of the model."""
    truth = ("annotations.coco.json", (folder / "annotations.coco.json").read_bytes())
    (uploaded,) = api.upload("/api/v1/uploads", [truth])["files"]
    made = api.post("/api/v1/label-imports", {"uri": uploaded["uri"], "name": "labels", "images": dataset})
    labels = system.until(
        lambda: api.get(f"/api/v1/label-imports/{made['id']}"), lambda row: row["status"] in run.FINAL
    )
    assert labels["status"] == "Completed", labels["failure_reason"]
    system.until(lambda: api.get(f"/api/v1/datasets/{labels['dataset']}"), lambda row: row["status"] in run.FINAL)
    job = api.post("/api/v1/training-jobs", {"name": "first", "dataset": labels["dataset"], "hyperparameters": SMALL})
    trained(api, system, job["id"])
    return "first"


def trained(api: Api, system: System, training: int) -> dict[str, Any]:
    """Wait for a training; it is Completed."""
    path = f"/api/v1/training-jobs/{training}"
    job = system.until(lambda: api.get(path), lambda row: row["status"] in run.FINAL, seconds=240)
    assert job["status"] == "Completed", (job, system.logs())
    return job


def serve(api: Api, system: System, config: str, *, update: bool = False) -> None:
    """Create the endpoint, or update it, and wait until it serves the configuration."""
    if update:
        strategy = {"type": "AllAtOnce", "bake_seconds": 1}
        api.post("/api/v1/endpoints/shapes/update", {"config": config, "strategy": strategy})
    else:
        api.post("/api/v1/endpoints", {"name": "shapes", "config": config})
    found = system.until(
        lambda: api.get("/api/v1/endpoints/shapes"),
        lambda row: row["status"] in ("InService", "Failed", "UpdateRollbackFailed") and row["config"] == config,
        seconds=240,
    )
    assert found["status"] == "InService" and found["config"] == config, found


def predictions(system: System, token: str, image: bytes, inference_id: str) -> tuple[list[list[float]], str]:
    """What the endpoint predicts for a picture, and which variant did."""
    answer = urllib3.PoolManager().request(
        "POST",
        f"{system.url}/api/v1/endpoints/shapes/invocations",
        body=image,
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": "image/png",
            "X-Amzn-SageMaker-Inference-Id": inference_id,
        },
    )
    assert answer.status == 200, answer.data
    return json.loads(answer.data)["prediction"], answer.headers["x-Amzn-Invoked-Production-Variant"]


def less_clear(folder: Path) -> list[bytes]:
    """The pictures of a folder with half of their contrast; of every fourth one nothing is left but grey."""
    found = []
    for number, path in enumerate(sorted((folder / "images").iterdir())):
        with Image.open(path) as picture:
            grey = Image.new("RGB", picture.size, (120 + number, 120, 120))
            Image.blend(picture.convert("RGB"), grey, 1.0 if number % 4 == 0 else 0.5).save(path)
        found.append(path.read_bytes())
    return found


def a_worker_page(chromium: Browser, system: System, login: list[str], queue: int) -> Page:
    """A worker signs in and opens the work queue."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, base_url=system.url)
    page = context.new_page()
    page.goto("/sign-in/")
    page.locator("input[name=username]").fill(login[0])
    page.locator("input[name=password]").fill(login[1])
    page.locator("form button[type=submit]").first.click()
    page.goto(f"/work/{queue}/")
    return page


def box_and_submit(page: Page) -> None:
    """Draw one more box by hand, and submit."""
    frame = page.frame_locator(FRAME)
    canvas = frame.locator(".canvas").first
    canvas.wait_for()
    page.wait_for_timeout(1000)
    at = canvas.bounding_box()
    assert at is not None
    x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    page.mouse.move(x - 60, y - 60)
    page.mouse.down()
    page.mouse.move(x + 40, y + 40, steps=5)
    page.mouse.up()
    frame.get_by_role("button", name="Submit").click()


def read(uri: str) -> bytes:
    """A file of the store."""
    return Path(unquote(urlsplit(uri).path)).read_bytes()


def an_asking_endpoint(api: Api, system: System, crew: dict[str, Any], folder: Path) -> tuple[dict[str, Any], str]:
    """An endpoint whose unsure predictions become loops; their flow definition, and the folder of their output."""
    dataset = run.make_dataset(api, name="shapes", images=folder / "images", stages=run.Stages(), show=lambda row: None)
    model = a_first_model(api, system, folder, dataset["id"])
    api.post("/api/v1/endpoint-configs", {"name": "one", "variants": [{"name": "first", "model": model}]})
    serve(api, system, "one")
    api.post("/api/v1/human-task-uis", {"name": "boxes", "content": TEMPLATE})
    store = dataset["source"]["uri"].partition("/accounts/")[0]
    output_uri = f"{store}/accounts/{crew['account']}/reviews"
    flow = api.post("/api/v1/flow-definitions", {**FLOW, "workteam": crew["team"], "output_uri": output_uri})
    api.put(f"{ENDPOINT}/human-review", {"flow_definition": FLOW["name"], "conditions": {"Conditions": [UNSURE]}})
    return flow, output_uri


@pytest.mark.timeout(1500)
def test_an_endpoint_asks_people_and_learns_from_their_answers(
    system: System, chromium: Browser, built_elements: Path, tmp_path: Path
) -> None:
    # given an endpoint with a model that has learned a little, a team and a flow definition
    crew = system.people(workers=1)
    api = Api(base_url=system.url, token=crew["requester"])
    flow, output_uri = an_asking_endpoint(api, system, crew, pictures.write(tmp_path / "set", count=24))

    # when it is asked about pictures, some of which show nothing
    highest, images = {}, less_clear(pictures.write(tmp_path / "asked", count=ASKED, seed=9))
    for number, image in enumerate(images):
        rows, variant = predictions(system, crew["requester"], image, f"picture-{number}")
        highest[f"picture-{number}"] = max((row[1] for row in rows), default=0.0)
        assert variant == "first"
    unsure = {name for name, score in highest.items() if score < 0.5}
    assert len(unsure) >= ASKED // 4, highest

    # then those under .5, and no others, are human loops; a repeated request is none
    predictions(system, crew["requester"], images[int(min(unsure).rpartition("-")[2])], min(unsure))
    loops = system.until(lambda: loops_by_request(api), lambda found: set(found) >= unsure)
    assert set(loops) == unsure, highest
    assert len(api.pages("/api/v1/human-loops")) == len(unsure)

    # when people answer all of them in a browser
    page = a_worker_page(chromium, system, crew["worker_login"], flow["queue_id"])
    for done in range(1, len(unsure) + 1):
        box_and_submit(page)
        system.until(lambda: answers(system), lambda count, wanted=done: count >= wanted)
    completed = system.until(
        lambda: api.pages("/api/v1/human-loops?status=Completed"), lambda rows: len(rows) == len(unsure)
    )

    # then output.json is A2I's, with the prediction as it was shown
    boxes = {}
    for loop in completed:
        content = loops[inference_of(api, loop["name"])]
        drawn = check_output(loop, flow, content, output_uri)
        boxes[content["taskObject"]] = drawn
        assert read(content["taskObject"]) == images[int(content["inferenceId"].rpartition("-")[2])]
    review = system.until(lambda: api.get(f"{ENDPOINT}/human-review"), lambda found: found["in_progress"] == 0)
    assert (review["completed"], review["trouble"]) == (len(unsure), "")

    # when the endpoint's model learns from the answers in one call
    asked = {"endpoint": "shapes", "name": "second", "dataset_name": "answers", "hyperparameters": SMALL}
    made = api.post(f"/api/v1/flow-definitions/{FLOW['name']}/training-jobs", asked)
    assert made["left_out"] == []
    job = trained(api, system, made["training_job"]["id"])

    # then it has read the augmented manifest with a2i-retraining, and went on from the first model
    check_manifest(job, boxes)
    assert job["hyperparameters"]["learning_rate"] == "0.0001"
    assert job["hyperparameters"]["use_pretrained_model"] == "0"
    assert job["channels"]["model"] == {"name": "first"}
    assert [line for line in log_of(api, job["id"]) if "starting from" in line and "; 0 tensors start" in line]

    # and the endpoint is updated to the model that it made
    api.post("/api/v1/endpoint-configs", {"name": "two", "variants": [{"name": "second", "model": "second"}]})
    serve(api, system, "two", update=True)
    _, variant = predictions(system, crew["requester"], images[1], "after")
    assert variant == "second"


def loops_by_request(api: Api) -> dict[str, dict[str, Any]]:
    """The input of every loop by its inference id."""
    rows = [api.get(f"/api/v1/human-loops/{row['name']}") for row in api.pages("/api/v1/human-loops")]
    return {row["input_content"]["inferenceId"]: row["input_content"] for row in rows}


def inference_of(api: Api, name: str) -> str:
    """The inference id of the request that a loop is about."""
    found: str = api.get(f"/api/v1/human-loops/{name}")["input_content"]["inferenceId"]
    return found


def answers(system: System) -> int:
    """How many answers people have given."""
    ((count,),) = system.query("SELECT count(*) FROM labeling_assignment WHERE state = 'Submitted'")
    return int(count)


def check_output(
    loop: dict[str, Any], flow: dict[str, Any], content: dict[str, Any], output_uri: str
) -> list[dict[str, Any]]:
    """output.json of a loop, to the letter; returns the boxes that were drawn."""
    moment = loop["created_at"][:19].replace("-", "/").replace("T", "/").replace(":", "/")
    assert loop["output_uri"] == f"{output_uri}/{FLOW['name']}/{moment}/{loop['name']}/output.json"
    written = json.loads(read(loop["output_uri"]))
    assert sorted(written) == ["flowDefinitionArn", "humanAnswers", "humanLoopName", "inputContent"]
    assert (written["flowDefinitionArn"], written["humanLoopName"]) == (flow["arn"], loop["name"])
    assert written["inputContent"] == content
    assert sorted(content) == [
        "endpoint",
        "highestScore",
        "humanTaskActivationConditionResults",
        "inferenceId",
        "initialValue",
        "modelName",
        "scores",
        "taskObject",
    ]
    assert (content["endpoint"], content["modelName"]) == ("shapes", "first")
    assert content["humanTaskActivationConditionResults"] == {"Conditions": [UNSURE | {"EvaluationResult": True}]}
    shown = json.loads(content["initialValue"])
    assert all(sorted(box) == ["height", "label", "left", "top", "width"] for box in shown)
    assert len(shown) == len(content["scores"]) and all(0.2 <= score < 0.5 for score in content["scores"])
    (given,) = written["humanAnswers"]
    assert sorted(given) == [
        "acceptanceTime",
        "answerContent",
        "submissionTime",
        "timeSpentInSeconds",
        "workerId",
        "workerMetadata",
    ]
    result = given["answerContent"]["annotatedResult"]
    assert result["inputImageProperties"] == {"height": 96, "width": 96}
    boxes: list[dict[str, Any]] = result["boundingBoxes"]
    assert len(boxes) == len(shown) + 1 and boxes[: len(shown)] == shown
    return boxes


def check_manifest(job: dict[str, Any], boxes: dict[str, list[dict[str, Any]]]) -> None:
    """The training read a line for each picture with the boxes that people drew, in the form of AWS's notebook."""
    channel = job["channels"]["train"]
    assert channel["attribute_names"] == ["source-ref", "a2i-retraining"]
    lines = [json.loads(line) for line in read(channel["manifest_uri"]).splitlines()]
    assert {line["source-ref"] for line in lines} == set(boxes)
    for line in lines:
        names = {"disc": 0, "square": 1}
        assert line["a2i-retraining"]["annotations"] == [
            {"class_id": names[box["label"]], **{side: box[side] for side in ("left", "top", "width", "height")}}
            for box in boxes[line["source-ref"]]
        ]
        about = line["a2i-retraining-metadata"]
        assert about["type"] == "groundtruth/object-detection" and about["job-name"].startswith("a2i/shapes-")
        assert about["class-map"].items() <= {"0": "disc", "1": "square"}.items()


def log_of(api: Api, training: int) -> list[str]:
    """The log of a training."""
    return api.bytes(f"/api/v1/training-jobs/{training}/log").decode().splitlines()
