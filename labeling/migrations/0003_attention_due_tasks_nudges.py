"""What somebody has to do for a job, tasks that consolidation has to look at, one message a job in the queue."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0002_claim"),
        ("marketplace", "0002_ledger_zero_sum"),
    ]

    operations = [
        migrations.CreateModel(
            name="AdvanceRequest",
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
                ("requested_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="batch",
            name="stopped_early",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="labelingjob",
            name="attention",
            field=models.CharField(blank=True, default="", max_length=500),
        ),
        migrations.AddField(
            model_name="task",
            name="due",
            field=models.BooleanField(default=False),
        ),
        migrations.AddIndex(
            model_name="assignment",
            index=models.Index(
                condition=models.Q(("state", "Leased")), fields=["worker", "job"], name="assignment_leased_by_worker"
            ),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(condition=models.Q(("due", True)), fields=["job", "id"], name="task_due"),
        ),
    ]
