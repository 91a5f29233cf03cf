"""The migrations that bring reviews, on a database that has queues and answers of before."""

import pytest

from tests.marketplace.old_database import migrate, old_database

BEFORE = (("marketplace", "0007_simulated_people"), ("labeling", "0012_failed_attempts"))
AFTER = (("marketplace", "0012_reviewed_pay_kinds"), ("labeling", "0021_submit_again"))


@pytest.fixture
def old(django_db_blocker):
    with django_db_blocker.unblock(), old_database(*BEFORE) as connection:
        with connection.cursor() as cursor:
            fill(cursor)
        yield connection


def fill(cursor):
    """A queue with a batch, one task of one seat, and a worker who holds it."""
    cursor.execute(
        """INSERT INTO marketplace_user (id, username, email, password, first_name, last_name, display_name, is_active,
                                         is_staff, is_operator, is_superuser, date_joined, is_simulated)
           VALUES (1, 'ada', 'ada@example.org', '', '', '', 'Ada', true, false, false, false, now(), false);
           INSERT INTO marketplace_account (id, name, number, created_at) VALUES (3, 'Apiary', '123456789012', now());
           INSERT INTO marketplace_worker (id, user_id, public_id, status, created_at)
           VALUES (4, 1, 'W1', 'Active', now());
           INSERT INTO marketplace_audience (id, key) VALUES (6, '5');
           INSERT INTO marketplace_workteam (id, account_id, name, description, crowd, created_at)
           VALUES (7, 3, 'bees', '', 'private-crowd', now());
           INSERT INTO labeling_workqueue (id, account_id, owner_kind, status, workteam_id, audience_id, task_type,
               labels, title, description, keywords, instructions, price_micros, fee_micros, expected_seconds,
               first_seats, max_seats, task_time_limit_seconds, task_availability_seconds, max_concurrent_tasks,
               created_at)
           VALUES (8, 3, 'labeling-job', 'InProgress', 7, 6, 'BoundingBox', '["bee"]', 't', 'd', '[]', '{}', 36000,
               7200, 9, 1, 1, 600, 600, 10, now());
           INSERT INTO labeling_batch (id, queue_id, exclusive, number, status, purpose, created_at, stopped_early)
           VALUES (9, 8, true, 1, 'InProgress', 'labels', now(), false);
           INSERT INTO labeling_task (id, queue_id, batch_id, input, state, seats_total, seats_free, answers_count,
               declines_count, queue_position, due, responses_written)
           VALUES (10, 8, 9, '{}', 'Open', 1, 0, 0, 0, 1, false, false);
           INSERT INTO labeling_assignment (id, task_id, queue_id, worker_id, state, accepted_at, lease_expires_at,
               submit_key, decline_reason)
           VALUES (11, 10, 8, 4, 'Leased', now(), now() + interval '1 hour', '', '')"""
    )


@pytest.mark.slow
def test_existing_queues_have_no_review_and_their_tasks_can_be_submitted(old):
    migrate(old, *AFTER)

    with old.cursor() as cursor:
        cursor.execute("SELECT review_days FROM labeling_workqueue")
        assert cursor.fetchall() == [(None,)]
        cursor.execute("SELECT outcome FROM labeling_submit(11, 4, '{}'::jsonb, 1, 'key', 36000, now(), 1)")
        assert cursor.fetchall() == [("Accepted",)]
        cursor.execute("SELECT revision FROM labeling_answer")
        assert cursor.fetchall() == [(1,)]
        cursor.execute("SELECT state, answers_count, rejections_count, extra_answers FROM labeling_task")
        assert cursor.fetchall() == [("Done", 1, 0, 0)]


@pytest.mark.slow
def test_the_migrations_can_be_taken_back(old):
    migrate(old, *AFTER)
    migrate(old, *BEFORE)
    with old.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM information_schema.tables WHERE table_name = 'labeling_answerreview'")
        assert cursor.fetchall() == [(0,)]
