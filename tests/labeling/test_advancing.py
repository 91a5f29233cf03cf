"""A job advances from its manifest to its end through background functions, also when their process is killed."""

import os
import signal
import subprocess
import sys
import threading

import orjson
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from labeling import background
from labeling.models import AdvanceRequest, Answer, BadLine, Batch, DataObject, Label, LabelingJob
from labeling.services.jobs import creation
from labeling.services.queue import advance_requests, locking
from marketplace import storage
from marketplace.services import boundaries, wallets
from tests import builders
from tests.labeling import stories

ADVANCE = (
    "import django, sys; django.setup(); from labeling import background; background.advance_job(int(sys.argv[1]))"
)


def a_new_job(workers, *, images=0, bad=(), broken=False, **changes):
    """A new job whose manifest has images, invalid lines and a file that is not an image."""
    account = stories.an_account()
    lines = [{"source-ref": uri} for uri in builders.tiny_images(images, account=account)]
    if broken:
        uri = storage.join(boundaries.base_of(account), "uploads", "broken.png")
        storage.write(uri, b"not an image")
        lines.append({"source-ref": uri})
    manifest = builders.a_manifest(account, [*lines, *bad])
    team = builders.a_team(account=account, workers=workers)
    return creation.create_job(**stories.a_design(account, team, input_manifest_uri=manifest, **changes))


@pytest.mark.django_db
def test_a_job_advances_from_its_manifest_to_completed():
    workers = stories.a_crowd(3)
    job = a_new_job(workers, images=3, broken=True, bad=[b"{not json}"])
    background.advance_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.objects_total, job.bad_lines) == ("InProgress", 4, 1)
    assert BadLine.objects.get(job=job).number == 5
    assert DataObject.objects.get(job=job, state="Failed").index == 3
    content = {"boundingBox": {"boundingBoxes": [{"left": 1, "top": 2, "width": 9, "height": 8, "label": "bee"}]}}
    for worker in workers:
        assert stories.work(worker, job, content) == 3
    background.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Completed" and job.output_written_at
    lines = storage.read(storage.join(job.output_uri, job.name, "manifests/output/output.manifest")).splitlines()
    assert [job.label_attribute_name in orjson.loads(line) for line in lines] == [True, True, True, False]


@pytest.mark.django_db
def test_a_job_whose_manifest_has_no_valid_line_fails():
    job = a_new_job([], bad=[b"{not json}"])
    background.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Failed" and "no line that can be used (1 were rejected)" in job.failure_reason


@pytest.mark.django_db
def test_the_sweep_enqueues_every_live_job_even_when_a_message_was_lost():
    job, _ = stories.a_funded_job(objects=1)
    AdvanceRequest.objects.update(requested_at=timezone.now() - 2 * advance_requests.STALE)
    background.sweep()
    assert AdvanceRequest.objects.get(queue=job.queue).requested_at > timezone.now() - advance_requests.STALE
    background.advance_job(job.pk)
    assert Batch.objects.get(queue=job.queue).status == "InProgress" and not AdvanceRequest.objects.exists()
    background.advance_job(10**9)


@pytest.mark.django_db
def test_a_request_that_waits_after_the_last_pass_has_a_message():
    """With golds every answer requests an advance; its message is spent on a process that finds the lock held."""
    job, _ = stories.a_funded_job(objects=1)

    def answered_meanwhile(execute, sql, params, many, context):
        done = execute(sql, params, many, context)
        if sql.startswith('DELETE FROM "labeling_advancerequest"'):
            advance_requests.request_advance(job.queue_id)
            OrmQ.objects.all().delete()
        return done

    with connection.execute_wrapper(answered_meanwhile):
        background.advance_job(job.pk)
    assert AdvanceRequest.objects.filter(queue=job.queue).exists()
    (message,) = OrmQ.objects.all()
    assert (message.task["func"], message.task["args"]) == (advance_requests.ADVANCE, (job.queue_id,))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_job_whose_process_is_killed_at_any_moment_ends_with_the_same_result():
    workers = stories.a_crowd(3)
    job = a_new_job(workers, images=12, max_concurrent_tasks=5)
    content = {"boundingBox": {"boundingBoxes": [{"left": 1, "top": 2, "width": 9, "height": 8, "label": "bee"}]}}
    for turn in range(24):
        # Each process lives a little longer than the one before, so that it is killed at another place.
        advance_and_kill(job.pk, after=0.4 * 1.25**turn)
        job.refresh_from_db()
        if job.status == "Completed":
            break
        if job.status == "InProgress":
            for worker in workers:
                stories.work(worker, job, content)
    assert job.status == "Completed"
    assert Answer.objects.count() == 36 and DataObject.objects.filter(job=job, state="HumanLabeled").count() == 12
    assert Label.objects.filter(revision=1).count() == 12
    assert wallets.held(job.account) == 0
    assert LabelingJob.objects.get(pk=job.pk).attention == ""


def advance_and_kill(job_id, *, after):
    """Advance the job in a process of its own and kill it after `seconds`."""
    database = connection.settings_dict
    url = f"postgresql://{database['USER']}:{database['PASSWORD']}@/{database['NAME']}?host={database['HOST']}"
    environment = {**os.environ, "WAGGLE_DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "marketplace.settings"}
    process = subprocess.Popen([sys.executable, "-c", ADVANCE, str(job_id)], env=environment, cwd=settings.BASE_DIR)
    try:
        process.wait(timeout=after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()


@pytest.mark.django_db(transaction=True)
def test_while_one_job_is_slow_all_others_go_on_and_it_goes_on_afterwards():
    """The step of one job takes long, in a process of its own: nobody waits for it, and no message for it is lost."""
    jobs = [stories.a_funded_job(objects=1, workers=1, workers_per_object=1) for _ in range(3)]
    slow = jobs[0][0]
    begun, go_on = threading.Event(), threading.Event()

    def take_long():
        try:
            with locking.advance_lock(slow.queue_id) as held:
                assert held
                begun.set()
                assert go_on.wait(60)
        finally:
            connection.close()

    process = threading.Thread(target=take_long)
    process.start()
    try:
        assert begun.wait(60)
        for job, (worker,) in jobs:
            background.advance_queue(job.queue_id)
            assert stories.work(worker, job) == (0 if job == slow else 1)
            background.advance_queue(job.queue_id)
        OrmQ.objects.all().delete()
        AdvanceRequest.objects.all().delete()
        stories.a_minute_passes()
        background.sweep()
        assert {job.status for job in LabelingJob.objects.exclude(pk=slow.pk)} == {"Completed"}
        assert list(AdvanceRequest.objects.values_list("queue_id", flat=True)) == [slow.queue_id]
    finally:
        go_on.set()
        process.join(60)
    background.advance_queue(slow.queue_id)
    assert stories.work(jobs[0][1][0], slow) == 1
    background.advance_queue(slow.queue_id)
    assert LabelingJob.objects.get(pk=slow.pk).status == "Completed"
