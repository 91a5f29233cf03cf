-- How golds are mixed into a worker's tasks: tasks whose true answer is known. The claim (claim_0037.sql) calls these.
--
-- A gold's task has a negative queue_position, so no cursor reaches it and the scan of ordinary tasks never meets one. How
-- many of a worker's first n tasks in a queue are golds is a number that labeling_golds_due computes from n alone: the
-- claim needs no look at what the worker has done, and labeling_peek names the task that the claim will give. A gold is
-- only given while an ordinary task could be, so the end of a queue looks the same with and without them.

-- How many golds are among a worker's first `n` tasks: greatest(rate, 0.3) a task for the first 10, then `rate`. The j-th
-- is due at the j-th whole number plus a secret random share of 1, so golds come evenly, at places nobody can foresee,
-- and never two at once.
CREATE OR REPLACE FUNCTION labeling_golds_due(the_worker bigint, salt bigint, rate double precision, n integer)
RETURNS integer LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    first_rate CONSTANT double precision := greatest(rate, 0.3);
    expected CONSTANT double precision := first_rate * least(n, 10) + rate * greatest(n - 10, 0);
    whole CONSTANT bigint := floor(expected);
    share CONSTANT double precision := (hashtextextended(the_worker || ':' || whole, salt) & 4294967295) / 4294967296.0;
BEGIN
    RETURN whole + CASE WHEN share * (1 - first_rate) < expected - whole THEN 1 ELSE 0 END;
END $$;

-- The golds that the worker can be given, from a place on that depends on `n`, so that workers meet them in different
-- orders. Not those that they were given before, unless they returned it or let it expire.
CREATE OR REPLACE FUNCTION labeling_gold_tasks(the_worker bigint, the_queue bigint, salt bigint, n integer)
RETURNS TABLE (id bigint) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    place CONSTANT bigint := -1 - (hashtextextended('order:' || the_worker || ':' || n, salt) & 4611686018427387903);
BEGIN
    RETURN QUERY SELECT t.id FROM labeling_task t
        WHERE t.queue_id = the_queue AND t.state = 'Open' AND t.seats_free > 0
          AND t.queue_position > place AND t.queue_position < 0
          AND coalesce((SELECT coalesce(a.state IN ('Returned', 'Expired'), false) FROM labeling_goldresult r
                        LEFT JOIN labeling_assignment a ON a.id = r.assignment_id
                        WHERE r.gold_id = t.gold_id AND r.worker_id = the_worker), true)
        ORDER BY t.queue_position LIMIT 5;
    RETURN QUERY SELECT t.id FROM labeling_task t
        WHERE t.queue_id = the_queue AND t.state = 'Open' AND t.seats_free > 0
          AND t.queue_position <= place
          AND coalesce((SELECT coalesce(a.state IN ('Returned', 'Expired'), false) FROM labeling_goldresult r
                        LEFT JOIN labeling_assignment a ON a.id = r.assignment_id
                        WHERE r.gold_id = t.gold_id AND r.worker_id = the_worker), true)
        ORDER BY t.queue_position LIMIT 5;
END $$;

-- How many tasks the worker has before them when `ordinary` ordinary ones are left: those and the golds between them, so
-- that the number falls by one with each task, whichever it is.
CREATE OR REPLACE FUNCTION labeling_tasks_left(the_worker bigint, the_queue bigint, ordinary integer) RETURNS integer
LANGUAGE plpgsql STABLE AS $$
DECLARE
    q record;
    n integer;
    golds integer;
    before integer;
    total integer := ordinary;
    longer integer;
BEGIN
    SELECT w.gold_rate, w.gold_salt INTO q FROM labeling_workqueue w WHERE w.id = the_queue;
    IF ordinary = 0 OR q.gold_rate = 0 THEN
        RETURN ordinary;
    END IF;
    SELECT c.claims INTO n FROM labeling_workercursor c WHERE c.worker_id = the_worker AND c.queue_id = the_queue;
    n := coalesce(n, 0);
    -- At most as many as there are, or the last one would be told by how far the number falls.
    SELECT count(*) INTO golds FROM labeling_task t
        WHERE t.queue_id = the_queue AND t.state = 'Open' AND t.seats_free > 0 AND t.queue_position < 0
          AND coalesce((SELECT coalesce(a.state IN ('Returned', 'Expired'), false) FROM labeling_goldresult r
                        LEFT JOIN labeling_assignment a ON a.id = r.assignment_id
                        WHERE r.gold_id = t.gold_id AND r.worker_id = the_worker), true);
    before := labeling_golds_due(the_worker, q.gold_salt, q.gold_rate, n);
    LOOP
        longer := ordinary + least(golds, labeling_golds_due(the_worker, q.gold_salt, q.gold_rate, n + total) - before);
        EXIT WHEN longer = total;
        total := longer;
    END LOOP;
    RETURN total;
END $$;

-- The task that the worker would most likely be given next.
CREATE OR REPLACE FUNCTION labeling_peek(the_worker bigint, the_queue bigint) RETURNS TABLE (task_id bigint)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    q record;
    n integer;
    gold bigint;
BEGIN
    SELECT c.id INTO task_id FROM labeling_claimable(the_worker, the_queue) c ORDER BY c.queue_position LIMIT 1;
    IF task_id IS NULL THEN
        RETURN;
    END IF;
    SELECT w.gold_rate, w.gold_salt INTO q FROM labeling_workqueue w WHERE w.id = the_queue;
    IF q.gold_rate > 0 THEN
        SELECT c.claims INTO n FROM labeling_workercursor c WHERE c.worker_id = the_worker AND c.queue_id = the_queue;
        n := coalesce(n, 0);
        IF labeling_golds_due(the_worker, q.gold_salt, q.gold_rate, n + 1)
                > labeling_golds_due(the_worker, q.gold_salt, q.gold_rate, n) THEN
            SELECT g.id INTO gold FROM labeling_gold_tasks(the_worker, the_queue, q.gold_salt, n) g LIMIT 1;
            task_id := coalesce(gold, task_id);
        END IF;
    END IF;
    RETURN NEXT;
END $$;

-- A gold keeps its place, which no cursor has passed.
CREATE OR REPLACE FUNCTION labeling_requeue(the_queue bigint, the_tasks bigint[], seats integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM labeling_queue_lock(the_queue);
    UPDATE labeling_task t SET seats_free = t.seats_free + seats,
            queue_position = CASE WHEN t.queue_position < 0 THEN t.queue_position
                                  ELSE nextval('labeling_queue_position') END
        FROM (SELECT id FROM labeling_task WHERE id = ANY (the_tasks) ORDER BY id FOR UPDATE) AS locked
        WHERE t.id = locked.id;
END $$;
