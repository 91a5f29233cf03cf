"""Redundancy that is no whole number over REST and in the wizard: taken, shown, estimated and forecast as it is."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import LabelingJob
from labeling.services.jobs import advancing
from tests import builders
from tests.frontend.test_wizard import TASK, people, step
from tests.labeling import stories

pytestmark = pytest.mark.django_db
JOBS = "/api/v1/labeling-jobs"
COST = stories.PRICE + stories.FEE


@pytest.fixture
def account():
    return stories.an_account()


@pytest.fixture
def client(account):
    client = Client()
    client.force_login(account.members.get())
    return client


def post(client, path, given):
    return client.post(path, json.dumps(given), content_type="application/json")


def a_design(account, **changes):
    """The body of a job's creation."""
    team = builders.a_team(account=account, workers=stories.a_crowd(3))
    uri = builders.a_manifest(account, [{"source-ref": "s3://bees/0.png"}])
    return {
        "name": "bees",
        "labels": ["bee"],
        "workteam": team.pk,
        "title": "Bees",
        "description": "Box them",
        "input_manifest_uri": uri,
        "price": "0.036",
    } | changes


def test_a_job_is_made_shown_and_paid_with_two_and_a_half_answers_an_object(client, account):
    made = post(client, JOBS, a_design(account, workers_per_object=2.5))
    assert made.status_code == 201 and made.json()["workers_per_object"] == 2.5
    job = LabelingJob.objects.get(pk=made.json()["id"])
    stories.add_objects(job, 10)
    LabelingJob.objects.filter(pk=job.pk).update(status="InProgress")
    job.queue.__class__.objects.filter(pk=job.queue_id).update(status="InProgress")
    advancing.advance_job(job.pk)
    found = client.get(f"{JOBS}/{job.pk}").json()
    assert (found["workers_per_object"], found["redundancy"]) == (2.5, {"kind": "fixed"})
    assert found["money"]["reserved"] == found["money"]["all_human"] == f"{25 * COST / 10**6:.6f}"
    assert client.get(JOBS).json()["results"][0]["workers_per_object"] == 2.5
    page = client.get(reverse("requester:job", args=[job.pk])).content.decode()
    assert "2.5 answers on average" in page and "2.5 workers per object" in page


@pytest.mark.parametrize("given", [3, 3.0])
def test_a_whole_number_stays_one_on_the_wire(client, account, given):
    made = post(client, JOBS, a_design(account, workers_per_object=given))
    assert made.status_code == 201 and '"workers_per_object":3,' in made.content.decode().replace(" ", "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"workers_per_object": 2.51}, "2.51 found, a multiple of 0.05 expected"),
        ({"workers_per_object": 2.5, "redundancy": {"kind": "dynamic"}}, "2.5 found, a whole number expected"),
        ({"workers_per_object": "2.5"}, "a number expected"),
        ({"workers_per_object": 0.5}, "greater than or equal to 1"),
    ],
)
def test_what_is_no_mean_is_a_problem_that_names_the_field(client, account, changes, reason):
    refused = post(client, JOBS, a_design(account, **changes))
    assert refused.status_code == 400 and not LabelingJob.objects.exists()
    assert reason in dict((one["field"], one["reason"]) for one in refused.json()["errors"])["workers_per_object"]


def test_the_estimate_and_the_forecast_are_of_25_answers(client):
    design = {"objects": 10, "workers_per_object": 2.5, "price": "0.036", "workers": 5}
    found = post(client, f"{JOBS}/estimate", design).json()
    assert (found["answers"], found["total"]) == (25, "1.080000") and found["per_object"] == "0.108000"
    forecast = design | {"labels": ["bee", "wasp"], "task_type": "ImageMultiClass", "compare": False}
    outcome = post(client, f"{JOBS}/forecast", forecast).json()["design"]
    assert outcome["redundancy"]["workers_per_object"] == 2.5
    assert outcome["answers_per_object"] == dict.fromkeys(("low", "expected", "high"), 2.5)
    assert set(outcome["cost"].values()) == {found["total"]}
    refused = post(client, f"{JOBS}/estimate", design | {"workers_per_object": 2.51})
    assert refused.status_code == 400 and refused.json()["errors"][0]["field"] == "workers_per_object"


def test_the_wizard_takes_a_mean_and_says_what_it_costs(client, account):
    builders.a_dataset(account=account, name="clover")
    client.post(step("data"), {"name": "bees", "dataset": account.datasets.get().pk, "selection": "full"})
    client.post(step("task"), TASK)
    team = builders.a_team(account=account, workers=stories.a_crowd(2))
    given = people(team.pk, workers_per_object="2.5")
    estimate = client.get(reverse("requester:job-estimate"), given).content.decode()
    # Two pictures, five answers.
    assert f'value-micros="{5 * COST}"' in estimate and "The team has 2 workers" in estimate
    wrong = client.post(step("people"), given | {"redundancy": "dynamic", "target_confidence": 0.9})
    assert wrong.status_code == 422 and "2.5 found, a whole number expected" in wrong.content.decode()
    assert client.post(step("people"), given | {"workers_per_object": "2.51"}).status_code == 422
    assert client.post(step("people"), given).status_code == 302
    if "automation" in client.session["job_draft"] or client.get(step("automation")).status_code == 200:
        client.post(step("automation"), {"target_iou": 0.6, "architecture": "compact", "max_rounds": 3})
    assert "<dd>2.5</dd>" in client.get(reverse("requester:job-review")).content.decode()
    client.post(reverse("requester:job-launch"))
    assert LabelingJob.objects.get(account=account).workers_per_object == 2.5
