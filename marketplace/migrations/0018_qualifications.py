"""Qualifications and requirements, and the function that answers who may see which work with them."""

from pathlib import Path

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from marketplace import sql

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0017_own_portal_slugs"),
    ]

    operations = [
        migrations.CreateModel(
            name="QualificationType",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=63)),
                ("description", models.CharField(max_length=500)),
                (
                    "status",
                    models.CharField(
                        choices=[("Active", "Active"), ("Inactive", "Inactive")], default="Active", max_length=8
                    ),
                ),
                ("status_changed_at", models.DateTimeField(null=True)),
                (
                    "granted_by",
                    models.CharField(
                        choices=[
                            ("Test", "Test"),
                            ("ApprovalRate", "Approval Rate"),
                            ("TasksDone", "Tasks Done"),
                            ("Manual", "Manual"),
                        ],
                        max_length=12,
                    ),
                ),
                ("mark", models.IntegerField(default=0)),
                ("valid_days", models.SmallIntegerField(null=True)),
                ("retry_hours", models.SmallIntegerField(default=0)),
                ("most_attempts", models.SmallIntegerField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("created_by", models.CharField(max_length=120)),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="qualification_types",
                        to="marketplace.account",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Qualification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("value", models.IntegerField()),
                ("granted_at", models.DateTimeField()),
                ("granted_by", models.CharField(max_length=120)),
                ("expires_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                ("revoked_by", models.CharField(blank=True, default="", max_length=120)),
                ("reason", models.CharField(blank=True, default="", max_length=200)),
                (
                    "worker",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="qualifications",
                        to="marketplace.worker",
                    ),
                ),
                (
                    "qualification_type",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="qualifications",
                        to="marketplace.qualificationtype",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AudienceRequirement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place", models.SmallIntegerField()),
                (
                    "comparator",
                    models.CharField(
                        choices=[
                            ("Exists", "Exists"),
                            ("DoesNotExist", "Does Not Exist"),
                            ("EqualTo", "Equal To"),
                            ("NotEqualTo", "Not Equal To"),
                            ("LessThan", "Less Than"),
                            ("LessThanOrEqualTo", "Less Than Or Equal To"),
                            ("GreaterThan", "Greater Than"),
                            ("GreaterThanOrEqualTo", "Greater Than Or Equal To"),
                            ("In", "In"),
                            ("NotIn", "Not In"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "integer_values",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), default=list, size=None
                    ),
                ),
                (
                    "actions_guarded",
                    models.CharField(
                        choices=[("Accept", "Accept"), ("DiscoverPreviewAndAccept", "Discover")],
                        default="Accept",
                        max_length=24,
                    ),
                ),
                ("head_start_minutes", models.IntegerField(null=True)),
                ("head_start_until", models.DateTimeField(null=True)),
                (
                    "audience",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="requirements",
                        to="marketplace.audience",
                    ),
                ),
                (
                    "qualification_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="requirements",
                        to="marketplace.qualificationtype",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="qualificationtype",
            constraint=models.UniqueConstraint(
                fields=("account", "name"), name="qualification_type_name_once", nulls_distinct=False
            ),
        ),
        migrations.AddIndex(
            model_name="qualification",
            index=models.Index(fields=["qualification_type", "id"], name="qualification_by_type"),
        ),
        migrations.AddConstraint(
            model_name="qualification",
            constraint=models.UniqueConstraint(
                fields=("worker", "qualification_type"), name="qualification_once_per_worker"
            ),
        ),
        migrations.AddConstraint(
            model_name="audiencerequirement",
            constraint=models.UniqueConstraint(fields=("audience", "place"), name="audience_requirement_once"),
        ),
        sql.load(SQL / "eligibility_0018.sql", undo=(SQL / "eligibility.sql").read_text(encoding="utf-8")),
    ]
