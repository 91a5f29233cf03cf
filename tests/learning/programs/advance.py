"""The queue's part of a loop in a process of its own, to be killed by the tests: python advance.py <job id>."""

import os
import sys
import time
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import django  # noqa: E402

django.setup()

from labeling.models import LabelingJob  # noqa: E402
from labeling.services.jobs import advancing  # noqa: E402
from learning.models import LearningLoop  # noqa: E402
from learning.services.active import lease, loops  # noqa: E402

# So that the process that follows a killed one gets to work, and can be killed there, instead of waiting.
lease.LEASE_SECONDS, lease.RENEW_SECONDS = 2.0, 0.3

if __name__ == "__main__":
    job_id = int(sys.argv[1])
    loops.start_loop(LabelingJob.objects.get(pk=job_id))
    while LearningLoop.objects.get(job=job_id).status == "InProgress":
        advancing.advance_job(job_id)
        loops.advance_loop(loop_id=LearningLoop.objects.get(job=job_id).pk)
        time.sleep(0.05)
