"""kill -9 of whoever advances the loop and of the learner, at random moments: the job ends as if nothing had been."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection

from labeling.models import Label, Task
from learning.models import AuditedObject, LoopAudit, LoopObject, Model, Split, TrainingJob, TransformJob
from marketplace.models import LedgerKind, Posting
from tests.learning.loop_stories import HUMAN, MACHINE, OVER, a_story, work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
PROGRAMS = Path(__file__).parent / "programs"


class Victims:
    """The two processes of a loop, started again whenever they were killed."""

    def __init__(self, commands, environment):
        self.commands, self.environment = commands, environment
        self.processes = {name: self._start(name) for name in commands}
        self.kills = 0

    def _start(self, name):
        return subprocess.Popen([sys.executable, *self.commands[name]], env=self.environment)

    def kill(self, name):
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait()
        self.kills += 1
        self.processes[name] = self._start(name)

    def end(self):
        for process in self.processes.values():
            process.kill()
            process.wait()


def test_kills_at_random_moments_change_nothing(tmp_path, settings):
    story = a_story(tmp_path / "pictures", count=60, automated={"audit_share": 0.3})
    host = settings.DATABASES["default"]["HOST"]
    user = settings.DATABASES["default"]["USER"]
    environment = os.environ | {
        "WAGGLE_DATABASE_URL": f"postgresql://{user}@/{connection.settings_dict['NAME']}?host={host}",
        "WAGGLE_TEST_ORACLE_TRUTH": str(story.coco),
        "WAGGLE_TEST_ORACLE_SKILL": "0.85",
        "WAGGLE_TEST_EXECUTOR": "oracle",
    }
    commands = {
        "queue": [str(PROGRAMS / "advance.py"), str(story.job.pk)],
        "learner": [str(PROGRAMS / "supervise.py"), str(tmp_path / "programs")],
    }
    victims = Victims(commands, environment)
    rng, end = random.Random(5), time.monotonic() + 240
    next_kill = time.monotonic() + 2
    try:
        while story.job.status not in OVER or story.loop.status not in OVER:
            assert time.monotonic() < end, f"the job is {story.job.status} with {story.states()}"
            story.job.refresh_from_db()
            work(story, most=rng.randint(1, 2))
            if time.monotonic() > next_kill and victims.kills < 14:
                victims.kill(rng.choice(["queue", "queue", "learner"]))
                # Long enough for a new process to come up and get into its work, somewhere.
                next_kill = time.monotonic() + rng.uniform(1.5, 3.0)
            time.sleep(0.25)
    finally:
        victims.end()
    assert victims.kills >= 5
    assert (story.job.status, story.loop.status) == ("Completed", "Completed")
    states = story.states()
    assert states[HUMAN] + states.get(MACHINE, 0) == 60
    # Nothing was done twice: no task, no machine label, no model, no program.
    assert Task.objects.filter(queue=story.job.queue).count() == states[HUMAN]
    machine = Label.objects.filter(data_object__job=story.job, source="machine")
    audited = AuditedObject.objects.exclude(loss=None).count()
    assert machine.count() == states.get(MACHINE, 0) + audited
    assert LoopAudit.objects.exclude(status="Kept").count() == 0
    assert audited > 0 or not machine.exists()
    assert not TrainingJob.objects.exclude(status="Completed").exists()
    assert not TransformJob.objects.exclude(status="Completed").exists()
    assert Model.objects.count() == TrainingJob.objects.count()
    # The guarantees hold.
    aside = LoopObject.objects.filter(loop=story.loop, split=Split.VALIDATION)
    assert set(aside.values_list("data_object__label__source", flat=True)) == {"human"}
    if states.get(MACHINE):
        assert story.mean_iou(MACHINE) >= 0.6
    # And so does the money: people were paid once for each object, the rest is back.
    spent = Posting.objects.filter(ledger_account__kind__in=[LedgerKind.EARNINGS, LedgerKind.FEES])
    each = story.job.price_micros + story.job.fee_micros
    assert sum(spent.values_list("amount_micros", flat=True)) == states[HUMAN] * each
    held = Posting.objects.filter(ledger_account__kind=LedgerKind.ESCROW)
    assert sum(held.values_list("amount_micros", flat=True)) == 0
