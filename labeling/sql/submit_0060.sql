-- The submit: seat, answer and task change together, in one round trip. A seat that was given back to its worker after a
-- rejection has an answer already: the new one is its next revision.
--
-- A late answer is accepted as long as the seat is not given to somebody else: always before the sweep ends the lease,
-- afterwards while the task is open and has a free seat. A task whose seats are all answered is done, unless its owner
-- may want more answers (seats_total below its max_seats): then it stays open until the owner has decided. The
-- lock on the advance request is held in shared mode until the submit commits, because take_request
-- (labeling/services/queue/advance_requests.py) must wait for that commit.
--
-- An answer is paid the price of the moment it is handed in, which is at least what was shown when its task was claimed:
-- prices are only raised. The lock on the price is held in shared mode until the submit commits, so that a rise
-- (labeling/services/queue/rises.py) counts the seats that are still to be paid while no answer is on its way. A task
-- that shows a pre-label has a price of its own, which never rises.
CREATE OR REPLACE FUNCTION labeling_submit(
    the_seat bigint, the_worker bigint, answer jsonb, seconds double precision, the_key text, the_queue bigint,
    at timestamptz)
RETURNS TABLE (outcome text, paid bigint, fee bigint, seat_key text, lease_ended timestamptz, wanted boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    t record;
    a record;
    q record;
    late integer := 0;
    over boolean;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('labeling_price'), the_queue::integer);
    SELECT w.price_micros, w.fee_micros, w.check_price_micros, w.check_fee_micros INTO q
        FROM labeling_workqueue w WHERE w.id = the_queue;
    -- The task is locked before the seat, as in every other code path.
    SELECT k.* INTO t FROM labeling_task k WHERE k.id = (
        SELECT s.task_id FROM labeling_assignment s WHERE s.id = the_seat AND s.worker_id = the_worker)
        FOR NO KEY UPDATE;
    SELECT s.* INTO a FROM labeling_assignment s WHERE s.id = the_seat AND s.worker_id = the_worker FOR NO KEY UPDATE;
    outcome := a.state;
    seat_key := a.submit_key;
    lease_ended := a.lease_expires_at;
    wanted := false;
    IF a.id IS NULL THEN
        outcome := 'NoSuchSeat';
    ELSIF a.state = 'Submitted' THEN
        paid := a.paid_micros;
    ELSIF a.state = 'Leased' OR (a.state = 'Expired' AND t.state = 'Open' AND t.seats_free > 0) THEN
        late := CASE WHEN a.state = 'Leased' THEN 0 ELSE 1 END;
        over := t.seats_total = t.answers_count + 1;
        paid := q.price_micros;
        fee := q.fee_micros;
        IF t.checks AND q.check_price_micros IS NOT NULL THEN
            paid := q.check_price_micros;
            fee := q.check_fee_micros;
        END IF;
        UPDATE labeling_assignment SET state = 'Submitted', ended_at = at, seconds_spent = seconds, submit_key = the_key,
            paid_micros = paid WHERE id = a.id;
        INSERT INTO labeling_answer (assignment_id, revision, content, created_at)
            SELECT a.id, coalesce(max(r.revision), 0) + 1, answer, at FROM labeling_answer r WHERE r.assignment_id = a.id;
        UPDATE labeling_task SET answers_count = answers_count + 1, seats_free = seats_free - late,
            due = due OR over,
            state = CASE WHEN over AND seats_total >= t.max_seats THEN 'Done' ELSE state END
            WHERE id = t.id;
        IF over THEN
            PERFORM pg_advisory_xact_lock_shared(hashtext('labeling_advance_request'), a.queue_id::integer);
            wanted := NOT EXISTS (SELECT 1 FROM labeling_advancerequest r WHERE r.queue_id = a.queue_id);
        END IF;
        outcome := 'Accepted';
    END IF;
    RETURN NEXT;
END $$;
