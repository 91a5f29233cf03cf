"""Models in groups with versions, approval and lineage; imports of detectors that were trained elsewhere."""

import re

import django.db.models.deletion
import marketplace.addresses
from django.db import migrations, models


def group(apps, schema_editor):
    """Models that are there already become versions: those of one loop of one group, in the order of their making."""
    model, model_group = apps.get_model("learning", "Model"), apps.get_model("learning", "ModelGroup")
    for row in model.objects.filter(group=None).order_by("pk").iterator():
        name = re.sub(r"(-round)?-[0-9]+$", "", row.name) or row.name
        found, _ = model_group.objects.get_or_create(account_id=row.account_id, name=name)
        row.group, row.version = found, model.objects.filter(group=found).count() + 1
        row.save(update_fields=["group", "version"])


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0057_label_imports_of_every_type"),
        ("learning", "0006_relative_addresses"),
        ("marketplace", "0036_chosen_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="ModelImport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=63)),
                ("status_changed_at", models.DateTimeField(null=True)),
                ("failure_reason", models.CharField(blank=True, max_length=1024)),
                ("hyperparameters", models.JSONField(default=dict)),
                ("channels", marketplace.addresses.AddressesField(default=dict)),
                ("folder", models.CharField(blank=True, max_length=1024)),
                ("progress", models.FloatField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("claimed_by", models.CharField(blank=True, max_length=120)),
                ("heartbeat_at", models.DateTimeField(null=True)),
                ("attempts", models.IntegerField(default=0)),
                ("attempt_progress", models.FloatField(default=0)),
                ("not_before", models.DateTimeField(null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("InProgress", "InProgress"),
                            ("Stopping", "Stopping"),
                            ("Completed", "Completed"),
                            ("Failed", "Failed"),
                            ("Stopped", "Stopped"),
                        ],
                        default="InProgress",
                        max_length=20,
                    ),
                ),
                ("group_name", models.CharField(blank=True, max_length=63)),
            ],
        ),
        migrations.AddField(
            model_name="model",
            name="comment",
            field=models.CharField(blank=True, max_length=1024),
        ),
        migrations.AddField(
            model_name="model",
            name="decided_by",
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.AddField(
            model_name="model",
            name="deleted_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="model",
            name="lineage",
            field=marketplace.addresses.AddressesField(default=dict),
        ),
        migrations.AddField(
            model_name="model",
            name="parent",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="children", to="learning.model"
            ),
        ),
        migrations.AddField(
            model_name="model",
            name="status",
            field=models.CharField(
                choices=[
                    ("PendingManualApproval", "PendingManualApproval"),
                    ("Approved", "Approved"),
                    ("Rejected", "Rejected"),
                ],
                default="PendingManualApproval",
                max_length=30,
            ),
        ),
        migrations.AddField(
            model_name="model",
            name="status_changed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="model",
            name="version",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="transformjob",
            name="dataset",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="labeling.dataset"
            ),
        ),
        migrations.AddField(
            model_name="transformjob",
            name="label_attribute_name",
            field=models.CharField(blank=True, default="", max_length=127),
        ),
        migrations.CreateModel(
            name="ModelGroup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=63)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="model_groups",
                        to="marketplace.account",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="model",
            name="group",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="models", to="learning.modelgroup"
            ),
        ),
        migrations.AddConstraint(
            model_name="model",
            constraint=models.UniqueConstraint(fields=("group", "version"), name="model_version_once"),
        ),
        migrations.AddField(
            model_name="modelimport",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="marketplace.account"
            ),
        ),
        migrations.AddField(
            model_name="modelimport",
            name="model",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="model_import",
                to="learning.model",
            ),
        ),
        migrations.AddConstraint(
            model_name="modelgroup",
            constraint=models.UniqueConstraint(fields=("account", "name"), name="model_group_name_once"),
        ),
        migrations.AddIndex(
            model_name="modelimport",
            index=models.Index(
                condition=models.Q(("status__in", ["InProgress", "Stopping"])),
                fields=["account"],
                name="model_import_live",
            ),
        ),
        migrations.AddIndex(
            model_name="modelimport",
            index=models.Index(fields=["account", "-started_at"], name="model_import_started"),
        ),
        migrations.AddConstraint(
            model_name="modelimport",
            constraint=models.UniqueConstraint(fields=("account", "name"), name="model_import_name_once"),
        ),
        migrations.RunPython(group, migrations.RunPython.noop),
    ]
