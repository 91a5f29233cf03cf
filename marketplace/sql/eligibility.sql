-- May this worker see the work of this account that is open to this audience? NULL: yes; else the reason why not.
--
-- The only place where the question is decided. The claim, the worker's list of work and the images read it. It looks at
-- three small tables by their indexes, so its cost depends neither on the number of workers nor on the amount of work.
CREATE OR REPLACE FUNCTION marketplace_refusal(the_worker bigint, the_audience bigint, the_account bigint)
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN NOT EXISTS (
            SELECT 1 FROM marketplace_worker w WHERE w.id = the_worker AND w.status = 'Active') THEN 'suspended'
        WHEN EXISTS (
            SELECT 1 FROM marketplace_block b
            WHERE b.worker_id = the_worker AND b.account_id = the_account) THEN 'blocked'
        WHEN NOT EXISTS (
            SELECT 1 FROM marketplace_audiencegroup a JOIN marketplace_groupmember m ON m.group_id = a.group_id
            WHERE a.audience_id = the_audience AND m.worker_id = the_worker) THEN 'not-admitted'
    END
$$;
