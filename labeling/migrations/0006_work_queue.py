"""The table of work queues; the next migration fills it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "0005_task_responses_written"), ("marketplace", "0005_eligibility")]
    operations = [
        migrations.CreateModel(
            name="WorkQueue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("owner_kind", models.CharField(max_length=30)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("Initializing", "Initializing"),
                            ("InProgress", "InProgress"),
                            ("Stopped", "Stopped"),
                        ],
                        default="Initializing",
                        max_length=20,
                    ),
                ),
                ("status_changed_at", models.DateTimeField(null=True)),
                ("task_type", models.CharField(max_length=40)),
                ("labels", models.JSONField()),
                ("title", models.CharField(max_length=128)),
                ("description", models.CharField(max_length=255)),
                ("keywords", models.JSONField(default=list)),
                ("instructions", models.JSONField(default=dict)),
                ("price_micros", models.BigIntegerField(default=0)),
                ("fee_micros", models.BigIntegerField(default=0)),
                ("expected_seconds", models.FloatField(default=30)),
                ("first_seats", models.SmallIntegerField(default=5)),
                ("max_seats", models.SmallIntegerField(default=5)),
                ("task_time_limit_seconds", models.IntegerField(default=600)),
                ("task_availability_seconds", models.IntegerField(default=21600)),
                ("max_concurrent_tasks", models.IntegerField(default=1000)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="work_queues",
                        to="marketplace.account",
                    ),
                ),
                (
                    "audience",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="work_queues",
                        to="marketplace.audience",
                    ),
                ),
                (
                    "workteam",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="work_queues",
                        to="marketplace.workteam",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="workqueue",
            constraint=models.CheckConstraint(
                condition=models.Q(("first_seats__gte", 1), ("first_seats__lte", models.F("max_seats"))),
                name="work_queue_seats_in_range",
            ),
        ),
        migrations.AddIndex(
            model_name="workqueue",
            index=models.Index(condition=models.Q(("status", "InProgress")), fields=["id"], name="work_queue_open"),
        ),
        migrations.AddField("batch", "exclusive", models.BooleanField(default=True)),
        migrations.AddField("task", "input", models.JSONField(default=dict)),
        migrations.AlterField(
            "task",
            "data_object",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="tasks",
                to="labeling.dataobject",
            ),
        ),
        migrations.AddField(
            "labelingjob",
            "queue",
            models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="labeling_job",
                to="labeling.workqueue",
            ),
        ),
    ]
