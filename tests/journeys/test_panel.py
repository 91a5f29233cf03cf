"""A panel end to end over real HTTP: people come by link, do their tasks, leave with the code; the job has labels."""

import urllib.error
import urllib.parse
from pathlib import Path

import pytest
from django.urls import reverse

from frontend.demo import run
from frontend.demo.api import Api, ApiError
from tests.journeys import pictures
from tests.journeys.browser import Browser
from tests.journeys.system import System, running

# For a migrated database to copy (see tests/databases.py).
pytestmark = pytest.mark.django_db

COUNT = 2
PANEL = {
    "name": "prolific", "provider": "Prolific", "completed_code": "DONE1", "screened_out_code": "OUT1",
    "tasks_per_session": COUNT, "session_minutes": 20, "sessions_wanted": 3, "consent": "You choose shapes.",
    "reward": "1.20", "provider_fee_percent": 25,
}  # fmt: skip


@pytest.fixture(scope="module")
def system(django_db_setup):
    with running(learning=False) as up:
        yield up


def filled_in(link: str, system: System, who: str) -> str:
    """The link with what Prolific puts in the place of its placeholders."""
    for name, value in (("PROLIFIC_PID", who), ("STUDY_ID", "S1"), ("SESSION_ID", f"visit-{who}")):
        link = link.replace("{{%" + name + "%}}", value)
    assert "{{" not in link
    return link.removeprefix(system.url)


def do_task(browser: Browser, queue: int) -> dict:
    """Claim a task and choose the first class."""
    seat = browser.send(f"/api/v1/work-queues/{queue}/claim", {})["assignment"]
    answer = {"crowd-image-classifier": {"label": "disc"}}
    return browser.send(f"/api/v1/assignments/{seat['id']}/submit?claim_next=false", {"answer": answer, "seconds": 2})


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_people_come_by_link_and_leave_with_the_code(system, tmp_path):
    # given a panel, pictures and a job that is open to the panel at no price
    api = Api(base_url=system.url, token=system.people(workers=1)["requester"])
    folder = pictures.write(tmp_path / "set", count=COUNT) / "images"
    dataset = run.make_dataset(api, name="shapes", images=folder, stages=run.Stages(), show=lambda row: None)
    panel = api.post("/api/v1/panels", PANEL)
    design = {
        "name": "shapes", "task_type": "ImageMultiClass", "dataset": dataset["id"], "labels": ["disc", "square"],
        "workteam": panel["workteam"], "title": "Which shape?", "description": "Choose", "workers_per_object": 3,
        "price": "0.012", "expected_seconds": 3,
    }  # fmt: skip
    with pytest.raises(ApiError) as refused:
        api.post("/api/v1/labeling-jobs", design)
    assert refused.value.problem["errors"][0]["field"] == "price"
    job = api.post("/api/v1/labeling-jobs", design | {"price": "0"})
    path = f"/api/v1/labeling-jobs/{job['id']}"
    system.until(lambda: api.get(f"{path}/objects")["results"], lambda r: r and r[0]["state"] == "PendingHuman")
    (row,) = api.get(f"/api/v1/panels/{panel['id']}")["links"]
    queue = int(row["link"].partition("?")[0].rstrip("/").rsplit("/", 1)[1])

    # when three people come one after the other, each of whom closes the page in the middle
    for who in ("ana", "ben", "cem"):
        link, browser = filled_in(row["link"], system, who), Browser(system.url)
        assert "You choose shapes." in browser.get(link)
        assert f"0 of {COUNT}" in browser.post(link, {"agree": "yes"})
        do_task(browser, queue)
        assert f"1 of {COUNT}" in browser.get(link)
        do_task(browser, queue)
        assert "complete?cc=DONE1" in browser.get("/")
        seen = browser.get(link)
        assert "complete?cc=OUT1" in seen and "DONE1" not in seen
        with pytest.raises(urllib.error.HTTPError, match="404"):
            browser.get(reverse("worker:earnings"))

    # then nobody else is let in, the job is complete, and every answer has its participant
    assert "complete?cc=OUT1" in Browser(system.url).get(filled_in(row["link"], system, "dov"))
    done = system.until(lambda: api.get(path), lambda seen: seen["status"] in run.FINAL)
    assert done["status"] == "Completed" and done["label_counters"]["HumanLabeled"] == COUNT
    sessions = api.pages(f"/api/v1/panels/{panel['id']}/sessions")
    assert [(one["participant"], one["status"]) for one in sessions] == [
        (who, "Completed") for who in ("cem", "ben", "ana")
    ]
    paid = api.get(f"/api/v1/panels/{panel['id']}")["paid_elsewhere"]
    assert (paid["rewards"], paid["fee"], paid["per_label"]) == ("3.600000", "0.900000", "2.250000")
    assert api.bytes(f"/api/v1/panels/{panel['id']}/participants/approve") == b"cem\nben\nana\n"
    output = Path(urllib.parse.unquote(urllib.parse.urlsplit(done["output_uri"]).path))
    responses = [found.read_text() for found in output.rglob("worker-response/*/*/*.json")]
    assert len(responses) == COUNT and all('"sub":"ana"' in text for text in responses)
