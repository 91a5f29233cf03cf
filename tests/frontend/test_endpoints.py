"""Endpoints through the API and the pages, with an instance that really answers."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from labeling.models import DataObject, Dataset, LabelingJob, ObjectLine
from labeling.services.jobs import advancing
from learning.models import Endpoint, EndpointConfig, EndpointReplica
from learning.services.hosting import deploying, traffic
from learning.services.programs.executor import LocalExecutor
from learning.services.programs.supervisor import Supervisor
from tests import builders
from tests.frontend.test_wizard import people, step
from tests.learning.hosting_stories import a_config, a_model, an_endpoint, answer_all, follow, status_is
from tests.learning.serving.test_serve import picture

API = "/api/v1/endpoints"


@pytest.fixture
def owned(db):
    return builders.a_requester()


@pytest.fixture
def client(owned):
    client = Client()
    client.force_login(owned[0])
    return client


def send(client, path, body, **headers):
    return client.post(path, data=json.dumps(body), content_type="application/json", headers=headers)


@pytest.mark.django_db(transaction=True)
def test_from_a_configuration_to_a_task_of_a_person(owned, client, tmp_path):
    user, account = owned
    a_model(account)
    learner = Supervisor(executor=LocalExecutor(threads=1), slots=1, root=tmp_path / "programs")
    try:
        made = send(
            client, "/api/v1/endpoint-configs", {"name": "one", "variants": [{"name": "a", "model": "quadrants"}]}
        )
        assert made.status_code == 201 and made.json()["variants"][0]["instance_count"] == 1
        assert send(client, API, {"name": "bees", "config": "one"}).json()["status"] == "Creating"
        endpoint = Endpoint.objects.get()
        early = client.post(f"{API}/bees/invocations", picture(), content_type="image/png")
        assert early.status_code == 503 and early.json()["type"].endswith("endpoint-not-ready")
        follow(endpoint, learner, status_is(endpoint, "InService"))
        _invoke(client)
        _look(client, endpoint)
        _ask(client, account)
    finally:
        learner.shut_down()


def _invoke(client):
    answer = client.post(f"{API}/bees/invocations", picture(), content_type="image/png")
    assert answer.status_code == 200 and answer["x-Amzn-Invoked-Production-Variant"] == "a"
    assert {row[0] for row in answer.json()["prediction"][:2]} == {3.0, 7.0}
    browser = Client(enforce_csrf_checks=True)
    browser.cookies = client.cookies
    page = browser.get(reverse("requester:endpoint-try", args=["bees"]))
    token = {"X-CSRFToken": page.cookies["csrftoken"].value}
    asked = browser.post(f"{API}/bees/invocations", picture(), content_type="image/png", headers=token)
    assert asked.json() == answer.json()
    for body, kind, status, says in (
        (b"no picture", "image/png", 400, "not an image"),
        (b"{}", "application/json", 415, "application/json"),
        (bytes(6_291_457), "image/jpeg", 413, "at most 6,291,456"),
    ):
        refused = client.post(f"{API}/bees/invocations", body, content_type=kind)
        assert refused.status_code == status and says in refused.json()["detail"]
    other = client.post(
        f"{API}/bees/invocations",
        picture(),
        content_type="image/png",
        headers={"X-Amzn-SageMaker-Target-Variant": "b"},
    )
    assert other.status_code == 400 and "'b' found, one of a expected" in other.json()["detail"]


def _look(client, endpoint):
    traffic.flush()
    (variant,) = client.get(f"{API}/bees").json()["variants"]
    assert (variant["ready"], variant["requests"], variant["refused"], variant["share"]) == (1, 3, 1, 100.0)
    assert variant["p99_ms"] >= variant["p50_ms"] > 0
    page = client.get(reverse("requester:endpoint", args=["bees"])).content.decode()
    assert "InService" in page and "POST /api/v1/endpoints/bees/invocations" in page
    assert "bees" in client.get(reverse("requester:endpoints")).content.decode()


def _ask(client, account):
    """The picture becomes a data set whose boxes people correct."""
    image = SimpleUploadedFile("a.png", picture(), content_type="image/png")
    form = {"image": image, "least_scores": json.dumps({"red": 0.9, "blue": 1.0})}
    answer = client.post(reverse("requester:endpoint-ask", args=["bees"]), form)
    assert answer.status_code == 302 and answer["Location"] == step("data")
    dataset = Dataset.objects.get()
    assert dataset.status == "Completed" and dataset.objects_total == 1
    for name in ("data", "task"):
        shown = client.get(step(name)).context["form"]
        given = {field.name: field.value() for field in shown if field.value() not in (None, "")}
        assert client.post(step(name), given).status_code == 302, name
    team = builders.a_team(account=account, workers=1)
    client.post(step("people"), people(team.pk))
    client.post(step("automation"), {"enabled": "", "target_iou": 0.6, "architecture": "compact", "max_rounds": 3})
    client.post(reverse("requester:job-launch"))
    job = LabelingJob.objects.get()
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert (job.task_type, job.labels, job.objects_total) == ("AdjustmentBoundingBox", ["red", "blue"], 1)
    row = DataObject.objects.get(job=job)
    assert row.source_ref.endswith("/picture.png") and (row.width, row.height) == (200, 100)
    line = json.loads(ObjectLine.objects.get(data_object=row).text)
    boxes = line["predicted"]["annotations"]
    # Blue is not quite as sure as was asked for.
    assert [(box["class_id"], box["left"], box["top"]) for box in boxes] == [(0, 0, 0)]
    assert line["predicted-metadata"]["class-map"] == {"0": "red"}


@pytest.mark.django_db
def test_updates_weights_and_deletion_through_the_api(owned, client):
    _, account = owned
    old, new = a_model(account, "old"), a_model(account, "new")
    an_endpoint(account, a_config(account, old))
    a_config(account, new, name="second")
    changed = send(client, f"{API}/bees/weights", {"variants": [{"variant": "old", "weight": 3.5}]})
    assert changed.status_code == 200 and changed.json()["variants"][0]["weight"] == 3.5
    refused = send(client, f"{API}/bees/update", {"config": "second"})
    assert refused.status_code == 409 and "Updating" in refused.json()["detail"]
    Endpoint.objects.update(status="InService")
    begun = send(client, f"{API}/bees/update", {"config": "second", "strategy": {"type": "Linear", "step_percent": 20}})
    assert begun.status_code == 200 and begun.json()["update"]["strategy"]["step_percent"] == 20
    assert client.delete("/api/v1/endpoint-configs/second").status_code == 204
    assert client.get(f"{API}/bees").json()["update"]["config"] == "second"
    assert client.delete(f"{API}/bees").status_code == 202
    assert client.get(f"{API}/bees").json()["status"] == "Deleting"


@pytest.mark.django_db
def test_one_form_makes_an_endpoint_of_a_model(owned, client):
    _, account = owned
    a_model(account)
    form = {"name": "bees", "capture_percent": 10, **rows(row("quadrants", instance_count=2))}
    page = reverse("requester:endpoint-new")
    assert client.post(page, form)["Location"] == reverse("requester:endpoint", args=["bees"])
    config = EndpointConfig.objects.get()
    assert (config.name, config.capture_percent, EndpointReplica.objects.count()) == ("bees", 10, 2)
    assert [variant["name"] for variant in config.variants] == ["AllTraffic"]
    again = client.post(page, form)
    assert again.status_code == 422 and "there is an endpoint &#x27;bees&#x27; already" in again.content.decode()
    assert EndpointConfig.objects.count() == 1


def row(model, *, name="", weight="1", instance_count=1):
    return {"model": model, "name": name, "weight": weight, "instance_count": instance_count}


def rows(*filled):
    """The fields of a form with these rows."""
    fields = {f"variant-{place}-{name}": value for place, one in enumerate(filled) for name, value in one.items()}
    return {"variant-TOTAL_FORMS": len(filled), "variant-INITIAL_FORMS": 0, **fields}


@pytest.mark.django_db
def test_several_models_are_served_and_their_weights_shifted_by_the_pages(owned, client):
    _, account = owned
    for name in ("old", "new"):
        a_model(account, name)
    made = rows(row("old", weight="9"), row(""), row("new", name="candidate"))
    client.post(reverse("requester:endpoint-new"), {"name": "bees", "capture_percent": 10, **made})
    assert [(one["name"], one["model"], one["weight"]) for one in EndpointConfig.objects.get().variants] == [
        ("old", "old", 9.0),
        ("candidate", "new", 1.0),
    ]
    endpoint = Endpoint.objects.get()
    answer_all(endpoint)
    deploying.advance(endpoint_id=endpoint.pk)
    page = client.get(reverse("requester:endpoint", args=["bees"])).content.decode()
    assert "90" in page and 'name="variant-1-weight" value="1"' in page
    shifted = [{"variant": "old", "weight": "1", "instance_count": 1}, {"variant": "candidate", "weight": "3"}]
    shifted[1]["instance_count"] = 2
    client.post(reverse("requester:endpoint-weight", args=["bees"]), rows(*shifted))
    served = client.get(f"{API}/bees").json()["variants"]
    assert [(one["share"], one["instance_count"]) for one in served] == [(25.0, 1), (75.0, 2)]


@pytest.mark.django_db
def test_other_models_go_into_an_endpoint_by_a_page(owned, client):
    _, account = owned
    old = a_model(account, "old")
    a_model(account, "new")
    endpoint = an_endpoint(account, a_config(account, old, name="bees", capture_percent=5))
    page = reverse("requester:endpoint-variants", args=["bees"])
    shown = client.get(page)
    assert shown.status_code == 200 and [one["model"].value() for one in shown.context["shown"]] == ["old", None]
    form = {"type": "Canary", "step_percent": "5", "bake_seconds": "9"}
    none = client.post(page, {**form, **rows(row(""))})
    assert none.status_code == 422 and "Choose at least one model." in none.content.decode()
    twice = client.post(page, {**form, **rows(row("old"), row("old"))})
    assert twice.status_code == 422 and "there are two variants &#x27;old&#x27;" in twice.content.decode()
    assert EndpointConfig.objects.count() == 1
    done = client.post(page, {**form, **rows(row("old", weight="3"), row("new"))})
    assert done["Location"] == reverse("requester:endpoint", args=["bees"])
    deployment = endpoint.deployments.get(status="Starting")
    assert (deployment.config.name, deployment.config.capture_percent) == ("bees-2", 5)
    assert list(deployment.variants.order_by("pk").values_list("name", "weight")) == [("old", 3.0), ("new", 1.0)]
    assert deployment.strategy["type"] == "Canary"
    again = client.post(page, {**form, **rows(row("new"))})
    assert again.status_code == 422 and "the endpoint is Updating" in again.content.decode()


@pytest.mark.django_db
def test_the_pages_of_an_endpoint_do_what_their_forms_say(owned, client):
    _, account = owned
    old, new = a_model(account, "old"), a_model(account, "new")
    endpoint = an_endpoint(account, a_config(account, old))
    a_config(account, new, name="second")
    weights = reverse("requester:endpoint-weight", args=["bees"])
    client.post(weights, rows({"variant": "old", "weight": "2", "instance_count": 1}))
    assert Endpoint.objects.get().status == "Updating"
    Endpoint.objects.update(status="InService")
    form = {"config": "second", "type": "Canary", "step_percent": "5", "bake_seconds": "9"}
    client.post(reverse("requester:endpoint-update", args=["bees"]), form)
    strategy = endpoint.deployments.get(status="Starting").strategy
    assert (strategy["type"], strategy["step_percent"], strategy["max_error_percent"]) == ("Canary", 5, None)
    page = client.get(reverse("requester:endpoint", args=["bees"])).content.decode()
    assert "Update to second" in page and "Its instances are starting" in page
    part = client.get(reverse("requester:endpoint-progress", args=["bees"]), {"was": "InService"})
    assert part["HX-Refresh"] == "true"
    wrong = client.post(weights, rows({"variant": "old", "weight": "-1"}), follow=True)
    assert "Weight: Ensure this value is greater than or equal to 0" in wrong.content.decode()
    client.post(reverse("requester:endpoint-delete", args=["bees"]))
    assert Endpoint.objects.get().status == "Deleting"
    tried = client.get(reverse("requester:endpoint-try", args=["bees"]))
    assert '"3":"red"' in tried.content.decode()


@pytest.mark.django_db
def test_a_notice_leads_to_the_endpoint_by_its_number(owned, client):
    _, account = owned
    endpoint = an_endpoint(account, a_config(account, a_model(account)))
    listed = reverse("requester:endpoints")
    assert client.get(listed, {"id": endpoint.pk}).url == reverse("requester:endpoint", args=["bees"])
    stranger, _ = builders.a_requester()
    other = Client()
    other.force_login(stranger)
    for query in ({"id": endpoint.pk}, {"id": "x"}):
        assert other.get(listed, query).status_code == 200
