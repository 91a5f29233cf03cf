"""Tasks, assignments, batches and cursors belong to a work queue; the columns that moved leave the labeling job.

A queue has the key of its job, so the columns are renamed and refer to the queue from then on; no row is written.
"""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

from marketplace import sql

SQL = Path(__file__).resolve().parent.parent / "sql"
MOVED = ["batch", "task", "assignment", "workercursor", "advancerequest"]
LEFT = [
    "workteam",
    "task_type",
    "labels",
    "title",
    "description",
    "keywords",
    "instructions",
    "price_micros",
    "fee_micros",
    "expected_seconds",
    "task_time_limit_seconds",
    "task_availability_seconds",
    "max_concurrent_tasks",
    "workers_per_object",
]

DROP = """
DROP FUNCTION labeling_submit(bigint, bigint, jsonb, double precision, text, bigint, timestamptz, integer);
DROP FUNCTION labeling_requeue(bigint, bigint[], integer);
DROP FUNCTION labeling_queue_lock(bigint);
DROP FUNCTION labeling_claim(bigint, bigint, timestamptz, integer);
"""

RENAME = "".join(
    f"""
DO $$ DECLARE name text; BEGIN
    SELECT conname INTO STRICT name FROM pg_constraint
        WHERE conrelid = 'labeling_{table}'::regclass AND contype = 'f' AND confrelid = 'labeling_labelingjob'::regclass;
    EXECUTE format('ALTER TABLE labeling_{table} DROP CONSTRAINT %I', name);
END $$;
ALTER TABLE labeling_{table} RENAME COLUMN job_id TO queue_id;
ALTER TABLE labeling_{table} ADD CONSTRAINT labeling_{table}_queue_fk FOREIGN KEY (queue_id)
    REFERENCES labeling_workqueue (id) DEFERRABLE INITIALLY DEFERRED;
"""
    for table in MOVED
)


def queue_key(related_name: str, **options: object) -> models.ForeignKey:
    """The column that refers to the queue, as the models declare it."""
    return models.ForeignKey(
        on_delete=django.db.models.deletion.CASCADE, related_name=related_name, to="labeling.workqueue", **options
    )


STATE = [
    migrations.RemoveConstraint("batch", "batch_number_once"),
    migrations.RemoveConstraint("batch", "batch_one_live"),
    migrations.RemoveIndex("task", "task_claimable"),
    migrations.RemoveIndex("task", "task_due"),
    migrations.RemoveIndex("assignment", "assignment_leased"),
    migrations.RemoveIndex("assignment", "assignment_leased_by_worker"),
    migrations.RemoveConstraint("workercursor", "worker_cursor_once"),
    *(migrations.RenameField(model, "job", "queue") for model in MOVED),
    migrations.AlterField("batch", "queue", queue_key("batches")),
    migrations.AlterField("task", "queue", queue_key("tasks", db_index=False)),
    migrations.AlterField("assignment", "queue", queue_key("assignments", db_index=False)),
    migrations.AlterField(
        "workercursor",
        "queue",
        models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to="labeling.workqueue"),
    ),
    migrations.AlterField(
        "advancerequest",
        "queue",
        models.OneToOneField(
            on_delete=django.db.models.deletion.CASCADE,
            primary_key=True,
            related_name="+",
            serialize=False,
            to="labeling.workqueue",
        ),
    ),
    migrations.AddConstraint("batch", models.UniqueConstraint(fields=("queue", "number"), name="batch_number_once")),
    migrations.AddConstraint(
        "batch",
        models.UniqueConstraint(
            condition=models.Q(("exclusive", True), ("status__in", ["Initializing", "InProgress"])),
            fields=("queue",),
            name="batch_one_live",
        ),
    ),
    migrations.AddIndex(
        "task",
        models.Index(
            condition=models.Q(("seats_free__gt", 0), ("state", "Open")),
            fields=["queue", "queue_position"],
            name="task_claimable",
        ),
    ),
    migrations.AddIndex(
        "task", models.Index(condition=models.Q(("due", True)), fields=["queue", "id"], name="task_due")
    ),
    migrations.AddIndex(
        "assignment",
        models.Index(
            condition=models.Q(("state", "Leased")), fields=["queue", "lease_expires_at"], name="assignment_leased"
        ),
    ),
    migrations.AddIndex(
        "assignment",
        models.Index(
            condition=models.Q(("state", "Leased")), fields=["worker", "queue"], name="assignment_leased_by_worker"
        ),
    ),
    migrations.AddConstraint(
        "workercursor", models.UniqueConstraint(fields=("worker", "queue"), name="worker_cursor_once")
    ),
]
# Indexes follow a renamed column; only this one has a new condition.
ONE_LIVE = """
DROP INDEX batch_one_live;
CREATE UNIQUE INDEX batch_one_live ON labeling_batch (queue_id)
    WHERE exclusive AND status IN ('Initializing', 'InProgress');
"""


class Migration(migrations.Migration):
    dependencies = [("labeling", "0007_work_queue_rows")]
    operations = [
        migrations.RunSQL(DROP),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(RENAME + ONE_LIVE)], state_operations=STATE
        ),
        migrations.AlterField(
            "labelingjob",
            "queue",
            models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="labeling_job", to="labeling.workqueue"
            ),
        ),
        *(migrations.RemoveField("labelingjob", name) for name in LEFT),
        sql.load(SQL / "claim.sql"),
        sql.load(SQL / "submit.sql"),
        migrations.CreateModel(
            name="WorkerSkill",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("task_type", models.CharField(max_length=40)),
                ("label", models.CharField(blank=True, max_length=256)),
                ("answers", models.FloatField(default=0)),
                ("found", models.FloatField(default=0)),
                ("chances", models.FloatField(default=0)),
                ("false_positives", models.FloatField(default=0)),
                ("false_positive_chances", models.FloatField(default=0)),
                ("updated_at", models.DateTimeField()),
                (
                    "queue",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="skills",
                        to="labeling.workqueue",
                    ),
                ),
                (
                    "worker",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="skills",
                        to="marketplace.worker",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="workerskill",
            constraint=models.UniqueConstraint(
                fields=("worker", "task_type", "label", "queue"), name="worker_skill_once"
            ),
        ),
    ]
