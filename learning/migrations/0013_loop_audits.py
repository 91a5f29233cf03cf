"""Audits of the labels that learning loops have made."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "0059_labels_taken_back"), ("learning", "0012_promised_error")]

    operations = [
        migrations.CreateModel(
            name="LoopAudit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "loop",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="audits", to="learning.learningloop"
                    ),
                ),
                ("number", models.IntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("Labeling", "Labeling"),
                            ("Withdrawing", "Withdrawing"),
                            ("Kept", "Kept"),
                            ("Broken", "Broken"),
                            ("Skipped", "Skipped"),
                            ("Stopped", "Stopped"),
                        ],
                        default="Labeling",
                        max_length=20,
                    ),
                ),
                ("status_changed_at", models.DateTimeField(null=True)),
                ("last_round", models.IntegerField()),
                (
                    "batch",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="loop_audit",
                        to="labeling.batch",
                    ),
                ),
                ("figures", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("loop", "number"), name="loop_audit_number_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditedObject",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "audit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="objects_of_audit",
                        to="learning.loopaudit",
                    ),
                ),
                (
                    "data_object",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="audited_in",
                        to="labeling.dataobject",
                    ),
                ),
                (
                    "label",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="labeling.label"
                    ),
                ),
                ("round_number", models.IntegerField()),
                ("loss", models.FloatField(null=True)),
            ],
        ),
    ]
