-- The question of labeling/sql/refusal_0025.sql, whose comment holds, with one more reason: the worker reviews the
-- answers of this queue, or did, and has seen what others answered.
--
-- In PL/pgSQL, because its plans are kept for the session (see marketplace/sql/eligibility_0018.sql).
CREATE OR REPLACE FUNCTION labeling_refusal(the_worker bigint, the_queue bigint)
RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    reason text;
BEGIN
    SELECT marketplace_refusal(the_worker, q.audience_id, q.account_id) INTO reason
        FROM labeling_workqueue q WHERE q.id = the_queue;
    IF reason IS NULL AND FOUND THEN
        SELECT CASE f.action WHEN 'Block' THEN 'blocked-job' WHEN 'Retrain' THEN 'retrain' ELSE 'paused' END
            INTO reason FROM labeling_conductfinding f
            WHERE f.worker_id = the_worker AND f.queue_id = the_queue AND f.state = 'Active'
              AND f.action IN ('Block', 'Retrain', 'Pause') AND (f.until IS NULL OR f.until > statement_timestamp())
            ORDER BY f.action LIMIT 1;
        IF NOT FOUND AND EXISTS (SELECT 1 FROM labeling_queuereviewer r
                                 WHERE r.worker_id = the_worker AND r.queue_id = the_queue) THEN
            reason := 'reviewer';
        END IF;
    END IF;
    RETURN reason;
END $$;
