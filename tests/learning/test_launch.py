"""Launching: a job and its loop exist together or not at all, with and without the learning app."""

import pytest
from django.conf import settings
from django.test import override_settings

from frontend.automation import launch_job as launch_from_a_front_end
from labeling import hooks
from labeling.models import LabelingJob
from labeling.services.jobs import advancing
from learning.models import LearningLoop
from learning.services.launch import launch_job
from marketplace.errors import Invalid, NotFound
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db


def a_design(**changes) -> dict:
    account = stories.an_account()
    team = builders.a_team(account=account, workers=stories.a_crowd(1))
    return stories.a_design(account, team, **changes)


def test_a_job_with_automated_labeling_gets_its_loop():
    job = launch_job(**a_design(automated_labeling={"enabled": True, "target_iou": 0.7}))
    assert job.status == "Initializing"
    assert LearningLoop.objects.get(job=job).settings["target_iou"] == 0.7


def test_a_job_for_people_only_gets_none():
    job = launch_job(**a_design())
    assert not LearningLoop.objects.filter(job=job).exists()


@pytest.mark.parametrize(
    ("settings_given", "error"),
    [({"enabled": True, "target_iou": 2}, Invalid), ({"enabled": True, "initial_model": "none-such"}, NotFound)],
)
def test_wrong_settings_leave_neither_job_nor_loop(settings_given, error):
    with pytest.raises(error):
        launch_job(**a_design(automated_labeling=settings_given))
    assert not LabelingJob.objects.exists() and not LearningLoop.objects.exists()


@override_settings(INSTALLED_APPS=[name for name in settings.INSTALLED_APPS if name != "learning"])
def test_without_the_learning_app_people_label_everything():
    job = launch_from_a_front_end(**a_design())
    assert job.status == "Initializing"
    with pytest.raises(Invalid, match="not installed"):
        launch_from_a_front_end(**a_design(automated_labeling={"enabled": True}))
    assert LabelingJob.objects.count() == 1 and not LearningLoop.objects.exists()


def test_a_job_whose_loop_nothing_continues_says_so(monkeypatch):
    """The app that leads it was installed when it was launched, and is not any more."""
    job = launch_job(**a_design(automated_labeling={"enabled": True}))
    with monkeypatch.context() as without:
        without.setattr(hooks, "job_ready", [])
        advancing.advance_job(job.pk)
        job.refresh_from_db()
        assert (job.status, job.attention) == ("InProgress", advancing.NO_LOOP)
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.attention) == ("InProgress", "")
