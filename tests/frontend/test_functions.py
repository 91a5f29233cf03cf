"""Functions in the wizard, over REST, on pages; and the example endpoint from its job to the output manifest."""

import json
import os
import re
import subprocess
import sys

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import DataObject, JobFunctions
from marketplace import sealing
from marketplace.services import accounts
from tests import builders
from tests.architecture.test_lengths import ROOT
from tests.labeling import stories
from tests.labeling.function_stories import SECRET, TEMPLATE, a_form_job, go_on, output

pytestmark = pytest.mark.django_db
ADDRESS = "https://functions.example/merge"
TASK = {
    "task_type": "Custom",
    "template": TEMPLATE,
    "labels": "",
    "title": "Insects",
    "description": "Which one is it?",
    "annotation_consolidation_function": ADDRESS,
    "function_secret": SECRET,
}


def step(name: str) -> str:
    return reverse("requester:job-new-step", args=[name])


@pytest.fixture
def account(db):
    return stories.an_account()


@pytest.fixture
def requester(account) -> Client:
    client = Client()
    client.force_login(account.members.get())
    return client


@pytest.fixture
def drafting(account, requester) -> Client:
    """With the first step of the wizard done."""
    dataset = builders.a_dataset(account=account)
    requester.post(step("data"), {"name": "bees", "dataset": dataset.pk, "selection": "full"})
    return requester


def test_the_wizard_takes_functions_and_keeps_their_secret_sealed(account, drafting):
    page = drafting.get(step("task")).content.decode()
    offered = re.search(r'name="function_secret" value="(whsec_[^"]+)"', page)
    assert offered and '<wa-details summary="Functions of your own, before and after people">' in page
    assert drafting.post(step("task"), TASK).status_code == 302
    assert SECRET not in json.dumps(drafting.session["job_draft"])
    again = drafting.get(step("task")).content.decode()
    assert f'value="{SECRET}"' in again and 'before and after people" open' in again
    team = builders.a_team(account=account, workers=1)
    people = {
        "workteam": team.pk, "workers_per_object": 1, "redundancy": "fixed", "expected_seconds": 5, "price": "0.036",
        "time_limit_minutes": 10, "max_concurrent_tasks": 10,
    }  # fmt: skip
    drafting.post(step("people"), people)
    drafting.post(step("automation"), {"enabled": ""})
    assert ADDRESS in drafting.get(reverse("requester:job-review")).content.decode()
    drafting.post(reverse("requester:job-launch"))
    stored = JobFunctions.objects.get()
    assert (stored.pre_human_task, stored.annotation_consolidation) == ("", ADDRESS)
    assert sealing.unseal(stored.secret) == SECRET
    shown = drafting.get(reverse("requester:job", args=[stored.pk])).content.decode()
    assert ADDRESS in shown and SECRET not in shown


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"annotation_consolidation_function": "os.remove"}, "annotation_consolidation_function"),
        ({"pre_human_task_function": "ftp://x"}, "pre_human_task_function"),
        ({"function_secret": "bees"}, "function_secret"),
    ],
)
def test_the_wizard_says_what_is_wrong_with_a_function(drafting, changes, field):
    response = drafting.post(step("task"), TASK | changes)
    assert response.status_code == 422 and list(response.context["form"].errors) == [field]
    assert 'before and after people" open' in response.content.decode()


def test_functions_over_rest(account, settings):
    settings.FUNCTIONS = ["bees.prepare"]
    dataset, team = builders.a_dataset(account=account), builders.a_team(account=account, workers=1)
    _, token = accounts.create_token(user=account.members.get(), name="test", account=account)
    headers = {"Authorization": f"Bearer {token}", "X-Account": account.number}
    body = {
        "name": "insects", "task_type": "Custom", "template": TEMPLATE, "labels": [], "title": "Insects",
        "description": "Which one?", "dataset": dataset.pk, "workteam": team.pk, "price": "0.036",
        "pre_human_task_function": "bees.prepare", "annotation_consolidation_function": ADDRESS,
    }  # fmt: skip

    def create(**changes):
        return Client().post(
            "/api/v1/labeling-jobs", json.dumps(body | changes), content_type="application/json", headers=headers
        )

    refused = create()
    assert refused.status_code == 400 and "function_secret" in refused.content.decode()
    made = create(function_secret=SECRET)
    assert made.status_code == 201, made.content
    assert made.json()["pre_human_task_function"] == "bees.prepare"
    assert made.json()["annotation_consolidation_function"] == ADDRESS
    assert SECRET not in made.content.decode()


def test_the_page_of_an_object_shows_what_the_function_made(settings):
    settings.FUNCTIONS = ["tests.labeling.lambda_functions.most_votes"]
    job, workers = a_form_job(objects=1, annotation_consolidation_function=settings.FUNCTIONS[0])
    go_on(job)
    for worker in workers:
        stories.work(worker, job, {"insect": "bee"})
    go_on(job)
    client = Client()
    client.force_login(job.account.members.get())
    page = client.get(reverse("requester:object", args=[job.pk, DataObject.objects.get(job=job).pk])).content.decode()
    assert f"The function {settings.FUNCTIONS[0]} made this label" in page and "&quot;checked&quot;: true" in page
    assert "{&quot;insect&quot;: &quot;bee&quot;}" in page, "the answers stand below"


@pytest.fixture
def example(settings):
    """The example endpoint in a process of its own; its address."""
    running = subprocess.Popen(
        [sys.executable, "examples/functions/endpoint.py", "0"],
        cwd=ROOT,
        env={**os.environ, "SECRET": SECRET},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert running.stdout is not None
    address = re.search(r"http://[0-9.:]+", running.stdout.readline())
    assert address
    settings.FETCH_ALLOWED_HOSTS = frozenset({address[0].removeprefix("http://")})
    yield address[0]
    running.kill()
    running.wait()
    running.stdout.close()


@pytest.mark.django_db(transaction=True)
def test_the_example_endpoint_reads_answers_by_their_address_and_merges_them(example, live_server, settings):
    settings.PUBLIC_URL = live_server.url
    functions = {
        "pre_human_task_function": f"{example}/prepare",
        "annotation_consolidation_function": f"{example}/merge",
    }
    lines = ({"place": "a pond"}, {"blurred": True}, {})
    job, workers = a_form_job(objects=3, workers=2, lines=lines, **functions)
    go_on(job)
    for worker, insect in zip(workers, ("wasp", "bee"), strict=True):
        stories.work(worker, job, {"insect": insect})
    assert go_on(job).status == "Completed", job.attention
    first, second, third = output(job)
    assert (first[job.name], first[f"{job.name}-metadata"]["confidence"], third[job.name]) == ("bee", 0.5, "bee")
    assert first[f"{job.name}-metadata"]["job-name"] == f"labeling-job/{job.name}"
    assert job.name not in second

    other, _ = a_form_job(objects=1, function_secret=f"whsec_{'A' * 32}", **functions)
    go_on(other)
    assert "it answered 401" in DataObject.objects.get(job=other).failure_reason
