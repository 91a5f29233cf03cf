"""An installation with WAGGLE_LEARNING=no is a whole product: people label, and nothing leads to models."""

import json
import re
import urllib.error

import pytest
import yaml

from frontend.demo import run
from frontend.demo.api import Api, ApiError
from frontend.demo.crowd import Crowd
from frontend.demo.truth import Truth
from tests.journeys import pictures
from tests.journeys.browser import Browser, signed_in
from tests.journeys.system import System, running

# In one process of the tests, so that the system is started once.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("without learning")]

COUNT = 4
ROUTES = """
import django, json
django.setup()
from django.urls import URLResolver, get_resolver

def routes(patterns, prefix=""):
    for entry in patterns:
        route = prefix + str(entry.pattern)
        yield from routes(entry.url_patterns, route) if isinstance(entry, URLResolver) else [route]
print(json.dumps(sorted(set(routes(get_resolver().url_patterns)))))
"""
OF_LEARNING = ("models", "training-jobs", "loop")


@pytest.fixture(scope="module")
def system():
    """Bootstrapped on a fresh database, web and queue running, no learner."""
    with running(learning=False, fresh=True) as up:
        yield up


@pytest.fixture(scope="module")
def crew(system) -> dict:
    return system.people(workers=3)


@pytest.fixture(scope="module")
def job(system, crew, tmp_path_factory) -> dict:
    """A job that people alone have completed, as the API shows it."""
    folder = pictures.write(tmp_path_factory.mktemp("pictures") / "set", count=COUNT)
    truth = Truth(folder / "annotations.coco.json")
    api = Api(base_url=system.url, token=crew["requester"])
    stages = run.Stages()
    dataset = run.make_dataset(api, name="tiny", images=folder / "images", stages=stages, show=lambda row: None)
    design = run.job_design(
        name="tiny", dataset=dataset["id"], labels=truth.labels, workteam=crew["team"], workers=3, automated={}
    )
    design["automated_labeling"] = {"enabled": True}
    with pytest.raises(ApiError) as refused:
        api.post("/api/v1/labeling-jobs", design)
    assert refused.value.code == 400
    assert refused.value.problem["errors"] == [
        {"field": "automated_labeling.enabled", "reason": "automated labeling is not installed here"}
    ]
    design["automated_labeling"] = {"enabled": False}
    crowd = Crowd(base_url=system.url, tokens=crew["workers"], truth=truth, spammers=0, seed=5)
    return run.run_job(api, crowd, design, timeout=240, show=lambda row: None, stages=stages)


def addresses(system: System, api: Api, job: dict, crew: dict) -> list[str]:
    """A path for every route that GET may be used on."""
    objects = api.get(f"/api/v1/labeling-jobs/{job['id']}/objects")["results"]
    export = api.post(f"/api/v1/labeling-jobs/{job['id']}/exports", {"kind": "manifest"})
    ((queue,),) = system.query("SELECT queue_id FROM labeling_labelingjob WHERE id = %s", job["id"])
    values = {
        "job_id": job["id"], "object_id": objects[0]["id"], "dataset_id": job["dataset"], "export_id": export["id"],
        "queue_id": queue, "team_id": crew["team"], "token_id": 1, "assignment_id": 1, "kind": "good_examples",
        "number": 0, "step": "data", "token": "none", "worker_id": "none",
    }  # fmt: skip
    routes = json.loads(system.run("-c", ROUTES).strip().splitlines()[-1])
    assert len(routes) > 55
    assert not [route for route in routes if set(OF_LEARNING) & set(route.split("/"))]
    return ["/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(values.get(match[1], 1)), route) for route in routes]


def status(browser: Browser, path: str) -> tuple[int, str]:
    """The status code of GET and the text that came."""
    try:
        return 200, browser.get(path)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except UnicodeDecodeError:
        return 200, ""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_people_complete_a_job(system, job):
    assert job["status"] == "Completed", (job, system.logs())
    assert job["label_counters"]["HumanLabeled"] == COUNT
    assert job["label_counters"]["MachineLabeled"] == 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_page_and_endpoint_answers_and_none_leads_to_models(system, crew, job):
    api = Api(base_url=system.url, token=crew["requester"])
    paths = addresses(system, api, job, crew)
    pages = 0
    for login in ("requester_login", "worker_login", "operator_login"):
        browser = signed_in(system.url, *crew[login])
        for path in paths:
            if path.startswith("/sign-out"):
                continue
            code, text = status(browser, path)
            assert code < 500, (login, path, text[:500], system.logs())
            links = set(re.findall(r'(?:href|hx-get|action)="(/[^"?#]*)', text)) if "<html" in text else set()
            assert not [link for link in links if set(OF_LEARNING) & set(link.split("/"))], path
            pages += bool(links)
    assert pages > 20
    requester = signed_in(system.url, *crew["requester_login"])
    for path in (f"/jobs/{job['id']}/", "/overview/", "/jobs/new/", f"/jobs/{job['id']}/people/", "/api/v1/me"):
        assert status(requester, path)[0] == 200, path
    for path in ("/models/", f"/jobs/{job['id']}/loop/", "/api/v1/models", f"/api/v1/labeling-jobs/{job['id']}/loop"):
        assert status(requester, path)[0] == 404, path
    document = yaml.safe_load(requester.get("/api/v1/openapi.json"))
    assert not [path for path in document["paths"] if set(OF_LEARNING) & set(path.split("/"))]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_wizard_has_no_step_about_automation_and_launches(system, crew, job):
    browser = signed_in(system.url, *crew["requester_login"])
    assert "Automation" not in browser.get("/jobs/new/")
    browser.post("/jobs/new/data/", {"name": "by-hand", "dataset": str(job["dataset"]), "selection": "full"})
    browser.post("/jobs/new/task/", {"labels": "disc", "title": "Discs", "description": "Box every disc"})
    people = {
        "workteam": str(crew["team"]), "workers_per_object": "2", "redundancy": "fixed", "expected_seconds": "10",
        "price": "0.036", "time_limit_minutes": "7", "max_concurrent_tasks": "100",
    }  # fmt: skip
    review = browser.post("/jobs/new/people/", people)
    assert "Review and launch" in review and "utomated labeling" not in review
    assert status(browser, "/jobs/new/automation/")[0] == 404
    assert "The labeling job by-hand is starting." in browser.post("/jobs/new/launch/", {})
