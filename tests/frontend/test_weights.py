"""Neither REST nor the wizard lets a requester put a path of the learner's machine into a job's settings."""

import json

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from labeling.models import LabelingJob
from learning.models import LearningLoop
from marketplace.services import accounts
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db
PATH = "/srv/others/model.safetensors"
TASK = {"labels": "bee", "title": "Bees", "description": "Box them"}


@pytest.fixture
def account():
    return stories.an_account()


def assert_no_path(account):
    for job in LabelingJob.objects.filter(account=account):
        assert "/srv" not in json.dumps(job.automated_labeling)
        assert "/srv" not in json.dumps(LearningLoop.objects.get(job=job).settings)


@pytest.mark.parametrize("setting", ["weights", "weights_dir"])
def test_rest_takes_no_path(account, setting):
    owner = account.members.get()
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {accounts.create_token(user=owner, account=account, name='t')[1]}")
    given = {
        "name": "bees",
        "labels": ["bee"],
        "dataset": builders.a_dataset(account=account).pk,
        "workteam": builders.a_team(account=account, workers=1).pk,
        "title": "Bees",
        "description": "Box them",
        "price": "0.036",
        "automated_labeling": {"enabled": True, setting: PATH},
    }
    # REST refuses or drops settings that it does not know.
    assert client.post("/api/v1/labeling-jobs", given, format="json").status_code in (201, 400)
    assert_no_path(account)


def test_the_wizard_takes_no_path(account):
    client = Client()
    client.force_login(account.members.get())
    team = builders.a_team(account=account, workers=1)
    people = {"workteam": team.pk, "workers_per_object": 1, "redundancy": "fixed", "expected_seconds": 10}
    people |= {"price": "0.036", "time_limit_minutes": 7, "max_concurrent_tasks": 100}
    automation = {"enabled": "on", "target_iou": 0.6, "architecture": "compact", "max_rounds": 3}
    steps = {
        "data": {"name": "bees", "dataset": builders.a_dataset(account=account).pk, "selection": "full"},
        "task": TASK,
        "people": people,
        "automation": automation | {"weights": PATH, "weights_dir": "/srv/others"},
    }
    for name, given in steps.items():
        assert client.post(reverse("requester:job-new-step", args=[name]), given).status_code == 302
    client.post(reverse("requester:job-launch"))
    assert LearningLoop.objects.get(job__account=account).settings["weights"] == "auto"
    assert_no_path(account)
