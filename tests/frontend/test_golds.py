"""Golds over REST and on pages: for the requester, and for the worker once they are told."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import Gold, GoldResult, LabelingJob
from labeling.services.golds import scoring
from labeling.services.jobs import advancing, creation
from tests.labeling import stories
from tests.labeling.golds import TRUE, WRONG, a_job_with_golds, state_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def answered():
    """A job with three golds, which one worker got right and another one wrong; its requester's client."""
    job, (ann, bob, _), golds = a_job_with_golds(golds=3, objects=12, rate=50)
    stories.work(ann, job, TRUE)
    stories.work(bob, job, WRONG)
    scoring.score_new(job)
    client = Client()
    client.force_login(job.account.members.get())
    return job, (ann, bob), golds, client


def post(client, path, body=None):
    return client.post(path, data=json.dumps(body or {}), content_type="application/json")


def test_golds_over_rest(answered):
    job, _, golds, client = answered
    base = f"/api/v1/labeling-jobs/{job.pk}/golds"
    rows = client.get(base).json()["results"]
    assert [(row["id"], row["answers"], row["passed"], row["state"]) for row in rows] == [
        (gold.pk, 2, 1, "Active") for gold in reversed(golds)
    ]
    assert rows[0]["source"] == "expert" and rows[0]["truth"]["boxes"][0]["left"] == 100
    corrected = post(client, f"{base}/{golds[0].pk}/correct", {"answer": WRONG}).json()
    assert (corrected["answers"], corrected["passed"]) == (2, 1)
    assert corrected["truth"]["boxes"][0]["left"] == 400
    assert post(client, f"{base}/{golds[0].pk}/correct", {"answer": {}}).status_code == 400
    withdrawn = post(client, f"{base}/{golds[1].pk}/withdraw", {"reason": "blurred"}).json()
    assert (withdrawn["state"], withdrawn["reason"]) == ("Withdrawn", "blurred")
    assert post(client, f"{base}/{golds[1].pk}/confirm").status_code == 409
    assert [row["id"] for row in client.get(f"{base}?state=Withdrawn").json()["results"]] == [golds[1].pk]
    changed = post(client, f"/api/v1/labeling-jobs/{job.pk}/gold-options", {"rate": 5, "mint": 2}).json()
    assert changed == {"rate": 5, "attribute": "", "most": 100, "mint": 2, "pass_mark": 0.6}
    assert client.get(f"/api/v1/labeling-jobs/{job.pk}").json()["golds"]["rate"] == 5
    assert post(client, f"/api/v1/labeling-jobs/{job.pk}/gold-options", {"rate": 51}).status_code == 400


def test_adding_a_gold_and_deciding_its_object_anew(answered):
    job, _, _, client = answered
    stories.add_objects(job, 1)
    row = job.objects_of_job.order_by("-index")[0]
    added = post(client, f"/api/v1/labeling-jobs/{job.pk}/golds", {"object": row.pk, "answer": TRUE})
    assert added.status_code == 201 and added.json()["answers"] == 0
    assert post(client, f"/api/v1/labeling-jobs/{job.pk}/golds", {"object": row.pk}).status_code == 409
    decided = post(client, f"/api/v1/labeling-jobs/{job.pk}/objects/{row.pk}/adjudicate", {"answer": WRONG})
    assert decided.status_code == 201
    assert Gold.objects.get(data_object=row).truth["boxes"][0]["left"] == 400


def test_the_estimate_has_the_golds(answered):
    _, _, _, client = answered
    design = {"objects": 100, "workers_per_object": 3, "price": "0.036"}
    plain = post(client, "/api/v1/labeling-jobs/estimate", design).json()
    more = post(client, "/api/v1/labeling-jobs/estimate", design | {"golds_rate": 10}).json()
    # 70 answers come with 30 golds at first, the other 230 with one in ten.
    assert (plain["golds"], more["golds"]) == ("0.000000", f"{(30 + 26) * 0.0432:.6f}")
    assert float(more["total"]) == pytest.approx(float(plain["total"]) + float(more["golds"]))
    assert more["per_object"] == plain["per_object"] and more["duration_seconds"] > plain["duration_seconds"]
    forecast = {**design, "labels": ["bee"], "compare": False}
    without, with_golds = (
        post(client, "/api/v1/labeling-jobs/forecast", forecast | {"golds_rate": rate}).json()["design"]
        for rate in (0, 10)
    )
    assert float(with_golds["cost"]["expected"]) > 1.15 * float(without["cost"]["expected"])
    assert with_golds["quality"] == without["quality"]


def test_the_people_tab_shows_golds_and_keeps_them(answered):
    job, (ann, _), golds, client = answered
    Gold.objects.filter(pk=golds[0].pk).update(state="Suspect", reason="0 of 5 answers agree")
    text = client.get(reverse("requester:job-people", args=[job.pk])).content.decode()
    assert "1 gold may be wrong" in text and "0 of 5 answers agree" in text and "3 of 3" in text and "0 of 3" in text
    client.post(reverse("requester:gold-confirm", args=[job.pk, golds[0].pk]))
    assert state_of(golds[0]) == "Active"
    client.post(reverse("requester:gold-withdraw", args=[job.pk, golds[1].pk]), {"reason": "blurred"})
    assert state_of(golds[1]) == "Withdrawn"
    client.post(reverse("requester:job-gold-options", args=[job.pk]), {"rate": 5, "mint": 1, "pass_mark": 0.8})
    assert LabelingJob.objects.get(pk=job.pk).queue.gold_rate == 0.05
    said = client.post(
        reverse("requester:job-gold-options", args=[job.pk]), {"rate": 70, "mint": 1, "pass_mark": 0.8}, follow=True
    )
    assert b"less than or equal to 50" in said.content
    shown = client.get(reverse("requester:object", args=[job.pk, golds[0].data_object_id])).content.decode()
    assert "This object is a gold" in shown and "1 of 2 answers passed" in shown


def test_a_member_uses_a_decided_object_as_a_gold(answered):
    job, _, _, client = answered
    stories.add_objects(job, 1)
    row = job.objects_of_job.order_by("-index")[0]
    page = reverse("requester:object", args=[job.pk, row.pk])
    assert b"Use it as a gold" not in client.get(page).content
    client.post(reverse("requester:object-adjudicate", args=[job.pk, row.pk]), {"answer": json.dumps(TRUE)})
    assert b"Use it as a gold" in client.get(page).content
    client.post(reverse("requester:object-gold", args=[job.pk, row.pk]))
    assert Gold.objects.filter(data_object=row, source="expert").exists()


def test_the_truth_is_told_when_the_gold_is_retired_or_the_job_is_over(answered):
    job, (ann, bob), golds, _ = answered
    Gold.objects.filter(pk=golds[0].pk).update(state="Retired")
    client = Client()
    client.force_login(bob.user)
    told = [row["gold"] for row in client.get("/api/v1/worker/answers?page_size=100").json()["results"] if row["gold"]]
    assert len(told) == 1
    assert (told[0]["score"], told[0]["passed"], told[0]["truth"]["boxes"][0]["left"]) == (0.0, False, 100)
    seat = GoldResult.objects.get(worker=bob, gold=golds[0]).assignment_id
    text = client.get(reverse("worker:history")).content.decode()
    assert text.count("The true answer was known: 1 box") == 1 and "Yours did not pass" in text
    both = client.get(reverse("worker:gold", args=[seat])).content.decode()
    assert "True answer" in both and "Your answer" in both and "too little to pass" in both
    hidden = GoldResult.objects.get(worker=bob, gold=golds[1]).assignment_id
    assert client.get(reverse("worker:gold", args=[hidden])).status_code == 404
    assert (
        client.get(
            reverse("worker:gold", args=[GoldResult.objects.get(worker=ann, gold=golds[0]).assignment_id])
        ).status_code
        == 404
    )
    creation.stop_job(job=job, by="user:1")
    advancing.advance_job(job.pk)
    assert client.get(reverse("worker:gold", args=[hidden])).status_code == 200
    assert client.get(reverse("worker:history")).content.decode().count("The true answer was known") == 3
