"""The claim: one round trip that gives a worker the next task, whatever the size of the job.

A worker's cursor says: nothing up to here is claimable by this worker. The scan starts there, in queue order, over the
partial index of tasks that are open and have a free seat. A task that another transaction holds is skipped, but the
cursor stops before the first claimable task, taken or skipped, so nothing skipped is lost. A seat that comes back gives
its task a new position at the end (`labeling_requeue`), under a lock on the job that makes positions commit in order; so
every cursor meets it again. Hence the cost depends on neither the size of the job nor the worker's history.
"""

from django.db import migrations

FORWARD = """
CREATE SEQUENCE labeling_queue_position AS bigint;

CREATE FUNCTION labeling_claim(the_worker bigint, the_job bigint, at timestamptz, lease_seconds integer)
RETURNS TABLE (assignment_id bigint, task_id bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    start_at bigint;
    first_at bigint;
    got bigint;
    seat bigint;
BEGIN
    -- The cursor row also serialises two tabs of one worker.
    INSERT INTO labeling_workercursor (worker_id, job_id, position) VALUES (the_worker, the_job, 0)
        ON CONFLICT (worker_id, job_id) DO NOTHING;
    SELECT position INTO start_at FROM labeling_workercursor
        WHERE worker_id = the_worker AND job_id = the_job FOR UPDATE;

    SELECT t.queue_position INTO first_at FROM labeling_task t
        WHERE t.job_id = the_job AND t.state = 'Open' AND t.seats_free > 0 AND t.queue_position > start_at
          AND NOT EXISTS (SELECT 1 FROM labeling_assignment a WHERE a.task_id = t.id AND a.worker_id = the_worker
                          AND a.state NOT IN ('Returned', 'Expired'))
        ORDER BY t.queue_position LIMIT 1;
    IF first_at IS NULL THEN
        RETURN;
    END IF;

    SELECT t.id INTO got FROM labeling_task t
        WHERE t.job_id = the_job AND t.state = 'Open' AND t.seats_free > 0 AND t.queue_position >= first_at
          AND NOT EXISTS (SELECT 1 FROM labeling_assignment a WHERE a.task_id = t.id AND a.worker_id = the_worker
                          AND a.state NOT IN ('Returned', 'Expired'))
        ORDER BY t.queue_position LIMIT 1 FOR UPDATE OF t SKIP LOCKED;
    IF got IS NULL THEN
        -- Everything left is held by others for an instant: wait for the first instead of sending the worker away.
        SELECT t.id INTO got FROM labeling_task t
            WHERE t.job_id = the_job AND t.state = 'Open' AND t.seats_free > 0 AND t.queue_position >= first_at
              AND NOT EXISTS (SELECT 1 FROM labeling_assignment a WHERE a.task_id = t.id AND a.worker_id = the_worker
                              AND a.state NOT IN ('Returned', 'Expired'))
            ORDER BY t.queue_position LIMIT 1 FOR UPDATE OF t;
        IF got IS NULL THEN
            RETURN;
        END IF;
    END IF;

    UPDATE labeling_task SET seats_free = seats_free - 1 WHERE id = got;
    INSERT INTO labeling_assignment
            (task_id, job_id, worker_id, state, accepted_at, lease_expires_at, submit_key, decline_reason)
        VALUES (got, the_job, the_worker, 'Leased', at, at + make_interval(secs => lease_seconds), '', '')
        ON CONFLICT (task_id, worker_id) DO UPDATE SET
            state = 'Leased', accepted_at = at, lease_expires_at = at + make_interval(secs => lease_seconds),
            ended_at = NULL
        RETURNING id INTO seat;
    UPDATE labeling_workercursor SET position = first_at - 1
        WHERE worker_id = the_worker AND job_id = the_job AND position < first_at - 1;
    assignment_id := seat;
    task_id := got;
    RETURN NEXT;
END $$;

CREATE FUNCTION labeling_requeue(the_job bigint, the_tasks bigint[], seats integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    -- Positions must become visible in the order they are drawn, or a cursor could pass one not yet committed.
    PERFORM pg_advisory_xact_lock(hashtext('labeling_queue'), the_job::integer);
    UPDATE labeling_task t SET seats_free = t.seats_free + seats, queue_position = nextval('labeling_queue_position')
        FROM (SELECT id FROM labeling_task WHERE id = ANY (the_tasks) ORDER BY id FOR UPDATE) AS locked
        WHERE t.id = locked.id;
END $$;
"""
BACKWARD = """
DROP FUNCTION labeling_requeue(bigint, bigint[], integer);
DROP FUNCTION labeling_claim(bigint, bigint, timestamptz, integer);
DROP SEQUENCE labeling_queue_position;
"""


class Migration(migrations.Migration):
    """Handing out work as SQL functions."""

    dependencies = [("labeling", "0001_jobs_objects_tasks")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
