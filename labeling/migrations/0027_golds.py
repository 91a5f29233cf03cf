"""Golds: objects whose true label is known, how workers answered them, and the columns by which they are mixed in."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

from marketplace import sql

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0026_finding_notes"),
        ("marketplace", "0026_reputation"),
    ]

    operations = [
        migrations.CreateModel(
            name="GoldResult",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("score", models.FloatField(null=True)),
                ("by_label", models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict)),
                ("scored_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="labelingjob",
            name="golds",
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict),
        ),
        migrations.AddField(
            model_name="task",
            name="gold_seats",
            field=models.SmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="workercursor",
            name="claims",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="workqueue",
            name="gold_rate",
            field=models.FloatField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="workqueue",
            name="gold_salt",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.CreateModel(
            name="Gold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "source",
                    models.CharField(
                        choices=[("manifest", "Data set"), ("minted", "Unanimous answers"), ("expert", "A member")],
                        max_length=8,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("Active", "Active"),
                            ("Suspect", "Suspect"),
                            ("Retired", "Retired"),
                            ("Withdrawn", "Withdrawn"),
                        ],
                        default="Active",
                        max_length=9,
                    ),
                ),
                ("truth", models.JSONField()),
                ("reason", models.CharField(blank=True, default="", max_length=500)),
                ("confirmed", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                ("created_by", models.CharField(blank=True, max_length=120)),
                ("changed_at", models.DateTimeField()),
                (
                    "data_object",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="gold", to="labeling.dataobject"
                    ),
                ),
                (
                    "queue",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="golds",
                        to="labeling.workqueue",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="task",
            name="gold",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="tasks",
                to="labeling.gold",
            ),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(
                condition=models.Q(("gold__isnull", False)), fields=["gold", "batch"], name="task_of_gold"
            ),
        ),
        migrations.AddField(
            model_name="goldresult",
            name="assignment",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="gold_result",
                to="labeling.assignment",
            ),
        ),
        migrations.AddField(
            model_name="goldresult",
            name="gold",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="results", to="labeling.gold"
            ),
        ),
        migrations.AddField(
            model_name="goldresult",
            name="worker",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="gold_results",
                to="marketplace.worker",
            ),
        ),
        migrations.AddIndex(
            model_name="gold",
            index=models.Index(fields=["queue", "state", "id"], name="gold_by_queue_state"),
        ),
        migrations.AddIndex(
            model_name="goldresult",
            index=models.Index(fields=["worker", "gold"], name="gold_result_by_worker"),
        ),
        migrations.AddIndex(
            model_name="goldresult",
            index=models.Index(
                condition=models.Q(("assignment__isnull", False), ("score", None)),
                fields=["gold"],
                name="gold_result_to_score",
            ),
        ),
        migrations.AddConstraint(
            model_name="goldresult",
            constraint=models.UniqueConstraint(fields=("gold", "worker"), name="gold_once_per_worker"),
        ),
        sql.load(SQL / "golds_0027.sql"),
    ]
