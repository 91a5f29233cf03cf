-- The question of marketplace/sql/eligibility.sql, whose comment holds, with a fourth reason: the worker belongs to the
-- audience but does not meet one of its requirements. The reason is then 'qualification:<key of the type>:<what is
-- wrong>', or 'not-admitted' for a requirement that keeps even the existence of the work from those who do not meet it.
-- An audience has few requirements and a worker one qualification of a type, so this too is a look at small indexes.
--
-- In PL/pgSQL, because its plans are kept for the session: one SQL statement of this size is planned anew in each claim,
-- which takes longer than all of its look-ups.
CREATE OR REPLACE FUNCTION marketplace_refusal(the_worker bigint, the_audience bigint, the_account bigint)
RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    reason text;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM marketplace_worker w WHERE w.id = the_worker AND w.status = 'Active') THEN
        RETURN 'suspended';
    ELSIF EXISTS (SELECT 1 FROM marketplace_block b
                  WHERE b.worker_id = the_worker AND b.account_id = the_account) THEN
        RETURN 'blocked';
    ELSIF NOT EXISTS (SELECT 1 FROM marketplace_audiencegroup a JOIN marketplace_groupmember m
                          ON m.group_id = a.group_id
                      WHERE a.audience_id = the_audience AND m.worker_id = the_worker) THEN
        RETURN 'not-admitted';
    ELSIF NOT EXISTS (SELECT 1 FROM marketplace_audiencerequirement r WHERE r.audience_id = the_audience) THEN
        RETURN NULL;
    END IF;
    SELECT CASE WHEN r.actions_guarded = 'DiscoverPreviewAndAccept' THEN 'not-admitted'
            ELSE 'qualification:' || r.qualification_type_id || ':' || CASE
                WHEN r.comparator = 'DoesNotExist' THEN 'held'
                WHEN q.id IS NULL THEN 'not-taken'
                WHEN q.revoked_at IS NOT NULL THEN 'revoked'
                WHEN NOT now.held THEN 'expired'
                WHEN r.comparator IN ('GreaterThan', 'GreaterThanOrEqualTo') THEN 'too-low'
                ELSE 'other-value' END END
        INTO reason
        FROM marketplace_audiencerequirement r
        LEFT JOIN marketplace_qualification q
            ON q.worker_id = the_worker AND q.qualification_type_id = r.qualification_type_id
        CROSS JOIN LATERAL (
            SELECT q.id IS NOT NULL AND q.revoked_at IS NULL
                   AND (q.expires_at IS NULL OR q.expires_at > statement_timestamp()) AS held) now
        WHERE r.audience_id = the_audience
          AND (r.head_start_until IS NULL OR r.head_start_until > statement_timestamp())
          AND NOT CASE WHEN r.comparator = 'DoesNotExist' THEN NOT now.held
                       WHEN NOT now.held THEN false
                       WHEN r.comparator = 'Exists' THEN true
                       WHEN r.comparator IN ('EqualTo', 'In') THEN q.value = ANY (r.integer_values)
                       WHEN r.comparator IN ('NotEqualTo', 'NotIn') THEN q.value <> ALL (r.integer_values)
                       WHEN r.comparator = 'LessThan' THEN q.value < r.integer_values[1]
                       WHEN r.comparator = 'LessThanOrEqualTo' THEN q.value <= r.integer_values[1]
                       WHEN r.comparator = 'GreaterThan' THEN q.value > r.integer_values[1]
                       ELSE q.value >= r.integer_values[1] END
        ORDER BY r.actions_guarded = 'DiscoverPreviewAndAccept' DESC, r.place LIMIT 1;
    RETURN reason;
END $$;
