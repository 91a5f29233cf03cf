"""`manage.py simulate_crowd --flow`: simulated people answer human loops by what the page of a task shows."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from lxml import html

from frontend.demo.crowd import profiles
from frontend.demo.reviewers import Unanswerable, reviewed
from frontend.demo.truth import TrueBox, TrueImage
from labeling.background import advance_queue
from labeling.models import Answer, HumanLoop
from marketplace import storage
from marketplace.models import User
from marketplace.services import boundaries
from tests.journeys import pictures
from tests.labeling.test_human_loops import TEMPLATE, a_flow, start

KNOWN = TrueImage("bee.png", 100, 80, (TrueBox(10, 10, 20, 20, "bee"), TrueBox(40, 30, 30, 20, "fly")))


@pytest.mark.django_db(transaction=True)
def test_human_loops_are_answered_over_http_and_unknown_pictures_declined(live_server, tmp_path):
    folder = pictures.write(tmp_path / "set", count=2)
    truth = folder / "annotations.coco.json"
    truth.write_text(truth.read_text().replace('"disc"', '"bee"').replace('"square"', '"bee"'))
    flow, _ = a_flow()
    shown = sorted((folder / "images").iterdir())
    unknown = pictures.write(tmp_path / "other", count=1, seed=9) / "images" / "picture-000.png"
    for number, path in enumerate([*shown, unknown]):
        uri = storage.join(boundaries.base_of(flow.account), "uploads", f"{number}.png")
        storage.write(uri, path.read_bytes())
        start(flow, f"loop-{number}", json.dumps({"initialValue": "[]", "taskObject": uri}))
    said = StringIO()

    call_command(
        "simulate_crowd", flow=flow.name, truth=truth, workers=1, spammers=0,
        idle_seconds=3, url=live_server.url, stdout=said,
    )  # fmt: skip

    advance_queue(flow.queue_id)
    assert said.getvalue() == "2 answers, 1 declined\n"
    assert HumanLoop.objects.filter(status="Completed").count() == 2
    for answer in Answer.objects.all():
        result = answer.content["annotatedResult"]
        assert {box["label"] for box in result["boundingBoxes"]} == {"bee"}
        assert result["inputImageProperties"] == {"height": 96, "width": 96}
    crew = User.objects.filter(is_simulated=True)
    assert crew and not crew.filter(is_active=True).exists()


@pytest.mark.django_db
def test_a_flow_definition_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CommandError, match="no flow definitions 'nope' found"):
        call_command("simulate_crowd", flow="nope", truth=tmp_path / "annotations.coco.json")


def element(text: str):
    (found,) = html.fromstring(f"<div>{text}</div>")
    return found


def test_a_class_is_that_of_the_largest_box_or_the_last_category():
    (profile,) = profiles(1, 0, 1)
    asked = "<crowd-image-classifier name='kind' categories=\"['fly', 'bee', 'none']\"></crowd-image-classifier>"
    assert reviewed(profile, KNOWN, element(asked), 1)[0] == {"kind": {"label": "fly"}}
    other = asked.replace("'fly', ", "")
    assert reviewed(profile, KNOWN, element(other), 1)[0] == {"kind": {"label": "none"}}


def test_boxes_have_the_labels_of_the_element():
    (profile,) = profiles(1, 0, 1)
    said, seconds = reviewed(profile, KNOWN, element(TEMPLATE.partition("<crowd-form>")[2]), 1)
    assert said["annotatedResult"]["inputImageProperties"] == {"height": 80, "width": 100}
    assert {box["label"] for box in said["annotatedResult"]["boundingBoxes"]} == {"bee"} and seconds > 0


def test_an_element_without_labels_is_not_answered():
    (profile,) = profiles(1, 0, 1)
    with pytest.raises(Unanswerable, match="has no labels"):
        reviewed(profile, KNOWN, element("<crowd-bounding-box name='x'></crowd-bounding-box>"), 1)
    with pytest.raises(Unanswerable, match="cannot be read"):
        reviewed(profile, KNOWN, element("<crowd-bounding-box name='x' labels='['></crowd-bounding-box>"), 1)
