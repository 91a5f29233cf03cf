"""Improvement policies over REST and by pages, and the address to which stores report new images."""

import orjson
import pytest
from django.test import Client
from django.urls import reverse

from learning.models import ImprovementPolicy
from learning.services.improvement import creating, evaluating
from marketplace.models import AuditEvent, Notice
from tests import builders
from tests.frontend.test_endpoints import send
from tests.learning.hosting_stories import a_config, a_model, an_endpoint
from tests.learning.improvement.stories import (
    RED,
    a_flow,
    a_labeled_set,
    a_policy,
    answer,
    detections,
    drop,
    eager,
    location,
)
from tests.learning.improvement.test_runs import figures, until_trained

pytestmark = pytest.mark.django_db
API = "/api/v1/improvement-policies"


@pytest.fixture
def owned(db):
    return builders.a_requester()


@pytest.fixture
def client(owned):
    client = Client()
    client.force_login(owned[0])
    return client


def patch(client, path, body):
    return client.patch(path, data=orjson.dumps(body), content_type="application/json")


def test_a_policy_from_its_creation_to_a_decision_over_rest(owned, client):
    _, account = owned
    an_endpoint(account, a_config(account, a_model(account, "bees")))
    a_flow(account)
    body = {
        "name": "improve", "endpoint": "bees", "flow_definition": "reviews", "location": location(account),
        "test_dataset": a_labeled_set(account, [[RED]]).pk, "test_attribute": "boxes",
        "parameters": eager(), "settings": {"margin": 0.05},
    }  # fmt: skip
    wrong = send(client, API, {**body, "parameters": {"Minimum-F1-Score": 2}})
    assert wrong.status_code == 400 and "Minimum-F1-Score" in wrong.content.decode()
    assert not ImprovementPolicy.objects.exists()
    made = send(client, API, body)
    assert made.status_code == 201, made.content
    assert made.json()["parameters"]["Minimum-Untrained-Images"] == 2 and made.json()["settings"]["margin"] == 0.05
    assert made.json()["live_model"] == "bees" and "/improvement-events/" in made.json()["report_address"]
    policy = ImprovementPolicy.objects.get()
    assert "report_address" not in client.get(f"{API}/improve").json()

    run = until_trained(policy)
    evaluating.conclude(run, figures(0.5, 0.9))
    (listed,) = client.get(f"{API}/improve/runs").json()["results"]
    assert listed["f1"]["fixed"] == {"new": 0.5, "live": 0.9} and listed["title"] == "Regression"
    images = client.get(f"{API}/improve/images", {"status": "Answered"}).json()["results"]
    assert [one["set_aside"] for one in images] == [True, True] and images[0]["human_label"] == "red"
    assert client.post(f"{API}/improve/runs/1/use-again").json() == {"images": 2}
    assert client.get(f"{API}/other/runs").status_code == 404


def test_parameters_are_changed_over_rest_and_audited(owned, client):
    policy = a_policy(account=owned[1])
    changed = patch(client, f"{API}/improve/parameters", {"Minimum-F1-Score": 0.6})
    assert changed.json()["parameters"]["Minimum-F1-Score"] == 0.6
    event = AuditEvent.objects.latest("pk")
    assert event.because == "Minimum-F1-Score: 0.8 to 0.6" and event.by == f"user:{owned[0].pk}"
    for body, named in (
        ({"Minimum-Inference-Units": 6}, "Minimum-Inference-Units"),
        ({"Enable-A2I-Workflow": "yes"}, "Enable-A2I-Workflow"),
    ):
        refused = patch(client, f"{API}/improve/parameters", body)
        assert refused.status_code == 400 and named in refused.content.decode()
    policy.refresh_from_db()
    assert policy.parameters["Minimum-Inference-Units"] == 1
    assert client.post(f"{API}/improve/stop").json()["status"] == "Stopped"
    assert client.post(f"{API}/improve/check").status_code == 409
    assert client.post(f"{API}/improve/start").json()["status"] == "Active"
    assert client.delete(f"{API}/improve").status_code == 409
    client.post(f"{API}/improve/stop")
    assert client.delete(f"{API}/improve").status_code == 204 and not ImprovementPolicy.objects.exists()


def test_a_store_reports_new_images_without_signing_in(settings, client, owned):
    policy = a_policy(account=owned[1])
    address = client.post(f"{API}/improve/report-address").json()["report_address"]
    path = "/" + address.partition("://")[2].partition("/")[2]
    stranger = Client()
    body = orjson.dumps({"Records": []})
    assert stranger.post(path, body, content_type="application/json").content == b"0 new"
    assert stranger.post(path, b"{", content_type="text/plain").status_code == 400
    assert stranger.get(path).status_code == 405
    renewed = creating.renew_token(policy=policy, by="user:1")
    assert stranger.post(path, body, content_type="application/json").status_code == 404
    assert stranger.post(f"/improvement-events/{renewed}/", body, content_type="text/plain").status_code == 200


def test_the_pages_say_where_a_policy_is(owned, client):
    policy = a_policy(account=owned[1], parameters=eager())
    page = reverse("requester:improvement", args=["improve"])
    empty = client.get(page).content.decode()
    assert "No image yet" in empty and "Minimum-Label-Detection-Confidence" in empty
    run = until_trained(policy)
    busy = client.get(page).content.decode()
    assert '<li aria-current="step"><span class="state here ours">Evaluation' in busy
    assert '<span class="state taken">Wait for Training' in busy and "every 2s" in busy
    assert client.get(f"{page}progress/", {"was": "busy"}).get("HX-Refresh") is None
    evaluating.conclude(run, figures(0.5, 0.9))
    assert client.get(f"{page}progress/", {"was": "busy"})["HX-Refresh"] == "true"
    over = client.get(page).content.decode()
    assert '<span class="state refused ours">Regression' in over and "worse by more than the margin" in over
    client.post(f"{page}runs/1/use-again/")
    assert not policy.detections.filter(set_aside=True).exists()
    notice = Notice.objects.latest("pk")
    assert notice.kind == "improvement"
    led = client.get(reverse("requester:improvement-policies"), {"id": notice.subject_id})
    assert led["Location"] == page


def test_the_forms_make_a_policy_and_change_it(owned, client):
    _, account = owned
    an_endpoint(account, a_config(account, a_model(account, "bees")))
    a_flow(account)
    tests = a_labeled_set(account, [[RED]])
    form = {
        "name": "improve", "endpoint": "bees", "flow_definition": "reviews", "location": location(account),
        "test_dataset": tests.pk, "test_attribute": "boxes", "holdout_percent": 20, "margin": 0.02,
        **{name: value for name, value in creating.known.DEFAULTS.items() if value is not True},
        "Enable-Automatic-Training": "on",
    }  # fmt: skip
    page = reverse("requester:improvement-new")
    wrong = client.post(page, {**form, "test_attribute": "labels"})
    assert wrong.status_code == 422 and "has boxes under" in wrong.content.decode()
    refused = client.post(page, {**form, "queue_arn": "images"}).context["form"].errors
    assert "an ARN such as arn:aws:sqs:" in refused["queue_arn"][0]
    made = client.post(page, form, follow=True)
    assert "it is shown only now" in made.content.decode()
    policy = ImprovementPolicy.objects.get()
    assert policy.parameters["Enable-Automatic-Training"] and not policy.parameters["Enable-A2I-Workflow"]
    detail = reverse("requester:improvement", args=["improve"])
    changed = {**form, "Minimum-F1-Score": 0.5, "Enable-A2I-Workflow": "on"}
    client.post(f"{detail}parameters/", changed)
    policy.refresh_from_db()
    assert policy.parameters["Minimum-F1-Score"] == 0.5 and policy.parameters["Enable-A2I-Workflow"]
    refused = client.post(f"{detail}parameters/", {**changed, "Minimum-F1-Score": 5}, follow=True)
    assert "Minimum-F1-Score" in refused.content.decode()
    drop(policy, "x.png", content=b"no picture")
    answer(detections(policy, 1), RED)
    for act, status in (("stop", "Stopped"), ("start", "Active"), ("check", "Active"), ("stop", "Stopped")):
        client.post(f"{detail}act/", {"act": act})
        policy.refresh_from_db()
        assert policy.status == status
    before = policy.token_hash
    assert "/improvement-events/" in client.post(f"{detail}act/", {"act": "renew"}, follow=True).content.decode()
    policy.refresh_from_db()
    assert policy.token_hash != before
    assert "is not known" in client.post(f"{detail}act/", {"act": "sing"}, follow=True).content.decode()
    client.post(f"{detail}act/", {"act": "delete"})
    assert not ImprovementPolicy.objects.exists()
