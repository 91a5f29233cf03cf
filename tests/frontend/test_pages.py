"""The portal's pages with Django's test client: with and without data, with bad input and with hostile text."""

import json
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from labeling.models import BadLine, DataObject, Export, LabelingJob
from labeling.services.jobs.batches import open_batch
from labeling.services.queue import batches, due
from learning.models import LearningLoop, Model, Round, TrainingJob, TrainingMetric
from marketplace.models import Account, ApiToken, User, Worker
from marketplace.services import wallets
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db
HOSTILE = "<img src=x onerror=alert(1)>"
DRAWN = [(100, 100, 50, 40), (102, 101, 50, 40)]


def sign_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def account(db) -> Account:
    return stories.an_account()


@pytest.fixture
def requester(account: Account) -> Client:
    return sign_in(account.members.get())


@pytest.fixture
def workers(db) -> list[Worker]:
    return stories.a_crowd(2)


@pytest.fixture
def job(account: Account, workers: list[Worker]) -> LabelingJob:
    """Two of four objects are labeled by two people each; every text that somebody can write holds HTML."""
    job = stories.a_job(
        account,
        builders.a_team(account=account, workers=workers),
        workers_per_object=2,
        labels=["bee", HOSTILE],
        title=HOSTILE,
        description=HOSTILE,
        instructions={"short": HOSTILE, "full": HOSTILE, "good_examples": [], "bad_examples": []},
        automated_labeling={"enabled": True},
    )
    rows = list(DataObject.objects.filter(job=job).order_by("index"))
    for row in rows:
        row.source_ref = f"s3://bees/{row.index}{HOSTILE}.png"
    DataObject.objects.bulk_update(rows, ["source_ref"])
    open_batch(job=job, object_ids=[row.pk for row in rows[:2]], by="system")
    for worker, box in zip(workers, DRAWN, strict=True):
        stories.work(worker, job, stories.boxes(box, label=HOSTILE))
    due.settle_due(job.queue)
    rows[3].state, rows[3].failure_reason = "Failed", HOSTILE
    rows[3].save()
    BadLine.objects.create(job=job, number=7, reason=HOSTILE, excerpt=HOSTILE)
    return job


@pytest.fixture
def model(account: Account, job: LabelingJob) -> Model:
    """A model of the job's learning loop, with one finished round that has all figures and one in training."""
    model = Model.objects.create(
        account=account,
        name="bees-round-1",
        architecture="compact",
        labels=["bee", HOSTILE],
        metrics={"mAP_50": 0.61, "mAP": 0.4, "AP_50:bee": 0.7},
        artifact_uri="file:///nowhere/model.tar.gz",
        parts_uri="file:///nowhere",
    )
    done = TrainingJob.objects.create(account=account, name="bees-1", status="Completed", model=model, progress=1)
    at = job.created_at
    TrainingMetric.objects.bulk_create(
        TrainingMetric(training_job=done, name=name, step=step, value=value, at=at)
        for name, values in {"train:loss": (3, 2, 1), "validation:mAP_50": (0.2, 0.5, 0.61)}.items()
        for step, value in enumerate(values)
    )
    loop = LearningLoop.objects.create(job=job, settings={"target_iou": 0.6, "confidence": 0.9}, final_model=model)
    figures = {
        "human_labels": 20,
        "mAP_50": 0.61,
        "mAP": 0.4,
        "expected_quality": 0.72,
        "quality_lower_bound": 0.63,
        "auto_labeled": 5,
        "training_seconds": 75.0,
        "machine": {"images": 8, "quality": 0.72, "lower_bound": 0.63, "confidence": 0.9},
        "counters": {"HumanLabeled": 20},
    }
    curve = [{"threshold": 0.5, "quality": 0.7, "coverage": 0.4}, {"threshold": 0.4, "quality": 0.6, "coverage": 0.9}]
    Round.objects.create(
        loop=loop, number=1, status="Finished", training_job=done, threshold=0.5, curve=curve, figures=figures
    )
    running = TrainingJob.objects.create(account=account, name="bees-2", progress=0.25)
    Round.objects.create(loop=loop, number=2, status="Training", training_job=running)
    return model


def open_the_rest(job: LabelingJob) -> None:
    """Close the first batch and open a batch of the objects without a label."""
    live = batches.live_batch(job.queue)
    if live is not None:
        assert batches.close_batch(batch=live)
    rows = DataObject.objects.filter(job=job, label=None).exclude(state="Failed")
    open_batch(job=job, object_ids=[row.pk for row in rows], by="system")


def pages_of(job: LabelingJob, model: Model) -> list[str]:
    """The paths of all pages that show a requester something of this job or its account."""
    rows = list(DataObject.objects.filter(job=job).order_by("index"))
    dataset = builders.a_dataset(account=job.account, name="clover")
    tabs = (
        "job",
        "job-progress",
        "job-loop",
        "job-people",
        "job-gallery",
        "job-classes",
        "job-downloads",
        "job-preview",
    )
    return [
        *(reverse(f"requester:{tab}", args=[job.pk]) for tab in (*tabs, "job-preview")),
        *(f"{reverse('requester:job-gallery', args=[job.pk])}?which={w}" for w in ("human", "machine", "failed")),
        *(reverse("requester:object", args=[job.pk, row.pk]) for row in rows),
        *(reverse(f"requester:{name}") for name in ("overview", "jobs", "datasets", "models", "wallet", "teams")),
        reverse("requester:settings"),
        reverse("requester:model", args=[model.pk]),
        reverse("requester:dataset", args=[dataset.pk]),
        reverse("requester:team", args=[job.workteam_id]),
        reverse("requester:job-new"),
    ]


def test_every_page_renders_and_escapes_hostile_text(requester, job, model):
    for path in pages_of(job, model):
        response = requester.get(path)
        assert response.status_code == 200, path
        html = response.content.decode()
        assert "<img src=x" not in html, path
        assert "style=" not in html and "<script>" not in html, f"{path}: the policy refuses what is inline"
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy, path
        if 'class="app' in html:
            assert html.count("<h1") == 1 and "<title>" in html, path


def test_worker_pages_escape_hostile_text(workers, job):
    client = sign_in(workers[0].user)
    open_the_rest(job)
    for path in (reverse("worker:jobs"), reverse("worker:task", args=[job.queue_id]), reverse("worker:earnings")):
        html = client.get(path).content.decode()
        assert "<img src=x" not in html, path
    assert "&lt;img src=x" in client.get(reverse("worker:jobs")).content.decode()
    assert 'value-micros="72000"' in client.get(reverse("worker:earnings")).content.decode()


def test_pages_without_data_link_to_the_next_step(requester, account):
    for name, wanted in {
        "overview": "dataset-new",
        "jobs": "job-new",
        "datasets": "dataset-new",
        "models": "job-new",
        "job-new": "dataset-new",
    }.items():
        html = requester.get(reverse(f"requester:{name}")).content.decode()
        main = html[html.index("<main") :]
        assert 'class="empty"' in main and reverse(f"requester:{wanted}") in main, name
    assert account.number in requester.get(reverse("requester:settings")).content.decode()


def test_the_object_page_explains_the_label(requester, job, workers):
    row = DataObject.objects.get(job=job, index=0)
    html = requester.get(reverse("requester:object", args=[job.pk, row.pk])).content.decode()
    assert "2 people answered. 1 box kept." in html
    assert "Drawn by 2 of 2." in html
    assert all(worker.public_id in html for worker in workers)
    untouched = DataObject.objects.get(job=job, index=2)
    html = requester.get(reverse("requester:object", args=[job.pk, untouched.pk])).content.decode()
    assert "Nobody has labeled this object yet." in html


def layers_of(html: str) -> list[list[dict]]:
    """The box layers of every image on a page."""
    found = re.findall(r'<script type="application/json">(.*?)</script>', html)
    return [one["layers"] for one in map(json.loads, found) if "layers" in one]


def test_the_page_of_disagreements_shows_each_workers_boxes_and_links_to_the_decision(requester, job, workers):
    """Merged boxes and every worker's boxes are shown together; a worker has the same colour on every image."""
    open_the_rest(job)
    for worker in workers:
        stories.work(worker, job)
    due.settle_due(job.queue)
    html = requester.get(reverse("requester:job-people", args=[job.pk])).content.decode()
    pictures = layers_of(html)
    assert len(pictures) == 3
    for layers in pictures:
        assert [layer["kind"] for layer in layers] == ["merged", "worker", "worker"]
        assert all(layer["on"] for layer in layers[1:])
        assert {layer["name"]: layer["color"] for layer in layers[1:]} == {
            layer["name"]: layer["color"] for layer in pictures[0][1:]
        }
        assert len({layer["color"] for layer in layers[1:]}) == 2
    row = DataObject.objects.get(job=job, index=0)
    assert f"{reverse('requester:object', args=[job.pk, row.pk])}#decide" in html


def test_the_requesters_decision_becomes_the_label(requester, job):
    row = DataObject.objects.get(job=job, index=0)
    path = reverse("requester:object-adjudicate", args=[job.pk, row.pk])
    before = row.labels.count()
    for answer in ("", "not json", json.dumps({"boundingBox": {"boundingBoxes": [{"left": -5}]}})):
        requester.post(path, {"answer": answer})
        assert row.labels.count() == before, answer
    requester.post(path, {"answer": json.dumps(stories.boxes((10, 20, 30, 40)))})
    row.refresh_from_db()
    (box,) = row.label.value["boxes"]
    assert row.label.source == "adjudicated"
    assert (box["left"], box["top"], box["width"], box["height"]) == (10, 20, 30, 40)


def test_the_loop_page_shows_the_figures_of_the_rounds(requester, job, model):
    html = requester.get(reverse("requester:job-loop", args=[job.pk])).content.decode()
    charts = [json.loads(text) for text in re.findall(r"<template>(.*?)</template>", html)]
    by_title = {chart["title"]: chart for chart in charts}
    assert by_title["Learning curve"]["series"][0]["points"] == [[20, 0.61]]
    cut = by_title["Cut-off against quality, round 1"]
    assert cut["series"][0]["points"] == [[0.4, 0.6], [0.5, 0.7]]
    assert {"label": "cut-off", "x": 0.5} in cut["marks"] and {"label": "promised", "y": 0.6} in cut["marks"]
    assert by_title["Quality of the machine's labels"]["series"][1]["points"] == [["1", 0.63]]
    assert "a mean IoU of at least 0.6 with 90% confidence" in html
    assert "Round 2: a model is being trained" in html and 'value="0.2500"' in html
    assert "at least 0.630" in html and "61.0 %" in html and "75 s" in html


def test_the_progress_part_polls_only_while_the_job_runs(requester, job):
    path = reverse("requester:job-progress", args=[job.pk])
    assert "hx-trigger" in requester.get(path).content.decode()
    LabelingJob.objects.filter(pk=job.pk).update(status="Completed")
    response = requester.get(f"{path}?was=running")
    assert "hx-trigger" not in response.content.decode() and response.headers["HX-Refresh"] == "true"


def test_a_token_is_shown_once(requester, account):
    made = requester.post(reverse("requester:settings-create-token"), {"name": "notebook"})
    (secret,) = set(re.findall(r"wgl_[\w-]{20,}", made.content.decode()))
    assert "no-store" in made.headers["Cache-Control"]
    assert secret not in requester.get(reverse("requester:settings")).content.decode()
    token = ApiToken.objects.get(name="notebook")
    requester.post(reverse("requester:settings-revoke-token", args=[token.pk]))
    token.refresh_from_db()
    assert token.revoked_at is not None


@pytest.mark.parametrize(
    ("name", "given", "field"),
    [
        ("dataset-new", {"name": "not a name!", "kind": "prefix", "uri": "s3://b/p/", "selection": "full"}, "name"),
        ("dataset-new", {"name": "bees", "kind": "prefix", "selection": "full"}, "uri"),
        ("dataset-new", {"name": "bees", "kind": "upload", "selection": "random"}, "percent"),
        ("dataset-new", {"name": "bees", "kind": "manifest", "uri": "ftp://x/y", "selection": "full"}, ""),
        ("dataset-new", {"name": "bees", "kind": "upload", "selection": "full"}, ""),
        ("team-new", {"name": HOSTILE}, "name"),
        ("settings-invite", {"email": "no address", "role": "Member"}, "email"),
        ("team-suspend", {"worker": "NOBODY", "reason": "spam"}, "worker"),
        ("settings-create-token", {"name": ""}, "name"),
    ],
)
def test_bad_input_is_reported_beside_its_field(requester, name, given, field):
    response = requester.post(reverse(f"requester:{name}"), given)
    assert response.status_code == 422
    html = response.content.decode()
    assert HOSTILE not in html
    found = re.search(r'class="field invalid".*?class="field-error"', html, re.S)
    if field:
        assert found and f'id="id_{field}"' in found[0]
    else:
        assert found or "callout-bad" in html


def test_the_wizard_keeps_its_steps_and_shows_the_price(requester, account):
    dataset, team = builders.a_dataset(account=account), builders.a_team(account=account, workers=stories.a_crowd(2))
    assert requester.get(reverse("requester:job-new-step", args=["people"])).status_code == 302

    def step(name: str, given: dict) -> int:
        return requester.post(reverse("requester:job-new-step", args=[name]), given).status_code

    assert step("data", {"name": "bees", "dataset": dataset.pk, "selection": "random"}) == 422
    assert step("data", {"name": "bees", "dataset": dataset.pk, "selection": "full"}) == 302
    assert step("task", {"labels": "bee\nbee", "title": "Bees", "description": "Box them"}) == 422
    assert step("task", {"labels": "bee\nwasp", "title": "Bees", "description": "Box them"}) == 302
    people = {
        "workteam": team.pk,
        "workers_per_object": 3,
        "redundancy": "fixed",
        "expected_seconds": 10,
        "price": "0.036",
        "time_limit_minutes": 10,
        "max_concurrent_tasks": 100,
    }
    assert step("people", people | {"workers_per_object": 10}) == 422
    estimate = requester.get(reverse("requester:job-estimate"), people).content.decode()
    # two images, three workers each, 3.6 cents and a fee of 20 %
    assert 'value-micros="259200"' in estimate
    assert step("people", people) == 302
    assert step("automation", {"enabled": "", "target_iou": 0.6, "architecture": "compact", "max_rounds": 3}) == 302
    assert 'value-micros="259200"' in requester.get(reverse("requester:job-review")).content.decode()
    preview = requester.get(reverse("requester:job-new-preview")).content.decode()
    assert '"preview": true' in preview and '"wasp"' in preview
    launched = requester.post(reverse("requester:job-launch"))
    job = LabelingJob.objects.get(account=account, name="bees")
    assert launched.url == reverse("requester:job", args=[job.pk])
    assert (job.labels, job.workers_per_object, job.price_micros) == (["bee", "wasp"], 3, 36_000)


def test_a_deposit_that_an_operator_sends_twice_is_booked_once(account):
    client, before = sign_in(builders.an_operator()), wallets.balance(account=account)
    given = {"account": account.pk, "amount": "12.5", "reference": "bank-1"}
    assert client.post(reverse("operator:deposit"), given | {"amount": "-1"}).status_code == 422
    client.post(reverse("operator:deposit"), given, headers={"referer": "http://testserver/operator/"})
    client.post(reverse("operator:deposit"), given, headers={"referer": "http://testserver/operator/"})
    assert wallets.balance(account=account) == before + 12_500_000
    html = client.get(reverse("operator:accounts")).content.decode()
    assert account.number in html
    assert '<waggle-money value-micros="12500000">$12.50</waggle-money> recorded for' in html


def test_the_downloads_page_shows_progress_and_then_the_link(requester, job):
    path = reverse("requester:job-downloads", args=[job.pk])
    requester.post(reverse("requester:job-export", args=[job.pk]), {"kind": "coco", "which": "human"})
    export = Export.objects.get(job=job)
    html = requester.get(path).content.decode()
    assert "hx-trigger" in html and reverse("requester:export-stop", args=[export.pk]) in html
    Export.objects.filter(pk=export.pk).update(status="Completed", size_bytes=2048)
    html = requester.get(f"{path}?part=1").content.decode()
    assert "hx-trigger" not in html and f"/api/v1/exports/{export.pk}/download" in html and "COCO" in html


def test_errors_403_and_404_have_pages(requester, workers):
    lost = requester.get("/nowhere/")
    assert lost.status_code == 404 and b"There is no page at this address" in lost.content
    foreign = requester.get(reverse("requester:job", args=[10**9]))
    assert foreign.status_code == 404 and b"<h1>Not found</h1>" in foreign.content
    refused = sign_in(workers[0].user).get(reverse("requester:overview"))
    assert refused.status_code == 403 and b"<h1>Not allowed</h1>" in refused.content
    assert Client().get(reverse("requester:overview")).url.startswith("/sign-in/")


def queries_of(client: Client, path: str) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert client.get(path).status_code == 200
    return [query["sql"] for query in caught]


def test_the_number_of_queries_does_not_grow_with_the_rows(requester, account, job):
    """For the list of jobs and the gallery; and no query counts rows by large columns."""
    jobs, gallery = reverse("requester:jobs"), reverse("requester:job-gallery", args=[job.pk])
    few = {path: len(queries_of(requester, path)) for path in (jobs, gallery)}
    for number in range(6):
        stories.a_job(account, job.workteam, objects=1, name=f"more-{number}")
    open_the_rest(job)
    for worker in Worker.objects.filter(memberships__workteam=job.workteam):
        stories.work(worker, job)
    due.settle_due(job.queue)
    for path in (jobs, gallery):
        asked = queries_of(requester, path)
        assert len(asked) == few[path] <= 25, path
        for sql in asked:
            assert "labeling_workermodels" not in sql
            assert not re.search(r"COUNT\(.*(explanation|instructions)", sql), sql
    page = reverse("requester:jobs")
    names = re.findall(r"more-\d", requester.get(f"{page}?sort=name").content.decode())
    assert names == sorted(names) and names
    assert "No job with this status" in requester.get(f"{page}?status=Failed").content.decode()
