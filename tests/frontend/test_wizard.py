"""The wizard of labeling jobs with Django's test client: example images, warnings, and the preview of a task."""

import io
import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from frontend.requester.job_design import design
from frontend.requester.job_forms import STEPS
from labeling.models import LabelingJob
from labeling.services.jobs import advancing
from labeling.services.jobs.batches import open_batch
from marketplace.models import Account
from marketplace.services import workteams
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db
TASK = {"labels": "bee", "title": "Bees", "description": "Box them", "short": "<b>Whole</b> bees", "full": "Tight."}


@pytest.fixture
def account(db) -> Account:
    return stories.an_account()


@pytest.fixture
def requester(account: Account) -> Client:
    client = Client()
    client.force_login(account.members.get())
    builders.a_dataset(account=account, name="clover")
    client.post(step("data"), {"name": "bees", "dataset": account.datasets.get().pk, "selection": "full"})
    return client


def step(name: str) -> str:
    return reverse("requester:job-new-step", args=[name])


def picture(name: str, size: tuple[int, int] = (60, 40)) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, builders.image_bytes(size=size), content_type="image/png")


def config_of(html: str) -> dict:
    """The task document in a worker's page."""
    found = re.search(r'<script id="task-config" type="application/json">(.*?)</script>', html)
    assert found
    return json.loads(found[1])


def people(team_id: int, **changes) -> dict:
    return {
        "workteam": team_id,
        "workers_per_object": 2,
        "redundancy": "fixed",
        "expected_seconds": 10,
        "price": "0.036",
        "free_of_personal_data": "on",
        "time_limit_minutes": 7,
        "max_concurrent_tasks": 100,
    } | changes


def test_the_preview_of_a_draft_equals_the_task_that_a_worker_gets(requester, account):
    given = TASK | {"good_examples": [picture("a.png"), picture("b.png")], "bad_examples": picture("c.png", (80, 20))}
    given |= {"short": "<b>Whole</b> bees<script>alert(1)</script>"}
    assert requester.post(step("task"), given).status_code == 302
    worker = builders.a_worker()
    team = builders.a_team(account=account, workers=[worker])
    requester.post(step("people"), people(team.pk))
    requester.post(step("automation"), {"enabled": "", "target_iou": 0.6, "architecture": "compact", "max_rounds": 3})
    seen = config_of(requester.get(reverse("requester:job-new-preview")).content.decode())["assignment"]
    assert seen["seconds_left"] == 420
    shown = seen["instructions"]
    assert [len(shown[kind]) for kind in ("good_examples", "bad_examples")] == [2, 1]
    bad = requester.get(shown["bad_examples"][0]["image_url"])
    assert Image.open(io.BytesIO(bad.content)).size == (80, 20)

    kinds = ("good_examples", "bad_examples")
    pictures = [requester.get(one["image_url"]).content for kind in kinds for one in shown[kind]]

    requester.post(reverse("requester:job-launch"))
    job = LabelingJob.objects.get(account=account, name="bees")
    advancing.advance_job(job.pk)
    client = Client()
    client.force_login(worker.user)
    claimed = client.post(f"/api/v1/labeling-jobs/{job.pk}/claim").json()["assignment"]
    own = {"id", "task_id", "queue_id", "image_url", "accepted_at", "lease_expires_at", "seconds_left", "instructions"}
    assert {k: v for k, v in seen.items() if k not in own} == {k: v for k, v in claimed.items() if k not in own}
    assert seen.keys() == claimed.keys()
    for part in ("short", "full"):
        assert seen["instructions"][part] == claimed["instructions"][part]
    assert seen["instructions"]["short"] == "<b>Whole</b> bees"
    assert pictures == [client.get(one["image_url"]).content for kind in kinds for one in claimed["instructions"][kind]]


def test_examples_are_kept_shown_and_removed(requester):
    requester.post(step("task"), TASK | {"good_examples": picture("a.png")})
    html = requester.get(step("task")).content.decode()
    assert reverse("requester:job-new-example", args=["good_examples", 0]) in html
    requester.post(step("task"), TASK)
    assert requester.get(reverse("requester:job-new-example", args=["good_examples", 0])).status_code == 200
    requester.post(step("task"), TASK | {"remove_good_examples": "on"})
    for kind, number in (("good_examples", 0), ("bad_examples", 0), ("title", 0)):
        assert requester.get(reverse("requester:job-new-example", args=[kind, number])).status_code == 404


def test_a_draft_of_version_0_1_can_be_reviewed_and_launched(requester, account):
    """Sessions outlive an upgrade; at that time there was one task type and no choice of it."""
    team = builders.a_team(account=account, workers=1)
    numbers = ["target_confidence", "availability_hours", "max_human_labeled_objects", "max_percentage_labeled"]
    session = requester.session
    session["job_draft"] = {
        "data": {
            "name": "old",
            "dataset": account.datasets.get().pk,
            "selection": "full",
            "percent": None,
            "where": "",
        },
        "task": {**TASK, "labels": ["bee"], "good_examples": [], "bad_examples": []},
        "people": {
            **people(team.pk, price=36_000, max_spend=None),
            **dict.fromkeys(numbers),
        },
        "automation": {"enabled": True, "target_iou": 0.6, "architecture": "compact", "max_rounds": 10},
    }
    session.save()
    assert requester.get(reverse("requester:job-review")).status_code == 200
    assert requester.get(reverse("requester:job-new-preview")).status_code == 200
    requester.post(reverse("requester:job-launch"))
    job = LabelingJob.objects.get(account=account, name="old")
    assert (job.task_type, job.labels, job.automated) == ("BoundingBox", ["bee"], True)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([SimpleUploadedFile("notes.txt", b"no picture")], "The example notes.txt cannot be shown"),
        ([picture(f"{n}.png") for n in range(21)], "At most 20 good examples can be shown, 21 were chosen."),
    ],
)
def test_examples_that_cannot_be_shown_are_refused(requester, files, reason):
    response = requester.post(step("task"), TASK | {"good_examples": files})
    assert response.status_code == 422 and reason in response.content.decode()
    assert requester.get(step("people")).url == step("task")


def test_a_collapsed_section_with_an_error_is_open(requester, account):
    requester.post(step("task"), TASK)
    team = builders.a_team(account=account, workers=1)
    details = re.compile(r"<wa-details[^>]*>")

    def opened(response):
        return [" open" in one for one in details.findall(response.content.decode())]

    assert opened(requester.get(step("people"))) == [False, False]
    assert opened(requester.post(step("people"), people(team.pk, max_percentage_labeled=101))) == [False, True]
    assert opened(requester.post(step("people"), people(team.pk, golds_rate=51))) == [True, False]


def test_golds_are_asked_for_in_the_wizard_and_are_in_the_estimate(requester, account):
    requester.post(step("task"), TASK)
    team = builders.a_team(account=account, workers=2)
    given = people(team.pk, golds_rate=20, golds_attribute="truth", golds_mint=3)
    assert "Of it for golds" in requester.get(reverse("requester:job-estimate"), given).content.decode()
    assert requester.post(step("people"), given).status_code == 302
    drafted = requester.session["job_draft"]
    made = design({**drafted, "automation": {}} if "automation" in STEPS else drafted)
    assert made["golds"] == {"rate": 20, "attribute": "truth", "mint": 3}


def test_a_team_with_too_few_workers_causes_a_warning(requester, account):
    requester.post(step("task"), TASK)
    team = builders.a_team(account=account, workers=2)
    said = "The team has 2 workers: no object can get more answers than that."
    for wanted, warned in ((2, False), (3, True)):
        given = people(team.pk, workers_per_object=wanted)
        assert (said in requester.get(reverse("requester:job-estimate"), given).content.decode()) == warned


def test_the_overview_counts_only_payments_as_spending():
    """Four answers at 3.6 cents and the fee count; what is in escrow for open tasks does not."""
    job, workers = stories.a_funded_job(workers=2, objects=4)
    open_batch(job=job, object_ids=list(job.objects_of_job.values_list("pk", flat=True)), by="system")
    for worker in workers:
        stories.work(worker, job, most=2)
    client = Client()
    client.force_login(job.account.members.get())
    html = client.get(reverse("requester:overview")).content.decode()
    found = re.search(r'<waggle-chart><script type="application/json">(.*?)</script>', html)
    assert found
    points = json.loads(found[1])["series"][0]["points"]
    assert len(points) == 30 and sum(spent for _, spent in points) == points[-1][1] == 4 * 43_200


def test_an_error_about_a_name_says_what_is_allowed(requester):
    response = requester.post(step("data"), {"name": "my bees!", "selection": "full"})
    assert "Letters, digits and hyphens, at most 63" in response.content.decode().split('class="field-error"')[1]


def test_a_classification_job_is_designed_previewed_and_launched(requester, account):
    """The type chosen in the second step decides labels, prices, preview and whether a model can help."""
    page = requester.get(step("task")).content.decode()
    assert all(text in page for text in ("Bounding boxes", "Image classification (one class)", "at least two"))
    given = TASK | {"task_type": "ImageMultiClass"}
    assert "2 to 500 labels expected" in requester.post(step("task"), given).content.decode()
    twice = requester.post(step("task"), given | {"labels": "bee\nwasp\nbee"}).content.decode()
    assert "appears twice (labels[2])" in twice
    assert requester.post(step("task"), given | {"labels": "bee\nwasp"}).status_code == 302

    assert '<option value="0.012">' in requester.get(step("people")).content.decode()
    pool = workteams.public_pool()
    assert requester.post(step("people"), people(pool.pk, price="0.012")).status_code == 302
    assert "$0.036" in requester.get(reverse("requester:job-estimate"), people(pool.pk)).content.decode()

    page = requester.get(step("automation")).content.decode()
    assert "Promised accuracy of machine labels" in page and "ResNet-18" in page and "mean IoU" not in page
    assert requester.post(step("automation"), {"enabled": "on", "architecture": "compact"}).status_code == 422
    given = {"enabled": "on", "target_quality": 0.85, "architecture": "mobilenet_v3_small", "max_rounds": 3}
    refused = requester.post(step("automation"), given | {"audit_share": 2})
    assert (refused.status_code, "less than or equal to 1" in refused.content.decode()) == (422, True)
    assert requester.post(step("automation"), given | {"audit_share": 0}).status_code == 302

    seen = config_of(requester.get(reverse("requester:job-new-preview")).content.decode())["assignment"]
    assert seen["task_type"] == "ImageMultiClass"
    assert (seen["element"]["tag"], seen["element"]["name"]) == ("crowd-image-classifier",) * 2
    review = requester.get(reverse("requester:job-review")).content.decode()
    assert "Image classification (one class)" in review and "on, promised accuracy 0.85" in review
    requester.post(reverse("requester:job-launch"))
    job = LabelingJob.objects.get(account=account, name="bees")
    assert (job.task_type, job.labels, job.price_micros) == ("ImageMultiClass", ["bee", "wasp"], 12_000)
    assert job.automated_labeling["architecture"] == "mobilenet_v3_small"
    assert job.automated_labeling["audit_share"] == 0
    assert "promised accuracy 0.85" in requester.get(reverse("requester:job", args=[job.pk])).content.decode()


def test_a_share_of_wrong_labels_is_promised_in_place_of_a_quality(requester, account):
    requester.post(step("task"), TASK)
    requester.post(step("people"), people(builders.a_team(account=account, workers=2).pk))
    page = requester.get(step("automation")).content.decode()
    assert "A largest share of wrong labels" in page and 'data-shown-when="promise=error"' in page
    given = {"enabled": "on", "promise": "error", "architecture": "compact", "max_rounds": 3}
    assert "Say how large a share" in requester.post(step("automation"), given).content.decode()
    assert requester.post(step("automation"), given | {"target_error": "0.9"}).status_code == 422
    assert requester.post(step("automation"), given | {"target_error": "0.05"}).status_code == 302
    assert "promised at most 5% wrong labels" in requester.get(reverse("requester:job-review")).content.decode()
    requester.post(reverse("requester:job-launch"))
    job = LabelingJob.objects.get(account=account, name="bees")
    assert (job.automated_labeling["target_error"], job.automated_labeling["error_loss"]) == (0.05, "image")
    assert "target_iou" not in job.automated_labeling


def test_no_model_is_offered_for_a_type_that_none_can_learn(requester, account):
    """Everything is off, whatever is sent."""
    requester.post(step("task"), TASK | {"task_type": "Keypoint", "labels": "head"})
    requester.post(step("people"), people(builders.a_team(account=account, workers=2).pk))
    page = requester.get(step("automation")).content.decode()
    assert "No model can learn this task type yet" in page and "disabled" in page
    assert requester.post(step("automation"), {"enabled": "on"}).status_code == 302
    requester.post(reverse("requester:job-launch"))
    assert not LabelingJob.objects.get(account=account, name="bees").automated


def test_a_design_that_no_longer_fits_its_type_is_sent_back_to_the_step(requester, account):
    """Automated labeling was chosen for boxes, then the type was changed."""
    requester.post(step("task"), TASK)
    requester.post(step("people"), people(builders.a_team(account=account, workers=2).pk))
    requester.post(step("automation"), {"enabled": "on", "target_iou": 0.6, "architecture": "compact", "max_rounds": 3})
    requester.post(step("task"), TASK | {"task_type": "ImageMultiClass", "labels": "bee\nwasp"})
    sent = requester.post(reverse("requester:job-launch"))
    assert sent.url == step("automation") and not LabelingJob.objects.exists()
    assert "give target_quality" in requester.get(sent.url).content.decode()


def test_instructions_with_a_picture_of_another_server_are_refused_where_they_are_typed(requester):
    response = requester.post(step("task"), TASK | {"full": "<img src='https://b.example/a.png'>"})
    assert response.status_code == 422
    assert "which would learn who works when; upload it as an example picture instead" in response.content.decode()


def test_who_sees_which_object_is_chosen_where_the_operator_allows_rules(requester, account, settings):
    settings.ROUTING_RULES = []
    requester.post(step("task"), TASK)
    team, rule = builders.a_team(account=account, workers=1), "tests.labeling.routing_rules:even"
    assert "Who sees which object" not in requester.get(step("people")).content.decode()
    requester.post(step("people"), people(team.pk, routing_rule=rule))
    assert "routing_rule" not in requester.session["job_draft"]["people"]

    settings.ROUTING_RULES = [rule]
    page = requester.get(step("people")).content.decode()
    assert "Who sees which object" in page and f'<option value="{rule}">As {rule} decides</option>' in page
    assert requester.post(step("people"), people(team.pk, routing_rule="os:remove")).status_code == 422
    assert requester.post(step("people"), people(team.pk, routing_rule=rule)).status_code == 302
    assert f'<option value="{rule}" selected>' in requester.get(step("people")).content.decode()
    requester.post(step("automation"), {"enabled": "", "target_iou": 0.6, "architecture": "compact", "max_rounds": 3})
    assert rule in requester.get(reverse("requester:job-review")).content.decode()
    # What the operator has taken back meanwhile is refused at the launch.
    settings.ROUTING_RULES = ["tests.labeling.routing_rules:north_only"]
    assert requester.post(reverse("requester:job-launch")).url == step("people")
    assert not LabelingJob.objects.exists()
    settings.ROUTING_RULES = [rule]
    requester.post(reverse("requester:job-launch"))
    job = LabelingJob.objects.get()
    assert job.queue.routing_rule == rule

    shown = requester.get(reverse("requester:job", args=[job.pk])).content.decode()
    assert "Who sees which object" in shown and rule in shown and "does not allow this rule" not in shown
    settings.ROUTING_RULES = []
    assert "does not allow this rule" in requester.get(reverse("requester:job", args=[job.pk])).content.decode()
