"""What the page of a job's people says besides its tables."""

import pytest
from django.test import Client
from django.urls import reverse

from labeling.consolidation.answers import WorkerAnswer
from labeling.consolidation.workers.crowd import CrowdModel
from labeling.consolidation.workers.votes import VoteWorkers
from labeling.models import WorkerModels
from labeling.services.jobs import advancing
from tests.labeling import stories

pytestmark = pytest.mark.django_db
SHARED = "People seem to make the same mistakes"


@pytest.mark.parametrize(("warning", "shown"), [(f"{SHARED} here.", True), ("", False)])
def test_the_requester_reads_when_people_share_their_mistakes_and_how_well_skills_are_known(warning, shown):
    job, workers = stories.a_funded_job(task_type="ImageMultiClass", labels=["bee", "wasp"], objects=2, workers=1)
    advancing.advance_job(job.pk)
    stories.work(workers[0], job, {"crowd-image-classifier": {"label": "bee"}})
    two = (0.0, 0.0)
    models = VoteWorkers(model=CrowdModel(("bee", "wasp"), "majority", two, two, two, (0.5, 0.5), warning=warning))
    models.update([WorkerAnswer(workers[0].public_id, "bee")], {"bee": 1.0})
    value = {"objects": 2, "settled": 0, "algorithm": "votes/2", "models": models.to_json()}
    WorkerModels.objects.update_or_create(job=job, defaults={"value": value})
    client = Client()
    client.force_login(job.account.members.get())
    page = client.get(reverse("requester:job-people", args=[job.pk])).content.decode()
    assert (SHARED in page) is shown
    assert "Standard error" in page
