"""The operator's page of the system: its figures, and each thing that is stuck with what to do about it."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from frontend import figures
from labeling.models import FailedAttempt
from learning.models import Endpoint, EndpointReplica, TrainingJob
from marketplace import queue, stuck
from marketplace.models import Heartbeat
from marketplace.services import condition, heartbeats, webhooks
from tests import builders
from tests.labeling import stories
from tests.learning import hosting_stories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def look_each_time(monkeypatch):
    monkeypatch.setattr(condition, "LOOK_SECONDS", -1)


def kinds() -> list[str]:
    return sorted(one.what for one in figures.stuck_things())


def shown() -> str:
    client = Client()
    client.force_login(builders.an_operator())
    answer = client.get(reverse("operator:system-now"))
    assert answer.status_code == 200
    return answer.content.decode()


def ago(**past: float):
    return timezone.now() - timedelta(**past)


def test_nothing_is_stuck_in_a_new_installation():
    queue.enqueue("marketplace.background.sweep")
    assert kinds() == [] and "Nothing is stuck." in shown()


def test_a_queue_that_does_not_move():
    queue.enqueue("marketplace.background.sweep")
    OrmQ.objects.update(lock=ago(minutes=5))
    assert kinds() == [stuck.QUEUE] and "1 message is due in the queue and not taken" in shown()
    OrmQ.objects.all().delete()
    queue.every(60, "marketplace.background.sweep")
    assert kinds() == []
    Schedule.objects.update(next_run=ago(minutes=5))
    assert kinds() == [stuck.QUEUE] and "manage.py qcluster" in shown()


@pytest.mark.parametrize("kind", heartbeats.KINDS)
def test_a_queue_or_learner_that_is_gone(kind):
    heartbeats.note(kind, place="bee-1")
    assert kinds() == [] and condition.process(kind).state == condition.OK
    Heartbeat.objects.update(seen_at=ago(minutes=10))
    assert kinds() == [kind]
    assert "bee-1 was last heard of 10 min ago" in shown()
    heartbeats.note(kind, place="bee-2")
    assert kinds() == []
    heartbeats.leave(kind, place="bee-2")
    Heartbeat.objects.update(seen_at=ago(days=2))
    heartbeats.forget_old()
    assert condition.process(kind).state == condition.NONE


def test_a_job_without_workers():
    account = stories.an_account()
    team = builders.a_team(account=account, workers=1)
    job = stories.open_pictures(stories.a_job(account, team))
    assert kinds() == []
    worker = team.memberships.get().worker
    worker.status = "Suspended"
    assert type(worker).objects.filter(pk=worker.pk).update(status=worker.status) == 1
    assert kinds() == [stuck.WORKERS]
    text = shown()
    assert job.name in text and account.name in text and "no worker may take them" in text


def test_targets_that_keep_failing():
    _, account = builders.a_requester()
    hook, _ = webhooks.create(account=account, user=None, url="https://example.org/x", kinds=(), by="x")
    assert kinds() == []
    type(hook).objects.update(failing_since=ago(minutes=5))
    assert kinds() == [], "receivers are restarted now and then"
    type(hook).objects.update(failing_since=ago(hours=5))
    assert kinds() == [stuck.TARGET] and f"Webhook {hook.pk} of {account.name} takes nothing" in shown()
    type(hook).objects.update(status="Disabled")
    assert kinds() == []


def test_background_work_that_fails_again_and_again():
    FailedAttempt.objects.create(work="advance_dataset", row_id=7, failures=2, failed_at=timezone.now())
    assert kinds() == []
    FailedAttempt.objects.update(failures=F("failures") + 1)
    assert kinds() == [stuck.ATTEMPTS] and "Background work advance_dataset(7) has failed 3 times in a row" in shown()


def a_training(**columns: object) -> TrainingJob:
    _, account = builders.a_requester()
    job = TrainingJob.objects.create(account=account, name="bees", **columns)
    TrainingJob.objects.update(created_at=ago(hours=1))
    return job


def test_trainings_that_nobody_runs():
    run = a_training()
    assert kinds() == [stuck.LEARNER] and "1 training job waiting, and no learner works" in shown()
    heartbeats.note(
        heartbeats.LEARNER, place="bee-1", figures={"slots": 1, "serving_slots": 4, "running": 0, "gpus": []}
    )
    assert kinds() == [], "it waits for its turn"
    TrainingJob.objects.filter(pk=run.pk).update(claimed_by="bee-2:x#1", heartbeat_at=ago(minutes=5))
    assert kinds() == [stuck.RUN] and "held by a learner that is silent" in shown()


def test_an_endpoint_without_instances():
    account = stories.an_account()
    endpoint = hosting_stories.an_endpoint(account, hosting_stories.a_config(account, hosting_stories.a_model(account)))
    assert Endpoint.objects.get(pk=endpoint.pk).status == "InService"
    assert stuck.ENDPOINT not in kinds()
    EndpointReplica.objects.filter(status="InService").delete()
    EndpointReplica.objects.update(status_changed_at=ago(hours=1))
    Endpoint.objects.update(status_changed_at=ago(hours=1))
    assert stuck.ENDPOINT in kinds() and "has no instance that answers" in shown()


def test_the_page_shows_gpus_and_money():
    stories.an_account(funds="12")
    gpu = {"name": "H100", "use": 0.25, "memory_used": 2**31, "memory_total": 80 * 2**30, "celsius": 41}
    figures_ = {"slots": 2, "serving_slots": 4, "running": 1, "gpus": [gpu]}
    heartbeats.note(heartbeats.LEARNER, place="bee-1", figures=figures_)
    text = shown()
    assert "GPU 0 H100: 25 % busy, 2.0 of 80.0 GiB, 41 °C" in text
    assert "Deposit" in text and "$12" in text


def test_the_page_and_doctor_say_how_the_cluster_is(capsys, monkeypatch):
    from marketplace.management.commands import doctor

    monkeypatch.setattr(doctor, "LEARNER", {})
    figures_ = {"slots": 2, "serving_slots": 4, "running": 1, "gpus": []}
    cluster = {"nodes": 3, "cpus": 24.0, "gpus": 2.0}
    heartbeats.note(heartbeats.LEARNER, place="bee-1", figures={**figures_, "cluster": cluster})
    assert "3 nodes with 24 CPUs and 2 GPUs" in shown()
    away = {"problem": "the cluster does not answer: refused"}
    heartbeats.note(heartbeats.LEARNER, place="bee-1", figures={**figures_, "cluster": away})
    with suppress(SystemExit):
        call_command("doctor")
    said = capsys.readouterr().out
    assert "the cluster does not answer: refused" in said and "look at the cluster's head" in said


def test_doctor_says_the_same(capsys, monkeypatch):
    from marketplace.management.commands import doctor

    monkeypatch.setattr(doctor, "LEARNER", {})
    heartbeats.note(heartbeats.QUEUE, place="bee-1")
    Heartbeat.objects.update(seen_at=ago(minutes=10))
    with suppress(SystemExit):
        call_command("doctor")
    said = capsys.readouterr().out
    assert "bee-1 was last heard of 10 min ago" in said and "look at the log of `manage.py qcluster`" in said
    assert "reads and writes" in said and "takes what is written" in said
