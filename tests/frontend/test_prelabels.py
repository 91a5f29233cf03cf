"""Jobs whose people check pre-labels, over REST, in the wizard and on their pages."""

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import LabelingJob
from labeling.services.jobs import advancing
from labeling.services.prelabels import anchoring
from learning.models import LearningLoop
from tests import builders
from tests.frontend.test_wizard import TASK, account, people, requester, step  # noqa: F401
from tests.labeling import stories
from tests.labeling.test_prelabels import BEE, a_checked_job

pytestmark = pytest.mark.django_db


def test_the_wizard_lets_people_check_what_the_loop_finds(requester, account):  # noqa: F811
    requester.post(step("task"), TASK)
    requester.post(step("people"), people(builders.a_team(account=account, workers=2).pk, price="0.06"))
    page = requester.get(step("automation")).content.decode()
    assert "People check the model&#x27;s boxes" in page
    given = {"enabled": "on", "promise": "quality", "target_iou": 0.6, "architecture": "compact", "max_rounds": 3}
    refused = requester.post(step("automation"), given | {"check": "on", "check_price": "much"})
    assert refused.status_code == 422
    # What is not asked for need not be right.
    assert requester.post(step("automation"), given | {"check_price": "much"}).status_code == 302
    filled = given | {"check": "on", "check_price": "0.015", "blind_share": "0.2"}
    assert requester.post(step("automation"), filled).status_code == 302
    assert 'value="0.015"' in requester.get(step("automation")).content.decode()
    review = requester.get(reverse("requester:job-review")).content.decode()
    assert 'boxes for <waggle-money value-micros="15000">' in review
    requester.post(reverse("requester:job-launch"))
    job = LabelingJob.objects.get(account=account, name="bees")
    assert job.prelabels == {"source": "loop", "blind_share": 0.2, "least_quality": 0.5}
    assert (job.queue.price_micros, job.queue.check_price_micros) == (60_000, 15_000)
    page = requester.get(reverse("requester:job", args=[job.pk])).content.decode()
    assert "people check those of the loop for $0.015; 20% are drawn unseen" in page


NO_LOOP = {"check": "on", "blind_share": "0.2", "check_price": "0.015"}


@pytest.mark.parametrize(
    ("source", "reason"),
    [({}, "automated labeling is off"), ({"check_source": "endpoint"}, "Say which one"),
     ({"check_source": "elsewhere"}, "Select a valid choice")],
)  # fmt: skip
def test_the_wizard_asks_which_boxes_are_to_be_checked(requester, account, source, reason):  # noqa: F811
    requester.post(step("task"), TASK)
    requester.post(step("people"), people(builders.a_team(account=account, workers=2).pk, price="0.06"))
    refused = requester.post(step("automation"), NO_LOOP | source)
    assert refused.status_code == 422 and reason in refused.content.decode()


def test_labels_of_the_input_are_checked_at_their_own_price_in_a_job_without_a_loop(requester, account):  # noqa: F811
    requester.post(step("task"), TASK)
    requester.post(step("people"), people(builders.a_team(account=account, workers=2).pk, price="0.06"))
    asked = NO_LOOP | {"check_source": "manifest", "check_named": "guess"}
    assert requester.post(step("automation"), asked).status_code == 302
    page = requester.get(reverse("requester:job-review"))
    assert "manifest guess&#x27;s boxes" in page.content.decode().replace("'s boxes", "&#x27;s boxes")
    found, objects = page.context["estimate"], page.context["objects"]
    each = found.answers / objects
    assert found.checks_micros == round(objects * 0.8) * each * 18_000
    assert found.total_micros == found.checks_micros + (objects - round(objects * 0.8)) * each * 72_000
    requester.post(reverse("requester:job-launch"))
    job = LabelingJob.objects.get(account=account, name="bees")
    assert job.prelabels == {"source": "manifest", "attribute": "guess", "blind_share": 0.2, "least_quality": 0.5}
    assert not job.automated_labeling and job.queue.check_price_micros == 15_000


def test_a_price_above_that_of_drawing_is_refused_at_the_step_where_it_was_given(requester, account):  # noqa: F811
    requester.post(step("task"), TASK)
    requester.post(step("people"), people(builders.a_team(account=account, workers=2).pk, price="0.06"))
    given = {"enabled": "on", "promise": "quality", "target_iou": 0.6, "architecture": "compact", "max_rounds": 3}
    requester.post(step("automation"), given | {"check": "on", "check_price": "0.07"})
    answer = requester.post(reverse("requester:job-launch"))
    assert answer.url == step("automation")
    assert not LabelingJob.objects.filter(account=account).exists()


def test_a_job_without_a_loop_tells_what_checking_has_saved():
    job, workers = a_checked_job(objects=3, workers_per_object=1)
    stories.work(workers[0], job, stories.boxes(BEE))
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    found = job.prelabel_figures
    assert (found["answers"], found["saved_micros"]) == (3, 3 * (43_200 - 14_400))
    assert found["checked"] == {"objects": 3, "missed": 0.0, "false": 0.0, "standard_error": 0.0}
    client = Client()
    client.force_login(job.account.members.get())
    page = client.get(reverse("requester:job", args=[job.pk])).content.decode()
    assert "Checking in place of drawing" in page
    # Nobody drew unseen, so it is not known how far people are led.
    assert (found["corrected"], found["left_missed"]) == (None, None)


def test_the_two_groups_tell_how_far_people_are_led():
    job, workers = a_checked_job(
        BEE, (300, 300, 50, 50), objects=30, workers_per_object=1,
        prelabels={"source": "manifest", "attribute": "guess", "blind_share": 0.5},
    )  # fmt: skip
    # The second box is false: who draws has only the first, who checks leaves both in every other object.
    for worker in workers:
        left = 0
        while (seat := stories.assignments.claim(worker=worker, queue=job.queue)) is not None:
            left += seat.task.checks
            both = seat.task.checks and left % 2
            stories.answer(seat, stories.boxes(BEE, (300, 300, 50, 50)) if both else stories.boxes(BEE))
    advancing.advance_job(job.pk)
    found = anchoring.figures(LabelingJob.objects.get(pk=job.pk))
    assert found["blind"]["false"] == 1.0
    assert 0.2 < found["checked"]["false"] < 0.8
    assert found["left_false"] == pytest.approx(1 - found["checked"]["false"], abs=1e-3)
    assert found["corrected"] == pytest.approx(found["checked"]["false"], abs=1e-3)


def test_the_page_of_a_loop_has_the_figures_of_checking():
    job, workers = a_checked_job(objects=2, workers_per_object=1)
    stories.work(workers[0], job, stories.boxes(BEE))
    advancing.advance_job(job.pk)
    LabelingJob.objects.filter(pk=job.pk).update(automated_labeling={"enabled": True})
    LearningLoop.objects.create(job=job)
    client = Client()
    client.force_login(job.account.members.get())
    page = client.get(reverse("requester:job-loop", args=[job.pk])).content.decode()
    assert "Checking in place of drawing" in page
    told = client.get(f"/api/v1/labeling-jobs/{job.pk}/loop").json()["checking"]
    assert told["answers"] == 2
    detail = client.get(f"/api/v1/labeling-jobs/{job.pk}").json()["prelabels"]
    assert (detail["source"], detail["check_price"], detail["found"]["saved"]) == ("manifest", "0.012000", "0.057600")
