"""Accounts keep worker templates under names, with their versions."""

import django.db.models.deletion
from django.db import migrations, models

import marketplace.addresses


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0051_test_questions_of_texts"),
        ("marketplace", "0035_saml_providers"),
    ]

    operations = [
        migrations.CreateModel(
            name="WorkerTemplate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=63)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="worker_templates",
                        to="marketplace.account",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TemplateVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.IntegerField()),
                ("text", models.TextField()),
                ("script_hosts", models.JSONField(default=list)),
                ("sample", marketplace.addresses.LineField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("created_by", models.CharField(blank=True, max_length=120)),
                (
                    "template",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="labeling.workertemplate",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="workertemplate",
            constraint=models.UniqueConstraint(fields=("account", "name"), name="worker_template_name_once"),
        ),
        migrations.AddConstraint(
            model_name="templateversion",
            constraint=models.UniqueConstraint(fields=("template", "number"), name="template_version_once"),
        ),
    ]
