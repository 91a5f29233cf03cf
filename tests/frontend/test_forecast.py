"""The forecast over REST and in the wizard: its numbers, its warning, who may have how many."""

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from frontend import forecasts
from marketplace.models import Account, Entry, Role, User
from marketplace.services import accounts
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db
PATH = "/api/v1/labeling-jobs/forecast"
DESIGN = {
    "objects": 60,
    "workers_per_object": 3,
    "price": "0.036",
    "labels": ["bee", "wasp"],
    "workers": 6,
    "task_type": "ImageMultiClass",
}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def account(db) -> Account:
    return stories.an_account()


@pytest.fixture
def client(account) -> Client:
    return signed_in(account.members.get())


def ask(client: Client, **changes):
    return client.post(PATH, json.dumps(DESIGN | changes), content_type="application/json")


def test_a_design_is_forecast_with_intervals_and_what_they_rest_on(client):
    found = ask(client).json()
    assert set(found["design"]["quality"]) == {"accuracy"} == set(found["figures"])
    accuracy = found["design"]["quality"]["accuracy"]
    assert 0.5 < accuracy["low"] < accuracy["expected"] <= accuracy["high"] <= 1
    # 60 objects, three answers each, 3.6 cents and a fee of 20 %.
    assert found["design"]["cost"] == dict.fromkeys(("low", "expected", "high"), "7.776000")
    assert found["design"]["redundancy"]["kind"] == "fixed"
    assert [one["redundancy"]["workers_per_object"] for one in found["compared"]] == [1, 3, 5, 5]
    assert found["compared"][3]["redundancy"] == {
        "kind": "dynamic", "workers_per_object": 5, "start": 2, "target_confidence": 0.9,
    }  # fmt: skip
    assert found["crowd"]["name"] == "mixed" and found["crowd"]["workers"] == 6
    assert found["crowd"]["rates"]["Right answers of one worker"] == 0.87
    assert (found["pay_floor"], found["underpaid"]) == ("7.250000", True)
    assert ask(client).json() == found


def test_dynamic_redundancy_boxes_and_another_crowd_can_be_forecast(client):
    redundancy = {"kind": "dynamic", "target_confidence": 0.8, "start": 1}
    found = ask(client, task_type="BoundingBox", redundancy=redundancy, crowd="careful", compare=False).json()
    assert set(found["design"]["quality"]) == {"f1", "mean_iou"} and found["compared"] == []
    answers = found["design"]["answers_per_object"]
    assert 1 <= answers["low"] <= answers["expected"] <= answers["high"] <= 3


def test_what_is_wrong_is_a_problem_that_names_the_field(client):
    for changes, field in (
        ({"crowd": "angels"}, "crowd"),
        ({"price": "-1"}, "price"),
        ({"price": "3"}, "price"),
        ({"labels": ["bee"]}, "labels"),
        ({"redundancy": {"kind": "dynamic", "start": 4}}, "redundancy.start"),
        ({"crowd": "learned"}, "crowd"),
    ):
        response = ask(client, **changes)
        assert response.status_code in (400, 422), changes
        assert field in response.content.decode()


def test_viewers_may_forecast_and_strangers_and_the_anonymous_may_not(account):
    viewer = builders.a_user()
    accounts.add_member(account=account, user=viewer, role=Role.VIEWER)
    assert ask(signed_in(viewer)).status_code == 200
    assert ask(signed_in(builders.a_user())).status_code in (403, 404)
    assert ask(Client()).status_code in (401, 403)


def test_forecasts_are_limited_for_each_user_on_pages_and_rest_together(client, account):
    user = account.members.get()
    for _ in range(forecasts.MOST):
        assert forecasts.take(user)[0]
    refused = ask(client)
    assert refused.status_code == 429 and int(refused["Retry-After"]) <= forecasts.SECONDS + 1
    page = wizard(client, account)
    assert "That were many forecasts" in page()
    assert ask(signed_in(stories.an_account().members.get())).status_code == 200


def wizard(client: Client, account: Account):
    """Fills in the first steps; returns a function that reads the forecast of what the people step then holds."""
    team = builders.a_team(account=account, workers=stories.a_crowd(6))
    dataset = builders.a_dataset(account=account)

    def post(step: str, given: dict) -> None:
        assert client.post(reverse("requester:job-new-step", args=[step]), given).status_code == 302

    post("data", {"name": "bees", "dataset": dataset.pk, "selection": "full"})
    task = {"labels": "bee\nwasp", "title": "Bees", "description": "Choose", "task_type": "ImageMultiClass"}
    post("task", task)
    people = {
        "workteam": team.pk, "workers_per_object": 3, "redundancy": "fixed", "expected_seconds": 10, "price": "0.036",
        "time_limit_minutes": 10, "max_concurrent_tasks": 100, "target_confidence": 0.9,
    }  # fmt: skip

    def read(**changes) -> str:
        response = client.get(reverse("requester:job-forecast"), people | changes)
        assert response.status_code == 200
        return response.content.decode()

    return read


def test_the_wizard_shows_the_forecast_beside_other_redundancies(client, account):
    read = wizard(client, account)
    before = Entry.objects.count()
    html = read()
    assert html.count("<tr") == 5 and html.count("Your design") == 1 and "Right labels" in html
    # Two pictures, three answers each, 3.6 cents and a fee of 20 %.
    assert 'value-micros="259200"' in html
    assert "6 workers" in html and "Mixed" in html and "an hour is below" not in html
    assert 'value-micros="86400"' in read(workers_per_object=1)
    dynamic = read(redundancy="dynamic", workers_per_object=4)
    assert "Up to 4, until 90 % sure" in dynamic
    assert "an hour is below" in read(expected_seconds=60)
    assert "too little is known of your crowd" in read(crowd="learned")
    assert "one of careful" in read(crowd="angels")
    assert "Fill in the numbers" in read(price="nothing")
    assert Entry.objects.count() == before


def test_before_the_first_steps_there_is_nothing_to_forecast(client):
    assert "Fill in the numbers" in client.get(reverse("requester:job-forecast")).content.decode()


def test_a_forecast_makes_the_same_few_queries_for_any_job(client, account):
    read, counts = wizard(client, account), []
    for most in (1, 3):
        builders.a_team(account=account, workers=stories.a_crowd(2))
        with CaptureQueriesContext(connection) as asked:
            read(workers_per_object=most)
        counts.append(len(asked))
    assert counts[1] <= counts[0] <= 15
