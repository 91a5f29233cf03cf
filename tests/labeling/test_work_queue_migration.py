"""The migration to work queues, on a database with a job in progress: workers and the job continue afterwards."""

import json
import os
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connection as default
from django.db.migrations.executor import MigrationExecutor

from marketplace import storage
from tests import databases
from tests.marketplace.old_database import migrate, old_database

# In one process, so that the rows are migrated once.
pytestmark = [pytest.mark.xdist_group("work queue migration"), pytest.mark.slow]

BEFORE = [("labeling", "0005_task_responses_written"), ("learning", "0002_resume_and_rule")]
PRICE, FEE, DEPOSIT = 36_000, 7_200, 1_000_000
ANSWER = {
    "boundingBox": {
        "boundingBoxes": [{"left": 10, "top": 10, "width": 50, "height": 40, "label": "bee"}],
        "inputImageProperties": {"width": 640, "height": 480},
    }
}
# Primary keys that differ between the job and everything else, so that mixing them up is noticed.
JOB, TEAM, ACCOUNT, BATCH = 41, 51, 61, 71
# By the job's key: its status, redundancy and workers per object; its queue's status, first and most seats.
OTHER_JOBS = {
    42: ("Completed", {"kind": "dynamic", "start": 1, "target_confidence": 0.9}, 3, ("Stopped", 1, 3)),
    43: ("Stopping", {"kind": "fixed"}, 5, ("Stopped", 5, 5)),
    44: ("Initializing", {"kind": "dynamic", "target_confidence": 0.9}, 4, ("Initializing", 4, 4)),
    45: ("Failed", {"kind": "dynamic", "start": 9, "target_confidence": 0.9}, 2, ("Stopped", 2, 2)),
}
GO_ON = f"""
import django; django.setup()
import json
from django.utils import timezone
from labeling.models import Assignment, LabelingJob, AdvanceRequest
from labeling.services.jobs import advancing
from labeling.services.queue import assignments, worklist
from marketplace.models import Worker
from marketplace.services import earnings, wallets
answer = json.loads('''{json.dumps(ANSWER)}''')
job = LabelingJob.objects.get(pk={JOB})
first, second = Worker.objects.order_by("pk")
listed = worklist.with_counts(first, worklist.queues_with_work(first))
offered = [(row.queue_id, row.tasks_left, row.tasks_held) for row in listed]
def submit(seat, worker, key):
    return assignments.submit(assignment=seat, worker=worker, content=answer, seconds=5, key=key).paid_micros
paid = [submit(Assignment.objects.get(pk=603), first, "k603")]
for worker in (first, second):
    while (seat := assignments.claim(worker=worker, queue=job.queue)) is not None:
        paid.append(submit(seat, worker, f"k{{seat.pk}}"))
before = AdvanceRequest.objects.filter(queue=job.queue).exists()
advancing.advance_job(job.pk)
job.refresh_from_db()
print(json.dumps({{
    "offered": offered, "paid": paid, "requested": before, "job": job.status, "queue": job.queue.status,
    "queue_id": job.queue_id, "labels": sorted(job.objects_of_job.values_list("state", "label__source")),
    "wallet": wallets.balance(job.account), "held": wallets.held(job.account),
    "earned": [earnings.balance(worker=worker) for worker in (first, second)],
}}))
"""


@pytest.fixture(scope="module")
def migrated(django_db_blocker):
    """What the migration has made of the rows; the story that goes on with them has a copy."""
    with django_db_blocker.unblock(), old_database(*BEFORE) as connection:
        with connection.cursor() as cursor:
            fill(cursor)
        with databases.as_default(connection.settings_dict["NAME"]):
            # By the default connection itself, which would wait for another one's locks for ever.
            migrate(default, *MigrationExecutor(default).loader.graph.leaf_nodes())
        yield connection


def fill(cursor):
    """A job with three objects and two seats each: one answered twice, one leased to the first worker, one open."""
    output = storage.join(settings.STORE_URL, "123456789012", "labeling")
    cursor.execute(
        f"""INSERT INTO marketplace_user (id, username, email, password, first_name, last_name, display_name, is_active,
                                         is_staff, is_operator, is_superuser, date_joined)
           SELECT n, 'u' || n, 'u' || n || '@example.org', '', '', '', 'U', true, false, false, false, now()
           FROM generate_series(1, 2) n;
           INSERT INTO marketplace_account (id, name, number, created_at)
           VALUES ({ACCOUNT}, 'Apiary', '123456789012', now());
           INSERT INTO marketplace_worker (id, user_id, public_id, status, created_at)
           SELECT n, n, 'W' || n, 'Active', now() FROM generate_series(1, 2) n;
           INSERT INTO marketplace_workteam (id, account_id, name, description, crowd, created_at)
           VALUES ({TEAM}, {ACCOUNT}, 'bees', '', 'private-crowd', now());
           INSERT INTO marketplace_workteammember (workteam_id, worker_id, created_at)
           SELECT {TEAM}, n, now() FROM generate_series(1, 2) n;
           INSERT INTO labeling_labelingjob (id, account_id, name, status, failure_reason, reference_code, task_type,
               label_attribute_name, labels, input_manifest_uri, selection, output_uri, role_arn, tags, workteam_id,
               title, description, keywords, instructions, workers_per_object, redundancy, price_micros, fee_micros,
               expected_seconds, task_time_limit_seconds, task_availability_seconds, max_concurrent_tasks,
               automated_labeling, objects_total, bad_lines, attention, created_at, created_by)
           VALUES ({JOB}, {ACCOUNT}, 'meadow', 'InProgress', '', 'r1', 'BoundingBox', 'meadow', '["bee"]',
               's3://bees/in.manifest', '{{"kind": "full"}}', '{output}', '', '[]', {TEAM}, 'Draw bees', 'Bees', '[]',
               '{{}}', 2, '{{"kind": "fixed"}}', {PRICE}, {FEE}, 9, 600, 21600, 1000, '{{}}', 3, 0, '', now(), '');
           INSERT INTO labeling_dataobject (id, job_id, index, state, failure_reason, source_ref, width, height, depth,
               upright_uri)
           SELECT 800 + n, {JOB}, n, 'PendingHuman', '', 's3://bees/' || n || '.png', 640, 480, 3, ''
           FROM generate_series(0, 2) n;
           INSERT INTO labeling_objectline (data_object_id, text)
           SELECT 800 + n, '{{"source-ref": "s3://bees/' || n || '.png"}}' FROM generate_series(0, 2) n;
           INSERT INTO labeling_batch (id, job_id, number, status, purpose, created_at, opened_at, expires_at,
               stopped_early)
           VALUES ({BATCH}, {JOB}, 1, 'InProgress', 'labels', now(), now(), now() + interval '6 hours', false);
           INSERT INTO labeling_task (id, job_id, batch_id, data_object_id, state, seats_total, seats_free,
               answers_count, declines_count, queue_position, due, responses_written)
           VALUES (500, {JOB}, {BATCH}, 800, 'Done', 2, 0, 2, 0, nextval('labeling_queue_position'), true, false),
                  (501, {JOB}, {BATCH}, 801, 'Open', 2, 1, 0, 0, nextval('labeling_queue_position'), false, false),
                  (502, {JOB}, {BATCH}, 802, 'Open', 2, 2, 0, 0, nextval('labeling_queue_position'), false, false);
           INSERT INTO labeling_assignment (id, task_id, job_id, worker_id, state, accepted_at, lease_expires_at,
               ended_at, seconds_spent, paid_micros, submit_key, decline_reason)
           VALUES (601, 500, {JOB}, 1, 'Submitted', now(), now(), now(), 5, {PRICE}, 'k601', ''),
                  (602, 500, {JOB}, 2, 'Submitted', now(), now(), now(), 5, {PRICE}, 'k602', ''),
                  (603, 501, {JOB}, 1, 'Leased', now(), now() + interval '10 minutes', NULL, NULL, NULL, '', '');
           INSERT INTO labeling_workercursor (worker_id, job_id, position)
           SELECT n, {JOB}, 0 FROM generate_series(1, 2) n;
           INSERT INTO labeling_advancerequest (job_id, requested_at) VALUES ({JOB}, now());"""
    )
    cursor.execute(
        "INSERT INTO labeling_answer (assignment_id, revision, content, created_at) "
        "VALUES (601, 1, %s, now()), (602, 1, %s, now())",
        [json.dumps(ANSWER)] * 2,
    )
    other_jobs(cursor)
    for table in ("labeling_labelingjob", "labeling_assignment", "labeling_task", "labeling_batch"):
        cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), 900)")
    money(cursor)


def other_jobs(cursor):
    """Copies of the job, see OTHER_JOBS."""
    for key, (status, redundancy, workers, _) in OTHER_JOBS.items():
        changes = {
            "id": key,
            "name": f"other{key}",
            "reference_code": f"r{key}",
            "status": status,
            "redundancy": redundancy,
            "workers_per_object": workers,
        }
        cursor.execute(
            f"""INSERT INTO labeling_labelingjob
                SELECT (jsonb_populate_record(NULL::labeling_labelingjob, to_jsonb(j) || %s::jsonb)).*
                FROM labeling_labelingjob j WHERE id = {JOB}""",
            [json.dumps(changes)],
        )


def money(cursor):
    """A deposit, the escrow of the batch, and the payments of two answers."""
    seats = 6 * (PRICE + FEE)
    pockets = {"outside": 1, "wallet": 2, "escrow": 3, "fees": 4, "w1": 5, "w2": 6}
    cursor.execute(
        f"""INSERT INTO marketplace_ledgeraccount (id, kind, account_id, worker_id, reference, created_at)
           VALUES (1, 'outside', NULL, NULL, '', now()), (2, 'wallet', {ACCOUNT}, NULL, '', now()),
                  (3, 'escrow', {ACCOUNT}, NULL, 'labeling-job:{JOB}', now()), (4, 'fees', NULL, NULL, '', now()),
                  (5, 'earnings', NULL, 1, '', now()), (6, 'earnings', NULL, 2, '', now());
           SELECT setval(pg_get_serial_sequence('marketplace_ledgeraccount', 'id'), 100)"""
    )
    entries = {
        "opening": {"outside": -DEPOSIT, "wallet": DEPOSIT},
        f"batch:{BATCH}:fund": {"wallet": -seats, "escrow": seats},
        "assignment:601:pay": {"escrow": -PRICE - FEE, "w1": PRICE, "fees": FEE},
        "assignment:602:pay": {"escrow": -PRICE - FEE, "w2": PRICE, "fees": FEE},
    }
    for reference, moved in entries.items():
        cursor.execute(
            "INSERT INTO marketplace_entry (reference, description, by, created_at) "
            "VALUES (%s, '', 'system', now()) RETURNING id",
            [reference],
        )
        (entry,) = cursor.fetchone()
        # One statement, because the trigger checks the sum after each.
        rows = ", ".join(f"({entry}, {pockets[pocket]}, {micros})" for pocket, micros in moved.items())
        cursor.execute(f"INSERT INTO marketplace_posting (entry_id, ledger_account_id, amount_micros) VALUES {rows}")


def goes_on(name: str) -> dict:
    """Continue the job in the database of this name with today's code, and return the result."""
    parts = urlsplit(os.environ["WAGGLE_DATABASE_URL"])
    url = urlunsplit(parts._replace(path=f"/{name}"))
    environment = os.environ | {"WAGGLE_DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "marketplace.settings"}
    done = subprocess.run(
        [sys.executable, "-c", GO_ON], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_a_job_in_progress_continues_after_the_migration(migrated):
    migrated.close()
    with databases.copy_of(migrated.settings_dict["NAME"]) as name:
        found = goes_on(name)
    # The first worker keeps the leased task and can claim another; both end with three answers, each paid once.
    assert found["offered"] == [[JOB, 1, 1]] and found["queue_id"] == JOB
    assert found["paid"] == [PRICE] * 4 and found["requested"]
    assert (found["job"], found["queue"]) == ("Completed", "Stopped")
    assert found["labels"] == [["HumanLabeled", "human"]] * 3
    assert found["earned"] == [3 * PRICE] * 2
    assert (found["wallet"], found["held"]) == (DEPOSIT - 6 * (PRICE + FEE), 0)


def test_every_job_gets_a_queue_by_its_own_status_and_redundancy(migrated):
    with migrated.cursor() as cursor:
        cursor.execute(
            """SELECT q.id, q.status, q.first_seats, q.max_seats, q.owner_kind, q.title, g.workteam_id
               FROM labeling_workqueue q JOIN labeling_labelingjob j ON j.queue_id = q.id AND j.id = q.id
               JOIN marketplace_audiencegroup a ON a.audience_id = q.audience_id
               JOIN marketplace_workergroup g ON g.id = a.group_id ORDER BY q.id"""
        )
        rows = cursor.fetchall()
        cursor.execute("SELECT nextval(pg_get_serial_sequence('labeling_workqueue', 'id'))")
        (free,) = cursor.fetchone()
    expected = {JOB: ("InProgress", 2, 2)} | {key: queue for key, (*_, queue) in OTHER_JOBS.items()}
    assert rows == [(key, *queue, "labeling-job", "Draw bees", TEAM) for key, queue in sorted(expected.items())]
    assert free == max(expected) + 1


def test_every_task_that_may_still_get_an_answer_knows_what_it_shows(migrated):
    """A late answer to a task that is Done is checked before it is refused, so that task is among them."""
    with migrated.cursor() as cursor:
        cursor.execute("SELECT id, input FROM labeling_task ORDER BY id")
        shown = {pk: json.loads(found) if isinstance(found, str) else found for pk, found in cursor.fetchall()}
    assert shown == {500 + n: {"object": 800 + n, "width": 640, "height": 480} for n in range(3)}
