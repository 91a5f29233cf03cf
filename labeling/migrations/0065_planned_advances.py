import django.db.models.deletion
from django.db import migrations, models

# The first look at each says when the next one is. Spread, so that a large installation does not look at all at once.
PLANS = """
    INSERT INTO labeling_plannedadvance (queue_id, at)
    SELECT q.id, now() + random() * interval '10 minutes' FROM labeling_workqueue q
    WHERE q.status <> 'Stopped'
       OR EXISTS (SELECT FROM labeling_labelingjob j WHERE j.queue_id = q.id AND j.attention <> '')
       OR EXISTS (SELECT FROM labeling_labelingjob j JOIN labeling_functioncall c ON c.job_id = j.id
                  WHERE j.queue_id = q.id)
"""
OUTPUTS = """
    INSERT INTO labeling_staleoutput (job_id, labeled_at)
    SELECT id, now() FROM labeling_labelingjob WHERE status = 'InProgress'
"""


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0064_discarded_folders"),
    ]

    operations = [
        migrations.CreateModel(
            name="StaleOutput",
            fields=[
                (
                    "job",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="labeling.labelingjob",
                    ),
                ),
                ("labeled_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="PlannedAdvance",
            fields=[
                (
                    "queue",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="labeling.workqueue",
                    ),
                ),
                ("at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("at__isnull", False)), fields=["at"], name="planned_advance_due")
                ],
            },
        ),
        migrations.RunSQL(PLANS, reverse_sql=migrations.RunSQL.noop),
        migrations.RunSQL(OUTPUTS, reverse_sql=migrations.RunSQL.noop),
    ]
