"""Give the fitted models of a job's workers a table of their own, so that reading a job does not load them."""

import django.db.models.deletion
from django.db import migrations, models

MOVE = """
    INSERT INTO labeling_workermodels (job_id, value)
        SELECT id, worker_models FROM labeling_labelingjob WHERE jsonb_typeof(worker_models) = 'object';
    -- The constraints of the new rows are checked now: a table with checks to come cannot be altered.
    SET CONSTRAINTS ALL IMMEDIATE;
"""
BACK = """
    UPDATE labeling_labelingjob j SET worker_models = w.value FROM labeling_workermodels w WHERE w.job_id = j.id;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0017_export_images"),
    ]

    operations = [
        migrations.CreateModel(
            name="WorkerModels",
            fields=[
                (
                    "job",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="fitted",
                        serialize=False,
                        to="labeling.labelingjob",
                    ),
                ),
                ("value", models.JSONField()),
            ],
        ),
        migrations.RunSQL(MOVE, BACK),
        migrations.RemoveField(model_name="labelingjob", name="worker_models"),
    ]
