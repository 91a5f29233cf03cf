"""Advances a job again and again until it is over, beside others that do the same: python advancing.py <job id>.

Prints how often it held the job's lock and found it held.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import django  # noqa: E402

django.setup()

from labeling.models import LabelingJob  # noqa: E402
from labeling.services.jobs import advancing, finishing  # noqa: E402
from labeling.services.queue import advance_requests  # noqa: E402

counts = {True: 0, False: 0}
take = advance_requests.advance_lock


@contextmanager
def counted(queue_id: int) -> Iterator[bool]:
    """The job's own lock, and whether it was free."""
    with take(queue_id) as acquired:
        counts[acquired] += 1
        yield acquired


if __name__ == "__main__":
    job_id = int(sys.argv[1])
    advance_requests.advance_lock = counted
    print("ready", flush=True)
    sys.stdin.readline()
    while LabelingJob.objects.get(pk=job_id).status not in finishing.FINAL:
        advancing.advance_job(job_id)
        time.sleep(0.01)
    print(counts[True], counts[False], flush=True)
