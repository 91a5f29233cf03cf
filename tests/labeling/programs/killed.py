"""A small labeling job whose processes are killed again and again: python killed.py <job id> <seed> <kills>.

This process sets Django up once and has two forks: one works as all workers, the other advances the job. Each is
killed (SIGKILL) after a random time and forked again, which takes milliseconds. After `kills` kills of each, the forks
run until they end by themselves. The numbers of kills are printed as JSON. The process itself opens no database
connection, because forks must not share one.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import django  # noqa: E402

django.setup()

from django.utils import timezone  # noqa: E402

from labeling import background  # noqa: E402
from labeling.models import Assignment, LabelingJob  # noqa: E402
from labeling.services.queue import assignments, leases  # noqa: E402
from marketplace.errors import InUse, TaskGone, TaskLimit  # noqa: E402
from marketplace.models import Worker  # noqa: E402
from tests.labeling import stories  # noqa: E402

OVER = ("Completed", "Failed", "Stopped")
# Seconds after which a fork is killed. It connects in about 0.05 s; a claim and its submit take about 0.02 s.
SHORT, LONG = (0.03, 0.4), (0.4, 1.5)
# Seconds between two answers: so a fast machine does not end the job before the forks have been killed often.
PAUSE = 0.12


def is_over(job_id: int) -> bool:
    """Whether the job has ended."""
    return LabelingJob.objects.filter(pk=job_id, status__in=OVER).exists()


def answer(seat: Assignment) -> None:
    """Submit this worker's answer to the object, which is always the same, with the key of the seat."""
    place = seat.task.data_object.index * 10 + seat.worker_id % 3
    try:
        stories.answer(seat, stories.boxes((20 + place, 30, 50, 40), (300, 200, 60 + place, 50), label="wasp"))
    except InUse:
        # The lease expired and another worker got the seat.
        seat.refresh_from_db()
        assert seat.state in ("Expired", "Returned", "Cancelled"), seat.state


def give_back(seat: Assignment) -> None:
    """Return the task, which the other fork may just have taken back as expired."""
    try:
        assignments.give_back(assignment=seat, worker=seat.worker)
    except TaskGone:
        seat.refresh_from_db()
        assert seat.state in ("Expired", "Cancelled"), seat.state


def people(job_id: int, rng: random.Random) -> None:
    """Work as all workers: first on the tasks held when the fork was killed, then claim, answer, return and repeat."""
    job = LabelingJob.objects.get(pk=job_id)
    workers = list(Worker.objects.filter(memberships__workteam=job.workteam_id).order_by("pk"))
    held = Assignment.objects.filter(queue=job.queue, state="Leased").select_related("worker", "task__data_object")
    for seat in held.order_by("pk"):
        answer(seat)
    while not is_over(job_id):
        worker = rng.choice(workers)
        try:
            seat = assignments.claim(worker=worker, queue=job.queue)
        except TaskLimit:
            seat = None  # the worker has abandoned a task, and its lease has not expired yet
        if seat is None:
            time.sleep(0.01)
        elif rng.random() < 0.1:
            give_back(seat)
        elif rng.random() > 0.1:
            answer(seat)
            time.sleep(PAUSE)
        if rng.random() < 0.2:
            repeat(worker, job)


def repeat(worker: Worker, job: LabelingJob) -> None:
    """Submit the newest answer again, as a browser does that got no response."""
    mine = Assignment.objects.filter(queue=job.queue, worker=worker, state="Submitted").select_related("worker", "task")
    if (seat := mine.order_by("-pk").first()) is not None:
        assert stories.answer(seat).repeated


def advance(job_id: int, rng: random.Random) -> None:
    """Do without pauses what the queue does: sweep, advance the job, expire leases."""
    queue_id = LabelingJob.objects.get(pk=job_id).queue_id
    while not is_over(job_id):
        background.sweep()
        background.advance_job(job_id)
        if rng.random() < 0.2:
            leases.expire_overdue(queue_id=queue_id, now=timezone.now() + timedelta(hours=1))
        time.sleep(0.01)


class Victim:
    """A fork that runs one function and is killed after a random time."""

    def __init__(self, role: Callable[[int, random.Random], None], job_id: int, seed: int):
        self.role, self.job_id = role, job_id
        self.rng = random.Random(f"{role.__name__}:{seed}")
        self.kills, self.pid, self.dies_at = 0, 0, 0.0
        self.start()

    def start(self) -> None:
        """Fork, and choose the time after which the fork is killed."""
        seed, life = self.rng.random(), self.rng.uniform(*(LONG if self.rng.random() < 0.15 else SHORT))
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                self.role(self.job_id, random.Random(seed))
                status = 0
            finally:
                if status:
                    sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
                sys.stderr.flush()
                os._exit(status)
        self.dies_at = time.monotonic() + life

    def look(self, *, may_kill: bool) -> bool:
        """Kill the fork if its time is over. Returns False when it has ended by itself; raises when it failed."""
        ended, status = os.waitpid(self.pid, os.WNOHANG)
        if ended:
            self.pid = 0
            if status:
                raise RuntimeError(f"{self.role.__name__} ended with {os.waitstatus_to_exitcode(status)}")
            return False
        if may_kill and time.monotonic() > self.dies_at:
            self.end()
            self.kills += 1
            self.start()
        return True

    def end(self) -> None:
        """Send SIGKILL and wait for the end of the fork, unless it has ended."""
        if self.pid == 0:
            return
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def main(job_id: int, seed: int, most_kills: int) -> None:
    """Kill and fork again until both forks have ended by themselves."""
    alive = [Victim(role, job_id, seed) for role in (people, advance)]
    killed = {}
    try:
        while alive:
            for victim in list(alive):
                if not victim.look(may_kill=victim.kills < most_kills):
                    alive.remove(victim)
                    killed[victim.role.__name__] = victim.kills
            time.sleep(0.005)
    finally:
        for victim in alive:
            victim.end()
    print(json.dumps(killed))


if __name__ == "__main__":
    main(*(int(value) for value in sys.argv[1:]))
