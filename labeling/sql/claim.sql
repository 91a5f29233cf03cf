-- The claim: one round trip that gives a worker the next task of a queue, whatever the size of the queue.
--
-- No task up to a worker's cursor is claimable by this worker. The scan starts at the cursor, in queue order, over the
-- partial index of tasks that are open and have a free seat. A task that another transaction holds is skipped, but the
-- cursor stops before the first claimable task, claimed or skipped, so that a later claim finds a skipped task again:
-- the scan sees only committed rows, so a task whose claim is not committed is claimable to it. When a seat is freed,
-- its task gets a new position at the end (labeling_requeue). Positions are only drawn under a lock on the queue, also
-- when a batch opens, so they become visible in the order they are drawn and every cursor reaches them. Hence the cost
-- depends on neither the size of the queue nor the worker's history.
--
-- Locks are taken in the order queue, positions, cursor, task, seat, here and in labeling/services, so that no two code
-- paths can deadlock.

-- The tasks of a queue that the worker may claim, from the worker's cursor on. A task that the worker had is not claimable
-- again, unless it was returned or expired. The calling query orders and limits the rows: PostgreSQL inlines the
-- function into it, unless an argument is a subquery, and reads no more rows than the limit.
CREATE OR REPLACE FUNCTION labeling_claimable(the_worker bigint, the_queue bigint)
RETURNS TABLE (id bigint, queue_position bigint) LANGUAGE sql STABLE AS $$
    SELECT t.id, t.queue_position FROM labeling_task t
    WHERE t.queue_id = the_queue AND t.state = 'Open' AND t.seats_free > 0
      AND t.queue_position > coalesce((SELECT c.position FROM labeling_workercursor c
                                       WHERE c.worker_id = the_worker AND c.queue_id = the_queue), 0)
      AND NOT EXISTS (SELECT 1 FROM labeling_assignment a WHERE a.task_id = t.id AND a.worker_id = the_worker
                      AND a.state NOT IN ('Returned', 'Expired'))
$$;

CREATE OR REPLACE FUNCTION labeling_claim(the_worker bigint, the_queue bigint, at timestamptz, most_leases integer)
RETURNS TABLE (outcome text, assignment_id bigint, task_id bigint, lease_expires_at timestamptz)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    q record;
    candidate record;
    first_id bigint;
    first_at bigint;
    got bigint;
BEGIN
    -- FOR SHARE keeps the queue from being closed meanwhile; the lock that a foreign key takes would not.
    SELECT w.status, w.audience_id, w.account_id, w.task_time_limit_seconds INTO q FROM labeling_workqueue w
        WHERE w.id = the_queue FOR SHARE;
    outcome := CASE WHEN q.status IS NULL THEN 'NoSuchQueue'
                    ELSE marketplace_refusal(the_worker, q.audience_id, q.account_id) END;
    outcome := CASE
        WHEN outcome IS NOT NULL THEN outcome
        WHEN q.status <> 'InProgress' THEN 'Closed'
        WHEN (SELECT count(*) FROM labeling_assignment a WHERE a.worker_id = the_worker AND a.queue_id = the_queue
              AND a.state = 'Leased' AND a.lease_expires_at > at) >= most_leases THEN 'HandsFull'
    END;
    IF outcome IS NOT NULL THEN
        RETURN NEXT;
        RETURN;
    END IF;

    -- The cursor's row also lets two tabs of one worker claim one after the other.
    PERFORM 1 FROM labeling_workercursor WHERE worker_id = the_worker AND queue_id = the_queue FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO labeling_workercursor (worker_id, queue_id, position) VALUES (the_worker, the_queue, 0)
            ON CONFLICT (worker_id, queue_id) DO NOTHING;
        PERFORM 1 FROM labeling_workercursor WHERE worker_id = the_worker AND queue_id = the_queue FOR UPDATE;
    END IF;

    -- More candidates than these are only needed when so many other claims hold a task at this instant.
    FOR candidate IN SELECT c.id, c.queue_position FROM labeling_claimable(the_worker, the_queue) c
            ORDER BY c.queue_position LIMIT 40 LOOP
        IF first_at IS NULL THEN
            first_id := candidate.id;
            first_at := candidate.queue_position;
        END IF;
        SELECT t.id INTO got FROM labeling_task t
            WHERE t.id = candidate.id AND t.state = 'Open' AND t.seats_free > 0 FOR NO KEY UPDATE SKIP LOCKED;
        EXIT WHEN got IS NOT NULL;
    END LOOP;
    IF got IS NULL AND first_id IS NOT NULL THEN
        -- Other claims hold every task for an instant: wait for the first task instead of returning none.
        SELECT t.id INTO got FROM labeling_task t
            WHERE t.id = first_id AND t.state = 'Open' AND t.seats_free > 0 FOR NO KEY UPDATE;
    END IF;
    IF got IS NULL THEN
        outcome := 'Nothing';
        RETURN NEXT;
        RETURN;
    END IF;

    lease_expires_at := at + make_interval(secs => q.task_time_limit_seconds);
    UPDATE labeling_task SET seats_free = seats_free - 1 WHERE id = got;
    INSERT INTO labeling_assignment
            (task_id, queue_id, worker_id, state, accepted_at, lease_expires_at, submit_key, decline_reason)
        VALUES (got, the_queue, the_worker, 'Leased', at, lease_expires_at, '', '')
        ON CONFLICT (task_id, worker_id) DO UPDATE SET
            state = 'Leased', accepted_at = EXCLUDED.accepted_at, lease_expires_at = EXCLUDED.lease_expires_at,
            ended_at = NULL
        RETURNING id INTO assignment_id;
    UPDATE labeling_workercursor SET position = first_at - 1
        WHERE worker_id = the_worker AND queue_id = the_queue AND position < first_at - 1;
    task_id := got;
    outcome := 'Claimed';
    RETURN NEXT;
END $$;

-- The task the worker would most likely be given next; nothing is reserved.
CREATE OR REPLACE FUNCTION labeling_peek(the_worker bigint, the_queue bigint) RETURNS TABLE (task_id bigint)
LANGUAGE sql STABLE AS $$
    SELECT c.id FROM labeling_claimable(the_worker, the_queue) c ORDER BY c.queue_position LIMIT 1
$$;

-- Positions must become visible in the order they are drawn, or a cursor could pass one not yet committed.
CREATE OR REPLACE FUNCTION labeling_queue_lock(the_queue bigint) RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(hashtext('labeling_queue'), the_queue::integer);
$$;

CREATE OR REPLACE FUNCTION labeling_requeue(the_queue bigint, the_tasks bigint[], seats integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM labeling_queue_lock(the_queue);
    UPDATE labeling_task t SET seats_free = t.seats_free + seats, queue_position = nextval('labeling_queue_position')
        FROM (SELECT id FROM labeling_task WHERE id = ANY (the_tasks) ORDER BY id FOR UPDATE) AS locked
        WHERE t.id = locked.id;
END $$;
