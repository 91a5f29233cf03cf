"""Workers whom an account trusts to review the answers to one of its queues, and who therefore answer none of them."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

from marketplace import sql

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0039_seats_of_tasks"),
        ("marketplace", "0032_identity_providers"),
    ]

    operations = [
        migrations.CreateModel(
            name="QueueReviewer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("added_at", models.DateTimeField()),
                ("added_by", models.CharField(max_length=120)),
                ("removed_at", models.DateTimeField(null=True)),
                (
                    "queue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="reviewers", to="labeling.workqueue"
                    ),
                ),
                (
                    "worker",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="queues_reviewed",
                        to="marketplace.worker",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("worker", "queue"), name="queue_reviewer_once")],
            },
        ),
        sql.load(SQL / "refusal_0040.sql", undo=(SQL / "refusal_0025.sql").read_text(encoding="utf-8")),
    ]
