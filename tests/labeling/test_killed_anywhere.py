"""The processes of a labeling job are killed (SIGKILL) at random moments: nothing is lost, done twice or left over."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection
from django.db.models import Count, Sum

from labeling.models import Answer, Assignment, DataObject, Label, LabelingJob, Task
from labeling.queries import spending
from labeling.services.jobs import creation
from labeling.services.output import manifests
from marketplace import storage
from marketplace.models import AuditEvent, Entry, LedgerKind, Posting
from marketplace.services import earnings, ledger, wallets
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).parent / "programs" / "killed.py"
OBJECTS, SEATS, WORKERS = 18, 3, 5
# Kills of each of the two forks of killed.py (the workers, and advancing the job), and kills of the queue process.
KILLS, QUEUE_KILLS = 30, 2
FUNDS = 100_000_000


def environment():
    """The environment of a child process that uses this test's database."""
    parts = urlsplit(os.environ["WAGGLE_DATABASE_URL"])
    url = urlunsplit(parts._replace(path="/" + connection.settings_dict["NAME"]))
    return os.environ | {
        "WAGGLE_DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
        "PYTHONPATH": str(ROOT),
        "WAGGLE_QUEUE_WORKERS": "1",
        # These people answer as fast as robots do.
        "WAGGLE_CONDUCT_RULES": "no",
        "WAGGLE_QUEUE_POLL_SECONDS": "0.1",
        # After this time a message whose process was killed is delivered again.
        "WAGGLE_QUEUE_TIMEOUT_SECONDS": "10",
        "WAGGLE_QUEUE_RETRY_SECONDS": "11",
    }


def end_group(leader):
    """Kill a process that leads a session, and whatever it has started: a fork left over would keep pipes open."""
    with suppress(ProcessLookupError):
        os.killpg(leader.pid, signal.SIGKILL)
    leader.wait()


class Queue:
    """The queue process (`manage.py qcluster`), which a test can kill and start again."""

    def __init__(self, log):
        self.log, self.kills = log, 0
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "qcluster"],
            cwd=ROOT,
            env=environment(),
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def end(self):
        end_group(self.process)

    def kill(self):
        self.end()
        self.kills += 1
        self.start()


def a_job_from_a_manifest():
    """A new job, whose manifest has not been read and whose images have not been inspected; and its workers."""
    account = stories.an_account(funds="100")
    crowd = stories.a_crowd(WORKERS)
    uris = builders.tiny_images(OBJECTS, account=account, size=stories.SIZE)
    design = stories.a_design(
        account,
        builders.a_team(account=account, workers=crowd),
        input_manifest_uri=builders.a_manifest(account, [{"source-ref": uri} for uri in uris]),
        workers_per_object=SEATS,
        max_concurrent_tasks=OBJECTS // 3,
    )
    return creation.create_job(**design), crowd


@pytest.mark.slow
def test_a_job_whose_processes_are_killed_is_completed_with_the_same_result(tmp_path):
    job, crowd = a_job_from_a_manifest()
    rng = random.Random(11)
    with (tmp_path / "log").open("wb") as log:
        queue = Queue(log)
        driver = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(job.pk), "11", str(KILLS)],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
        try:
            next_kill = time.monotonic() + rng.uniform(2, 4)
            while driver.poll() is None:
                if queue.kills < QUEUE_KILLS and time.monotonic() > next_kill:
                    queue.kill()
                    next_kill = time.monotonic() + rng.uniform(2, 4)
                time.sleep(0.05)
        finally:
            end_group(driver)
            queue.end()
    printed, _ = driver.communicate()
    assert driver.returncode == 0, (tmp_path / "log").read_text()[-3000:]
    kills = json.loads(printed) | {"queue": queue.kills}
    print("killed", kills)
    assert kills["people"] >= 10 and kills["advance"] >= 10
    job = LabelingJob.objects.select_related("account").get(pk=job.pk)
    assert (job.status, job.failure_reason) == ("Completed", "")
    check_work(job)
    check_labels(job)
    check_money(job, crowd)


def check_work(job):
    """Every object has answers of three workers and one label; no task is leased or due."""
    assert (job.objects_total, job.bad_lines) == (OBJECTS, 0)
    assert list(DataObject.objects.filter(job=job).values_list("state").annotate(n=Count("pk"))) == [
        ("HumanLabeled", OBJECTS)
    ]
    tasks = Task.objects.filter(queue=job.queue)
    assert tasks.values("data_object").distinct().count() == tasks.count() == OBJECTS
    for task in tasks:
        assert (task.state, task.seats_total, task.seats_free, task.answers_count) == ("Done", SEATS, 0, SEATS)
        people = list(task.assignments.filter(state="Submitted").values_list("worker_id", flat=True))
        assert len(people) == len(set(people)) == SEATS
    assert not Assignment.objects.filter(queue=job.queue, state="Leased").exists()
    assert not tasks.filter(due=True).exists()
    answers = Answer.objects.filter(assignment__queue=job.queue)
    assert answers.values("assignment").distinct().count() == answers.count() == OBJECTS * SEATS
    steps = AuditEvent.objects.filter(object_type=LabelingJob._meta.label, object_id=job.pk).order_by("pk")
    assert list(steps.values_list("to_status", flat=True)) == ["Initializing", "InProgress", "Completed"]


def check_labels(job):
    """Revisions are numbered without gaps, each differs from the one before, and every object is in the output."""
    for row in DataObject.objects.filter(job=job).select_related("label"):
        revisions = list(Label.objects.filter(data_object=row).order_by("revision"))
        assert [label.revision for label in revisions] == list(range(1, len(revisions) + 1))
        assert row.label == revisions[-1] and len(row.label.value["boxes"]) == 2
        assert all(before.value != after.value for before, after in zip(revisions, revisions[1:], strict=False))
    lines = [json.loads(line) for line in storage.read(manifests.manifest_uri(job)).splitlines()]
    assert len(lines) == len({line["source-ref"] for line in lines}) == OBJECTS
    assert all(len(line[job.label_attribute_name]["annotations"]) == 2 for line in lines)


def check_money(job, crowd):
    """Every answer is paid once, escrow is empty, and payments and fees are what left the wallet."""
    paid = Entry.objects.filter(kind="payment")
    seats = Assignment.objects.filter(queue=job.queue, state="Submitted").values_list("pk", flat=True)
    assert sorted(paid.values_list("subject_id", flat=True)) == sorted(seats)
    assert Posting.objects.aggregate(total=Sum("amount_micros"))["total"] == 0
    assert wallets.held(job.account) == spending.reserved_micros(job) == 0
    earned, fees = sum(earnings.balance(worker) for worker in crowd), ledger.total(LedgerKind.FEES)
    assert earned == OBJECTS * SEATS * job.price_micros
    assert fees == OBJECTS * SEATS * job.fee_micros
    assert wallets.balance(job.account) + earned + fees == FUNDS
    assert Counter(Entry.objects.values_list("kind", flat=True))["deposit"] == 1
    assert spending.committed_micros(job) == earned + fees
