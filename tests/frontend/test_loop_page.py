"""The page of a learning loop: where it is, what it has saved, why it does not pay, its audit, its galleries."""

import pytest
from django.test import Client
from django.urls import reverse

from frontend.requester import loop_charts, loop_story
from labeling.formats.shapes import Box
from labeling.models import DataObject
from labeling.services.results import labels
from labeling.services.results.labels import ExternalLabel
from learning.models import AuditedObject, LearningLoop, LoopAudit, LoopObject, Round
from tests import builders
from tests.labeling import stories


def a_round(number=1, status="Finished", *, curve=(), threshold=None, **figures):
    return {
        "number": number,
        "status": status,
        "ended_at": "2026-01-01" if status == "Finished" else None,
        "objects": 16,
        "training_progress": 0.25,
        "prediction_progress": None,
        "curve": list(curve),
        "threshold": threshold,
        "figures": figures,
    }


def a_view(*rounds, status="InProgress", audits=(), machine=0, **rest):
    view = {
        "status": status,
        "rounds": list(rounds),
        "audits": list(audits),
        "counters": {"MachineLabeled": machine, "HumanLabeled": 30, "Unlabeled": 0},
        "measure": "mean IoU",
        "metric": "mAP_50",
        "metric_title": "mAP@0.5",
        "target_quality": 0.6,
    }
    return view | rest


def here(view):
    return [(step["title"], step["note"]) for step in loop_story.steps(view) if step["here"]]


def test_the_current_step_is_shown_with_how_far_it_is():
    view = a_view(a_round(), a_round(2, "Training"))
    assert here(view) == [("A model is trained", "25%")]
    assert [step["done"] for step in loop_story.steps(view)] == [True, False, False, False]
    assert here(a_view(a_round(1, "Labeling"))) == [("People label a batch", "16 objects")]
    audit = {"status": "Labeling", "asked": 3, "labels": 40}
    assert here(a_view(a_round(), audits=[audit])) == [("People look at a sample", "3 of 40 labels")]
    assert loop_story.steps(a_view(a_round(), status="Completed")) == []


def test_money_is_saved_only_once_everything_is_labeled():
    money = {"spent_micros": 40, "all_human_micros": 100}
    assert loop_story.saving(a_view(), money)["saved"] is None
    assert loop_story.saving(a_view(status="Completed"), money)["share"] == pytest.approx(0.6)
    stopped = a_view(status="Stopped")
    stopped["counters"]["Unlabeled"] = 5
    assert loop_story.saving(stopped, money)["saved"] is None


CURVE = [
    {"threshold": 0.9, "quality": 0.5, "coverage": 0.2},
    {"threshold": 0.1, "quality": 0.4, "coverage": 1.0},
]


def test_it_is_said_why_automation_does_not_pay():
    poor = a_round(curve=CURVE, validation_images=30, quality_all=0.4)
    said = loop_story.reasons(a_view(poor, status="Completed"))
    assert "on 30 validation images all labels of the model together have a mean IoU of 0.40" in said[0]
    assert "its surest ones 0.50, and 0.60 is promised. The model has to become better" in said[0]
    assert "automated labeling has saved nothing" in said[1]
    good = [one | {"quality": 0.7} for one in CURVE]
    few = a_round(curve=good, validation_images=9, quality_all=0.65, plan={"text": "Two more rounds cost more."})
    said = loop_story.reasons(a_view(few, machine=3))
    assert "So few validation images cannot prove" in said[0]
    assert said[1:] == ["Two more rounds cost more."]
    paid = a_round(curve=good, threshold=0.5, validation_images=30, quality_all=0.65)
    assert loop_story.reasons(a_view(paid, machine=3)) == []


def test_a_promised_error_that_cannot_be_proved_is_told_in_its_own_words():
    row = a_round(curve=CURVE, validation_images=30, quality_all=0.4, error_all=0.3, validation_needed=65)
    (said,) = loop_story.reasons(a_view(row, target_error=0.05, target_quality=None))
    assert "of 30 validation images 30% would have got a wrong label, and at most 5 % is promised" in said
    assert "To prove that takes at least 65 validation images" in said


def test_a_training_that_was_too_short_is_told():
    short = {"steps": 39, "least": 300, "longer_seconds": 270.0}
    said = loop_story.reasons(a_view(a_round(threshold=0.5, curve=CURVE, short_training=short)))
    assert "trained for 39 steps only even after 270 seconds more than planned; 300 are the least" in said[0]


def test_risks_are_drawn_where_they_are_known_and_else_the_quality():
    titles = [chart["title"] for chart in loop_charts.charts(a_view(a_round(curve=CURVE)))]
    assert titles == ["Cut-off against quality, round 1"]
    risky = [one | {"risk": 0.1, "upper": 0.2, "chosen": one["coverage"] < 1} for one in CURVE]
    (chart,) = loop_charts.charts(a_view(a_round(curve=risky), target_error=0.05))
    assert chart["title"] == "Risk against coverage, round 1"
    assert chart["series"][0]["points"] == [[0.2, 0.1], [1.0, 0.1]]
    assert chart["marks"] == [{"label": "chosen", "x": 0.2}, {"label": "promised", "y": 0.05}]


def test_what_is_learned_is_drawn_over_images_and_over_boxes():
    rounds = [a_round(n, human_labels=20 * n, human_boxes=55 * n, mAP_50=0.3 * n) for n in (1, 2)]
    images, boxes = loop_charts.charts(a_view(*rounds))
    assert images["series"][0]["points"] == [[20, 0.3], [40, 0.6]]
    assert boxes["series"][0]["points"] == [[55, 0.3], [110, 0.6]]


FOUND = {
    "labels": 3, "asked": 1, "note": "", "answered": 1, "wrong": 1, "error": 1.0, "error_low": 0.1, "error_high": 1.0,
    "quality": 0.2, "quality_low": 0.0, "quality_high": 0.5, "confidence": 0.9, "promised_error": None,
    "promised_quality": 0.6, "broken": True, "withdrawn": 2, "withdrawn_rounds": [1],
}  # fmt: skip


@pytest.fixture
def audited(db):
    """A job with a broken audit: one of three labels of the model was looked at, and replaced by the requester's."""
    account = stories.an_account()
    team = builders.a_team(account=account, workers=stories.a_crowd(1))
    job = stories.a_job(account, team, objects=3, automated_labeling={"enabled": True})
    rows = list(DataObject.objects.filter(job=job).order_by("index"))
    made = [ExternalLabel(row.pk, [Box("wasp", 10, 10, 20, 20, 0.9)], 0.8) for row in rows]
    labels.record_labels(job=job, rows=made, model_name="bees-1", algorithm="active-learning", by="learning")
    loop = LearningLoop.objects.create(job=job, settings={"target_iou": 0.6, "confidence": 0.9})
    Round.objects.create(loop=loop, number=1, status="Finished", threshold=0.5)
    audit = LoopAudit.objects.create(loop=loop, number=1, status="Broken", last_round=1, figures=FOUND)
    machine = rows[0].labels.get()
    AuditedObject.objects.create(audit=audit, data_object=rows[0], label=machine, round_number=1, loss=1.0)
    for row, unsure in zip(rows, (0.1, 0.9, 0.4), strict=True):
        LoopObject.objects.create(loop=loop, data_object=row, uncertainty=unsure, score=1 - unsure)
    decide = reverse("requester:object-adjudicate", args=[job.pk, rows[0].pk])
    client = Client()
    client.force_login(account.members.get())
    client.post(
        decide,
        {"answer": '{"boundingBox": {"boundingBoxes": [], "inputImageProperties": {"width": 640, "height": 480}}}'},
    )
    return job, client


def test_the_audit_and_what_follows_stand_on_the_page(audited):
    job, client = audited
    page = client.get(reverse("requester:job-loop", args=[job.pk])).content.decode()
    assert "The promise is broken. 2 labels of round 1 were taken back" in page
    assert "1 of 1 labels not as people say; between 10.0" in page.replace("\xa0", " ")
    assert "its labels were taken back after an audit" in page
    assert "?which=audited" in page


def test_the_gallery_shows_audited_objects_with_both_labels_and_the_least_certain_first(audited):
    job, client = audited
    address = reverse("requester:job-gallery", args=[job.pk])
    cards = client.get(f"{address}?which=audited").context["cards"]
    (layers,) = [card["layers"]["layers"] for card in cards]
    assert [(layer["name"], layer["kind"]) for layer in layers] == [("Yours", "merged"), ("Machine", "machine")]
    shown = [card["row"].index for card in client.get(f"{address}?which=uncertain").context["cards"]]
    assert shown == [1, 2, 0]


def test_a_label_that_was_taken_back_says_why_on_its_page_and_over_rest(audited):
    job, client = audited
    row = DataObject.objects.get(job=job, index=2)
    labels.take_back(job=job, ids=[row.pk], reason="audit 1: 1 of 1 labels were wrong", by="learning")
    page = client.get(reverse("requester:object", args=[job.pk, row.pk])).content.decode()
    assert "taken back: audit 1: 1 of 1 labels were wrong" in page
    found = client.get(f"/api/v1/labeling-jobs/{job.pk}/objects/{row.pk}").json()
    assert [(one["source"], one["taken_back"]) for one in found["labels"]] == [
        ("machine", "audit 1: 1 of 1 labels were wrong")
    ]
    assert found["label"] is None
