-- The claim of labeling/sql/claim_0022.sql, which asks labeling_refusal: a worker's conduct may close one queue to them.
CREATE OR REPLACE FUNCTION labeling_claim(
    the_worker bigint, the_queue bigint, at timestamptz, most_leases integer, tasks_per_lease integer,
    first_leases integer, the_key text)
RETURNS TABLE (outcome text, assignment_id bigint, task_id bigint, accepted_at timestamptz, lease_expires_at timestamptz)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    q record;
    earlier record;
    held integer;
    on_offer integer;
    handed_in integer := 0;
    candidate record;
    first_id bigint;
    first_at bigint;
    got bigint;
BEGIN
    -- FOR SHARE keeps the queue from being closed meanwhile; the lock that a foreign key takes would not.
    SELECT w.status, w.audience_id, w.account_id, w.task_time_limit_seconds INTO q FROM labeling_workqueue w
        WHERE w.id = the_queue FOR SHARE;
    outcome := CASE WHEN q.status IS NULL THEN 'NoSuchQueue'
                    ELSE labeling_refusal(the_worker, the_queue) END;
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

    IF held >= first_leases AND held < most_leases THEN
        -- Among the worker's newest assignments, so that the cost does not depend on all that they have done.
        SELECT count(*) INTO handed_in FROM (
            SELECT a.queue_id, a.state, a.ended_at FROM labeling_assignment a
            WHERE a.worker_id = the_worker ORDER BY a.id DESC LIMIT 4 * most_leases) AS newest
            WHERE newest.queue_id = the_queue AND newest.state = 'Submitted'
              AND newest.ended_at > at - interval '1 hour';
    END IF;

    -- More candidates than these are only needed when so many other claims hold a task at this instant.
    FOR candidate IN SELECT c.id, c.queue_position FROM labeling_claimable(the_worker, the_queue) c
            ORDER BY c.queue_position LIMIT 40 LOOP
        IF first_at IS NULL THEN
            IF held >= most_leases OR (held > 0 AND held >= (held + on_offer) / tasks_per_lease)
                    OR held >= first_leases + handed_in THEN
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
