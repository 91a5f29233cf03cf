"""The price of a running job over REST and on its page."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling.models import Batch, LabelingJob
from labeling.services.jobs import advancing
from tests.labeling import stories

pytestmark = pytest.mark.django_db


@pytest.fixture
def running():
    """A job of 4 answers, and its requester's client."""
    job, workers = stories.an_open_job(workers=1, objects=4, workers_per_object=1)
    client = Client()
    client.force_login(job.account.members.get())
    return job, workers[0], client


def post(client, path, body):
    return client.post(path, data=json.dumps(body), content_type="application/json")


def test_the_price_over_rest(running):
    job, worker, client = running
    base = f"/api/v1/labeling-jobs/{job.pk}/price"
    told = client.get(base).json()
    assert (told["price"], told["next_price"], told["late"], told["changes"]) == ("0.036000", None, False, [])
    assert (told["answers_left"], told["answers_per_hour"], told["forecast_end"]) == (4, None, None)
    raised = post(client, base, {"price": "0.04"}).json()
    assert (raised["price"], raised["fee"], raised["changes"][0]["reserved"]) == ("0.040000", "0.008000", "0.019200")
    lower = post(client, base, {"price": "0.04"})
    assert lower.status_code == 400 and "only be raised" in lower.json()["detail"]
    end = timezone.now() + timedelta(hours=2)
    told = post(client, f"{base}-ceiling", {"price_ceiling": "0.05", "wanted_end": end.isoformat()}).json()
    assert (told["price_ceiling"], told["next_price"]) == ("0.050000", "0.044000")
    wrong = post(client, f"{base}-ceiling", {"price_ceiling": "0.01", "wanted_end": end.isoformat()})
    assert [error["field"] for error in wrong.json()["errors"]] == ["price_ceiling"]
    assert client.get(f"/api/v1/labeling-jobs/{job.pk}").json()["price_ceiling"] == "0.050000"
    told = post(client, f"{base}-ceiling", {"price_ceiling": None, "wanted_end": None}).json()
    assert (told["price_ceiling"], told["wanted_end"]) == (None, None)


def test_a_job_is_created_with_a_ceiling(running):
    job, _, client = running
    end = (timezone.now() + timedelta(hours=5)).isoformat()
    design = {
        "name": "soon", "labels": ["bee"], "workteam": job.workteam_id, "title": "t", "description": "d",
        "input_manifest_uri": job.input_manifest_uri, "price": "0.036", "price_ceiling": "0.06", "wanted_end": end,
    }  # fmt: skip
    made = post(client, "/api/v1/labeling-jobs", design)
    assert made.status_code == 201, made.content
    assert made.json()["price_ceiling"] == "0.060000"
    wrong = post(client, "/api/v1/labeling-jobs", {**design, "name": "other", "price_ceiling": "0.02"})
    assert [error["field"] for error in wrong.json()["errors"]] == ["price_ceiling"]


def test_the_page_shows_the_history_and_that_the_job_is_late(running):
    job, worker, client = running
    page = reverse("requester:job", args=[job.pk])
    raised = client.post(reverse("requester:job-price", args=[job.pk]), {"price": "0.04"}, follow=True)
    assert "Raised: it is paid" in raised.content.decode()
    refused = client.post(reverse("requester:job-price", args=[job.pk]), {"price": "0.01"}, follow=True)
    assert "can only be raised" in refused.content.decode()
    ceiling = reverse("requester:job-price-ceiling", args=[job.pk])
    refused = client.post(ceiling, {"price_ceiling": "0.05", "wanted_hours": ""}, follow=True)
    assert "a highest price needs a wanted end" in refused.content.decode()
    client.post(ceiling, {"price_ceiling": "0.05", "wanted_hours": 3})
    assert LabelingJob.objects.get(pk=job.pk).price_ceiling_micros == 50_000
    shown = client.get(page).content.decode()
    assert "by the requester" in shown and "not measured for an hour yet" in shown
    now = timezone.now()
    Batch.objects.update(opened_at=now - timedelta(hours=8))
    job.queue.price_changes.update(changed_at=now - timedelta(hours=7))
    shown = client.get(page).content.decode()
    assert "never, at this pace" in shown and "done later than wanted" in shown
    advancing.advance_job(job.pk)
    assert "forecast end never" in client.get(page).content.decode()
    client.force_login(worker.user)
    assert "0.044" in client.get(reverse("worker:jobs")).content.decode()
