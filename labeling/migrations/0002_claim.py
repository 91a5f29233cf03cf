"""The claim: one round trip that gives a worker the next task, whatever the size of the job.

A worker's cursor says: nothing up to here is claimable by this worker. The scan starts there, in queue order, over the
partial index of tasks that are open and have a free seat. A task that another transaction holds is skipped, but the
cursor stops before the first claimable task, taken or skipped, so nothing skipped is lost: what that query sees is
committed, and a task whose claim is not committed still looks claimable to it. A seat that comes back gives its task a
new position at the end (`labeling_requeue`); positions are only drawn under a lock on the job's queue, also when a batch
opens, so they become visible in the order they are drawn and every cursor meets them. Hence the cost depends on neither
the size of the job nor the worker's history.

Locks are taken in the order job, queue, cursor, task, seat, here and in labeling/services: no two paths can deadlock.
"""

from django.db import migrations

FORWARD = """
CREATE SEQUENCE labeling_queue_position AS bigint;

CREATE FUNCTION labeling_claim(the_worker bigint, the_job bigint, at timestamptz, most_leases integer)
RETURNS TABLE (outcome text, assignment_id bigint, task_id bigint, lease_expires_at timestamptz, object_id bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    job record;
    start_at bigint;
    first_at bigint;
    got bigint;
BEGIN
    -- Keeps the job from stopping meanwhile; a stop holds the row FOR NO KEY UPDATE, which foreign keys do not wait for.
    SELECT j.status, j.workteam_id, j.task_time_limit_seconds INTO job FROM labeling_labelingjob j
        WHERE j.id = the_job FOR SHARE;
    -- The rule of marketplace.services.workteams.eligible, in the same round trip.
    outcome := CASE
        WHEN job.status IS NULL THEN 'NoSuchJob'
        WHEN NOT EXISTS (
            SELECT 1 FROM marketplace_workteammember m JOIN marketplace_worker w ON w.id = m.worker_id
            WHERE m.workteam_id = job.workteam_id AND m.worker_id = the_worker AND w.status = 'Active') THEN 'NotEligible'
        WHEN job.status <> 'InProgress' THEN 'Closed'
        WHEN (SELECT count(*) FROM labeling_assignment a WHERE a.worker_id = the_worker AND a.job_id = the_job
              AND a.state = 'Leased' AND a.lease_expires_at > at) >= most_leases THEN 'HandsFull'
    END;
    IF outcome IS NOT NULL THEN
        RETURN NEXT;
        RETURN;
    END IF;

    -- The cursor row also serialises two tabs of one worker.
    SELECT position INTO start_at FROM labeling_workercursor
        WHERE worker_id = the_worker AND job_id = the_job FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO labeling_workercursor (worker_id, job_id, position) VALUES (the_worker, the_job, 0)
            ON CONFLICT (worker_id, job_id) DO NOTHING;
        SELECT position INTO start_at FROM labeling_workercursor
            WHERE worker_id = the_worker AND job_id = the_job FOR UPDATE;
    END IF;

    SELECT t.queue_position INTO first_at FROM labeling_task t
        WHERE t.job_id = the_job AND t.state = 'Open' AND t.seats_free > 0 AND t.queue_position > start_at
          AND NOT EXISTS (SELECT 1 FROM labeling_assignment a WHERE a.task_id = t.id AND a.worker_id = the_worker
                          AND a.state NOT IN ('Returned', 'Expired'))
        ORDER BY t.queue_position LIMIT 1;
    IF first_at IS NOT NULL THEN
        SELECT t.id, t.data_object_id INTO got, object_id FROM labeling_task t
            WHERE t.job_id = the_job AND t.state = 'Open' AND t.seats_free > 0 AND t.queue_position >= first_at
              AND NOT EXISTS (SELECT 1 FROM labeling_assignment a WHERE a.task_id = t.id AND a.worker_id = the_worker
                              AND a.state NOT IN ('Returned', 'Expired'))
            ORDER BY t.queue_position LIMIT 1 FOR NO KEY UPDATE OF t SKIP LOCKED;
        IF got IS NULL THEN
            -- Everything left is held by others for an instant: wait for the first instead of sending the worker away.
            SELECT t.id, t.data_object_id INTO got, object_id FROM labeling_task t
                WHERE t.job_id = the_job AND t.state = 'Open' AND t.seats_free > 0 AND t.queue_position >= first_at
                  AND NOT EXISTS (SELECT 1 FROM labeling_assignment a WHERE a.task_id = t.id
                                  AND a.worker_id = the_worker AND a.state NOT IN ('Returned', 'Expired'))
                ORDER BY t.queue_position LIMIT 1 FOR NO KEY UPDATE OF t;
        END IF;
    END IF;
    IF got IS NULL THEN
        outcome := 'Nothing';
        RETURN NEXT;
        RETURN;
    END IF;

    lease_expires_at := at + make_interval(secs => job.task_time_limit_seconds);
    UPDATE labeling_task SET seats_free = seats_free - 1 WHERE id = got;
    INSERT INTO labeling_assignment
            (task_id, job_id, worker_id, state, accepted_at, lease_expires_at, submit_key, decline_reason)
        VALUES (got, the_job, the_worker, 'Leased', at, lease_expires_at, '', '')
        ON CONFLICT (task_id, worker_id) DO UPDATE SET
            state = 'Leased', accepted_at = EXCLUDED.accepted_at, lease_expires_at = EXCLUDED.lease_expires_at,
            ended_at = NULL
        RETURNING id INTO assignment_id;
    UPDATE labeling_workercursor SET position = first_at - 1
        WHERE worker_id = the_worker AND job_id = the_job AND position < first_at - 1;
    task_id := got;
    outcome := 'Claimed';
    RETURN NEXT;
END $$;

CREATE FUNCTION labeling_queue_lock(the_job bigint) RETURNS void LANGUAGE sql AS $$
    -- Positions must become visible in the order they are drawn, or a cursor could pass one not yet committed.
    SELECT pg_advisory_xact_lock(hashtext('labeling_queue'), the_job::integer);
$$;

CREATE FUNCTION labeling_requeue(the_job bigint, the_tasks bigint[], seats integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM labeling_queue_lock(the_job);
    UPDATE labeling_task t SET seats_free = t.seats_free + seats, queue_position = nextval('labeling_queue_position')
        FROM (SELECT id FROM labeling_task WHERE id = ANY (the_tasks) ORDER BY id FOR UPDATE) AS locked
        WHERE t.id = locked.id;
END $$;
"""
BACKWARD = """
DROP FUNCTION labeling_requeue(bigint, bigint[], integer);
DROP FUNCTION labeling_queue_lock(bigint);
DROP FUNCTION labeling_claim(bigint, bigint, timestamptz, integer);
DROP SEQUENCE labeling_queue_position;
"""


class Migration(migrations.Migration):
    """Handing out work as SQL functions."""

    dependencies = [("labeling", "0001_jobs_objects_tasks")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
