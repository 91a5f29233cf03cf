-- The claim of labeling/sql/claim.sql and claim_0022.sql, whose comments hold. It asks labeling_refusal, because a
-- worker's conduct may close one queue to them, and mixes golds in by the functions of golds_0027.sql. The seat keeps the
-- price that was shown, which is the least that its answer is paid; the queue's row is locked for sharing, so no rise
-- happens meanwhile. A task that shows a pre-label has a price of its own.
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
    held_golds integer := 0;
    on_offer integer;
    handed_in integer := 0;
    candidate record;
    gold record;
    first_id bigint;
    first_at bigint;
    got bigint;
    n integer;
    the_gold bigint;
    checking boolean;
BEGIN
    -- FOR SHARE keeps the queue from being closed meanwhile; the lock that a foreign key takes would not.
    SELECT w.status, w.task_time_limit_seconds, w.gold_rate, w.gold_salt, w.price_micros, w.check_price_micros INTO q
        FROM labeling_workqueue w WHERE w.id = the_queue FOR SHARE;
    outcome := CASE WHEN q.status IS NULL THEN 'NoSuchQueue'
                    ELSE labeling_refusal(the_worker, the_queue) END;
    IF outcome IS NOT NULL THEN
        RETURN NEXT;
        RETURN;
    END IF;

    -- The lock on the cursor's row lets the claims of one worker happen one after the other, from several tabs and when
    -- one claim is sent twice. What is counted and looked up below therefore stays true until this claim commits.
    SELECT c.claims INTO n FROM labeling_workercursor c WHERE c.worker_id = the_worker AND c.queue_id = the_queue FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO labeling_workercursor (worker_id, queue_id, position) VALUES (the_worker, the_queue, 0)
            ON CONFLICT (worker_id, queue_id) DO NOTHING;
        SELECT c.claims INTO n FROM labeling_workercursor c
            WHERE c.worker_id = the_worker AND c.queue_id = the_queue FOR UPDATE;
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
            WHERE t.queue_id = the_queue AND t.state = 'Open' AND t.seats_free > 0 AND t.queue_position > 0
              AND coalesce((SELECT a.state <> 'Leased' FROM labeling_assignment a
                            WHERE a.task_id = t.id AND a.worker_id = the_worker), true)
            ORDER BY t.queue_position DESC LIMIT most_leases * tasks_per_lease) AS counted;
        IF q.gold_salt <> 0 THEN
            -- A gold that is held is none of the ordinary tasks, of which the worker may hold a share.
            SELECT count(*) INTO held_golds FROM labeling_assignment a JOIN labeling_task t ON t.id = a.task_id
                WHERE a.worker_id = the_worker AND a.queue_id = the_queue AND a.state = 'Leased'
                  AND a.lease_expires_at > at AND t.gold_id IS NOT NULL;
        END IF;
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
            IF held >= most_leases OR (held > 0 AND held >= (held - held_golds + on_offer) / tasks_per_lease)
                    OR held >= first_leases + handed_in THEN
                outcome := 'HandsFull';
                RETURN NEXT;
                RETURN;
            END IF;
            first_id := candidate.id;
            first_at := candidate.queue_position;
            IF q.gold_rate > 0 AND labeling_golds_due(the_worker, q.gold_salt, q.gold_rate, n + 1)
                    > labeling_golds_due(the_worker, q.gold_salt, q.gold_rate, n) THEN
                FOR gold IN SELECT g.id FROM labeling_gold_tasks(the_worker, the_queue, q.gold_salt, n) g LOOP
                    SELECT t.id, t.gold_id INTO got, the_gold FROM labeling_task t
                        WHERE t.id = gold.id AND t.state = 'Open' AND t.seats_free > 0
                        FOR NO KEY UPDATE SKIP LOCKED;
                    EXIT WHEN got IS NOT NULL;
                END LOOP;
                EXIT WHEN got IS NOT NULL;
            END IF;
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
        IF got IS NULL THEN
            -- Other claims hold every task for an instant: wait for the first task instead of returning none.
            SELECT t.id INTO got FROM labeling_task t
                WHERE t.id = first_id AND t.state = 'Open' AND t.seats_free > 0 FOR NO KEY UPDATE;
        END IF;
        UPDATE labeling_workercursor c SET position = greatest(c.position, first_at - 1),
                claims = c.claims + CASE WHEN q.gold_rate > 0 AND got IS NOT NULL THEN 1 ELSE 0 END
            WHERE c.worker_id = the_worker AND c.queue_id = the_queue
              AND (c.position < first_at - 1 OR (q.gold_rate > 0 AND got IS NOT NULL));
    END IF;
    IF got IS NULL THEN
        outcome := 'Nothing';
        RETURN NEXT;
        RETURN;
    END IF;

    accepted_at := at;
    lease_expires_at := at + make_interval(secs => q.task_time_limit_seconds);
    UPDATE labeling_task t SET seats_free = t.seats_free - 1 WHERE t.id = got RETURNING t.checks INTO checking;
    INSERT INTO labeling_assignment
            (task_id, queue_id, worker_id, state, accepted_at, lease_expires_at, promised_micros, claim_key, submit_key,
             decline_reason)
        VALUES (got, the_queue, the_worker, 'Leased', at, lease_expires_at,
                CASE WHEN checking THEN coalesce(q.check_price_micros, q.price_micros) ELSE q.price_micros END,
                the_key, '', '')
        ON CONFLICT (task_id, worker_id) DO UPDATE SET
            state = 'Leased', accepted_at = EXCLUDED.accepted_at, lease_expires_at = EXCLUDED.lease_expires_at,
            promised_micros = EXCLUDED.promised_micros, claim_key = EXCLUDED.claim_key, ended_at = NULL
        RETURNING id INTO assignment_id;
    IF the_gold IS NOT NULL THEN
        INSERT INTO labeling_goldresult (gold_id, worker_id, assignment_id) VALUES (the_gold, the_worker, assignment_id)
            ON CONFLICT (gold_id, worker_id) DO UPDATE SET assignment_id = EXCLUDED.assignment_id;
    END IF;
    task_id := got;
    outcome := 'Claimed';
    RETURN NEXT;
END $$;
