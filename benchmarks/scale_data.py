"""Labeling jobs by the thousand, made by copying one of the services' own inside the database.

A copy has rows of its own in every table that a job with an open batch has rows in, its money in escrow included, so
that claims, submits, payments and sweeps do with it what they do with the original. Knows no measurement.
"""

from typing import Any

from django.db import connection, transaction
from psycopg import sql

from benchmarks.claim_submit import make_job

PEOPLE_PER_OBJECT = 3


def make_jobs(account: Any, team: Any, *, jobs: int, tasks: int) -> list[int]:
    """The queues of so many jobs in progress, with so many tasks together, all of them open to people.

    Each has a completed data set, a completed export, a learning loop that waits for its batch, and an hour-old output,
    as jobs of an installation in use have. The looks of the sweeps at them are spread over the hours, as they are once
    jobs have been under way for a while.
    """
    each = tasks // jobs
    first = make_job(account, team, tasks=each, redundancy=PEOPLE_PER_OBJECT, automated_labeling={})
    with transaction.atomic(), connection.cursor() as cursor:
        queues = _copy_jobs(cursor, first, jobs - 1) if jobs > 1 else []
        _finished_work(cursor, [first, *queues])
        _under_way(cursor, [first, *queues])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return [first, *queues]


def _copy_jobs(cursor: Any, queue: int, copies: int) -> list[int]:
    """Copy the job of a queue so often; returns the queues of the copies."""
    cursor.execute(
        "CREATE TEMP TABLE copied (n int PRIMARY KEY, queue bigint, job bigint, batch bigint) ON COMMIT DROP"
    )
    cursor.execute(
        """INSERT INTO copied SELECT n, nextval(pg_get_serial_sequence('labeling_workqueue', 'id')),
               nextval(pg_get_serial_sequence('labeling_labelingjob', 'id')),
               nextval(pg_get_serial_sequence('labeling_batch', 'id')) FROM generate_series(1, %s) n""",
        [copies],
    )
    one = {"queue": queue}
    _copy(cursor, "labeling_workqueue", "r.id = %(queue)s", one, id="c.queue")
    _copy(
        cursor,
        "labeling_labelingjob",
        "r.queue_id = %(queue)s",
        one,
        id="c.job",
        queue_id="c.queue",
        name="r.name || '-' || c.n",
        reference_code="md5(c.job::text)",
    )
    _copy(cursor, "labeling_batch", "r.queue_id = %(queue)s", one, id="c.batch", queue_id="c.queue")
    cursor.execute("SELECT id FROM labeling_labelingjob WHERE queue_id = %s", [queue])
    one["job"] = cursor.fetchone()[0]
    _copy(cursor, "labeling_dataobject", "r.job_id = %(job)s", one, job_id="c.job", id=None)
    cursor.execute(
        """INSERT INTO labeling_objectline (data_object_id, text)
           SELECT o.id, l.text FROM labeling_dataobject o JOIN copied c ON c.job = o.job_id
           JOIN labeling_dataobject f ON f.job_id = %(job)s AND f.index = o.index
           JOIN labeling_objectline l ON l.data_object_id = f.id""",
        one,
    )
    _copy(
        cursor,
        "labeling_task",
        "r.queue_id = %(queue)s",
        one,
        id=None,
        queue_id="c.queue",
        batch_id="c.batch",
        queue_position="nextval('labeling_queue_position')",
        data_object_id="""(SELECT o.id FROM labeling_dataobject o JOIN labeling_dataobject f ON f.index = o.index
                           WHERE f.id = r.data_object_id AND o.job_id = c.job)""",
        input="""jsonb_set(r.input, '{object}', (
            SELECT to_jsonb(o.id) FROM labeling_dataobject o JOIN labeling_dataobject f ON f.index = o.index
            WHERE f.id = r.data_object_id AND o.job_id = c.job))""",
    )
    _set_money_aside(cursor, queue)
    cursor.execute("SELECT queue FROM copied ORDER BY n")
    return [row[0] for row in cursor.fetchall()]


def _set_money_aside(cursor: Any, queue: int) -> None:
    """Book the reserve of each copy's batch: from the wallet into an escrow pocket of its own."""
    one = {"queue": queue}
    _copy(
        cursor,
        "marketplace_ledgeraccount",
        "r.kind = 'escrow' AND r.purpose_type = 'work-queue' AND r.purpose_id = %(queue)s",
        one,
        id=None,
        purpose_id="c.queue",
    )
    entry = """r.kind = 'reserve' AND r.subject_type = 'batch'
               AND r.subject_id = (SELECT b.id FROM labeling_batch b WHERE b.queue_id = %(queue)s)"""
    reference = "replace(r.reference, r.subject_id::text, c.batch::text)"
    _copy(cursor, "marketplace_entry", entry, one, id=None, subject_id="c.batch", reference=reference)
    cursor.execute(
        f"""INSERT INTO marketplace_posting (entry_id, ledger_account_id, amount_micros)
            SELECT e.id, coalesce(own.id, p.ledger_account_id), p.amount_micros
            FROM copied c JOIN marketplace_entry e
                ON e.kind = 'reserve' AND e.subject_type = 'batch' AND e.subject_id = c.batch
            CROSS JOIN (SELECT r.id FROM marketplace_entry r WHERE {entry}) AS first
            JOIN marketplace_posting p ON p.entry_id = first.id
            JOIN marketplace_ledgeraccount l ON l.id = p.ledger_account_id
            LEFT JOIN marketplace_ledgeraccount own ON l.kind = 'escrow' AND own.kind = 'escrow'
                AND own.purpose_type = l.purpose_type AND own.purpose_id = c.queue""",
        one,
    )


def _finished_work(cursor: Any, queues: list[int]) -> None:
    """A completed data set and a completed export of each job."""
    cursor.execute(
        """INSERT INTO labeling_dataset (account_id, name, status, status_changed_at, failure_reason, source,
                                         manifest_uri, lines_read, objects_total, bad_lines, progress, created_at,
                                         created_by)
           SELECT account_id, 'set-' || id, 'Completed', now(), '', '{}', input_manifest_uri, 100, 100, 0, 1, now(), ''
           FROM labeling_labelingjob WHERE queue_id = ANY (%s)""",
        [queues],
    )
    cursor.execute(
        """UPDATE labeling_labelingjob j SET dataset_id = d.id, output_written_at = now() - interval '1 hour'
           FROM labeling_dataset d
           WHERE d.account_id = j.account_id AND d.name = 'set-' || j.id""",
    )
    cursor.execute(
        """INSERT INTO labeling_export (job_id, kind, which, status, status_changed_at, failure_reason, progress,
                                        objects_done, item_errors, uri, created_at, created_by)
           SELECT id, 'manifest', 'all', 'Completed', now(), '', 1, 100, '[]', '', now(), ''
           FROM labeling_labelingjob WHERE queue_id = ANY (%s)""",
        [queues],
    )


def _under_way(cursor: Any, queues: list[int]) -> None:
    """A learning loop in its first round for each job, and when the sweeps look at both."""
    cursor.execute(
        """INSERT INTO learning_learningloop (advance_requests, advancing_by, status, failure_reason, settings, look_at,
                                              created_at, job_id)
           SELECT 0, '', 'InProgress', '', '{}', now() + random() * interval '6 hours', now(), id
           FROM labeling_labelingjob WHERE queue_id = ANY (%s)""",
        [queues],
    )
    cursor.execute(
        """UPDATE labeling_labelingjob SET automated_labeling = '{"enabled": true, "seed_size": 10}'
           WHERE queue_id = ANY (%s)""",
        [queues],
    )
    cursor.execute(
        """INSERT INTO learning_round (loop_id, number, status, status_changed_at, batch_id, curve, figures, created_at)
           SELECT l.id, 1, 'Labeling', now(), b.id, '[]', '{}', now() FROM learning_learningloop l
           JOIN labeling_labelingjob j ON j.id = l.job_id JOIN labeling_batch b ON b.queue_id = j.queue_id
           WHERE j.queue_id = ANY (%s)""",
        [queues],
    )
    cursor.execute(
        """INSERT INTO labeling_plannedadvance (queue_id, at)
           SELECT id, now() + random() * interval '6 hours' FROM labeling_workqueue WHERE id = ANY (%s)
           ON CONFLICT (queue_id) DO UPDATE SET at = excluded.at""",
        [queues],
    )
    cursor.execute("DELETE FROM labeling_advancerequest")
    cursor.execute("DELETE FROM django_q_ormq")


def _copy(cursor: Any, table: str, where: str, values: dict[str, int], **changed: str | None) -> None:
    """Insert the rows `r` of a table once for every row `c` of `copied`, with other columns; None leaves one out."""
    cursor.execute(
        """SELECT column_name FROM information_schema.columns
           WHERE table_schema = current_schema() AND table_name = %s ORDER BY ordinal_position""",
        [table],
    )
    columns = [name for (name,) in cursor.fetchall() if changed.get(name, "") is not None]
    insert = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM copied c CROSS JOIN {} r WHERE {} ORDER BY c.n, r.id").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(sql.SQL(changed.get(name) or f'r."{name}"') for name in columns),
        sql.Identifier(table),
        sql.SQL(where),
    )
    cursor.execute(insert.as_string(cursor.connection), values)
