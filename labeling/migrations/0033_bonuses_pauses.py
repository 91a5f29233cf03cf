"""Bonuses, and why a job waits for its account; work queues can be paused."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0032_audit_by_account"),
        ("marketplace", "0024_bonuses_refunds_taxes"),
    ]

    operations = [
        migrations.AddField(
            model_name="labelingjob",
            name="paused",
            field=models.CharField(blank=True, db_default="", default="", max_length=10),
        ),
        migrations.AlterField(
            model_name="workqueue",
            name="status",
            field=models.CharField(
                choices=[
                    ("Initializing", "Initializing"),
                    ("InProgress", "InProgress"),
                    ("Paused", "Paused"),
                    ("Stopped", "Stopped"),
                ],
                default="Initializing",
                max_length=20,
            ),
        ),
        migrations.CreateModel(
            name="Bonus",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount_micros", models.BigIntegerField()),
                ("fee_micros", models.BigIntegerField()),
                ("reason", models.CharField(max_length=180)),
                ("token", models.CharField(max_length=64)),
                ("paid_by", models.CharField(max_length=120)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="marketplace.account"
                    ),
                ),
                (
                    "queue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="bonuses", to="labeling.workqueue"
                    ),
                ),
                (
                    "worker",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="bonuses", to="marketplace.worker"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["queue", "-id"], name="bonus_by_queue")],
                "constraints": [
                    models.UniqueConstraint(fields=("account", "token"), name="bonus_once"),
                    models.CheckConstraint(condition=models.Q(("amount_micros__gt", 0)), name="bonus_above_zero"),
                ],
            },
        ),
    ]
