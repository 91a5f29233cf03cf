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
-- When no task is claimable, the cursor moves to the last task that is open and has a free seat. The statement that moves
-- it looks for a claimable task again, in the same snapshot. If there is none, no task up to the new cursor becomes
-- claimable to this worker at its present position: it would need a freed seat, or the end of an assignment of this
-- worker that frees one, and both draw a new position. That position is above the cursor: when it was drawn before the
-- snapshot and is not visible in it, its transaction still holds the lock on the queue, so it is the highest drawn.
--
-- A key makes a claim safe to repeat: the seat that was claimed with it is returned again, and no second one is taken.
--
-- Locks are taken in the order queue, positions, cursor, task, seat, here and in labeling/services, so that no two code
-- paths can deadlock.

-- The tasks of a queue that the worker may claim, from the worker's cursor on. A task that the worker had is not claimable
-- again, unless it was returned or expired. The calling query orders and limits the rows: PostgreSQL inlines the
-- function into it, unless an argument is a subquery, and reads no more rows than the limit. The worker's assignment is
-- looked up by a subquery for each row, because the planner would turn NOT EXISTS into a join of whole tables when the
-- statistics say that the worker had nearly every task.
CREATE OR REPLACE FUNCTION labeling_claimable(the_worker bigint, the_queue bigint)
RETURNS TABLE (id bigint, queue_position bigint) LANGUAGE sql STABLE AS $$
    SELECT t.id, t.queue_position FROM labeling_task t
    WHERE t.queue_id = the_queue AND t.state = 'Open' AND t.seats_free > 0
      AND t.queue_position > coalesce((SELECT c.position FROM labeling_workercursor c
                                       WHERE c.worker_id = the_worker AND c.queue_id = the_queue), 0)
      AND coalesce((SELECT a.state IN ('Returned', 'Expired') FROM labeling_assignment a
                    WHERE a.task_id = t.id AND a.worker_id = the_worker), true)
$$;

CREATE OR REPLACE FUNCTION labeling_claim(
    the_worker bigint, the_queue bigint, at timestamptz, most_leases integer, tasks_per_lease integer, the_key text)
RETURNS TABLE (outcome text, assignment_id bigint, task_id bigint, accepted_at timestamptz, lease_expires_at timestamptz)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    q record;
    earlier record;
    held integer;
    on_offer integer;
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
    IF outcome IS NOT NULL THEN
        RETURN NEXT;
        RETURN;
    END IF;

    -- The lock on the cursor's row lets the claims of one worker happen one after the other, from several tabs and when
    -- one claim is sent twice. What is counted and looked up below therefore stays true until this claim commits.
    PERFORM 1 FROM labeling_workercursor WHERE worker_id = the_worker AND queue_id = the_queue FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO labeling_workercursor (worker_id, queue_id, position) VALUES (the_worker, the_queue, 0)
            ON CONFLICT (worker_id, queue_id) DO NOTHING;
        PERFORM 1 FROM labeling_workercursor WHERE worker_id = the_worker AND queue_id = the_queue FOR UPDATE;
    END IF;

    IF the_key <> '' THEN
        SELECT a.id, a.task_id, a.state, a.accepted_at, a.lease_expires_at INTO earlier FROM labeling_assignment a
            WHERE a.worker_id = the_worker AND a.queue_id = the_queue AND a.claim_key = the_key AND a.claim_key > '';
        IF earlier.id IS NOT NULL THEN
            assignment_id := earlier.id;
            task_id := earlier.task_id;
            accepted_at := earlier.accepted_at;
            lease_expires_at := earlier.lease_expires_at;
            outcome := CASE WHEN earlier.state = 'Leased' AND earlier.lease_expires_at > at THEN 'Claimed'
                            ELSE 'KeyUsed' END;
            RETURN NEXT;
            RETURN;
        END IF;
    END IF;

    IF q.status <> 'InProgress' THEN
        outcome := 'Closed';
        RETURN NEXT;
        RETURN;
    END IF;

    SELECT count(*) INTO held FROM labeling_assignment a WHERE a.worker_id = the_worker AND a.queue_id = the_queue
        AND a.state = 'Leased' AND a.lease_expires_at > at;
    IF held > 0 AND held < most_leases THEN
        -- Counted from the end of the queue, where hardly any task is over, and no further than the limit needs.
        SELECT count(*) INTO on_offer FROM (
            SELECT 1 FROM labeling_task t
            WHERE t.queue_id = the_queue AND t.state = 'Open' AND t.seats_free > 0
              AND coalesce((SELECT a.state <> 'Leased' FROM labeling_assignment a
                            WHERE a.task_id = t.id AND a.worker_id = the_worker), true)
            ORDER BY t.queue_position DESC LIMIT most_leases * tasks_per_lease) AS counted;
    END IF;

    -- More candidates than these are only needed when so many other claims hold a task at this instant.
    FOR candidate IN SELECT c.id, c.queue_position FROM labeling_claimable(the_worker, the_queue) c
            ORDER BY c.queue_position LIMIT 40 LOOP
        IF first_at IS NULL THEN
            IF held >= most_leases OR (held > 0 AND held >= (held + on_offer) / tasks_per_lease) THEN
                outcome := 'HandsFull';
                RETURN NEXT;
                RETURN;
            END IF;
            first_id := candidate.id;
            first_at := candidate.queue_position;
        END IF;
        SELECT t.id INTO got FROM labeling_task t
            WHERE t.id = candidate.id AND t.state = 'Open' AND t.seats_free > 0 FOR NO KEY UPDATE SKIP LOCKED;
        EXIT WHEN got IS NOT NULL;
    END LOOP;
    IF first_at IS NULL THEN
        -- One statement, so that the last task and the absence of a claimable one are read from one snapshot.
        UPDATE labeling_workercursor c SET position = seen.last
            FROM (SELECT max(t.queue_position) AS last FROM labeling_task t
                  WHERE t.queue_id = the_queue AND t.state = 'Open' AND t.seats_free > 0) AS seen
            WHERE c.worker_id = the_worker AND c.queue_id = the_queue AND c.position < seen.last
              AND (SELECT l.id FROM labeling_claimable(the_worker, the_queue) l
                   ORDER BY l.queue_position LIMIT 1) IS NULL;
    ELSE
        UPDATE labeling_workercursor SET position = first_at - 1
            WHERE worker_id = the_worker AND queue_id = the_queue AND position < first_at - 1;
        IF got IS NULL THEN
            -- Other claims hold every task for an instant: wait for the first task instead of returning none.
            SELECT t.id INTO got FROM labeling_task t
                WHERE t.id = first_id AND t.state = 'Open' AND t.seats_free > 0 FOR NO KEY UPDATE;
        END IF;
    END IF;
    IF got IS NULL THEN
        outcome := 'Nothing';
        RETURN NEXT;
        RETURN;
    END IF;

    accepted_at := at;
    lease_expires_at := at + make_interval(secs => q.task_time_limit_seconds);
    UPDATE labeling_task SET seats_free = seats_free - 1 WHERE id = got;
    INSERT INTO labeling_assignment
            (task_id, queue_id, worker_id, state, accepted_at, lease_expires_at, claim_key, submit_key, decline_reason)
        VALUES (got, the_queue, the_worker, 'Leased', at, lease_expires_at, the_key, '', '')
        ON CONFLICT (task_id, worker_id) DO UPDATE SET
            state = 'Leased', accepted_at = EXCLUDED.accepted_at, lease_expires_at = EXCLUDED.lease_expires_at,
            claim_key = EXCLUDED.claim_key, ended_at = NULL
        RETURNING id INTO assignment_id;
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
