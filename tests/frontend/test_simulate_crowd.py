"""`manage.py simulate_crowd`: simulated workers label a job over HTTP, and the command prints quality and cost."""

import re
import threading
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from frontend.demo import people
from frontend.demo.api import ApiError
from frontend.demo.attributes import with_attributes
from labeling import background
from labeling.formats import label_attributes, label_config
from labeling.models import Assignment, LabelingJob
from labeling.services.jobs import creation
from marketplace import storage
from marketplace.errors import NameTaken
from marketplace.models import ApiToken, User
from marketplace.services import boundaries
from tests import builders
from tests.journeys import pictures
from tests.labeling import stories

pytestmark = pytest.mark.django_db(transaction=True)


def a_job(folder, **changes) -> LabelingJob:
    account = stories.an_account(funds="20")
    base = storage.join(boundaries.base_of(account), "uploads", "pictures")
    uris = []
    for picture in sorted((folder / "images").iterdir()):
        uris.append(storage.join(base, picture.name))
        storage.write(uris[-1], picture.read_bytes())
    manifest = builders.a_manifest(account, [{"source-ref": uri} for uri in uris])
    team = builders.a_team(account=account, workers=[])
    design = stories.a_design(account, team, labels=pictures.LABELS, input_manifest_uri=manifest, **changes)
    return creation.create_job(**design)


def test_simulated_workers_complete_a_job_over_http(live_server, tmp_path):
    folder = pictures.write(tmp_path / "set", count=6)
    job = a_job(folder, name="try-out")
    said, failed = StringIO(), []

    def crowd():
        try:
            call_command(
                "simulate_crowd", job="try-out", truth=folder / "annotations.coco.json", workers=5, spammers=1,
                seed=7, url=live_server.url, stdout=said,
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - raised in the test's own thread
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=crowd)
    thread.start()
    while thread.is_alive():
        background.advance_job(job.pk)
        thread.join(0.2)
    assert not failed
    job.refresh_from_db()
    assert job.status == "Completed"
    answers = Assignment.objects.filter(queue=job.queue, state="Submitted").count()
    assert answers == 18
    lines = said.getvalue().splitlines()
    assert lines[0] == "18 answers, 0 declined"
    assert lines[1:3] == ["try-out: Completed", "  $0.777600 spent; labeling all by people would be $0.777600"]
    found = re.fullmatch(r"  6 labeled objects: mean IoU (\S+), F1@0.5 (\S+) \(precision \S+, recall \S+\)", lines[3])
    assert found and float(found[1]) > 0.5 and float(found[2]) > 0.5
    crowd = User.objects.filter(worker__assignments__queue=job.queue).distinct()
    assert crowd.count() == 5
    assert_shut(crowd, job)


def assert_shut(users, job) -> None:
    """Simulated people: marked, and nobody can act as one of them, nor are they counted as the team's workers."""
    assert {(one.is_simulated, one.is_active, one.has_usable_password()) for one in users} == {(True, False, False)}
    assert not ApiToken.objects.filter(user__in=users, revoked_at=None).exists()
    assert not job.workteam.memberships.exists()


def test_simulated_workers_are_shut_although_the_run_fails(live_server, tmp_path):
    folder = pictures.write(tmp_path / "set", count=1)
    job = a_job(folder, name="nobody-home")
    truth = folder / "annotations.coco.json"
    wrong = f"{live_server.url}/nowhere"
    with pytest.raises(ApiError):
        call_command("simulate_crowd", job=str(job.pk), truth=truth, workers=2, spammers=0, url=wrong)
    crowd = User.objects.filter(is_simulated=True)
    assert crowd.count() == 2
    assert_shut(crowd, job)


def test_nobody_real_is_taken_for_a_simulated_worker(tmp_path):
    folder = pictures.write(tmp_path / "set", count=1)
    job = a_job(folder, name="mistaken")
    real = builders.a_user(email=f"worker-2@{people.DOMAIN}")
    with pytest.raises(NameTaken, match="not simulated"):
        call_command("simulate_crowd", job=str(job.pk), truth=folder / "annotations.coco.json", workers=2, spammers=0)
    real.refresh_from_db()
    assert real.is_active and real.check_password(builders.PASSWORD)
    assert not User.objects.filter(is_simulated=True).exists() and not job.workteam.memberships.exists()


def test_unknown_jobs_and_wrong_arguments_are_refused(tmp_path):
    folder = pictures.write(tmp_path / "set", count=1)
    truth = folder / "annotations.coco.json"
    with pytest.raises(CommandError, match="there is no labeling job 'none'"):
        call_command("simulate_crowd", job="none", truth=truth)
    first = a_job(folder, name="twice")
    a_job(folder, name="Twice")
    with pytest.raises(CommandError, match="several accounts"):
        call_command("simulate_crowd", job="twice", truth=truth)
    with pytest.raises(CommandError, match="--spammers"):
        call_command("simulate_crowd", job=str(first.pk), truth=truth, workers=2, spammers=3)
    with pytest.raises(CommandError, match="not COCO annotations"):
        call_command("simulate_crowd", job=str(first.pk), truth=tmp_path / "missing.json")


def test_simulated_workers_say_what_is_declared_of_each_shape():
    """Always the same of the same task, and nothing that a job would refuse."""
    config = {
        "labels": {"bee": {"categoryAttributes": [
            {"name": "caste", "type": "string", "enum": ["worker", "queen"], "isRequired": True},
            {"name": "legs", "type": "number", "enum": ["4", "6"]},
            {"name": "age", "type": "number", "minimum": 3, "maximum": 4},
            {"name": "note", "type": "string", "isRequired": True},
        ]}},
    }  # fmt: skip
    labels = label_config.of_labels(config, ["bee", "wasp"])
    declared = label_config.declared(config)
    for task in range(20):
        contents = [
            with_attributes(stories.boxes((1, 1, 5, 5), label=label), labels, [1, 2, task])
            for label in ("bee", "bee", "wasp")
        ]
        assert contents[0] == contents[1] and contents[2] == stories.boxes((1, 1, 5, 5), label="wasp")
        (box,) = contents[0]["boundingBox"]["boundingBoxes"]
        assert declared.problem("bee", label_attributes.read(box)) is None and len(label_attributes.read(box)) == 4
