-- The queue, unless the caller's address is outside of the networks of its team (marketplace_outside): NULL then.
--
-- plpgsql keeps the plan of its query; written into the claim's statement it would be planned anew for each claim.
CREATE OR REPLACE FUNCTION labeling_queue_inside(the_queue bigint, the_address text)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT w.id FROM labeling_workqueue w JOIN marketplace_workteam t ON t.id = w.workteam_id
        WHERE w.id = the_queue AND (t.source_cidrs = '[]'::jsonb OR NOT marketplace_outside(t.source_cidrs, the_address)));
END $$;
