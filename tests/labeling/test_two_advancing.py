"""Two processes that advance one job at the same time do nothing twice."""

import os
import subprocess
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import orjson
import pytest
from django.db import connection

from labeling.models import Answer, Batch, DataObject, FailedAttempt, Label, LabelingJob, Task
from labeling.services.output import manifests
from marketplace import storage
from marketplace.models import AuditEvent, Entry, EntryKind
from marketplace.services import ledger_audit, wallets
from tests.labeling import stories
from tests.labeling.test_advancing import a_new_job

PROGRAM = Path(__file__).parent / "programs" / "advancing.py"
IMAGES, AT_ONCE, WORKERS = 18, 6, 3
BATCHES = IMAGES // AT_ONCE
CONTENT = {"boundingBox": {"boundingBoxes": [{"left": 1, "top": 2, "width": 9, "height": 8, "label": "bee"}]}}


def start(job: LabelingJob) -> subprocess.Popen:
    parts = urlsplit(os.environ["WAGGLE_DATABASE_URL"])
    url = urlunsplit(parts._replace(path="/" + connection.settings_dict["NAME"]))
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(job.pk)],
        env={**os.environ, "WAGGLE_DATABASE_URL": url},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def advance_by_two(job: LabelingJob, workers) -> list[tuple[int, int]]:
    """Let two processes advance the job while people work; how often each held the lock, and found it held."""
    processes = [start(job), start(job)]
    try:
        for process in processes:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        deadline = time.monotonic() + 240
        while any(process.poll() is None for process in processes) and time.monotonic() < deadline:
            job.refresh_from_db()
            if job.status == "InProgress":
                for worker in workers:
                    stories.work(worker, job, CONTENT)
            time.sleep(0.02)
        ended = [process.communicate(timeout=10) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0, 0], ended
    first, second = [tuple(map(int, out.split()[-2:])) for out, _ in ended]
    return [(first[0], first[1]), (second[0], second[1])]


def written(job: LabelingJob, part: str) -> list[list]:
    """The JSON of every file of a part of the output."""
    found = storage.list(storage.join(manifests.root(job), "annotations", part) + "/")
    return [orjson.loads(storage.read(item.uri)) for item in found]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_processes_that_advance_one_job_do_nothing_twice():
    workers = stories.a_crowd(WORKERS)
    job = a_new_job(workers, images=IMAGES, max_concurrent_tasks=AT_ONCE)
    counts = advance_by_two(job, workers)
    assert all(held for held, _ in counts), "both have advanced it"
    assert sum(refused for _, refused in counts), "they met"
    job.refresh_from_db()
    assert job.status == "Completed" and not FailedAttempt.objects.exists()

    # Its input, its batches, their tasks.
    assert list(DataObject.objects.filter(job=job).order_by("index").values_list("index", flat=True)) == list(
        range(IMAGES)
    )
    assert list(Batch.objects.order_by("number").values_list("number", "status")) == [
        (number, "Completed") for number in range(1, BATCHES + 1)
    ]
    assert Counter(Task.objects.values_list("data_object", flat=True)).most_common(1)[0][1] == 1

    # What was decided and paid.
    assert Label.objects.filter(revision=1).count() == IMAGES
    decided = list(Label.objects.order_by("data_object", "revision").values_list("data_object", "value", "explanation"))
    assert not [one for one, following in pairwise(decided) if one == following], "the same was decided twice"
    assert Answer.objects.count() == IMAGES * WORKERS
    kinds = Counter(Entry.objects.values_list("kind", flat=True))
    assert kinds[EntryKind.PAYMENT] == IMAGES * WORKERS and kinds[EntryKind.RESERVE] == BATCHES
    assert wallets.held(job.account) == 0 and ledger_audit.findings() == []

    # Each change of state was made once.
    moves = Counter(AuditEvent.objects.values_list("object_type", "object_id", "from_status", "to_status"))
    assert not {move: count for move, count in moves.items() if count > 1 and move[2] != move[3]}

    # The output: each object once, in every part.
    lines = [orjson.loads(line) for line in storage.read(manifests.manifest_uri(job)).splitlines()]
    assert len(lines) == IMAGES == len({line["source-ref"] for line in lines})
    assert len(written(job, "worker-response")) == IMAGES
    requests = [
        request["datasetObjectId"]
        for file in written(job, "consolidated-annotation/consolidation-request")
        for request in file
    ]
    assert sorted(map(int, requests)) == list(range(IMAGES))
