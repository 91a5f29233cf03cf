"""Jobs in which a model counts as one more worker about classes: in the wizard, over REST and on their pages."""

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import DataObject, LabelingJob
from labeling.services.jobs import advancing
from tests import builders
from tests.frontend.test_wizard import TASK, account, people, requester, step  # noqa: F401
from tests.labeling.test_counted_prelabels import a_counted_job, work

pytestmark = pytest.mark.django_db
CLASSES = TASK | {"task_type": "ImageMultiClass", "labels": "bee\nwasp"}


def test_the_wizard_lets_a_model_count_that_people_do_not_see(requester, account):  # noqa: F811
    requester.post(step("task"), CLASSES)
    requester.post(step("people"), people(builders.a_team(account=account, workers=2).pk, price="0.06"))
    page = requester.get(step("automation")).content.decode()
    assert "The model counts as one more worker" in page and "People do not see what it says" in page
    assert "Price of checking" not in page and "boxes" not in page
    asked = {"check": "on", "blind_share": "0.2", "check_source": "manifest", "check_named": "guess"}
    assert requester.post(step("automation"), asked).status_code == 302
    review = requester.get(reverse("requester:job-review"))
    assert "the manifest guess counts as one more worker" in review.content.decode()
    # Nobody checks, so everybody is paid the whole price.
    found = review.context["estimate"]
    assert found.checks_micros == 0 and found.total_micros == review.context["objects"] * 2 * 72_000
    requester.post(reverse("requester:job-launch"))
    job = LabelingJob.objects.get(account=account, name="bees")
    assert job.prelabels == {"source": "manifest", "attribute": "guess", "blind_share": 0.2}
    assert job.queue.check_price_micros is None
    page = requester.get(reverse("requester:job", args=[job.pk])).content.decode()
    assert "those of the manifest guess count as one more worker, which people do not see; on 20%" in page
    german = requester.get(reverse("requester:job", args=[job.pk]), HTTP_ACCEPT_LANGUAGE="de")
    assert "zählen als ein weiterer Worker" in german.content.decode()


def test_a_job_tells_how_often_its_model_counted_and_was_right():
    job, workers = a_counted_job(objects=4, redundancy={"kind": "fixed"}, workers_per_object=1, apart=True)
    work(workers[0], job, wrong=(3,))
    advancing.advance_job(job.pk)
    client = Client()
    client.force_login(job.account.members.get())
    page = client.get(reverse("requester:job", args=[job.pk])).content.decode()
    assert "The model as one more worker" in page and "Checking in place of drawing" not in page
    told = client.get(f"/api/v1/labeling-jobs/{job.pk}").json()["prelabels"]
    assert (told["source"], told["check_price"]) == ("manifest", None)
    assert (told["found"]["compared"], told["found"]["right"]) == (4, 0.75)
    assert told["found"]["counted"] == {"objects": 0, "answers": 0.0}


def test_a_label_tells_that_a_model_counted():
    job, workers = a_counted_job(objects=1, redundancy={"kind": "fixed"}, workers_per_object=1)
    work(workers[0], job)
    advancing.advance_job(job.pk)
    client = Client()
    client.force_login(job.account.members.get())
    row = DataObject.objects.get(job=job)
    page = client.get(reverse("requester:object", args=[job.pk, row.pk])).content.decode()
    assert "A model counted as one more" in page and "model:input" in page
