-- May this worker see this queue? NULL: yes; else the reason why not.
--
-- What marketplace_refusal decides about workers, audiences and accounts, and what was found in the worker's conduct in
-- this one queue. The claim, the worker's list of work and the images read this function and no other.
CREATE OR REPLACE FUNCTION labeling_refusal(the_worker bigint, the_queue bigint)
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(
        marketplace_refusal(the_worker, q.audience_id, q.account_id),
        (SELECT CASE f.action WHEN 'Block' THEN 'blocked-job' WHEN 'Retrain' THEN 'retrain' ELSE 'paused' END
            FROM labeling_conductfinding f
            WHERE f.worker_id = the_worker AND f.queue_id = the_queue AND f.state = 'Active'
              AND f.action IN ('Block', 'Retrain', 'Pause') AND (f.until IS NULL OR f.until > statement_timestamp())
            ORDER BY f.action LIMIT 1))
    FROM labeling_workqueue q WHERE q.id = the_queue
$$;

-- Notes what the worker's page counted (no moves: it sent nothing), and that the worker's answers are to be looked at.
-- Returns whether a message is wanted: the queue had no look waiting. The lock is held in shared mode until the caller's
-- transaction commits, because whoever takes the waiting looks must wait for that commit.
CREATE OR REPLACE FUNCTION labeling_note_conduct(
    the_seat bigint, the_worker bigint, the_queue bigint, at timestamptz, moves integer, trusted integer,
    untrusted integer, keys integer, focus_seconds double precision, active_seconds double precision)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    waiting boolean;
BEGIN
    IF moves IS NOT NULL THEN
        INSERT INTO labeling_answeractivity AS a
                (assignment_id, moves, trusted, untrusted, keys, focus_seconds, active_seconds)
            VALUES (the_seat, $5, $6, $7, $8, $9, $10)
            ON CONFLICT (assignment_id) DO UPDATE SET moves = EXCLUDED.moves, trusted = EXCLUDED.trusted,
                untrusted = EXCLUDED.untrusted, keys = EXCLUDED.keys, focus_seconds = EXCLUDED.focus_seconds,
                active_seconds = EXCLUDED.active_seconds;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(hashtext('labeling_conduct_check'), the_queue::integer);
    waiting := EXISTS (SELECT 1 FROM labeling_conductcheck c WHERE c.queue_id = the_queue);
    INSERT INTO labeling_conductcheck (queue_id, worker_id, requested_at) VALUES (the_queue, the_worker, at)
        ON CONFLICT DO NOTHING;
    RETURN NOT waiting;
END $$;
