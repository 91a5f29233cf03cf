"""Asks the functions of a job and is killed at one call after the other: python functions_killed.py <job id> <until>.

This process sets Django up once and has one fork at a time, which does what the message queue does. The fork is killed
(SIGKILL) as the n-th function that asks, counts tries or stores answers is called, for n = 1, 3, 5 and so on, until a
fork has come to the end: `open` (the objects have their tasks) or `over` (the job is). The number of kills is printed.
The process itself opens no database connection, because forks must not share one.
"""

import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import django  # noqa: E402

django.setup()

from django.utils import timezone  # noqa: E402

from labeling import background  # noqa: E402
from labeling.models import LabelingJob, Task  # noqa: E402
from labeling.services.functions import merging, preparing, running, tries  # noqa: E402

FILES = frozenset(module.__file__ for module in (merging, preparing, running, tries))
STEP = 2


class Killer:
    """Kills its process at the n-th call of a function of FILES."""

    def __init__(self, at: int):
        self.left = at

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename in FILES:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def is_there(job_id: int, until: str) -> bool:
    """Whether the job has come as far as it should."""
    job = LabelingJob.objects.get(pk=job_id)
    return Task.objects.filter(queue=job.queue_id).exists() if until == "open" else job.status == "Completed"


def work(job_id: int, until: str, at: int) -> None:
    """What a fork does; the pauses of earlier tries are over, and no try counts, so that it can be killed often."""
    killer, job = Killer(at), LabelingJob.objects.get(pk=job_id)
    job.function_calls.update(tries=0, due_at=timezone.now())
    threading.settrace(killer)
    sys.settrace(killer)
    while not is_there(job_id, until):
        background.advance_job(job_id)
        background.run_functions(job_id)


def main(job_id: int, until: str) -> None:
    """Fork and be killed until a fork comes to the end."""
    kills = 0
    while True:
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                work(job_id, until, 1 + kills * STEP)
                status = 0
            finally:
                if status:
                    sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
                sys.stderr.flush()
                os._exit(status)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(status):
            break
        kills += 1
    print(kills, flush=True)
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
